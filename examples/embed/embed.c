// SPDX-License-Identifier: Apache-2.0
/*
 * mrelease inside another program: prints events as JSON lines, one per call of process_mrelease,
 * until there were N of them (embed N) or on SIGINT. Build it with CMake, or with
 *
 *     cc embed.c -o embed $(pkg-config --cflags --libs mrelease) \
 *         -Wl,-rpath,$(pkg-config --variable=libdir mrelease)
 */
#include <limits.h>
#include <mrelease/mrelease.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct mrl_plugin *plugin;
static volatile sig_atomic_t ended;

static void on_interrupt(int signal)
{
    (void)signal;
    ended = 1;
    mrl_plugin__interrupt(plugin);
}

static void print(struct mrl_encoder *encoder, const struct mrl_event *event)
{
    static char line[MRL_EVENT_TEXT_MAX];
    ssize_t size = mrl_encoder__put(encoder, event, line, sizeof(line));

    if (size > 0)
        fwrite(line, 1, (size_t)size, stdout);
}

/* Returns the number of events that are left to print, or -errno. */
static long print_batch(struct mrl_encoder *encoder, long left)
{
    struct mrl_batch *batch;
    int count = mrl_plugin__next_batch(plugin, -1, &batch);

    if (count <= 0)
        return count < 0 ? count : left;
    for (size_t i = 0; i < (size_t)count && left > 0; i++, left--)
        print(encoder, mrl_batch__at(batch, i));
    fflush(stdout);
    mrl_batch__unref(batch);
    return left;
}

int main(int argc, char **argv)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_encoder *encoder;
    struct mrl_error error;
    long left = argc > 1 ? atol(argv[1]) : LONG_MAX;

    options.events = "process_mrelease";
    if (mrl_encoder__new("json", NULL, &error, &encoder) ||
        mrl_plugin__open(&options, &error, &plugin)) {
        fprintf(stderr, "embed: %s\n", error.text);
        return 1;
    }
    signal(SIGINT, on_interrupt);
    fprintf(stderr, "embed: watching with %s\n", mrl_plugin__rung(plugin));
    while (!ended && left > 0)
        left = print_batch(encoder, left);
    if (left < 0)
        fprintf(stderr, "embed: %s\n", mrl_plugin__error(plugin));
    mrl_plugin__close(plugin);
    mrl_encoder__free(encoder);
    return left < 0;
}
