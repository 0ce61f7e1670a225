// SPDX-License-Identifier: Apache-2.0
/*
 * The verb demo: what a newcomer runs first. One call that fails, then a child that locks memory,
 * is killed, and has its memory released, all of it real, and the events of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "command/command.h"
#include "command/options/say.h"
#include "command/options/usage.h"
#include "command/session/session.h"
#include "command/verbs/release.h"

enum { TRIES = 8 };

#define DEMO_BYTES     ((size_t)64 << 20)
#define DEMO_BYTES_MAX ((size_t)1 << 30)
#define DEMO_EVENTS    "default,mlock"

#ifndef SYS_process_mrelease
#    define SYS_process_mrelease 448
#endif

/* A demonstration must not push the machine into the very state that it is about. */
static size_t most_bytes(void)
{
    size_t quarter = (size_t)sysconf(_SC_AVPHYS_PAGES) / 4 * (size_t)sysconf(_SC_PAGESIZE);

    return quarter < DEMO_BYTES_MAX ? quarter : DEMO_BYTES_MAX;
}

/*
 * The child may be quicker at dying than we are at asking (ESRCH). A bigger one takes longer, as in
 * the kernel's own test of this call. Returns 0 or -errno.
 */
static int act(bool talk)
{
    size_t bytes = DEMO_BYTES;
    int err = -ESRCH;

    syscall(SYS_process_mrelease, -1, 0);
    for (int i = 0; err == -ESRCH && i < TRIES; i++) {
        if (talk && i)
            mrl_say("the child was gone before it could be asked for; now one of %zu MiB",
                    bytes >> 20);
        err = mrl_release__child(bytes, false);
        bytes = 2 * bytes <= most_bytes() ? 2 * bytes : bytes;
    }
    if (err)
        mrl_say("process_mrelease: %s", strerror(-err));
    return err;
}

/*
 * A process that acts when it is told to. It starts before the probes are loaded: their ring
 * buffers are not mapped into it, so that the memory of its children is theirs alone.
 */
struct actor {
    pid_t process;
    int start; /* pipe: a byte starts it, its end lets it go */
};

static int actor_start(struct actor *actor, bool talk)
{
    int start[2];
    char byte;

    if (pipe(start))
        return -errno;
    actor->process = fork();
    if (!actor->process) {
        close(start[1]);
        _exit(read(start[0], &byte, 1) == 1 && act(talk) ? 1 : 0);
    }
    close(start[0]);
    actor->start = start[1];
    return actor->process < 0 ? -errno : 0;
}

static int actor_act(struct mrl_session_options *options, void *context)
{
    struct actor *actor = context;
    int status;

    (void)options;
    if (write(actor->start, "", 1) != 1 || waitpid(actor->process, &status, 0) < 0)
        return -errno;
    actor->process = 0;
    return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ECHILD;
}

static void actor_end(struct actor *actor)
{
    close(actor->start);
    if (actor->process > 0)
        waitpid(actor->process, NULL, 0);
}

typedef unsigned long long number;

/* Adds what was lost to `*lost`. */
static number read_of(struct mrl_plugin *plugin, const char *event, number *lost)
{
    struct mrl_event_counts counts = { 0 };

    mrl_plugin__counts(plugin, mrl_event_def__find(event, NULL)->index, &counts);
    *lost += counts.seen - counts.self - counts.filtered - counts.decoded - counts.filtered_late;
    return counts.decoded;
}

/* In place of the totals. */
static void say_what_was_seen(struct mrl_plugin *plugin)
{
    number lost = 0, calls = read_of(plugin, "process_mrelease", &lost),
           releases = read_of(plugin, "do_mrelease", &lost),
           locks = read_of(plugin, "mlock", &lost);

    mrl_say("%llu process_mrelease were seen, of which one had to fail, %llu do_mrelease, which "
            "says whose memory came back and how much, and %llu mlock: the child kept 4 MiB of its "
            "memory in RAM.",
            calls, releases, locks);
    if (lost)
        mrl_say("%llu were lost before they were read.", lost);
    else
        mrl_say("Nothing was lost before it was read.");
    mrl_say("Next: mrelease run, mrelease doctor, mrelease explain do_mrelease");
}

/* Others on this host may call meanwhile. */
static void watch_only_us(struct mrl_plugin_options *options)
{
    static char scope[sizeof("comm=," MRL_RELEASE_NAME) + 16] = "comm=";

    if (prctl(PR_GET_NAME, scope + strlen(scope)) || strpbrk(scope, ",*!<> "))
        return; /* a name that no scope can say */
    strcat(scope, "," MRL_RELEASE_NAME);
    options->scopes[options->scope_count++] = scope;
}

/* The rows of a group that make sense here, by name. */
static unsigned int pick(const struct mrl_option_group *from,
                         const char *const *names,
                         struct mrl_option *ret_rows)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < from->count; i++)
        for (const char *const *name = names; *name; name++)
            if (!strcmp(from->rows[i].name, *name))
                ret_rows[count++] = from->rows[i];
    return count;
}

static int demo(const struct mrl_verb *verb, int argc, char **argv)
{
    static const char *const names[] = {
        "rung", "output", "quiet", "log-level", "log-format", NULL
    };
    struct mrl_session_options options = { .plugin = MRL_PLUGIN_OPTIONS };
    struct mrl_option_group groups[2] = { { .target = &options.plugin }, { .target = &options } };
    struct mrl_option rows[2][5];
    struct actor actor;
    bool talk;
    int status;

    options.plugin.events = DEMO_EVENTS;
    options.ended = say_what_was_seen;
    options.duration_ns = 1; /* what happened is in the rings when the actor is gone */
    groups[0].rows = mrl_plugin_options__rows(&groups[0].count);
    groups[1].rows = mrl_session_options__rows(&groups[1].count);
    for (int i = 0; i < 2; i++) {
        groups[i].count = pick(&groups[i], names, rows[i]);
        groups[i].rows = rows[i];
    }
    if (mrl_arguments__parse(verb, argc, argv, groups, 2, &status) < 0)
        return status;
    if (options.log_format == MRL_LOG_AUTO)
        options.log_format = MRL_LOG_BARE; /* nobody reads this later */
    talk = options.log_level >= MRL_LOG_INFO && !options.quiet;
    if (talk)
        mrl_say("Makes a call that must fail, then kills a child of %zu MiB, and has its memory "
                "released at once.",
                DEMO_BYTES >> 20);
    watch_only_us(&options.plugin);
    if (actor_start(&actor, talk)) {
        mrl_say_error("starting a process: %s", strerror(errno));
        return MRL_EXIT_FAILED;
    }
    status = mrl_session__run(&options, actor_act, &actor);
    actor_end(&actor);
    return status;
}

/* Whoever runs it first wants to see it run: where else events may go is told by run. */
static void print_more_help(void)
{
    putchar('\n');
    mrl_usage__print_paragraph("What --output takes besides, its destinations and their settings, "
                               "is told by 'mrelease run --help'.");
}

const struct mrl_verb mrl_verb_demo = {
    .name = "demo",
    .operands = "",
    .doc = "Kill a child, release its memory, and print the events of it.",
    .more_help = print_more_help,
    .run = demo,
};
