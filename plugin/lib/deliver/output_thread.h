/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of an output whose sink may block. */
#ifndef MRL_DELIVER_OUTPUT_THREAD_H
#define MRL_DELIVER_OUTPUT_THREAD_H

#include "deliver/output_state.h"

/** The thread: writes the queue of `output` until it has ended. Returns NULL. */
void *mrl_output__write_queue(void *output);

#endif
