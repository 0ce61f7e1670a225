// SPDX-License-Identifier: Apache-2.0
#include "command/verify/progress.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_NS = 200 * 1000 * 1000, WIDTH = 30 };

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void mrl_progress__init(struct mrl_progress *progress, FILE *to, uint64_t bytes)
{
    *progress = (struct mrl_progress){ .bytes = bytes };
    if (!isatty(fileno(to)))
        return;
    progress->to = to;
    progress->start_ns = progress->shown_ns = now_ns();
}

static void show(struct mrl_progress *progress, uint64_t position)
{
    static const char filled[] = "##############################";
    double seconds = (double)(progress->shown_ns - progress->start_ns) / 1e9;
    double part =
        progress->bytes ? (double)(progress->done + position) / (double)progress->bytes : 0;
    double rate = (double)progress->lines / seconds;
    int width;

    part = part > 1 ? 1 : part; /* a file may grow meanwhile */
    width = (int)(part * WIDTH);
    if (progress->bytes)
        fprintf(progress->to, "\r[%.*s%*s] %3.0f %%, %.0f lines/s, %.0f s left \033[K", width,
                filled, WIDTH - width, "", part * 100, rate,
                part > 0 ? seconds / part - seconds : 0);
    else
        fprintf(progress->to, "\r%llu lines, %.0f lines/s \033[K",
                (unsigned long long)progress->lines, rate);
    fflush(progress->to);
    progress->visible = true;
}

void mrl_progress__at(struct mrl_progress *progress, uint64_t position)
{
    uint64_t now;

    if (!progress->to)
        return;
    now = now_ns();
    if (now - progress->shown_ns < EVERY_NS)
        return;
    progress->shown_ns = now;
    show(progress, position);
}

void mrl_progress__hide(void *context)
{
    struct mrl_progress *progress = context;

    if (!progress->visible)
        return;
    fputs("\r\033[K", progress->to);
    fflush(progress->to);
    progress->visible = false;
}
