// SPDX-License-Identifier: Apache-2.0
/* --record: the output that is no --output, because its format and its sink belong together. */
#include "host/record.h"

#include <errno.h>
#include <string.h>

/* A disk may stall for longer than lines wait for; dropping is better than to hold up the reader,
 * and it is counted, and told within the capture. */
static const struct mrl_output_spec spec = {
    .format = "capture",
    .has_policy = true,
    .options = {
        .size = sizeof(struct mrl_output_options),
        .policy = MRL_POLICY_DROP_OLDEST,
        .queue_bytes = 8 << 20,
    },
};

int mrl_record__add(struct mrl_outputs *outputs, const char *path, struct mrl_error *error)
{
    struct mrl_output_options *options;

    for (unsigned int i = 0; i < outputs->count; i++)
        if (outputs->specs[i].options.sink && !strcmp(outputs->specs[i].options.destination, path))
            return mrl_error__set(error, -EINVAL, "two outputs to %.256s", path);
    if (!*path)
        return mrl_error__set(error, -EINVAL, "the path is empty");
    if (outputs->count == MRL_OUTPUTS_MAX)
        return mrl_error__set(error, -EINVAL, "more than %d outputs", MRL_OUTPUTS_MAX);
    outputs->specs[outputs->count] = spec;
    options = &outputs->specs[outputs->count++].options;
    options->sink = mrl_capture__sink();
    options->name = path;
    options->destination = path;
    return 0;
}

int mrl_record__add_default(struct mrl_outputs *outputs, struct mrl_error *error)
{
    for (unsigned int i = 0; i < outputs->count; i++)
        if (outputs->specs[i].options.sink != mrl_capture__sink())
            return 0;
    return mrl_outputs__add(outputs, "json", error);
}
