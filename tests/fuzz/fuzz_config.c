// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a configuration file: settings, or one line that says where it is wrong. */
#include <errno.h>

#include "command/options/config.h"
#include "fuzz.h"

static const struct mrl_option options[] = {
    { .name = "events", .type = MRL_OPTION_SET },
    { .name = "output", .type = MRL_OPTION_OWN, .many = 16 },
    { .name = "ring", .type = MRL_OPTION_BYTES, .was = "old-ring" },
    { .name = "record", .type = MRL_OPTION_PATH },
    { .name = "loud", .type = MRL_OPTION_SWITCH },
    { .name = "config", .type = MRL_OPTION_PATH },
};

enum { OPTION_COUNT = sizeof(options) / sizeof(options[0]) };

static void check_settings(const struct mrl_settings *settings)
{
    for (unsigned int i = 0; i < settings->count; i++) {
        const struct mrl_setting *setting = &settings->list[i];

        must(setting->row < OPTION_COUNT - 1 && setting->line && setting->column);
        must(!setting->value == (options[setting->row].type == MRL_OPTION_SWITCH));
        for (const char *at = setting->value; at && *at; at++)
            must((unsigned char)*at >= 0x20 && *at != 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mrl_settings settings = { .count = 0 };
    struct mrl_rows rows = { .count = 0 };
    struct mrl_error error = { "" };
    int err;

    for (unsigned int i = 0; i < OPTION_COUNT; i++)
        mrl_rows__add(&rows, &options[i], NULL, i + 1 < OPTION_COUNT);
    err = mrl_config__parse("F", (const char *)data, size, &rows, &settings, &error);
    must(!err || err == -EINVAL);
    must(!err == !error.text[0]);
    must(!err || (!strncmp(error.text, "F:", 2) && !strpbrk(error.text, "\n\r")));
    check_settings(&settings);
    mrl_settings__free(&settings);
    return 0;
}
