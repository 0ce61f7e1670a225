/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sinks "file" and "capture" have in common: names that hold the time, files that make
 * room for a next one under the same name, and the space that is left. Not for FIFOs and devices.
 */
#ifndef MRL_SINKS_ROTATION_H
#define MRL_SINKS_ROTATION_H

#include <limits.h>
#include <mrelease/error.h>
#include <mrelease/sink.h>
#include <stdbool.h>
#include <stdint.h>

#include "sinks/opening.h"

/** The options of both sinks. 0 means that nothing was said. */
struct mrl_rotation_options {
    uint64_t rotate_bytes; /* a file that has as many makes room for the next */
    uint64_t keep;         /* so many beside the one that is written */
    uint64_t warn_bytes;   /* less than this is little space */
    unsigned int mode;     /* of files that are made */
    char group[64];
};

enum { MRL_ROTATION_ROWS = 5 };

extern const struct mrl_option mrl_rotation_rows[MRL_ROTATION_ROWS];

/**
 * Whether a name and its options make sense together; has the shape of mrl_sink_ops.check. In the
 * last part of the path, %Y %m %d %H %M %S are the time in UTC, and %% is a percent sign. Error:
 * -EINVAL, with a line.
 */
int mrl_rotation__check(const struct mrl_sink_target *target, struct mrl_error *error);

/** The path that a checked name means now. Error: -ENAMETOOLONG, with a line. */
int mrl_rotation__name(const char *name, char path[PATH_MAX], struct mrl_error *error);

/**
 * Whether a file of one name may ever have a name of the other: now, at another time, or numbered.
 * Has the shape of mrl_sink_ops.meets; the directories are the caller's to compare.
 */
bool mrl_rotation__meets(const char *one, const char *other);

/**
 * Frees a path: PATH becomes PATH.1, which becomes PATH.2, and so on up to a number that nobody
 * has, or to the `keep` that is not 0: what had that number becomes PATH.oldest. `*ret_last` is how
 * many files were moved. Each step is one rename, from the last to the first, so that whoever is
 * killed in between leaves a number out, and no file. Error: -errno, with a line; PATH is then
 * where it was.
 */
int mrl_rotation__set_aside(const char *path,
                            uint64_t keep,
                            uint64_t *ret_last,
                            struct mrl_error *error);

/** The path has a new file: PATH.oldest, if one was moved there, goes. */
void mrl_rotation__let_go(const char *path, uint64_t keep, uint64_t last);

/** It has none: each of the `last` files gets its name of before. */
void mrl_rotation__bring_back(const char *path, uint64_t keep, uint64_t last);

/** How a sink goes on in the file at `path`. Returns 1; or -errno with a line, and the old file
 * stays. */
typedef int mrl_switch_fn(struct mrl_sink *sink, const char *path, struct mrl_error *error);

/** The name of a destination, its file, and what became of them. Zeroed at first; the first member
 * of struct mrl_sink, so that what has the shape of a member of mrl_sink_ops is one. */
struct mrl_rotation {
    int fd;        /* the file now; -1: none */
    int close_err; /* what closing an earlier one said; 0: nothing */
    mrl_switch_fn *switch_to;
    struct mrl_rotation_options options;
    struct mrl_opening opening; /* the first file may be a FIFO, and wait */
    char *name;                 /* as it was written */
    char path[PATH_MAX];        /* what it means since the file was opened */
    bool created;               /* there was no such file before */
    uint64_t size;              /* bytes in the file */
    uint64_t end;               /* at so many it makes room; 0: never */
    int64_t look_ns;            /* when to look for space again, CLOCK_MONOTONIC */
    bool is_low;                /* and there was little */
};

/** Copies a checked destination and its options, and opens its first file. Errors, with a line:
 * -ENOMEM, -ENAMETOOLONG, -EINVAL there is no such group, and those of switch_to(). */
int mrl_rotation__open(struct mrl_sink *sink,
                       const struct mrl_sink_target *target,
                       mrl_switch_fn *switch_to,
                       struct mrl_error *error);

/** Frees it; zeroed is allowed. */
void mrl_rotation__done(struct mrl_rotation *rotation);

/** `fd`, which is open, is the file from now on. Error: -EINVAL, with a line: it is no regular
 * file, and the options want one. */
int mrl_rotation__begin(struct mrl_rotation *rotation, int fd, struct mrl_error *error);

/** It is at `path`, and open for good: what was open before is the caller's to close first. */
void mrl_rotation__settle(struct mrl_rotation *rotation, int fd, const char *path, bool created);

/** Whether `path` is the file `fd`, and no link to it. */
bool mrl_rotation__leads_to(const char *path, int fd);

/** Removes the file when it was made for this run, and is empty. */
void mrl_rotation__take_back(const struct mrl_rotation *rotation);

/* Members of mrl_sink_ops. */

bool mrl_rotation__is_quick(const struct mrl_sink *sink);

uint64_t mrl_rotation__room(const struct mrl_sink *sink);

int mrl_rotation__reopen(struct mrl_sink *sink, struct mrl_error *error);

/** On failure the file has its old name, and room once more. */
int mrl_rotation__rotate(struct mrl_sink *sink, struct mrl_error *error);

/**
 * Looks once a second, and else costs a look at the clock. Returns 1 when less than the options say
 * is left, and again only after there was more by an eighth.
 */
int mrl_rotation__notice(struct mrl_sink *sink, struct mrl_error *note);

#endif
