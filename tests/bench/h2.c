// SPDX-License-Identifier: Apache-2.0
/* Clients that speak HTTP/2 by hand (RFC 9113; headers as literals of RFC 7541 without an index).
 */
#include "bench/h2.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "bench/bench.h"

enum {
    TYPE_DATA = 0,
    TYPE_HEADERS = 1,
    TYPE_SETTINGS = 4,
    TYPE_PING = 6,
    TYPE_WINDOW_UPDATE = 8,
    FLAG_ACK = 1,
    FLAG_END_STREAM = 1,
    FLAG_END_HEADERS = 4,
    STREAM = 1,
    SETTING_WINDOW = 4,
    DEFAULT_WINDOW = 65535,
    GIVE_BACK = 256 << 20,
    BLOCK_BYTES = 256 * 1024,
    EVENTS_AT_ONCE = 64,
};

/* -- writing ---------------------------------------------------------------------------------- */

struct bytes {
    unsigned char all[1024];
    size_t size;
};

static void put(struct bytes *bytes, const void *from, size_t size)
{
    memcpy(bytes->all + bytes->size, from, size);
    bytes->size += size;
}

static void put_number(struct bytes *bytes, uint32_t number, unsigned int width)
{
    for (unsigned int i = width; i--;)
        bytes->all[bytes->size++] = (unsigned char)(number >> 8 * i);
}

static void put_frame(struct bytes *bytes, uint32_t size, int type, int flags, uint32_t stream)
{
    put_number(bytes, size, 3);
    put_number(bytes, (uint32_t)type, 1);
    put_number(bytes, (uint32_t)flags, 1);
    put_number(bytes, stream, 4);
}

static void put_header(struct bytes *bytes, const char *name, const char *value)
{
    put_number(bytes, 0, 1);
    put_number(bytes, (uint32_t)strlen(name), 1);
    put(bytes, name, strlen(name));
    put_number(bytes, (uint32_t)strlen(value), 1);
    put(bytes, value, strlen(value));
}

static int send_all(const struct bench_h2 *client, const struct bytes *bytes)
{
    return send(client->fd, bytes->all, bytes->size, MSG_NOSIGNAL) == (ssize_t)bytes->size ? 0 : -1;
}

static int ask(const struct bench_h2 *client, bool reads_on)
{
    static const char *const headers[][2] = {
        { ":method", "POST" },
        { ":scheme", "http" },
        { ":path", "/tracee.v1beta1.TraceeService/StreamEvents" },
        { ":authority", "bench" },
        { "te", "trailers" },
        { "content-type", "application/grpc" },
    };
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    struct bytes fields = { .size = 0 }, all = { .size = 0 };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        put_header(&fields, headers[i][0], headers[i][1]);
    put(&all, preface, sizeof(preface) - 1);
    put_frame(&all, 6, TYPE_SETTINGS, 0, 0);
    put_number(&all, SETTING_WINDOW, 2);
    put_number(&all, reads_on ? INT32_MAX : DEFAULT_WINDOW, 4);
    if (reads_on) {
        put_frame(&all, 4, TYPE_WINDOW_UPDATE, 0, 0);
        put_number(&all, INT32_MAX - DEFAULT_WINDOW, 4);
    }
    put_frame(&all, (uint32_t)fields.size, TYPE_HEADERS, FLAG_END_HEADERS, STREAM);
    put(&all, fields.all, fields.size);
    put_frame(&all, 5, TYPE_DATA, FLAG_END_STREAM, STREAM);
    put_number(&all, 0, 5 - 4);
    put_number(&all, 0, 4);
    return send_all(client, &all);
}

static void give_back(struct bench_h2 *client)
{
    struct bytes bytes = { .size = 0 };

    if (client->unread < GIVE_BACK)
        return;
    for (uint32_t stream = 0; stream <= STREAM; stream++) {
        put_frame(&bytes, 4, TYPE_WINDOW_UPDATE, 0, stream);
        put_number(&bytes, client->unread, 4);
    }
    client->unread = 0;
    send_all(client, &bytes);
}

static void acknowledge(const struct bench_h2 *client)
{
    struct bytes bytes = { .size = 0 };
    const int type = client->header[3];

    if (client->header[4] & FLAG_ACK)
        return;
    put_frame(&bytes, type == TYPE_PING ? 8 : 0, type, FLAG_ACK, 0);
    if (type == TYPE_PING)
        put(&bytes, client->ping, 8);
    send_all(client, &bytes);
}

/* -- reading ---------------------------------------------------------------------------------- */

static uint32_t number_at(const unsigned char *bytes, unsigned int width)
{
    uint32_t number = 0;

    for (unsigned int i = 0; i < width; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* Appends to a field of fixed size; returns how much was taken. */
static size_t fill(unsigned char *field, uint32_t *used, size_t room, const void *from, size_t size)
{
    size_t taken = room - *used < size ? room - *used : size;

    memcpy(field + *used, from, taken);
    *used += (uint32_t)taken;
    return taken;
}

static void count_message(struct bench_h2 *client)
{
    if (memmem(client->head, client->head_used, "events_lost", 11))
        client->gaps++;
    else
        client->events++;
    client->prefix_used = client->head_used = 0;
}

static void take_data(struct bench_h2 *client, const unsigned char *at, size_t size)
{
    while (size) {
        size_t taken;

        if (client->prefix_used < sizeof(client->prefix)) {
            taken = fill(client->prefix, &client->prefix_used, sizeof(client->prefix), at, size);
            client->message_left = number_at(client->prefix + 1, 4);
        } else {
            taken = client->message_left < size ? client->message_left : size;
            fill(client->head, &client->head_used, sizeof(client->head), at, taken);
            client->message_left -= (uint32_t)taken;
        }
        if (client->prefix_used == sizeof(client->prefix) && !client->message_left)
            count_message(client);
        at += taken;
        size -= taken;
    }
}

static void end_frame(struct bench_h2 *client)
{
    const int type = client->header[3];

    if (type == TYPE_SETTINGS || type == TYPE_PING)
        acknowledge(client);
    client->header_used = client->ping_used = 0;
}

static void take(struct bench_h2 *client, const unsigned char *at, size_t size)
{
    while (size) {
        size_t taken;

        if (client->header_used < sizeof(client->header)) {
            taken = fill(client->header, &client->header_used, sizeof(client->header), at, size);
            client->payload_left = number_at(client->header, 3);
        } else {
            taken = client->payload_left < size ? client->payload_left : size;
            if (client->header[3] == TYPE_DATA) {
                take_data(client, at, taken);
                client->unread += (uint32_t)taken;
            } else if (client->header[3] == TYPE_PING) {
                fill(client->ping, &client->ping_used, sizeof(client->ping), at, taken);
            }
            client->payload_left -= (uint32_t)taken;
        }
        if (client->header_used == sizeof(client->header) && !client->payload_left)
            end_frame(client);
        at += taken;
        size -= taken;
    }
    give_back(client);
}

bool bench_h2__read(struct bench_h2 *client)
{
    static unsigned char block[BLOCK_BYTES];
    ssize_t size = recv(client->fd, block, sizeof(block), 0);

    if (size > 0)
        take(client, block, (size_t)size);
    return size > 0;
}

/* -- connecting ------------------------------------------------------------------------------- */

static int connect_to(const char *address)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    struct sockaddr_in remote = { .sin_family = AF_INET };
    bool is_unix = !strncmp(address, "unix:", 5);
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    int failed;

    snprintf(local.sun_path, sizeof(local.sun_path), "%.100s", address + 5);
    remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    remote.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
    failed = is_unix ? connect(fd, (const struct sockaddr *)&local, sizeof(local))
                     : connect(fd, (const struct sockaddr *)&remote, sizeof(remote));
    if (failed) {
        bench_say("%s: %s", address, strerror(errno));
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

int bench_h2__open(struct bench_h2 *client, const char *address, bool reads_on)
{
    *client = (struct bench_h2){ .fd = connect_to(address) };
    if (client->fd < 0)
        return -1;
    if (!ask(client, reads_on))
        return 0;
    bench_say("%s: it does not take a request", address);
    close(client->fd);
    return -1;
}

void bench_h2__close(struct bench_h2 *client)
{
    close(client->fd);
}

/* -- a process -------------------------------------------------------------------------------- */

static void tell(const struct bench_h2 *clients, unsigned int count, struct bench_h2_counts *counts)
{
    uint64_t events = 0;

    for (unsigned int i = 0; i < count; i++)
        events += clients[i].events;
    __atomic_store_n(&counts->events, events, __ATOMIC_RELAXED);
}

__attribute__((noreturn)) static void read_all(struct bench_h2 *clients,
                                               unsigned int count,
                                               struct bench_h2_counts *counts)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    unsigned int left = count;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned int i = 0; i < count; i++)
        epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd,
                  &(struct epoll_event){ .events = EPOLLIN, .data.u32 = i });
    while (left) {
        struct epoll_event ready[EVENTS_AT_ONCE];
        int got = epoll_wait(epoll, ready, EVENTS_AT_ONCE, -1);

        for (int i = 0; i < got; i++)
            if (!bench_h2__read(&clients[ready[i].data.u32])) {
                bench_h2__close(&clients[ready[i].data.u32]);
                left--;
            }
        tell(clients, count, counts);
    }
    _exit(0);
}

/* A client is there once the server answered its SETTINGS; its stream is a moment later. */
pid_t bench_h2__start(const char *address, unsigned int count, struct bench_h2_counts **ret_counts)
{
    struct bench_h2 *clients = calloc(count, sizeof(*clients));
    struct bench_h2_counts *counts =
        mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = -1;
    unsigned int opened = 0;

    if (!clients || counts == MAP_FAILED)
        bench_die("out of memory");
    while (opened < count && !bench_h2__open(&clients[opened], address, true) &&
           bench_h2__read(&clients[opened]))
        opened++;
    if (opened == count)
        pid = fork();
    if (!pid)
        read_all(clients, count, counts);
    for (unsigned int i = 0; i < opened; i++)
        bench_h2__close(&clients[i]);
    free(clients);
    *ret_counts = counts;
    return pid;
}
