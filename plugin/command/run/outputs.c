// SPDX-License-Identifier: Apache-2.0
/* --output: from texts to the outputs of a pipeline. */
#include "command/run/outputs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "command/run/grpc_module.h"

static const char *const policies[] = {
    [MRL_POLICY_BLOCK] = "block",
    [MRL_POLICY_DROP_OLDEST] = "drop-oldest",
    [MRL_POLICY_DROP_NEWEST] = "drop-newest",
};

enum { POLICY_COUNT = sizeof(policies) / sizeof(policies[0]), SETTING_BYTES = 512 };

static int set_policy(struct mrl_output_spec *spec, const char *value, struct mrl_error *error)
{
    for (unsigned int i = 0; i < POLICY_COUNT; i++) {
        if (!strcmp(policies[i], value)) {
            spec->options.policy = (enum mrl_policy)i;
            spec->has_policy = true;
            return 0;
        }
    }
    return mrl_error__unknown(error, "policy", value, policies, POLICY_COUNT);
}

static int set_queue(struct mrl_output_spec *spec, const char *value, struct mrl_error *error)
{
    int err = mrl_parse_bytes(value, &spec->options.queue_bytes, error) ? -EINVAL : 0;

    if (!err &&
        (spec->options.queue_bytes < MRL_EVENT_TEXT_MAX || spec->options.queue_bytes > 1ULL << 30))
        err = mrl_error__set(error, -EINVAL, "a queue of '%.64s': from 32K to 1G", value);
    return err;
}

static const struct {
    const char *name;
    int (*set)(struct mrl_output_spec *spec, const char *value, struct mrl_error *error);
} settings[] = { { "policy", set_policy }, { "queue", set_queue } };

enum { SETTING_COUNT = sizeof(settings) / sizeof(settings[0]) };

/* What the pipeline does not know may be the server's: "name=value,name=value". */
static int keep_for_module(struct mrl_output_spec *spec,
                           const char *name,
                           const char *value,
                           struct mrl_error *error)
{
    size_t used = strlen(spec->module_settings);
    int size = snprintf(spec->module_settings + used, sizeof(spec->module_settings) - used,
                        "%s%s=%s", used ? "," : "", name, value);

    if ((size_t)size < sizeof(spec->module_settings) - used)
        return 0;
    return mrl_error__set(error, -EINVAL, "more settings than fit: '%.64s'", name);
}

/* "name=value"; `text` is changed. */
static int apply_setting(struct mrl_output_spec *spec, char *text, struct mrl_error *error)
{
    const char *names[SETTING_COUNT];
    char *value = strchr(text, '=');

    if (value)
        *value++ = '\0';
    for (unsigned int i = 0; i < SETTING_COUNT; i++) {
        names[i] = settings[i].name;
        if (!strcmp(settings[i].name, text))
            return value ? settings[i].set(spec, value, error)
                         : mrl_error__set(error, -EINVAL, "%s= needs a value", text);
    }
    if (mrl_grpc_module__is_format(spec->format))
        return value ? keep_for_module(spec, text, value, error)
                     : mrl_error__set(error, -EINVAL, "%.64s= needs a value", text);
    return mrl_error__unknown(error, "output setting", text, names, SETTING_COUNT);
}

int mrl_output_spec__set(struct mrl_output_spec *spec,
                         const char *list,
                         size_t size,
                         struct mrl_error *error)
{
    const char *end = list + size;
    char setting[SETTING_BYTES];
    int err = 0;

    for (const char *at = list; !err && at <= end; at++) {
        size_t length = strcspn(at, ",");

        length = length < (size_t)(end - at) ? length : (size_t)(end - at);
        if (length >= sizeof(setting))
            return mrl_error__set(error, -EINVAL, "'%.64s' is no output setting", at);
        memcpy(setting, at, length);
        setting[length] = '\0';
        err = apply_setting(spec, setting, error);
        at += length;
    }
    return err;
}

static struct mrl_format find_format(const char *name)
{
    unsigned int count, i = 0;
    const struct mrl_format *formats = mrl_format__all(&count);

    while (i < count && strcmp(formats[i].name, name) != 0)
        i++;
    return i < count ? formats[i] : (struct mrl_format){ .name = name };
}

/* The part before the colon: a format, and settings. */
static int parse_format(struct mrl_output_spec *spec,
                        const char *text,
                        size_t size,
                        struct mrl_error *error)
{
    size_t format_size = strcspn(text, ",:");
    struct mrl_encoder *encoder;
    int err = 0;

    if (format_size >= sizeof(spec->format))
        return mrl_error__set(error, -EINVAL, "'%.64s' is no FORMAT[:DESTINATION]", text);
    memcpy(spec->format, text, format_size);
    spec->format[format_size] = '\0';
    if (format_size < size)
        err = mrl_output_spec__set(spec, text + format_size + 1, size - format_size - 1, error);
    if (!err)
        err = mrl_encoder__new(spec->format, NULL, error, &encoder);
    if (err)
        return err;
    mrl_encoder__free(encoder);
    return find_format(spec->format).binary && !mrl_grpc_module__is_format(spec->format)
               ? mrl_error__set(error, -EINVAL, "'%s' is what --record FILE writes", spec->format)
               : 0;
}

static const struct mrl_sink_ops *find_sink(const char *name)
{
    unsigned int count;
    const struct mrl_sink_ops *const *sinks = mrl_sink__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(sinks[i]->name, name))
            return sinks[i];
    return NULL;
}

static int parse(const char *text, struct mrl_output_spec *spec, struct mrl_error *error)
{
    size_t size = strcspn(text, ":");
    const char *destination = text[size] ? text + size + 1 : NULL;
    int err = parse_format(spec, text, size, error);

    if (err)
        return err;
    if (destination && !*destination)
        return mrl_error__set(error, -EINVAL, "'%.64s' names no destination after the colon", text);
    spec->options.size = sizeof(spec->options);
    spec->options.name = text;
    if (!strcmp(spec->format, "none"))
        return destination ? mrl_error__set(error, -EINVAL, "format none takes no destination") : 0;
    if (mrl_grpc_module__is_format(spec->format)) {
        spec->options.destination = destination ? destination : MRL_GRPC_DESTINATION;
        spec->options.sink = mrl_grpc_module__sink(error);
        return spec->options.sink
                   ? mrl_grpc_module__check(spec->module_settings, spec->options.destination, error)
                   : -ENOENT;
    }
    if (!destination)
        destination = "stdout";
    spec->options.destination = destination;
    spec->options.sink = find_sink(strcmp(destination, "stdout") != 0 ? "file" : "stdout");
    return 0;
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

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Devices may well be written to twice. What does not exist yet is compared by its name. */
static bool is_same_path(const char *one, const char *other)
{
    char directories[2][PATH_MAX];
    struct stat files[2];
    int missing = !!stat(one, &files[0]) + !!stat(other, &files[1]);

    if (!missing)
        return (S_ISREG(files[0].st_mode) || S_ISFIFO(files[0].st_mode)) &&
               files[0].st_dev == files[1].st_dev && files[0].st_ino == files[1].st_ino;
    return missing == 2 && !strcmp(base_name(one), base_name(other)) &&
           real_directory(one, directories[0]) && real_directory(other, directories[1]) &&
           !strcmp(directories[0], directories[1]);
}

static bool is_same_destination(const struct mrl_output_options *one,
                                const struct mrl_output_options *other)
{
    if (!one->sink || !other->sink)
        return false;
    if (!strcmp(one->destination, other->destination))
        return true;
    return one->sink != find_sink("stdout") && other->sink != find_sink("stdout") &&
           is_same_path(one->destination, other->destination);
}

/* -- adding and opening ----------------------------------------------------------------------- */

int mrl_outputs__add(struct mrl_outputs *outputs, const char *text, struct mrl_error *error)
{
    struct mrl_output_spec spec = { .has_policy = false };
    int err = parse(text, &spec, error);

    return err ? err : mrl_outputs__append(outputs, &spec, error);
}

int mrl_outputs__append(struct mrl_outputs *outputs,
                        const struct mrl_output_spec *spec,
                        struct mrl_error *error)
{
    for (unsigned int i = 0; i < outputs->count; i++)
        if (is_same_destination(&outputs->specs[i].options, &spec->options))
            return mrl_error__set(error, -EINVAL, "two outputs to %.256s",
                                  spec->options.destination);
    if (outputs->count == MRL_OUTPUTS_MAX)
        return mrl_error__set(error, -EINVAL, "more than %d outputs", MRL_OUTPUTS_MAX);
    outputs->specs[outputs->count++] = *spec;
    return 0;
}

bool mrl_outputs__show_executable(const struct mrl_outputs *outputs, uint32_t extras)
{
    unsigned int count;
    const struct mrl_extra *rows = mrl_extra__all(&count);
    bool shown = false;

    for (unsigned int i = 0; i < count; i++)
        shown |= (extras & (1U << i)) && rows[i].fills_executable;
    for (unsigned int i = 0; i < outputs->count; i++)
        shown |= find_format(outputs->specs[i].format).shows_executable;
    return shown;
}

bool mrl_outputs__switch_events(const struct mrl_outputs *outputs)
{
    for (unsigned int i = 0; i < outputs->count; i++)
        if (mrl_grpc_module__is_format(outputs->specs[i].format))
            return true;
    return false;
}

int mrl_outputs__open(struct mrl_outputs *outputs,
                      uint32_t extras,
                      struct mrl_pipeline *pipeline,
                      struct mrl_error *error)
{
    int err = 0;

    for (unsigned int i = 0; err >= 0 && i < outputs->count; i++) {
        struct mrl_output_spec *spec = &outputs->specs[i];

        spec->options.format = spec->format;
        spec->options.extras = extras;
        spec->options.plain = getenv("NO_COLOR") != NULL;
        if (mrl_grpc_module__is_format(spec->format))
            mrl_grpc_module__prepare(spec->format, spec->module_settings);
        if (!spec->has_policy)
            spec->options.policy = outputs->count > 1 ? MRL_POLICY_DROP_OLDEST : MRL_POLICY_BLOCK;
        err = mrl_pipeline__add(pipeline, &spec->options, error);
    }
    return err < 0 ? err : 0;
}
