// SPDX-License-Identifier: Apache-2.0
#include "command/run/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"

static struct {
    int socket;           /* connected; 0: there is no manager */
    int64_t ping_ns;      /* between two pings; 0: it wants none */
    atomic_llong next_ns; /* CLOCK_MONOTONIC */
} notify;

/* A path, or, behind '@', a name without one. */
static int connect_to(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t size = strlen(name);
    int fd;

    if (size < 2 || size >= sizeof(address.sun_path) || (*name != '/' && *name != '@'))
        return 0;
    memcpy(address.sun_path, name, size);
    if (*name == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && !connect(fd, (const struct sockaddr *)&address,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)))
        return fd;
    if (fd >= 0)
        close(fd);
    return 0;
}

/* sd_watchdog_enabled(3): half of the interval; another process's is none of ours. */
static int64_t wanted_ping_ns(void)
{
    const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t us;

    if (!interval || sscanf(interval, "%" SCNu64, &us) != 1 || !us || us > INT64_MAX / 1000)
        return 0;
    return pid && strtol(pid, NULL, 10) != getpid() ? 0 : (int64_t)us * 1000 / 2;
}

void mrl_notify__open(void)
{
    const char *name = getenv("NOTIFY_SOCKET");

    notify.socket = name ? connect_to(name) : 0;
    notify.ping_ns = notify.socket ? wanted_ping_ns() : 0;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void mrl_notify__say(const char *format, ...)
{
    char lines[512];
    va_list arguments;

    if (!notify.socket)
        return;
    va_start(arguments, format);
    vsnprintf(lines, sizeof(lines), format, arguments);
    va_end(arguments);
    /* A manager that does not read is not waited for. The sandbox allows write(), and no send(). */
    if (write(notify.socket, lines, strlen(lines)) < 0)
        return;
}

void mrl_notify__ping(void)
{
    int64_t now_ns;

    if (!notify.ping_ns)
        return;
    now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    if (now_ns < atomic_load(&notify.next_ns))
        return;
    atomic_store(&notify.next_ns, now_ns + notify.ping_ns / 2);
    mrl_notify__say("WATCHDOG=1");
}

int mrl_notify__ping_ms(void)
{
    return notify.ping_ns
               ? (int)(notify.ping_ns / 1000000 < 60000 ? notify.ping_ns / 1000000 + 1 : 60000)
               : -1;
}
