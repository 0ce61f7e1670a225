// SPDX-License-Identifier: Apache-2.0
/* --record: the output that is no --output, because its format and its sink belong together. */
#include "command/run/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command/run/destination.h"

/* There is always another output beside it, so that it drops the oldest unless told otherwise; that
 * is counted, and told within the capture. */
static const struct mrl_output_spec recording = {
    .format = "capture",
    .options = { .size = sizeof(struct mrl_output_options) },
};

int mrl_record__add(struct mrl_outputs *outputs, const char *text, struct mrl_error *error)
{
    size_t size = mrl_destination__settings_size(text);
    struct mrl_output_spec spec = recording;
    int err;

    spec.options.sink = mrl_sink__of_format(spec.format);
    spec.options.name = text;
    spec.options.destination = size ? text + size + 1 : text;
    err = size ? mrl_output_spec__set(&spec, text, size, error) : 0;
    if (!err)
        err = mrl_destination__check(spec.options.destination, error);
    return err ? err : mrl_outputs__append(outputs, &spec, error);
}

int mrl_record__add_default(struct mrl_outputs *outputs, struct mrl_error *error)
{
    for (unsigned int i = 0; i < outputs->count; i++)
        if (!outputs->specs[i].options.sink || !outputs->specs[i].options.sink->option)
            return 0;
    return mrl_outputs__add(outputs, isatty(STDOUT_FILENO) ? "table" : "json", error);
}
