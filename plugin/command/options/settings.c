// SPDX-License-Identifier: Apache-2.0
/* A list of settings, each of a layer. */
#include "command/options/settings.h"

#include <errno.h>
#include <stdlib.h>

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

bool mrl_settings__is_in_force(const struct mrl_settings *settings,
                               const struct mrl_setting *setting)
{
    for (unsigned int i = 0; i < settings->count; i++)
        if (settings->list[i].row == setting->row && settings->list[i].layer > setting->layer)
            return false;
    return true;
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
    *settings = (struct mrl_settings){ .count = 0 };
}
