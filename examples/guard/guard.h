/* SPDX-License-Identifier: Apache-2.0 */
/* What the three parts of the guard share: arguments.c, members.c, guard.c. */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>

#include <sys/types.h>

enum { NAME_BYTES = 64 };

/** What the command line says. */
struct guard_options {
    pid_t pid;          /* 0: the cgroup is watched */
    const char *cgroup; /* NULL: the process is */
    unsigned long long budget_bytes;
    int interval_ms;
    bool dry_run, once;
};

/** Fills in the options; a wrong one ends the program with status 2. */
void arguments__take(int argc, char **argv, struct guard_options *options);

struct member {
    pid_t pid;
    unsigned long long start_ticks, resident_bytes;
    char name[NAME_BYTES]; /* printable */
};

/** What a look at the members saw. */
struct look {
    pid_t wanted; /* in: a process to look for */
    bool found;   /* it is a member */
    unsigned long long used_bytes;
    struct member biggest; /* pid 0: there is none that may be killed */
};

/** Reads one process. False when it is gone. */
bool member__read(pid_t pid, struct member *ret);

/** Adds a process to what was seen. */
void look__add(struct look *look, pid_t pid);

/** Adds the members of a cgroup and of those below it. False when it is gone. */
bool look__add_cgroup(struct look *look, const char *cgroup);

#endif
