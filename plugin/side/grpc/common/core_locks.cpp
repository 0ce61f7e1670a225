// SPDX-License-Identifier: Apache-2.0
/*
 * Abseil notes in which order locks are taken, to find deadlocks, unless it was built with NDEBUG,
 * and Debian builds it without. That is help for who writes core, and costs who runs it 6 % of the
 * CPU time of a message (ci/bench --only grpc).
 */
#include "side/grpc/common/core_locks.h"

#include <absl/synchronization/mutex.h>

void mrl_core_locks__trust(void)
{
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}
