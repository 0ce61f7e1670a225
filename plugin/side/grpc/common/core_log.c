// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/common/core_log.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "side/grpc/common/program.h"

static atomic_llong traced_until_ms; /* 0: no trace */

/* From whom this thread has read last. */
static _Thread_local char reader_of[96];

static long long now_ms(void)
{
    return mrl_clock__ns(CLOCK_MONOTONIC) / 1000000;
}

static void trace(bool on)
{
    grpc_tracer_set_enabled("tcp", on);
    gpr_set_log_verbosity(on ? GPR_LOG_SEVERITY_INFO : GPR_LOG_SEVERITY_ERROR);
}

/* "READ 0x7fc308000ec0 (peer=ipv4:10.0.0.7:5000) error=OK", and lines that say nothing here. */
static void take_trace(const char *line)
{
    static const char mark[] = "(peer=";
    const char *peer = strncmp(line, "READ ", 5) ? NULL : strstr(line, mark);

    if (peer) {
        peer += sizeof(mark) - 1;
        snprintf(reader_of, sizeof(reader_of), "%.*s", (int)strcspn(peer, ")"), peer);
    }
    if (now_ms() > atomic_load(&traced_until_ms))
        trace(false);
}

static void log_of_core(gpr_log_func_args *said)
{
    bool is_handshake = !strncmp(said->message, "Handshake failed", 16);

    if (said->severity != GPR_LOG_SEVERITY_ERROR) {
        take_trace(said->message);
    } else if (is_handshake) {
        mrl_grpc__log(MRL_LOG_WARNING, "grpc: client %s: %s",
                      *reader_of ? reader_of : "at an unknown address", said->message);
        *reader_of = '\0';
    } else {
        mrl_grpc__log(MRL_LOG_WARNING, "grpc: %s", said->message);
    }
}

void mrl_core_log__begin(void)
{
    gpr_set_log_function(log_of_core);
    trace(false);
}

void mrl_core_log__expect_handshake(int timeout_ms)
{
    atomic_store(&traced_until_ms, now_ms() + timeout_ms);
    trace(true);
}
