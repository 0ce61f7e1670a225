// SPDX-License-Identifier: Apache-2.0
/* Settings as a configuration file: what --print-config says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/tame.h"
#include "base/visible.h"
#include "command/options/config.h"

static const char *const layers[MRL_LAYER_COUNT] = {
    [MRL_LAYER_PROFILE] = "profile",
    [MRL_LAYER_FILE] = "file",
    [MRL_LAYER_ARGUMENTS] = "command line",
};

/* Whether a file can hold it: the reader of files refuses control characters, and YAML what is no
 * UTF-8. */
static bool fits(const char *text)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
    unsigned int size = 1;

    for (; size && at < end; at += size)
        size = *at < 0x20 || *at == 0x7f ? 0 : mrl_utf8_size(at, end);
    return size;
}

/* What must not be shown is escaped as YAML has it. */
static void print_text(const char *text)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
    unsigned int size;

    putchar('"');
    for (; at < end; at += size) {
        size = mrl_utf8_size(at, end);
        if (mrl_visible_size(at, end))
            printf("%s%.*s", *at == '"' || *at == '\\' ? "\\" : "", (int)size, (const char *)at);
        else
            printf("\\U%08x", mrl_utf8_code(at, size));
    }
    putchar('"');
}

static void print_value(const struct mrl_setting *setting)
{
    char source[256];

    if (setting->value)
        print_text(setting->value);
    else
        fputs("true", stdout);
    snprintf(source, sizeof(source), "%.250s",
             setting->file ? setting->file : layers[setting->layer]);
    printf("  # %s\n", mrl_tame(source));
}

static void print_row(const struct mrl_settings *settings, unsigned int row, bool many)
{
    bool first = true;

    for (unsigned int i = 0; i < settings->in_force; i++) {
        if (settings->list[i].row != row)
            continue;
        if (!many)
            putchar(' ');
        else
            printf("%s  - ", first ? "\n" : "");
        print_value(&settings->list[i]);
        first = false;
    }
}

/* What nobody said, as a comment. */
static void print_preset(const struct mrl_option *row)
{
    const char *preset = row->type == MRL_OPTION_SWITCH ? "false" : row->preset;

    printf("# %s:%s%s\n", row->name, preset ? " " : "", preset ? preset : "");
}

int mrl_config__print(const struct mrl_rows *rows,
                      const struct mrl_settings *settings,
                      struct mrl_error *error)
{
    for (unsigned int i = 0; i < settings->in_force; i++)
        if (settings->list[i].value && !fits(settings->list[i].value))
            return mrl_error__set(error, -EINVAL,
                                  "--%s: a value with a control character, or that is no UTF-8, "
                                  "cannot stand in a file",
                                  rows->at[settings->list[i].row]->name);
    for (unsigned int row = 0; row < rows->count; row++) {
        bool set = false;

        for (unsigned int i = 0; i < settings->in_force; i++)
            set = set || settings->list[i].row == row;
        if (!set && rows->is_key[row])
            print_preset(rows->at[row]);
        if (!set)
            continue;
        printf("%s:", rows->at[row]->name);
        print_row(settings, row, rows->at[row]->many);
    }
    return 0;
}
