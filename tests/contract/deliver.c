// SPDX-License-Identifier: Apache-2.0
/*
 * Delivers lines of standard input by the destination of a side program, without that program:
 * deliver FORMAT[,OPTIONS] DESTINATION. An empty line ends a request; a line "!reopen" reads
 * secrets again. With DELIVER_SANDBOX set, it works in that program's sandbox. Of each request, a
 * line of JSON: verdicts, reasons, the pause, and the memory that was needed so far.
 */
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/common/sandbox.h"
#include "side/ship/rights.h"
#include "side/ship/serve.h"

extern const struct mrl_ship_program PROGRAM; /* the side program's */

enum { ITEMS_MAX = 4096 };

static struct mrl_item items[ITEMS_MAX];
static struct mrl_judged judged[ITEMS_MAX];
static size_t count, numbered;

static void give_up(const char *text)
{
    printf("{\"error\": \"%s\"}\n", text);
    exit(EXIT_FAILURE);
}

/* The sink of a destination as the command line has it, which bears the name that stands first, or
 * that with an 's' for TLS. */
static const struct mrl_sink_ops *find(const char **destination)
{
    const struct mrl_sink_ops *ops;
    const char *const *scheme;
    char name[32];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(*destination, "+:"), *destination);
    ops = PROGRAM.row(name);
    if (!ops && *name)
        name[strlen(name) - 1] = '\0';
    ops = ops ? ops : PROGRAM.row(name);
    if (!ops)
        give_up("no such destination");
    if (!strcmp(*destination, name))
        return ops;
    for (scheme = ops->schemes; *scheme; scheme++)
        if (!strncmp(*destination, *scheme, strlen(*scheme)) && strcmp(*scheme, name) != 0)
            break;
    if (!*scheme)
        give_up("no such scheme");
    if ((*scheme)[strlen(*scheme) - 1] != '/')
        *destination += strlen(*scheme);
    if (!**destination && !strcmp(ops->schemes[0], name))
        *destination = ops->schemes[0];
    return ops;
}

/* Lines are items; with DELIVER_HEX set, they are their bytes in hexadecimal. */
static void add(const char *line)
{
    char *bytes = strdup(line);
    size_t size = strlen(line);

    if (getenv("DELIVER_HEX"))
        for (size_t i = 0; i < (size = strcspn(line, "\n") / 2); i++)
            sscanf(line + 2 * i, "%2hhx", (unsigned char *)bytes + i);
    items[count] = (struct mrl_item){ .bytes = bytes, .size = (uint32_t)size };
    items[count].head.boot = 0xe30b2f15c2934355;
    items[count].head.run = (uint64_t)atoi(getenv("DELIVER_RUN") ? getenv("DELIVER_RUN") : "1");
    items[count].head.time_ns = 1795879211522903112 + numbered;
    items[count].head.severity = MRL_SEVERITY_NOTICE;
    items[count++].head.number = numbered++;
}

/* The most that this program had, not who started it; 0: a sanitizer's would be told. The file is
 * opened by the first call, before a sandbox. */
static int peak_kib(void)
{
    int kib = 0;
#ifndef MRL_SANITIZED
    static int fd = -1;
    char text[4096] = "", *line;

    if (fd < 0)
        fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (pread(fd, text, sizeof(text) - 1, 0) > 0 && (line = strstr(text, "VmHWM:")))
        sscanf(line, "VmHWM: %d", &kib);
#endif
    return kib;
}

static void deliver(const struct mrl_sink_ops *ops, struct mrl_sink *sink)
{
    static const char *const words[] = { "again", "taken", "refused", "misconfigured" };
    struct mrl_items all = { .items = items, .count = count };
    struct mrl_delivery delivery = { .judged = judged };
    json_t *verdicts = json_array(), *reasons = json_array(), *said;
    char *text;

    memset(judged, 0, sizeof(judged));
    for (size_t i = 0; i < count; i++)
        all.size += items[i].size;
    ops->deliver(sink, &all, &delivery);
    for (size_t i = 0; i < count; i++) {
        const char *reason = judged[i].reason ? delivery.reasons[judged[i].reason - 1].text : "";

        json_array_append_new(verdicts, json_string(words[judged[i].verdict]));
        json_array_append_new(reasons, json_string(reason));
        free((void *)(uintptr_t)items[i].bytes);
    }
    said = json_pack("{s:o,s:o,s:i,s:b,s:i}", "verdicts", verdicts, "reasons", reasons, "wait_ms",
                     (int)delivery.wait_ms, "halve", delivery.halve, "kib", peak_kib());
    text = json_dumps(said, JSON_COMPACT);
    json_decref(said);
    puts(text);
    fflush(stdout);
    free(text);
    count = 0;
}

static void read_lines(const struct mrl_sink_ops *ops,
                       struct mrl_sink *sink,
                       void *prepared,
                       const struct mrl_sink_target *target)
{
    int fds[MRL_SINK_FDS_MAX] = { -1, -1, -1, -1 };
    struct mrl_error error = { "" };
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        if (!strcmp(line, "!reopen\n")) {
            if (ops->renew(prepared, target, fds, &error) || PROGRAM.reopen(sink, fds, &error))
                give_up(error.text);
        } else if (!strcmp(line, "\n")) {
            deliver(ops, sink);
        } else if (count < ITEMS_MAX) {
            add(line);
        }
    }
    free(line);
    if (count)
        deliver(ops, sink);
}

/* As the side program does. */
static void enter_sandbox(void)
{
    struct mrl_error missing = { "" };
    struct mrl_sandbox sandbox;

    if (mrl_ship__keep_rights(&sandbox) || mrl_sandbox__enter(&sandbox, &missing) < 0)
        give_up(missing.text);
    mrl_sandbox__done(&sandbox);
}

int main(int argc, char **argv)
{
    const char *destination = argc == 3 ? argv[2] : "";
    const struct mrl_sink_ops *ops = find(&destination);
    char *settings = strchr(argv[1], ',');
    static char options[MRL_SINK_OPTIONS_MAX];
    int fds[MRL_SINK_FDS_MAX] = { -1, -1, -1, -1 };
    struct mrl_error error = { "" };
    struct mrl_option_group group;
    struct mrl_sink_target target;
    struct mrl_sink *sink;
    void *prepared = NULL;

    group = (struct mrl_option_group){ ops->options, ops->option_count, options };
    signal(SIGPIPE, SIG_IGN); /* as the side program has it */
    if (settings &&
        mrl_options__read(&group, 1, "setting", settings + 1, strlen(settings + 1), &error))
        give_up(error.text);
    if (settings)
        *settings = '\0';
    target = (struct mrl_sink_target){
        .destination = destination, .format = argv[1], .options = options, .ops = ops
    };
    if (ops->check(&target, &error) ||
        (ops->prepare && ops->prepare(&target, options, fds, &error, &prepared)))
        give_up(error.text);
    if (*error.text)
        fprintf(stderr, "note: %s\n", error.text);
    peak_kib();
    if (getenv("DELIVER_SANDBOX"))
        enter_sandbox();
    fds[0] = dup(fds[0]);
    target.fds = fds;
    if (ops->open(&target, &error, &sink))
        give_up(error.text);
    read_lines(ops, sink, prepared, &target);
    ops->close(sink);
    if (ops->unprepare)
        ops->unprepare(prepared);
    return EXIT_SUCCESS;
}
