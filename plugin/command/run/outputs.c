// SPDX-License-Identifier: Apache-2.0
/* --output: from texts to the outputs of a pipeline. */
#include "command/run/outputs.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "base/terminal.h"
#include "command/options/tracee_words.h"
#include "command/run/destination.h"

/* Queues of outputs that nobody waits for. */
enum {
    STALL_BYTES = 32 << 20,  /* a disk that stalls: 200 ms of JSON at 200,000 events a second */
    ABSENCE_BYTES = 8 << 20, /* a peer that is away stays so for longer than any queue lasts */
};

static const char *const policies[] = {
    [MRL_POLICY_BLOCK] = "block",
    [MRL_POLICY_DROP_OLDEST] = "drop-oldest",
    [MRL_POLICY_DROP_NEWEST] = "drop-newest",
    NULL,
};

static const char *const syncs[] = { "batch", "1s", "none", NULL };

#define AT(member) offsetof(struct mrl_output_spec, member)

static const struct mrl_option rows[] = {
    { .name = "policy",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(options.policy),
      .counter = AT(has_policy),
      .words = policies,
      .doc = "What happens when the queue is full." },
    { .name = "queue",
      .type = MRL_OPTION_BYTES,
      .offset = AT(options.queue_bytes),
      .min = 32 * 1024, /* what no event fits becomes what each does */
      .max = 1U << 30,
      .preset = "2M",
      .doc = "Memory for what waits; where lines may be dropped, 32M for a file and 8M for a "
             "destination that a side program serves." },
    { .name = "wide",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(options.wide),
      .doc = "Of the format table: all fields of an event, in one line, however long." },
    { .name = "spool",
      .type = MRL_OPTION_COPY,
      .offset = AT(options.spool.directory),
      .size = sizeof(((struct mrl_sink_spool *)0)->directory),
      .doc = "Directory that keeps what a destination did not acknowledge: nothing is lost by its "
             "absence, nor by a death." },
    { .name = "spool-size",
      .type = MRL_OPTION_BYTES,
      .offset = AT(options.spool.size),
      .min = 4U << 20,
      .max = UINT64_C(1) << 40,
      .preset = "1G",
      .doc = "What it may take of the disk; then the oldest goes, and that is told." },
    { .name = "spool-sync",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(options.spool.sync),
      .words = syncs,
      .what = "value of spool-sync",
      .preset = "batch",
      .doc = "When it is on the disk for good: with each write, once a second, or when the kernel "
             "likes." },
    { .name = "give-up",
      .type = MRL_OPTION_DURATION,
      .offset = AT(options.give_up_ns),
      .min = UINT64_C(1000000000),
      .doc = "How long an event is tried where the destination is down or refuses all, before it "
             "is refused for good; without it, until it works." },
};

const struct mrl_option *mrl_output_spec__rows(unsigned int *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

int mrl_output_spec__set(struct mrl_output_spec *spec,
                         const char *list,
                         size_t size,
                         struct mrl_error *error)
{
    const struct mrl_sink_ops *sink = spec->options.sink;
    const struct mrl_option_group groups[] = {
        { rows, sizeof(rows) / sizeof(rows[0]), spec },
        { sink ? sink->options : NULL, sink ? sink->option_count : 0, spec->sink_options },
    };

    if (sink && sink->option_bytes > sizeof(spec->sink_options))
        return mrl_error__set(error, -EINVAL, "%s: more options than fit", sink->name);
    /* A comma with nothing behind it: an empty name, of which the error names the known ones. */
    return mrl_options__read(groups, 2, "output setting", size ? list : ",", size ? size : 1,
                             error);
}

static struct mrl_format find_format(const char *name)
{
    unsigned int count, i = 0;
    const struct mrl_format *formats = mrl_format__all(&count);

    while (i < count && strcmp(formats[i].name, name) != 0)
        i++;
    return i < count ? formats[i] : (struct mrl_format){ .name = name };
}

/* `size` bytes of `text`. */
static int parse_format(struct mrl_output_spec *spec,
                        const char *text,
                        size_t size,
                        struct mrl_error *error)
{
    struct mrl_encoder *encoder;
    int err;

    if (size >= sizeof(spec->format))
        return mrl_tracee_word__answer(MRL_TRACEE_FORMAT, text, error)
                   ? -EINVAL
                   : mrl_error__set(error, -EINVAL, "'%.64s' is no FORMAT[:DESTINATION]", text);
    memcpy(spec->format, text, size);
    spec->format[size] = '\0';
    err = mrl_encoder__new(spec->format, NULL, error, &encoder);
    if (!err)
        mrl_encoder__free(encoder);
    else if (err == -EINVAL)
        mrl_tracee_word__answer(MRL_TRACEE_FORMAT, spec->format, error);
    return err;
}

/* Events of the format "none" go nowhere. */
static int find_sink(struct mrl_output_spec *spec, const char *destination, struct mrl_error *error)
{
    struct mrl_destination found = { 0 };
    int err;

    if (!strcmp(spec->format, "none"))
        return destination ? mrl_error__set(error, -EINVAL, "format none takes no destination") : 0;
    err = mrl_destination__find(spec->format, destination, &found, error);
    if (err)
        return err;
    spec->options.destination = found.text;
    spec->options.sink = found.sink;
    return 0;
}

/* FORMAT[,SETTINGS][:DESTINATION] */
static int parse(const char *text, struct mrl_output_spec *spec, struct mrl_error *error)
{
    size_t size = strcspn(text, ":"), format_size = strcspn(text, ",:");
    const char *destination = text[size] ? text + size + 1 : NULL;
    int err = parse_format(spec, text, format_size, error);

    if (err && mrl_destination__is_one(text))
        mrl_error__set(error, err, "'%.64s' is no format: one stands first, as json:%.64s", text,
                       text);
    if (err)
        return err;
    if (destination && !*destination)
        return mrl_error__set(error, -EINVAL, "'%.64s' names no destination after the colon", text);
    spec->options.size = sizeof(spec->options);
    spec->options.name = text;
    err = find_sink(spec, destination, error);
    if (!err && format_size < size)
        err = mrl_output_spec__set(spec, text + format_size + 1, size - format_size - 1, error);
    return err;
}

/* -- one destination in two spellings --------------------------------------------------------- */

/* The directory of a path without symbolic links and dots, as far as it exists. */
static bool real_directory(const char *path, char directory[PATH_MAX])
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int size = slash ? (int)(slash - path + 1) : 1;

    snprintf(parent, sizeof(parent), "%.*s", size, slash ? path : ".");
    return realpath(parent, directory);
}

/* Devices may well be written to twice. */
static bool is_same_file(const char *one, const char *other)
{
    struct stat files[2];

    return !stat(one, &files[0]) && !stat(other, &files[1]) &&
           (S_ISREG(files[0].st_mode) || S_ISFIFO(files[0].st_mode)) &&
           files[0].st_dev == files[1].st_dev && files[0].st_ino == files[1].st_ino;
}

static bool is_device(const char *path)
{
    struct stat file;

    return !stat(path, &file) && !S_ISREG(file.st_mode) && !S_ISFIFO(file.st_mode);
}

/* One file already, or by their names sooner or later. */
static bool is_same_path(const struct mrl_sink_ops *sink, const char *one, const char *other)
{
    char directories[2][PATH_MAX];

    return is_same_file(one, other) ||
           (sink->meets && sink->meets(one, other) && !is_device(one) && !is_device(other) &&
            real_directory(one, directories[0]) && real_directory(other, directories[1]) &&
            !strcmp(directories[0], directories[1]));
}

static bool is_same_destination(const struct mrl_output_options *one,
                                const struct mrl_output_options *other)
{
    if (!one->sink || !other->sink || (one->sink == other->sink && one->sink->shareable))
        return false;
    if (one->sink->is_path && other->sink->is_path)
        return !strcmp(one->destination, other->destination) ||
               is_same_path(one->sink, one->destination, other->destination);
    return one->sink == other->sink && !strcmp(one->destination, other->destination);
}

/* -- adding and opening ----------------------------------------------------------------------- */

int mrl_outputs__add(struct mrl_outputs *outputs, const char *text, struct mrl_error *error)
{
    struct mrl_output_spec spec = { .has_policy = 0 };
    int err = parse(text, &spec, error);

    return err ? err : mrl_outputs__append(outputs, &spec, error);
}

static bool has_row(const struct mrl_option *all, unsigned int count, const char *name, size_t size)
{
    for (unsigned int i = 0; i < count; i++)
        if (!strncmp(all[i].name, name, size) && !all[i].name[size])
            return true;
    return false;
}

/* Settings that stand behind the destination would be a part of a file's name. */
static int refuse_late_settings(const struct mrl_output_options *options, struct mrl_error *error)
{
    const struct mrl_sink_ops *sink = options->sink;

    for (const char *at = options->destination; at && (at = strchr(at, ',')); at++) {
        size_t size = strcspn(at + 1, "=,");

        if (at[1 + size] == '=' && (has_row(rows, sizeof(rows) / sizeof(rows[0]), at + 1, size) ||
                                    has_row(sink->options, sink->option_count, at + 1, size)))
            return mrl_error__set(error, -EINVAL,
                                  "'%.64s': settings stand before the destination, as in "
                                  "'%.64s:%.*s'",
                                  at, at + 1, (int)(at - options->destination),
                                  options->destination);
    }
    return 0;
}

static int check(const struct mrl_output_spec *spec, struct mrl_error *error)
{
    const struct mrl_sink_ops *sink = spec->options.sink;
    const struct mrl_sink_target target = {
        .destination = spec->options.destination,
        .format = spec->format,
        .options = spec->sink_options,
    };

    if (*spec->options.spool.directory && !(sink && sink->takes_items))
        return mrl_error__set(error, -EINVAL,
                              "spool= is for destinations that acknowledge, and %s is none",
                              sink ? sink->name : "none");
    if (spec->options.give_up_ns && !(sink && sink->takes_items))
        return mrl_error__set(error, -EINVAL,
                              "give-up= is for destinations that acknowledge, and %s is none",
                              sink ? sink->name : "none");
    if (spec->options.wide && strcmp(spec->format, "table") != 0)
        return mrl_error__set(error, -EINVAL, "wide= is for the format table");
    if (spec->options.spool.size && !*spec->options.spool.directory)
        return mrl_error__set(error, -EINVAL, "spool-size= wants spool=DIR");
    if (sink && refuse_late_settings(&spec->options, error))
        return -EINVAL;
    return sink && sink->check ? sink->check(&target, error) : 0;
}

int mrl_outputs__append(struct mrl_outputs *outputs,
                        const struct mrl_output_spec *spec,
                        struct mrl_error *error)
{
    int err = check(spec, error);

    if (err)
        return err;
    for (unsigned int i = 0; i < outputs->count; i++)
        if (is_same_destination(&outputs->specs[i].options, &spec->options))
            return mrl_error__set(error, -EINVAL, "two outputs to %.256s",
                                  spec->options.destination);
    if (outputs->count == MRL_OUTPUTS_MAX)
        return mrl_error__set(error, -EINVAL, "more than %d outputs", MRL_OUTPUTS_MAX);
    outputs->specs[outputs->count++] = *spec;
    return 0;
}

const char *mrl_outputs__format(unsigned int index)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    for (unsigned int i = 0; i < count; i++) {
        const struct mrl_sink_ops *own = mrl_sink__of_format(formats[i].name);

        if ((own ? !own->option : !formats[i].binary) && !index--)
            return formats[i].name;
    }
    return NULL;
}

bool mrl_outputs__show_executable(const struct mrl_outputs *outputs, uint32_t extras)
{
    bool shown = mrl_extras__fill_executable(extras);

    for (unsigned int i = 0; i < outputs->count; i++)
        shown |= find_format(outputs->specs[i].format).shows_executable;
    return shown;
}

uint32_t mrl_outputs__extras(const struct mrl_outputs *outputs, uint32_t extras)
{
    for (unsigned int i = 0; i < outputs->count; i++)
        extras |= find_format(outputs->specs[i].format).extras;
    return extras;
}

bool mrl_outputs__switch_events(const struct mrl_outputs *outputs)
{
    for (unsigned int i = 0; i < outputs->count; i++)
        if (outputs->specs[i].options.sink && outputs->specs[i].options.sink->control)
            return true;
    return false;
}

bool mrl_outputs__take_states(struct mrl_outputs *outputs, uint32_t extras, bool named)
{
    bool numbered = mrl_extras__take_states(extras), any = false;

    for (unsigned int i = 0; i < outputs->count; i++) {
        struct mrl_output_options *options = &outputs->specs[i].options;

        options->states = named || numbered || (options->sink && options->sink->control);
        any |= options->states;
    }
    return any;
}

/* Those who read the only output may make everybody wait; strangers may not. */
static bool may_block(const struct mrl_outputs *outputs, const struct mrl_output_spec *spec)
{
    return outputs->count == 1 && !(spec->options.sink && spec->options.sink->side);
}

/* A disk, a side program or a processor may stall for longer than the usual queue lasts. Where
 * nobody waits, that would be a loss that the kernel's rings could have held. */
static bool loses_by_a_stall(const struct mrl_output_spec *spec)
{
    const struct mrl_sink_ops *sink = spec->options.sink;

    return spec->options.policy != MRL_POLICY_BLOCK && sink && !sink->never_blocks;
}

const struct mrl_output_options *mrl_outputs__complete(struct mrl_outputs *outputs,
                                                       unsigned int index,
                                                       uint32_t extras)
{
    struct mrl_output_spec *spec = &outputs->specs[index];

    spec->options.format = spec->format;
    spec->options.sink_options = spec->sink_options;
    spec->options.extras = extras;
    spec->options.host = &outputs->host;
    spec->options.plain = mrl_terminal__is_plain();
    spec->options.ascii = mrl_terminal__is_ascii();
    if (!spec->has_policy)
        spec->options.policy = may_block(outputs, spec) ? MRL_POLICY_BLOCK : MRL_POLICY_DROP_OLDEST;
    if (!spec->options.queue_bytes && loses_by_a_stall(spec))
        spec->options.queue_bytes = spec->options.sink->side ? ABSENCE_BYTES : STALL_BYTES;
    return &spec->options;
}

int mrl_outputs__open(struct mrl_outputs *outputs,
                      uint32_t extras,
                      struct mrl_pipeline *pipeline,
                      struct mrl_error *error)
{
    int err = 0;

    for (unsigned int i = 0; err >= 0 && i < outputs->count; i++)
        err = mrl_pipeline__add(pipeline, mrl_outputs__complete(outputs, i, extras), error);
    return err < 0 ? err : 0;
}
