// SPDX-License-Identifier: Apache-2.0
/* A stack of things to undo. */
#include "cleanup.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/wait.h>

enum { THINGS_MAX = 262144, DESCRIPTORS = 16, RMDIR_TRIES = 200, RMDIR_PAUSE_NS = 5000000 };

static struct thing {
    void (*undo)(void *object);
    void *object;
} things[THINGS_MAX];

static unsigned int count;

void cleanup__add(void (*undo)(void *object), void *object)
{
    if (count == THINGS_MAX) {
        fputs("# a test leaves too much behind\n", stderr);
        abort();
    }
    things[count++] = (struct thing){ undo, object };
}

static void end_child(void *object)
{
    pid_t *child = object;

    if (*child > 0) {
        kill(*child, SIGKILL);
        while (waitpid(*child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(child);
}

void cleanup__child(pid_t child)
{
    pid_t *copy = malloc(sizeof(*copy));

    if (!copy)
        abort();
    *copy = child;
    cleanup__add(end_child, copy);
}

void cleanup__forget_child(pid_t child)
{
    for (unsigned int i = 0; i < count; i++)
        if (things[i].undo == end_child && *(pid_t *)things[i].object == child)
            *(pid_t *)things[i].object = 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

static void remove_tree(void *object)
{
    nftw(object, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    free(object);
}

void cleanup__tree(const char *path)
{
    cleanup__add(remove_tree, strdup(path));
}

/* A cgroup is busy for a moment after its last process was waited for. */
static void remove_directory(void *object)
{
    const struct timespec pause = { .tv_nsec = RMDIR_PAUSE_NS };

    for (int i = 0; i < RMDIR_TRIES && rmdir(object) && errno == EBUSY; i++)
        nanosleep(&pause, NULL);
    free(object);
}

void cleanup__directory(const char *path)
{
    cleanup__add(remove_directory, strdup(path));
}

void cleanup__run(void)
{
    while (count) {
        struct thing thing = things[--count];

        thing.undo(thing.object);
    }
}
