// SPDX-License-Identifier: Apache-2.0
/*
 * A side program for tests of the main process's end: its destination says how it behaves, behind
 * the last dot. It believes what it hears, and writes its messages by hand.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "side/common/message.h"

static char buffer[MRL_SIDE_MESSAGE_MAX];
static int listener = -1;

static struct mrl_side_message next(void)
{
    struct pollfd input = { .fd = MRL_SIDE_SOCKET, .events = POLLIN };
    struct mrl_side_message message = { .fd_count = 0 };
    int err;

    while ((err = mrl_side_message__receive(MRL_SIDE_SOCKET, buffer, MRL_SINK_FDS_MAX, &message)) !=
           1) {
        if (err != -11)
            _exit(0);
        poll(&input, 1, -1);
    }
    return message;
}

static void say(
    enum mrl_side_type type, uint32_t id, uint32_t count, const void *bytes, size_t size)
{
    const struct mrl_side_head head = { .type = (uint16_t)type, .id = id, .count = count };
    const struct iovec part = { (void *)(uintptr_t)bytes, size };
    struct pollfd room = { .fd = MRL_SIDE_SOCKET, .events = POLLOUT };

    while (mrl_side_message__send(MRL_SIDE_SOCKET, head, &part, 1, NULL, 0) == -11)
        poll(&room, 1, 10);
}

static void take(uint32_t id, uint32_t items)
{
    const struct mrl_side_verdict verdict = { items, 0 };

    say(MRL_SIDE_VERDICT, id, 1, &verdict, sizeof(verdict));
}

static void ask(uint32_t id, uint32_t what, uint32_t argument)
{
    const struct mrl_side_request request = { .asked = what, .argument = argument };

    say(MRL_SIDE_REQUEST, id, 0, &request, sizeof(request));
}

/* With a connection between ends that are both its child's: so the pid at the other end is not its
 * own. */
static void claim(void)
{
    const struct mrl_side_head head = { .type = MRL_SIDE_REQUEST, .id = 1 };
    const struct mrl_side_request request = { .asked = MRL_SIDE_DISABLE, .argument = 0 };
    const struct iovec part = { (void *)(uintptr_t)&request, sizeof(request) };
    int pair[2];
    pid_t child = fork();

    if (child) {
        waitpid(child, NULL, 0);
        return;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
        mrl_side_message__send(MRL_SIDE_SOCKET, head, &part, 1, pair, 1))
        _exit(5);
    _exit(0);
}

/* With one that it makes to the socket that it was given. */
static void connect_to_itself(const char *destination)
{
    const struct mrl_side_head head = { .type = MRL_SIDE_REQUEST, .id = 2 };
    const struct mrl_side_request request = { .asked = MRL_SIDE_DISABLE, .argument = 0 };
    const struct iovec part = { (void *)(uintptr_t)&request, sizeof(request) };
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    int end = socket(AF_UNIX, SOCK_STREAM, 0), accepted;

    snprintf(where.sun_path, sizeof(where.sun_path), "%s", destination + strlen("unix:"));
    if (connect(end, (const struct sockaddr *)&where, sizeof(where)))
        _exit(6);
    accepted = accept(listener, NULL, NULL);
    if (accepted < 0 || mrl_side_message__send(MRL_SIDE_SOCKET, head, &part, 1, &accepted, 1))
        _exit(7);
}

/* Answers pings among what there is. */
static void drain(void)
{
    struct mrl_side_message message;

    while (mrl_side_message__receive(MRL_SIDE_SOCKET, buffer, MRL_SINK_FDS_MAX, &message) == 1) {
        mrl_side_message__close(&message);
        if (message.head.type == MRL_SIDE_PING)
            say(MRL_SIDE_PONG, 0, 0, "", 0);
    }
}

/* Without end, as fast as it gets rid of it. It reads what it is answered, or not. */
static void go_on(enum mrl_side_type type, const void *bytes, size_t size, bool reads)
{
    for (uint32_t id = 1;; id++) {
        say(type, id, 0, bytes, size);
        if (reads)
            drain();
    }
}

static void ask_on(uint32_t what, uint32_t argument, bool reads)
{
    const struct mrl_side_request request = {
        .asked = what, .argument = argument, .number = 7, .place = 7
    };

    go_on(MRL_SIDE_REQUEST, &request, sizeof(request), reads);
}

/* Requests by connections that are none. */
static void hand_over(void)
{
    const struct mrl_side_head head = { .type = MRL_SIDE_REQUEST, .id = 1 };
    const struct mrl_side_request request = { .asked = MRL_SIDE_DISABLE, .argument = 0 };
    const struct iovec part = { (void *)(uintptr_t)&request, sizeof(request) };
    static const char *const paths[] = { "/dev/null", "/", "/proc/self/mem", "/dev/zero" };
    int fds[MRL_SINK_FDS_MAX];

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        int fd = open(paths[i], O_RDONLY);

        mrl_side_message__send(MRL_SIDE_SOCKET, head, &part, 1, &fd, 1);
        close(fd);
    }
    for (size_t i = 0; i < MRL_SINK_FDS_MAX; i++)
        fds[i] = open("/dev/null", O_RDONLY);
    mrl_side_message__send(MRL_SIDE_SOCKET, head, &part, 1, fds, MRL_SINK_FDS_MAX);
}

/* What never ends. Returns where it is none of these. */
static void be_a_flood(const char *manner)
{
    static char lines[MRL_SIDE_MESSAGE_MAX - sizeof(struct mrl_side_head)];

    if (!strcmp(manner, "lines"))
        go_on(MRL_SIDE_LOG, memset(lines, 'l', sizeof(lines)), sizeof(lines), false);
    if (!strcmp(manner, "short-lines"))
        go_on(MRL_SIDE_LOG, "la", 2, false);
    if (!strcmp(manner, "talks"))
        go_on(MRL_SIDE_LOG, "la", 2, true);
    if (!strcmp(manner, "metrics"))
        ask_on(MRL_SIDE_METRICS, 0, true);
    if (!strcmp(manner, "deaf"))
        ask_on(MRL_SIDE_METRICS, 0, false);
    if (!strcmp(manner, "wishes"))
        ask_on(MRL_SIDE_DISABLE, 0, true);
    if (!strcmp(manner, "segments"))
        ask_on(MRL_SIDE_SEGMENT, 0, true);
    if (!strcmp(manner, "missing"))
        ask_on(MRL_SIDE_MISSING, 1, true);
    if (!strcmp(manner, "files"))
        ask_on(MRL_SIDE_FILES, 0, true);
    if (!strcmp(manner, "pongs-on"))
        go_on(MRL_SIDE_PONG, "", 0, false);
    if (!strcmp(manner, "verdicts-on"))
        for (uint32_t i = 0;; i++)
            take(i, 1);
    if (!strcmp(manner, "leaves")) {
        close(MRL_SIDE_SOCKET);
        for (;;)
            pause();
    }
    if (!strcmp(manner, "fds"))
        hand_over();
}

/* What it does with a chunk. */
static void be(const char *manner, uint32_t id, uint32_t items)
{
    const struct mrl_side_verdict none = { 0, -5 }, positive = { items, 5 };
    const char lie[4] = "lie";

    if (!strcmp(manner, "dies"))
        _exit(1);
    if (!strcmp(manner, "hangs"))
        for (;;)
            pause();
    if (!strcmp(manner, "more")) {
        take(id, items + 1);
        return;
    }
    if (!strcmp(manner, "fewer")) {
        take(id, items - 1);
        return;
    }
    if (!strcmp(manner, "never-sent")) {
        take(id + 7, items);
        return;
    }
    if (!strcmp(manner, "twice"))
        take(id, items);
    if (!strcmp(manner, "sizes"))
        say(MRL_SIDE_VERDICT, id, 3, &none, sizeof(none));
    if (!strcmp(manner, "positive"))
        say(MRL_SIDE_VERDICT, id, 1, &positive, sizeof(positive));
    if (!strcmp(manner, "refuses")) {
        const struct mrl_side_verdict half[] = { { 1, 0 }, { items - 1, -5 } };

        say(MRL_SIDE_VERDICT, id, 2, half, sizeof(half));
        return;
    }
    if (!strcmp(manner, "size-lies")) {
        const struct mrl_side_head lying = { MRL_SIDE_VERSION, MRL_SIDE_LOG, 7, 0, 0, 0 };

        if (write(MRL_SIDE_SOCKET, &lying, sizeof(lying)) != sizeof(lying))
            _exit(8);
    }
    if (!strcmp(manner, "err-lies")) {
        const struct mrl_side_head lying = {
            .type = MRL_SIDE_VERDICT, .id = id, .count = 1, .err = 5
        };
        struct mrl_side_verdict good = { items, 0 };
        const struct iovec part = { &good, sizeof(good) };

        if (mrl_side_message__send(MRL_SIDE_SOCKET, lying, &part, 1, NULL, 0))
            _exit(8);
        return;
    }
    if (!strcmp(manner, "pongs"))
        for (int i = 0; i < 2; i++)
            say(MRL_SIDE_PONG, 0, 0, "", 0);
    if (!strcmp(manner, "type"))
        say((enum mrl_side_type)99, 0, 0, "", 0);
    if (!strcmp(manner, "own-type"))
        say(MRL_SIDE_CHUNK, 0, 0, "", 0);
    if (!strcmp(manner, "torn") && write(MRL_SIDE_SOCKET, lie, sizeof(lie)) != sizeof(lie))
        _exit(2);
    if (!strcmp(manner, "reopened"))
        say(MRL_SIDE_REOPENED, 0, 0, "", 0);
    if (!strcmp(manner, "ended"))
        say(MRL_SIDE_ENDED, 0, 0, "", 0);
    if (!strcmp(manner, "asks-what"))
        ask(1, 99, 0);
    if (!strcmp(manner, "asks-event"))
        ask(1, MRL_SIDE_DISABLE, 4711);
    if (!strcmp(manner, "asks")) {
        for (uint32_t i = 0; i < 900; i++)
            ask(i, MRL_SIDE_METRICS, 0);
        ask(900, MRL_SIDE_DISABLE, 0);
    }
    if (!strcmp(manner, "babbles"))
        for (uint32_t i = 0; i < 900; i++)
            say(MRL_SIDE_LOG, 0, 0, "la", 2);
    take(id, items);
}

/* Ends without having read what it shall open. */
static void leave_unread(void)
{
    ssize_t size = recv(MRL_SIDE_SOCKET, buffer, sizeof(buffer), MSG_PEEK);

    if (size <= 0 || !memmem(buffer, (size_t)size, ".unread", strlen(".unread")))
        return;
    fprintf(stderr, "# its last words\n");
    say(MRL_SIDE_LOG, 0, 0, "la", 2);
    _exit(9);
}

int main(void)
{
    struct mrl_side_message message;
    struct mrl_side_target target;
    char manner[64] = "", destination[108] = "";

    leave_unread();
    message = next();
    if (mrl_side_target__read(&message, &target))
        return 3;
    listener = target.fds[0];
    snprintf(destination, sizeof(destination), "%s", target.destination);
    snprintf(manner, sizeof(manner), "%s", strrchr(target.destination, '.') + 1);
    if (!strcmp(manner, "no-open")) {
        const struct mrl_side_head head = { .type = MRL_SIDE_OPENED, .err = -13 };

        mrl_side_message__say(MRL_SIDE_SOCKET, head, "it will not");
        pause();
    }
    if (!strcmp(manner, "exits"))
        return 4;
    if (!strcmp(manner, "aborts"))
        abort();
    if (!strcmp(manner, "breaks-early"))
        say(MRL_SIDE_PONG, 0, 0, "", 0);
    if (!strcmp(manner, "opens-late"))
        for (;;)
            pause();
    say(MRL_SIDE_OPENED, 0, 0, "", 0);
    for (;;) {
        message = next();
        if (message.head.type == MRL_SIDE_CHUNK && !strcmp(manner, "claims")) {
            claim();
            connect_to_itself(destination);
        }
        if (message.head.type == MRL_SIDE_READY)
            be_a_flood(manner);
        if (message.head.type == MRL_SIDE_CHUNK)
            be(manner, message.head.id, message.head.count);
        if (message.head.type == MRL_SIDE_PING)
            say(MRL_SIDE_PONG, 0, 0, "", 0);
        if (message.head.type == MRL_SIDE_END && !strcmp(manner, "stays"))
            for (;;)
                pause();
        if (message.head.type == MRL_SIDE_END) {
            say(MRL_SIDE_ENDED, 0, 0, "", 0);
            return 0;
        }
    }
}
