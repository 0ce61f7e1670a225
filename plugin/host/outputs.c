// SPDX-License-Identifier: Apache-2.0
/* Outputs: from --output to bytes at a destination. */
#include "host/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "sinks.h"

enum { CHUNK_BYTES = 256 * 1024, FORMAT_BYTES = 32 };

struct mrl_output {
    const char *spec;
    struct mrl_encoder *encoder;
    const struct mrl_sink_ops *ops;
    struct mrl_sink *sink; /* NULL once nobody reads it any more */
    uint64_t delivered, dropped;
    int failing; /* the error that was reported last; 0: it works */
    struct mrl_chunk chunk;
    char *buffer; /* CHUNK_BYTES; NULL for a format without bytes */
};

/* -- specs ------------------------------------------------------------------------------------ */

/* "" where there is none. */
static const char *destination_of(const char *spec)
{
    const char *colon = strchr(spec, ':');

    return colon ? colon + 1 : "";
}

static int format_of(const char *spec, char format[FORMAT_BYTES], struct mrl_error *error)
{
    size_t size = strcspn(spec, ":");

    if (size >= FORMAT_BYTES)
        return mrl_error__set(error, -EINVAL, "'%.64s' is no FORMAT[:DESTINATION]", spec);
    memcpy(format, spec, size);
    format[size] = '\0';
    return 0;
}

static bool is_silent(const char *spec)
{
    return !strncmp(spec, "none", 4) && (!spec[4] || spec[4] == ':');
}

static bool is_stdout(const char *spec)
{
    const char *destination = destination_of(spec);

    return !is_silent(spec) && (!*destination || !strcmp(destination, mrl_sink_stdout.name));
}

static bool same_destination(const char *a, const char *b)
{
    if (is_silent(a) || is_silent(b))
        return false;
    return (is_stdout(a) && is_stdout(b)) ||
           (!is_stdout(a) && !strcmp(destination_of(a), destination_of(b)));
}

int mrl_outputs__add(struct mrl_outputs *outputs, const char *spec, struct mrl_error *error)
{
    struct mrl_encoder *encoder;
    char format[FORMAT_BYTES];
    int err = format_of(spec, format, error);

    if (!err)
        err = mrl_encoder__new(format, NULL, error, &encoder);
    if (err)
        return err;
    mrl_encoder__free(encoder);
    if (strchr(spec, ':') && !*destination_of(spec))
        return mrl_error__set(error, -EINVAL, "'%.64s' names no destination after the colon", spec);
    if (is_silent(spec) && *destination_of(spec))
        return mrl_error__set(error, -EINVAL, "format none takes no destination");
    for (unsigned int i = 0; i < outputs->count; i++)
        if (same_destination(outputs->specs[i], spec))
            return mrl_error__set(error, -EINVAL, "two outputs to %.256s",
                                  is_stdout(spec) ? "stdout" : destination_of(spec));
    if (outputs->count == MRL_OUTPUTS_MAX)
        return mrl_error__set(error, -EINVAL, "more than %d outputs", MRL_OUTPUTS_MAX);
    outputs->specs[outputs->count++] = spec;
    return 0;
}

/* -- writing ---------------------------------------------------------------------------------- */

static void lose_reader(struct mrl_output *output)
{
    output->ops->close(output->sink);
    output->sink = NULL;
}

/* Said once per change, not per chunk: a full disk can last. */
static void note_result(struct mrl_output *output, int err)
{
    if (err && err != output->failing)
        mrl_say("%s: %s: %s", output->spec, strerror(-err),
                err == -EPIPE ? "nobody reads it any more, it is closed"
                              : "events are dropped until it works again");
    if (!err && output->failing)
        mrl_say("%s: works again, %llu events were dropped so far", output->spec,
                (unsigned long long)output->dropped);
    output->failing = err;
    if (err == -EPIPE)
        lose_reader(output);
}

static void flush_chunk(struct mrl_output *output)
{
    size_t events = 0;
    int err = output->ops->write(output->sink, &output->chunk, &events);

    events = err ? events : output->chunk.events;
    output->delivered += events;
    output->dropped += output->chunk.events - events;
    output->chunk.size = 0;
    output->chunk.events = 0;
    note_result(output, err);
}

static void deliver(struct mrl_output *output, const struct mrl_batch *batch, size_t count)
{
    struct mrl_chunk *chunk = &output->chunk;

    for (size_t i = 0; i < count; i++) {
        ssize_t size;

        if (output->sink && chunk->size > CHUNK_BYTES - MRL_EVENT_TEXT_MAX)
            flush_chunk(output);
        if (!output->sink) {
            output->dropped += count - i;
            return;
        }
        size = mrl_encoder__put(output->encoder, mrl_batch__at(batch, i),
                                output->buffer + chunk->size, CHUNK_BYTES - chunk->size);
        chunk->size += (size_t)size;
        chunk->events++;
    }
    if (chunk->events)
        flush_chunk(output);
}

void mrl_outputs__deliver(struct mrl_outputs *outputs, const struct mrl_batch *batch, size_t count)
{
    for (unsigned int i = 0; i < outputs->opened; i++) {
        if (outputs->outputs[i]->ops)
            deliver(outputs->outputs[i], batch, count);
        else
            outputs->outputs[i]->delivered += count;
    }
}

/* -- opening and closing ---------------------------------------------------------------------- */

static int output_close(struct mrl_output *output)
{
    int err = 0;

    if (output->sink)
        err = output->ops->close(output->sink);
    mrl_encoder__free(output->encoder);
    free(output->buffer);
    free(output);
    return err;
}

static int write_preamble(struct mrl_output *output, struct mrl_error *error)
{
    struct mrl_text text = mrl_encoder__preamble(output->encoder);
    struct mrl_chunk chunk = { text.bytes, text.size, 0 };
    size_t events;
    int err = text.size ? output->ops->write(output->sink, &chunk, &events) : 0;

    return err ? mrl_error__set(error, err, "%.256s: %s", output->spec, strerror(-err)) : 0;
}

static int open_sink(struct mrl_output *output, const char *format, struct mrl_error *error)
{
    struct mrl_encoder_options options = { .user_names = true };
    const char *destination = destination_of(output->spec);
    int err;

    output->ops = is_stdout(output->spec) ? &mrl_sink_stdout : &mrl_sink_file;
    output->buffer = malloc(CHUNK_BYTES);
    if (!output->buffer)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    output->chunk.bytes = output->buffer;
    err = output->ops->open(destination, error, &output->sink);
    if (err)
        return err;
    options.colour =
        output->ops->is_terminal && output->ops->is_terminal(output->sink) && !getenv("NO_COLOR");
    err = mrl_encoder__new(format, &options, error, &output->encoder);
    return err ? err : write_preamble(output, error);
}

static int output_open(const char *spec, struct mrl_error *error, struct mrl_output **ret_output)
{
    struct mrl_output *output = calloc(1, sizeof(*output));
    char format[FORMAT_BYTES];
    int err;

    if (!output)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    output->spec = spec;
    err = format_of(spec, format, error);
    if (!err && !is_silent(spec))
        err = open_sink(output, format, error);
    if (err) {
        output_close(output);
        return err;
    }
    *ret_output = output;
    return 0;
}

int mrl_outputs__open(struct mrl_outputs *outputs, struct mrl_error *error)
{
    for (unsigned int i = 0; i < outputs->count; i++) {
        int err = output_open(outputs->specs[i], error, &outputs->outputs[i]);

        if (err) {
            mrl_outputs__close(outputs);
            return err;
        }
        outputs->opened++;
    }
    return 0;
}

void mrl_outputs__reopen(struct mrl_outputs *outputs)
{
    struct mrl_error error;

    for (unsigned int i = 0; i < outputs->opened; i++) {
        struct mrl_output *output = outputs->outputs[i];

        if (output->sink && output->ops->reopen && output->ops->reopen(output->sink, &error))
            mrl_say("%s: not reopened, the old file stays in use", error.text);
    }
}

bool mrl_outputs__alive(const struct mrl_outputs *outputs)
{
    for (unsigned int i = 0; i < outputs->opened; i++)
        if (!outputs->outputs[i]->ops || outputs->outputs[i]->sink)
            return true;
    return false;
}

void mrl_outputs__report(const struct mrl_outputs *outputs)
{
    for (unsigned int i = 0; i < outputs->opened; i++)
        mrl_say("%s: %llu delivered, %llu dropped", outputs->outputs[i]->spec,
                (unsigned long long)outputs->outputs[i]->delivered,
                (unsigned long long)outputs->outputs[i]->dropped);
}

int mrl_outputs__close(struct mrl_outputs *outputs)
{
    int first = 0;

    for (unsigned int i = 0; i < outputs->opened; i++) {
        int err = output_close(outputs->outputs[i]);

        first = first ? first : err;
    }
    outputs->opened = 0;
    return first;
}
