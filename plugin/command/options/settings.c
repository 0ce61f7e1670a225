// SPDX-License-Identifier: Apache-2.0
/* A list of settings, each of a layer. */
#include "command/options/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int mrl_settings__add(struct mrl_settings *settings, const struct mrl_setting *setting)
{
    struct mrl_setting *list =
        reallocarray(settings->list, settings->count + 1, sizeof(settings->list[0]));

    if (!list) {
        free(setting->owned);
        return -ENOMEM;
    }
    settings->list = list;
    settings->list[settings->count++] = *setting;
    return 0;
}

void mrl_settings__take_off(struct mrl_settings *settings, enum mrl_layer layer, unsigned int row)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < settings->count; i++)
        if (settings->list[i].row == row && settings->list[i].layer == layer)
            free(settings->list[i].owned);
        else
            settings->list[kept++] = settings->list[i];
    settings->count = kept;
}

int mrl_settings__fault(const struct mrl_settings *settings, int err, const char *text)
{
    if (!settings->fault || err == -ENOMEM)
        return err;
    settings->fault(settings->context, text);
    return 0;
}

bool mrl_settings__is_in_force(const struct mrl_settings *settings,
                               const struct mrl_setting *setting)
{
    for (unsigned int i = 0; i < settings->count; i++)
        if (settings->list[i].row == setting->row && settings->list[i].layer > setting->layer)
            return false;
    return true;
}

/* The value of a row at or behind `*at` in the list, which moves behind it; false: no more. */
static bool next_value(const struct mrl_settings *settings,
                       unsigned int row,
                       unsigned int *at,
                       const char **ret_value)
{
    for (unsigned int i = *at; i < settings->count; i++)
        if (settings->list[i].row == row &&
            mrl_settings__is_in_force(settings, &settings->list[i])) {
            *at = i + 1;
            *ret_value = settings->list[i].value ? settings->list[i].value : "true";
            return true;
        }
    *at = settings->count;
    return false;
}

/* Of a row that takes one value the last one counts. */
static bool next_counting(const struct mrl_settings *settings,
                          const struct mrl_option *option,
                          unsigned int row,
                          unsigned int *at,
                          const char **ret_value)
{
    const bool first = !*at;
    bool any = next_value(settings, row, at, ret_value);

    while (any && !option->many && next_value(settings, row, at, ret_value))
        ;
    if (first && !any && option->preset) {
        *ret_value = option->preset;
        *at = settings->count + 1; /* not again, also where the list is empty */
        return true;
    }
    return any;
}

bool mrl_settings__agree(const struct mrl_settings *one,
                         const struct mrl_settings *other,
                         const struct mrl_option *option,
                         unsigned int row)
{
    unsigned int at[2] = { 0, 0 };
    const char *values[2];

    for (;;) {
        const bool any = next_counting(one, option, row, &at[0], &values[0]);

        if (any != next_counting(other, option, row, &at[1], &values[1]))
            return false;
        if (!any)
            return true;
        if (strcmp(values[0], values[1]) != 0)
            return false;
    }
}

void mrl_settings__forget_overridden(struct mrl_settings *settings, const struct mrl_rows *rows)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < settings->count; i++) {
        struct mrl_setting setting = settings->list[i];
        bool stays = mrl_settings__is_in_force(settings, &setting);

        for (unsigned int j = i + 1; j < settings->count; j++)
            stays =
                stays && (settings->list[j].row != setting.row ||
                          settings->list[j].layer < setting.layer || rows->at[setting.row]->many);
        if (stays) {
            settings->list[i] = settings->list[kept];
            settings->list[kept++] = setting;
        }
    }
    settings->in_force = kept;
}

void mrl_settings__free(struct mrl_settings *settings)
{
    for (unsigned int i = 0; i < settings->count; i++)
        free(settings->list[i].owned);
    free(settings->list);
    while (settings->file_count)
        free(settings->files[--settings->file_count]);
    *settings = (struct mrl_settings){ .count = 0 };
}
