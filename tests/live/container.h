/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that are there for one call of munlock, and the hosts that they are made on. */
#ifndef MRL_LIVE_CONTAINER_H
#define MRL_LIVE_CONTAINER_H

#include <stdbool.h>

#include "lines.h"

/** The id of one of this process's containers: 64 hexadecimal digits. Valid until the test ends. */
const char *container__id(unsigned int number);

/** How many of the first `count` containers a line names. */
unsigned int container__count_known(const struct lines *lines, unsigned int count);

/** Makes the cgroup of a container as Docker does under systemd; NULL: the reason was printed. */
const char *container__make(unsigned int number);

/** Moves a process there for one call of munlock, and waits for its end. */
void container__call_in(const char *directory);

/** Removes the cgroup, which is busy for a moment after its last process was waited for. */
void container__remove(const char *directory);

/** Who makes containers. The test fails where one cannot be made. */
struct maker {
    const char *name;
    /** False: not here, and the reason was printed. */
    bool (*can)(void);
    /** Makes those of the numbers from `first` on; when it returns they are gone. */
    void (*make)(unsigned int first, unsigned int count);
};

extern const struct maker maker_by_hand, maker_runc;

/** How a host mounts its cgroups. */
enum hierarchy {
    HIERARCHY_V1,     /* no cgroup v2 */
    HIERARCHY_HYBRID, /* v1, and v2 beside it */
    HIERARCHY_V2,     /* nothing else */
    HIERARCHIES
};

/**
 * Lets the test see the cgroups as such a host mounts them, in a mount namespace of its own, until
 * the test ends. Whoever is started meanwhile sees the same. False: this kernel's hierarchies
 * cannot be shown so, and the reason was printed.
 */
bool hierarchy__show(enum hierarchy hierarchy);

/** Whether it is the host's own. */
bool hierarchy__is_own(enum hierarchy hierarchy);

#endif
