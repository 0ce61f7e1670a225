/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw HTTP/2 reader: clients of StreamEvents that do no more than the protocol asks for. They
 * announce the largest window, answer SETTINGS and PING, and count messages; nothing is decoded, so
 * that the server is what is measured.
 */
#ifndef MRL_BENCH_H2_H
#define MRL_BENCH_H2_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

enum { BENCH_H2_HEAD = 96 };

/** A client of one stream. */
struct bench_h2 {
    int fd;
    uint64_t events, gaps; /* messages: of calls, and events_lost */
    uint32_t unread;       /* bytes that the window has not got back */
    /* The frame, and the message within DATA frames. */
    unsigned char header[9], prefix[5], head[BENCH_H2_HEAD];
    uint32_t header_used, payload_left;
    uint32_t prefix_used, message_left, head_used;
    unsigned char ping[8];
    uint32_t ping_used;
};

/** Connects to "unix:PATH" or "tcp:127.0.0.1:PORT", and asks for all events. `reads_on`: with the
 * largest window, else with the default one. -1 after saying why. */
int bench_h2__open(struct bench_h2 *client, const char *address, bool reads_on);

/** Reads once what is there (blocks where nothing is). Returns whether the server is still there.
 */
bool bench_h2__read(struct bench_h2 *client);

void bench_h2__close(struct bench_h2 *client);

/** What a process that does nothing but read has got so far; shared with it. */
struct bench_h2_counts {
    uint64_t events;
};

/** A process with `count` clients, which dies with this one; -1 after saying why. It is ready when
 * it returns. `ret_counts` is to be unmapped. */
pid_t bench_h2__start(const char *address, unsigned int count, struct bench_h2_counts **ret_counts);

#endif
