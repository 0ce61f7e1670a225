/* SPDX-License-Identifier: Apache-2.0 */
/* Load: children that call without end or many times, and readers of what comes out. */
#ifndef MRL_LIVE_LOAD_H
#define MRL_LIVE_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <sys/types.h>

/** Whether the tests may take their time, and do the full numbers. */
bool load__long(void);

/** Calls `event`, in vain, `calls` times from CPU `cpu`; 0: until the test ends. `per_ms` 0: at
 * full speed. */
struct load {
    const char *event;
    unsigned int cpu;
    uint64_t calls;
    unsigned int per_ms;
};

/** Keeps the calling thread, and what it starts, on the first CPU, and others off it as far as
 * priorities can: the core that a flood leaves to the sensor and its reader. */
void load__take_first_cpu(void);

/** Sleeps until a ms after `next`, which it moves there. */
void load__sleep_until(struct timespec *next);

/** User and system time that a process has spent so far, to 10 ms. */
double load__cpu_s(pid_t pid);

/** Starts it in a child, which ends by itself, or with the test. */
pid_t load__start(const struct load *load);

/** Waits for its end; the test fails when it takes longer than `timeout_ms`. */
void load__wait(pid_t child, unsigned int timeout_ms);

/** Ends an endless one. */
void load__stop(pid_t child);

/**
 * Reads a FIFO to its end in a thread, up to 1 MiB at a time, and counts lines: some 0.12 s of CPU
 * time per million of them, most of it the kernel's copying.
 */
struct reader {
    const char *path, *copy; /* copy: a file that gets everything, or NULL */
    const char *wanted;      /* lines that contain this are counted apart; NULL: none */
    uint64_t stall_after;    /* lines after which it stops for a while */
    unsigned int stall_ms;   /* 0: never */
    bool on_first_cpu;       /* as load__take_first_cpu() */
    atomic_ullong lines, wanted_lines;
    pthread_t thread;
};

/** Makes the FIFO and starts. */
void reader__start(struct reader *reader);

/** Waits until the writer is gone. */
void reader__wait(struct reader *reader);

#endif
