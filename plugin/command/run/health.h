/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a run is well: what gRPC, HTTP and the service manager tell of it. */
#ifndef MRL_COMMAND_RUN_HEALTH_H
#define MRL_COMMAND_RUN_HEALTH_H

#include <mrelease/mrelease.h>
#include <stdatomic.h>

/** The reader hangs when it has not come round for so long. */
enum { MRL_READER_LATE_S = 30 };

/** Zeroed is a run that begins. */
struct mrl_run_health {
    atomic_llong round_ns; /* CLOCK_MONOTONIC: when the reader came round last; 0: not yet */
    atomic_bool ending;
    atomic_bool asked; /* of late: the probes are proven anew soon */
};

/** The reader is there. Any thread; cheap. */
void mrl_run_health__come_round(struct mrl_run_health *health);

/** The end has begun: it is ready no more. Any thread, and signal handlers. */
void mrl_run_health__end(struct mrl_run_health *health);

/** Looks. `plugin` NULL: the probes are not there; `pipeline` NULL: the outputs are not. Any
 * thread. */
void mrl_run_health__look(const struct mrl_run_health *health,
                          struct mrl_plugin *plugin,
                          const struct mrl_pipeline *pipeline,
                          struct mrl_health *ret_health);

#endif
