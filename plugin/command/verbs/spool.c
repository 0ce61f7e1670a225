// SPDX-License-Identifier: Apache-2.0
/*
 * The verb spool: what a spool holds, and giving it up. It looks at spools that are in use; only to
 * give up it wants one for itself.
 */
#include "spool/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/tame.h"
#include "base/words.h"
#include "command/command.h"
#include "side/common/sandbox.h"

enum { NS_PER_S = 1000000000 };

struct spool_options {
    int format;
    bool yes;
};

static const char *const formats[] = { "table", "json", NULL };

static const struct mrl_option rows[] = {
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .offset = offsetof(struct spool_options, format),
      .words = formats,
      .preset = "table",
      .doc = "How list prints; json: one object." },
    { .name = "yes",
      .type = MRL_OPTION_SWITCH,
      .offset = offsetof(struct spool_options, yes),
      .doc = "Of drop: give up what is pending, for good." },
};

/* -- list ------------------------------------------------------------------------------------- */

static uint64_t pending(const struct mrl_kept_counts *counts)
{
    return counts->appended - counts->taken - counts->refused - counts->lost;
}

static void time_text(uint64_t ns, char text[32])
{
    const time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm utc;

    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
}

static void print_place(struct mrl_spool *spool)
{
    uint64_t segment, item;

    if (mrl_spool__place(spool, &segment, &item))
        printf("cursor: segment %016" PRIx64 ", item %" PRIu64 "\n", segment, item);
    else
        puts("cursor: damaged: what is pending is not known, the counts are of all there was");
}

static void print_table(struct mrl_spool *spool, const char *path)
{
    struct mrl_spool_status status;
    char name[512], format[64], oldest[32] = "none";

    mrl_spool__status(spool, &status);
    snprintf(name, sizeof(name), "%s", path);
    snprintf(format, sizeof(format), "%s", mrl_spool__format(spool));
    printf("%s: format %s, %u segments, %" PRIu64 " of %" PRIu64 " bytes\n", mrl_tame(name),
           *format           ? mrl_tame(format)
           : status.segments ? "not known"
                             : "none yet",
           status.segments, status.bytes, mrl_spool__size(spool));
    print_place(spool);
    if (status.oldest_ns)
        time_text(status.oldest_ns, oldest);
    printf("oldest pending: %s\n\n%-18s %12s %12s %12s %12s %12s\n",
           status.pending && !status.oldest_ns ? "not known" : oldest, "event", "appended", "taken",
           "refused", "lost", "pending");
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct mrl_kept_counts counts;

        mrl_spool__counts(spool, i, &counts);
        if (counts.appended)
            printf("%-18s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n",
                   mrl_event_def__at(i)->name, counts.appended, counts.taken, counts.refused,
                   counts.lost, pending(&counts));
    }
}

static json_t *events_json(struct mrl_spool *spool)
{
    json_t *events = json_object();

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct mrl_kept_counts counts;

        mrl_spool__counts(spool, i, &counts);
        if (counts.appended)
            json_object_set_new(
                events, mrl_event_def__at(i)->name,
                json_pack("{s:I, s:I, s:I, s:I, s:I}", "appended", (json_int_t)counts.appended,
                          "taken", (json_int_t)counts.taken, "refused", (json_int_t)counts.refused,
                          "lost", (json_int_t)counts.lost, "pending",
                          (json_int_t)pending(&counts)));
    }
    return events;
}

static void print_json(struct mrl_spool *spool, const char *path)
{
    struct mrl_spool_status status;
    uint64_t segment, item;
    const bool is_known = mrl_spool__place(spool, &segment, &item);
    char name[512];
    json_t *object;

    (void)path;
    snprintf(name, sizeof(name), "%s", mrl_spool__format(spool));
    mrl_spool__status(spool, &status);
    object = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "format", mrl_tame(name), "segments",
        (json_int_t)status.segments, "bytes", (json_int_t)status.bytes, "budget",
        (json_int_t)mrl_spool__size(spool), "pending", (json_int_t)status.pending, "cursor",
        is_known ? json_pack("{s:I, s:I}", "segment", (json_int_t)segment, "item", (json_int_t)item)
                 : json_null(),
        "events", events_json(spool));
    json_object_set_new(object, "oldest_ns",
                        status.oldest_ns ? json_integer((json_int_t)status.oldest_ns)
                                         : json_null());
    json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(object);
}

static int list(struct mrl_spool *spool, const struct spool_options *options, const char *path)
{
    (options->format ? print_json : print_table)(spool, path);
    return 0;
}

/* -- show, export ----------------------------------------------------------------------------- */

/* A line of an item ends as a line does, whatever its format. */
static void print_bytes(const struct mrl_item *item)
{
    fwrite(item->bytes, 1, item->size, stdout);
    if (!item->size || item->bytes[item->size - 1] != '\n')
        putchar('\n');
}

static void print_tamed(const struct mrl_item *item)
{
    char text[512];
    const size_t size = item->size < sizeof(text) - 1 ? item->size : sizeof(text) - 1;

    memcpy(text, item->bytes, size);
    text[size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    printf("    %s%s\n", mrl_tame(text), size < item->size ? "..." : "");
}

static int show_item(void *context, uint64_t number, const struct mrl_item *item)
{
    char id[MRL_EVENT_ID_BYTES], when[32];

    (void)context;
    time_text(item->head.time_ns, when);
    printf("%" PRIu64 " %s %s severity %u, %" PRIu32 " bytes, id %s\n", number, when,
           mrl_event_def__at(item->head.event)->name, item->head.severity, item->size,
           mrl_item__id(&item->head, id) ? id : "not known");
    print_tamed(item);
    return ferror(stdout) ? -EIO : 0;
}

static int export_item(void *context, uint64_t number, const struct mrl_item *item)
{
    (void)context;
    (void)number;
    print_bytes(item);
    return ferror(stdout) ? -EIO : 0;
}

static int each(struct mrl_spool *spool,
                int (*take)(void *context, uint64_t number, const struct mrl_item *item))
{
    struct mrl_error error = { "" };
    int err = mrl_spool__each(spool, take, NULL, &error);

    if (err && !ferror(stdout))
        mrl_say("%s", error.text);
    return err;
}

static int show(struct mrl_spool *spool, const struct spool_options *options, const char *path)
{
    (void)options;
    (void)path;
    return each(spool, show_item);
}

static int export(struct mrl_spool *spool, const struct spool_options *options, const char *path)
{
    (void)options;
    (void)path;
    return each(spool, export_item);
}

/* -- drop ------------------------------------------------------------------------------------- */

/* `view` is of before: it knows the budget. */
static int drop(struct mrl_spool *view, const struct spool_options *options, const char *path)
{
    const uint64_t size = mrl_spool__size(view);
    const struct mrl_spool_options wanted = {
        .directory = path,
        .size = size < MRL_SPOOL_MIN_BYTES ? MRL_SPOOL_MIN_BYTES : size,
    };
    struct mrl_spool_status status;
    struct mrl_spool *spool;
    struct mrl_error error;
    int err;

    mrl_spool__status(view, &status);
    if (!options->yes) {
        mrl_say("%s: %" PRIu64 " items are pending; 'spool drop --yes' gives them up", path,
                status.pending);
        return -EPERM;
    }
    err = mrl_spool__open(&wanted, &error, &spool);
    if (err) {
        mrl_say("%s", error.text);
        return err;
    }
    mrl_spool__status(spool, &status);
    err = mrl_spool__drop(spool, &error);
    if (err)
        mrl_say("%s: %s", path, error.text);
    else
        printf("%" PRIu64 " items were given up, and count as lost\n", status.pending);
    mrl_spool__close(spool);
    return err;
}

/* -- the verb --------------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    int (*run)(struct mrl_spool *spool, const struct spool_options *options, const char *path);
    bool writes;
} actions[] = {
    { "list", list, false },
    { "show", show, false },
    { "drop", drop, true },
    { "export", export, false },
};

enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static const char *action_word(unsigned int index)
{
    return index < ACTIONS ? actions[index].name : NULL;
}

static int act(const struct action *action, const struct spool_options *options, const char *path)
{
    struct mrl_spool *spool;
    struct mrl_error error;
    int err, status;

    if (!action->writes && mrl_sandbox__enter_reader(path, &error) < 0) {
        mrl_say("sandbox: %s", error.text);
        return MRL_EXIT_FAILED;
    }
    err = mrl_spool__look(path, &error, &spool);
    if (err) {
        mrl_say("%s", error.text);
        return MRL_EXIT_FAILED;
    }
    err = action->run(spool, options, path);
    mrl_spool__close(spool);
    status = mrl_flush_stdout();
    return err ? MRL_EXIT_FAILED : status;
}

static int spool(const struct mrl_verb *verb, int argc, char **argv)
{
    struct spool_options options = { .format = 0 };
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
    int status, operand = mrl_arguments__parse(verb, argc, argv, &group, 1, &status), action;
    struct mrl_error error;

    if (operand < 0)
        return status;
    if (!argv[operand])
        return mrl_usage_error(verb, "list, show, drop or export?");
    action = mrl_words__find("action", argv[operand], action_word, &error);
    if (action < 0)
        return mrl_usage_error(verb, error.text);
    if (!argv[operand + 1])
        return mrl_usage_error(verb, "which directory?");
    return act(&actions[action], &options, argv[operand + 1]);
}

const struct mrl_verb mrl_verb_spool = {
    .name = "spool",
    .operands = "list|show|drop|export DIR",
    .operands_max = 2,
    .operand_word = action_word,
    .doc = "Show what a spool holds, export it, or give it up.",
    .run = spool,
};
