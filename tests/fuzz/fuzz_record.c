// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a record, through decode and every format, without extras and with all of them:
 * refused, or one line each. */
#include <mrelease/encode.h>

#include "event/decode.h"
#include "fuzz.h"

enum { FORMATS_MAX = 32 };

/* Made once: to make those of the shapes takes longer than to use them. */
static struct mrl_encoder *encoder_of(const struct mrl_format *format,
                                      uint32_t extras,
                                      struct mrl_encoder **made)
{
    const struct mrl_encoder_options options = { .extras = extras };

    if (!*made)
        must(!mrl_encoder__new(format->name, &options, NULL, made));
    return *made;
}

static void encode(const struct mrl_event *event, uint32_t extras)
{
    static struct mrl_encoder *encoders[2][FORMATS_MAX];
    static char line[MRL_EVENT_TEXT_MAX];
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    must(count <= FORMATS_MAX);
    for (unsigned int i = 0; i < count; i++) {
        struct mrl_encoder *encoder = encoder_of(&formats[i], extras, &encoders[extras != 0][i]);
        ssize_t size;

        size = mrl_encoder__put(encoder, event, line, sizeof(line));
        must(size >= 0 && (size_t)size <= sizeof(line));
        must(!size || formats[i].binary || memchr(line, '\n', (size_t)size) == line + size - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mrl_host host = { .facts = { .page_bytes = 4096, .cpus = 2 } };
    struct mrl_pool *pool = mrl_pool__new(1);
    struct mrl_batch *batch = mrl_pool__get(pool);
    void *record = malloc(size ? size : 1); /* aligned, and of exactly that size */

    must(batch && record);
    memcpy(record, data, size);
    if (!mrl_decode__append(record, size, &host, batch)) {
        encode(mrl_batch__at(batch, 0), 0);
        encode(mrl_batch__at(batch, 0), UINT32_MAX);
    }
    must(batch->arena.used <= MRL_BATCH_EVENT_ROOM);
    free(record);
    mrl_batch__unref(batch);
    mrl_pool__unref(pool);
    return 0;
}
