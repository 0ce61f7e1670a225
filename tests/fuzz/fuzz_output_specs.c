// SPDX-License-Identifier: Apache-2.0
/*
 * Any text, up to a newline as --output and what follows as --record, both of one run: outputs that
 * are two, or one line that says why not. Nothing is opened.
 */
#include <errno.h>
#include <mrelease/pipeline.h>

#include "command/run/outputs.h"
#include "command/run/record.h"
#include "fuzz.h"

static void check(const struct mrl_outputs *outputs,
                  unsigned int before,
                  int err,
                  const struct mrl_error *error)
{
    const struct mrl_output_options *added = &outputs->specs[before].options;

    must(outputs->count == before + !err);
    must(err ? (err == -EINVAL || err == -ENOENT) && error->text[0] && !strchr(error->text, '\n')
             : !added->sink || added->destination[0]);
    must(err || !added->queue_bytes ||
         (added->queue_bytes >= 32 * 1024 && added->queue_bytes <= 1U << 30));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mrl_outputs outputs = { .count = 0 };
    struct mrl_error error = { "" };
    char *text = fuzz_string(data, size), *record = text;
    const char *output = strsep(&record, "\n");
    int err = mrl_outputs__add(&outputs, output, &error);

    check(&outputs, 0, err, &error);
    if (record && !strchr(record, '\n')) {
        unsigned int before = outputs.count;

        error.text[0] = '\0';
        err = mrl_record__add(&outputs, record, &error);
        check(&outputs, before, err, &error);
    }
    free(text);
    return 0;
}
