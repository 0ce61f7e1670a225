// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a policy file: policies that the plugin takes, or a first fault that is one line. */
#include <errno.h>

#include "command/policy/tracee.h"
#include "fuzz.h"

static void check_text(const char *text)
{
    for (; *text; text++)
        must((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void hear(void *context, enum mrl_policy_remark remark, const char *place, const char *text)
{
    (void)context;
    must(remark == MRL_POLICY_FAULT || remark == MRL_POLICY_WARNING);
    must(*text);
    check_text(place);
    check_text(text);
}

static void check_set(const struct mrl_policy_set *set)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;
    uint32_t events;
    int err;

    must(set->count && set->count <= MRL_POLICIES_MAX);
    options.policies = set->texts;
    options.policy_count = set->count;
    err = mrl_plugin_options__events(&options, &events, &error);
    must(!err);
    for (unsigned int i = 0; i < set->count; i++)
        for (unsigned int j = 0; j < set->texts[i].event_count; j++)
            check_text(set->texts[i].events[j]);
}

/* The first byte says for which version of Tracee. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mrl_policy_set set = { .say = hear };
    struct mrl_error error = { "" };
    int err;

    if (!size || size > MRL_POLICY_FILE_BYTES_MAX)
        return 0;
    set.tracee = (enum mrl_tracee)(data[0] % MRL_TRACEE_COUNT);
    err = mrl_policy_set__read_text(&set, "F", (const char *)data + 1, size - 1, &error);
    must(!err || err == -EINVAL);
    must(!err == !error.text[0]);
    check_text(error.text);
    if (!err)
        check_set(&set);
    mrl_policy_set__free(&set);
    return 0;
}
