// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/common/program.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/tame.h"

const struct mrl_grpc_program *mrl_grpc_program;
atomic_bool mrl_grpc_ready;

void mrl_grpc__log(enum mrl_log_level level, const char *format, ...)
{
    va_list arguments;
    char line[512];

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    mrl_grpc_program->log(level, mrl_tame(line));
}
