// SPDX-License-Identifier: Apache-2.0
/* Settings as a configuration file: what --print-config says. */
#include <stdio.h>
#include <string.h>

#include "base/visible.h"
#include "command/options/config.h"

static const char *const layers[MRL_LAYER_COUNT] = {
    [MRL_LAYER_PROFILE] = "profile",
    [MRL_LAYER_FILE] = "file",
    [MRL_LAYER_ARGUMENTS] = "command line",
};

static void print_escape(uint32_t code)
{
    printf(code < 0x100 ? "\\x%02x" : "\\U%08x", code);
}

/* What must not be shown is escaped as YAML has it; a byte that is no UTF-8, which YAML has not, as
 * if it were the character of its number. */
static void print_text(const char *text)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);

    putchar('"');
    while (at < end) {
        unsigned int shown = mrl_visible_size(at, end), size = mrl_utf8_size(at, end);

        if (shown)
            printf("%s%.*s", *at == '"' || *at == '\\' ? "\\" : "", (int)shown, (const char *)at);
        else
            print_escape(size ? mrl_utf8_code(at, size) : *at);
        at += size ? size : 1;
    }
    putchar('"');
}

static void print_value(const struct mrl_setting *setting)
{
    if (setting->value)
        print_text(setting->value);
    else
        fputs("true", stdout);
    printf("  # %s\n", layers[setting->layer]);
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

void mrl_config__print(const struct mrl_rows *rows, const struct mrl_settings *settings)
{
    for (unsigned int row = 0; row < rows->count; row++) {
        bool set = false;

        for (unsigned int i = 0; i < settings->in_force; i++)
            set = set || settings->list[i].row == row;
        if (!set)
            continue;
        printf("%s:", rows->at[row]->name);
        print_row(settings, row, rows->at[row]->many);
    }
}
