/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outputs: a format and a sink each, as --output names them. This is where events are encoded and
 * counted; one output that fails does not stop the others.
 */
#ifndef MRL_HOST_OUTPUTS_H
#define MRL_HOST_OUTPUTS_H

#include <mrelease/mrelease.h>

enum { MRL_OUTPUTS_MAX = 16 };

/** The texts of --output, borrowed; and what they became. Zeroed is empty. */
struct mrl_outputs {
    const char *specs[MRL_OUTPUTS_MAX];
    unsigned int count;
    struct mrl_output *outputs[MRL_OUTPUTS_MAX];
    unsigned int opened;
};

/**
 * Adds "FORMAT[:DESTINATION]" after checking all that can be checked without touching anything.
 * Error: -EINVAL, with the nearest format.
 */
int mrl_outputs__add(struct mrl_outputs *outputs, const char *spec, struct mrl_error *error);

/** Opens all; on failure none stays open. Errors: as the sink's open. May block (a FIFO without
 * reader). */
int mrl_outputs__open(struct mrl_outputs *outputs, struct mrl_error *error);

/** Encodes the first `count` events of a batch for every output and writes them. Failures are
 * reported and counted. */
void mrl_outputs__deliver(struct mrl_outputs *outputs, const struct mrl_batch *batch, size_t count);

/** Reopens what can be (SIGHUP). Failures are reported. */
void mrl_outputs__reopen(struct mrl_outputs *outputs);

/** Whether at least one output still takes events. */
bool mrl_outputs__alive(const struct mrl_outputs *outputs);

/** Says on standard error what each output delivered and dropped. */
void mrl_outputs__report(const struct mrl_outputs *outputs);

/** Closes all. Returns 0, or the first -errno that lost something. */
int mrl_outputs__close(struct mrl_outputs *outputs);

#endif
