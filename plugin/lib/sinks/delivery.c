// SPDX-License-Identifier: Apache-2.0
/* How a sink says what became of items. */
#include <mrelease/sink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/tame.h"

/* 1 + the index of a line. Many items are refused for one reason. */
static uint8_t reason_of(struct mrl_delivery *delivery, const char *line)
{
    unsigned int i = 0;

    while (i < delivery->reason_count && strcmp(delivery->reasons[i].text, line) != 0)
        i++;
    if (i == MRL_REASONS_MAX)
        return MRL_REASONS_MAX;
    if (i == delivery->reason_count) {
        snprintf(delivery->reasons[i].text, sizeof(delivery->reasons[i].text), "%s", line);
        delivery->reason_count++;
    }
    return (uint8_t)(i + 1);
}

__attribute__((format(printf, 5, 0))) static void judge(struct mrl_delivery *delivery,
                                                        size_t first,
                                                        size_t count,
                                                        enum mrl_item_verdict verdict,
                                                        const char *format,
                                                        va_list arguments)
{
    char line[sizeof(delivery->reasons[0].text)];
    uint8_t reason = 0;

    if (format) {
        vsnprintf(line, sizeof(line), format, arguments);
        reason = reason_of(delivery, mrl_tame(line));
    }
    for (size_t i = first; i < first + count; i++)
        delivery->judged[i] = (struct mrl_judged){ (uint8_t)verdict, reason };
}

void mrl_delivery__judge(struct mrl_delivery *delivery,
                         size_t item,
                         enum mrl_item_verdict verdict,
                         const char *format,
                         ...)
{
    va_list arguments;

    va_start(arguments, format);
    judge(delivery, item, 1, verdict, format, arguments);
    va_end(arguments);
}

void mrl_delivery__judge_all(struct mrl_delivery *delivery,
                             size_t first,
                             size_t count,
                             enum mrl_item_verdict verdict,
                             const char *format,
                             ...)
{
    va_list arguments;

    va_start(arguments, format);
    judge(delivery, first, count, verdict, format, arguments);
    va_end(arguments);
}
