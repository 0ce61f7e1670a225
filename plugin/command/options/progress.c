// SPDX-License-Identifier: Apache-2.0
#include "command/options/progress.h"

#include <mrelease/sink.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/terminal.h"

enum { EVERY_NS = 200 * 1000 * 1000, BAR = 20, LINE_BYTES = 256 };

/* What lines on standard error share is guarded by its lock, as they are. */
static struct {
    unsigned int columns; /* of the terminal; 0: nothing is shown */
    atomic_bool visible;  /* the thread sanitizer does not know that lock */
    uint64_t total;
    const char *unit; /* NULL: between two works */
    int64_t start_ns, shown_ns;
} progress;

void mrl_progress__allow(bool quiet)
{
    const char *ci = getenv("CI");
    bool hidden = quiet || mrl_terminal__is_dumb() || (ci && *ci);

    progress.columns = hidden ? 0 : mrl_sink__columns_fd(STDERR_FILENO);
}

void mrl_progress__begin(uint64_t total, const char *unit)
{
    progress.total = total;
    progress.unit = unit;
    progress.start_ns = progress.shown_ns = mrl_clock__ns(CLOCK_MONOTONIC);
}

static double part_of(uint64_t done)
{
    /* What is read may grow meanwhile. */
    return done < progress.total ? (double)done / (double)progress.total : 1;
}

/* In one piece, and one column short: some terminals break a line that is full. */
static void show(uint64_t done, const char *text)
{
    static const char filled[] = "####################";
    char line[LINE_BYTES];
    double part = part_of(done);
    int width = (int)(part * BAR);

    if (progress.total && done)
        snprintf(line, sizeof(line), "[%.*s%*s] %3.0f %%%s%s", width, filled, BAR - width, "",
                 part * 100, *text ? ", " : "", text);
    else
        snprintf(line, sizeof(line), "%s", text);
    progress.columns = mrl_sink__columns_fd(STDERR_FILENO); /* it may have changed */
    flockfile(stderr);
    fprintf(stderr, "\r%.*s\033[K", (int)progress.columns - 1, line);
    fflush(stderr);
    progress.visible = true;
    funlockfile(stderr);
}

void mrl_progress__at(uint64_t done, uint64_t count)
{
    const int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    const double seconds = (double)(now_ns - progress.start_ns) / 1e9, part = part_of(done);
    char text[LINE_BYTES / 2];
    int size;

    if (!progress.columns || now_ns - progress.shown_ns < EVERY_NS)
        return;
    progress.shown_ns = now_ns;
    size = snprintf(text, sizeof(text), "%llu %s, %.0f/s", (unsigned long long)count, progress.unit,
                    (double)count / seconds);
    if (progress.total && part > 0)
        snprintf(text + size, sizeof(text) - (size_t)size, ", %.0f s left",
                 seconds / part - seconds);
    show(done, text);
}

void mrl_progress__step(uint64_t done, const char *next)
{
    if (progress.columns)
        show(done, next);
}

void mrl_progress__hide(void)
{
    flockfile(stderr);
    if (progress.visible) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    progress.visible = false;
    funlockfile(stderr);
}

void mrl_progress__end(void)
{
    mrl_progress__hide();
    progress.unit = NULL;
}
