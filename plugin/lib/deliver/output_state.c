// SPDX-License-Identifier: Apache-2.0
/* Counting and saying, which every part of an output does. */
#include "deliver/output_state.h"

#include <stdarg.h>
#include <stdio.h>

void mrl_output__count(struct mrl_output *output,
                       unsigned int event,
                       enum mrl_fate fate,
                       uint64_t events)
{
    atomic_fetch_add_explicit(&output->counts[event][fate], events, memory_order_relaxed);
}

void mrl_output__say(const struct mrl_output *output,
                     enum mrl_log_level level,
                     const char *format,
                     ...)
{
    char line[512];
    va_list arguments;

    /* Whoever gave it up is at the end, and what the log needs may be gone. */
    if (!output->log.line || __atomic_load_n(&output->stop, __ATOMIC_RELAXED))
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    output->log.line(output->log.context, level, line);
}
