// SPDX-License-Identifier: Apache-2.0
/* The command line. */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"

enum { WRONG_USE = 2 };

struct range {
    const char *option, *units; /* units: each letter is worth 1024 of the one before */
    unsigned long long least, most;
};

static const struct range pids = { "--pid", "", 1, INT_MAX };
static const struct range budgets = { "--budget", "KMGT", 1, LLONG_MAX };
static const struct range intervals = { "--interval", "", 10, 60000 };

static unsigned long long number(const struct range *range, const char *text)
{
    char *end;
    unsigned long long value;
    const char *unit;
    int shift = 0;

    errno = 0;
    value = strtoull(text, &end, 10);
    unit = *end ? strchr(range->units, *end) : NULL;
    if (unit) {
        shift = 10 * (int)(unit - range->units + 1);
        end++;
    }
    if (errno || *text < '0' || *text > '9' || *end || value > range->most >> shift ||
        value << shift < range->least)
        errx(WRONG_USE, "%s: '%s' is no number from %llu to %llu%s", range->option, text,
             range->least, range->most, *range->units ? ", nor one with K, M, G or T" : "");
    return value << shift;
}

static void check(const struct guard_options *options)
{
    if (!options->pid == !options->cgroup)
        errx(WRONG_USE, "one of --pid and --cgroup is wanted");
    if (!options->budget_bytes)
        errx(WRONG_USE, "--budget is wanted");
    if (options->pid == 1 || options->pid == getpid())
        errx(WRONG_USE, "--pid: process %d is never killed", (int)options->pid);
}

static error_t take(int key, char *text, struct argp_state *state)
{
    struct guard_options *options = state->input;

    if (key == 'p')
        options->pid = (pid_t)number(&pids, text);
    else if (key == 'c')
        options->cgroup = text;
    else if (key == 'b')
        options->budget_bytes = number(&budgets, text);
    else if (key == 'i')
        options->interval_ms = (int)number(&intervals, text);
    else if (key == 'n')
        options->dry_run = true;
    else if (key == 'o')
        options->once = true;
    else if (key == ARGP_KEY_END)
        check(options);
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp_option rows[] = {
    { "pid", 'p', "PID", 0, "Watch this process", 0 },
    { "cgroup", 'c', "PATH", 0, "Watch the members of this cgroup v2 and of those below it", 0 },
    { "budget", 'b', "BYTES", 0, "Kill the biggest above this, as in 512M", 0 },
    { "interval", 'i', "MS", 0, "Look at least this often (default 1000)", 0 },
    { "dry-run", 'n', NULL, 0, "Say who would be killed, and leave it alive", 0 },
    { "once", 'o', NULL, 0, "Look once, act if need be, and end", 0 },
    { NULL, 0, NULL, 0, NULL, 0 },
};

void arguments__take(int argc, char **argv, struct guard_options *options)
{
    const struct argp argp = {
        .options = rows,
        .parser = take,
        .doc =
            "Kills a process, or the biggest one of a cgroup, above a memory budget, and releases "
            "its memory at once.",
    };

    argp_err_exit_status = WRONG_USE;
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
