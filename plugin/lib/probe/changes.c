// SPDX-License-Identifier: Apache-2.0
/* The ring of changes, read by a thread of its own: the reader may be waiting for an output. */
#include "probe/changes.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <sys/eventfd.h>

struct mrl_changes {
    void (*changed)(void *context, const void *description, size_t size);
    void *context;
    struct ring_buffer *ring;
    int end; /* eventfd */
    pthread_t thread;
};

static int take(void *context, void *description, size_t size)
{
    const struct mrl_changes *changes = context;

    changes->changed(changes->context, description, size);
    return 0;
}

static void *read_all(void *context)
{
    struct mrl_changes *changes = context;
    struct pollfd waits[2] = { { .fd = ring_buffer__epoll_fd(changes->ring), .events = POLLIN },
                               { .fd = changes->end, .events = POLLIN } };

    while (!waits[1].revents) {
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            break;
        ring_buffer__consume(changes->ring);
    }
    return NULL;
}

static void free_changes(struct mrl_changes *changes)
{
    ring_buffer__free(changes->ring);
    if (changes->end >= 0)
        close(changes->end);
    free(changes);
}

int mrl_changes__start(int map_fd,
                       void (*changed)(void *context, const void *description, size_t size),
                       void *context,
                       struct mrl_changes **ret_changes)
{
    struct mrl_changes *changes = calloc(1, sizeof(*changes));
    int err = 0;

    if (!changes)
        return -ENOMEM;
    *changes = (struct mrl_changes){ .changed = changed, .context = context };
    changes->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    changes->ring = ring_buffer__new(map_fd, take, changes, NULL);
    if (changes->end < 0 || !changes->ring)
        err = -errno;
    if (!err)
        err = -pthread_create(&changes->thread, NULL, read_all, changes);
    if (err) {
        free_changes(changes);
        return err;
    }
    *ret_changes = changes;
    return 0;
}

void mrl_changes__stop(struct mrl_changes *changes)
{
    const uint64_t once = 1;
    ssize_t written;

    if (!changes)
        return;
    written = write(changes->end, &once, sizeof(once));
    (void)written; /* nothing else is ever written there */
    pthread_join(changes->thread, NULL);
    free_changes(changes);
}
