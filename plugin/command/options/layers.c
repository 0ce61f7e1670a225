// SPDX-License-Identifier: Apache-2.0
/* The layers of settings: gathered first, then the highest of each option is applied. */
#include "command/options/layers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/options/config.h"
#include "command/options/profile.h"

static int set_file(void *member, const char *value, struct mrl_error *error)
{
    const char **file = member;

    if (*file)
        return mrl_error__set(error, -EINVAL, "given twice, as '%.64s' and '%.64s'", *file, value);
    if (!*value)
        return mrl_error__set(error, -EINVAL, "the path is empty");
    *file = value;
    return 0;
}

static const struct mrl_option profile_row = {
    .name = "profile",
    .type = MRL_OPTION_WORD,
    .offset = offsetof(struct mrl_settings, profile),
    .word = mrl_profile__name,
    .value = "PROFILE",
    .preset = "default",
    .doc =
        "Options under a name ('list' prints them); the file and the command line override them.",
};

/* Of the command line alone: a file that names another, or prints, would help nobody. */
static const struct mrl_option own_rows[] = {
    { .name = "config",
      .type = MRL_OPTION_OWN,
      .offset = offsetof(struct mrl_settings, file),
      .parse = set_file,
      .separator = '/',
      .value = "FILE|DIR",
      .doc =
          "Read options from this YAML file, and from conf.d/*.yaml beside it; or from the *.yaml "
          "of this directory; or from standard input ('-'). The command line overrides them." },
    { .name = "print-config",
      .type = MRL_OPTION_SWITCH,
      .offset = offsetof(struct mrl_settings, print),
      .doc = "Print the options that are in force as such a file, and exit." },
};

/* -- gathering -------------------------------------------------------------------------------- */

struct gathering {
    struct mrl_rows rows;
    struct mrl_settings *settings;
    enum mrl_layer failed; /* whose setting was wrong */
};

static int out_of_memory(struct mrl_error *error)
{
    return mrl_error__set(error, -ENOMEM, "out of memory");
}

/* An option of the command line: those of the layers themselves count at once. */
static int note(void *context, unsigned int row, const char *value, struct mrl_error *error)
{
    struct gathering *gathering = context;
    const struct mrl_rows *rows = &gathering->rows;
    struct mrl_setting setting = { .layer = MRL_LAYER_ARGUMENTS, .row = row, .value = value };
    struct mrl_error reason = { "" };

    if (!rows->is_key[row]) {
        if (mrl_option__set(rows->at[row], rows->targets[row], value, &reason))
            return mrl_error__set(error, -EINVAL, "--%s: %s", rows->at[row]->name, reason.text);
        return 0;
    }
    if (rows->at[row] == &profile_row && !strcmp(value, "list")) {
        gathering->settings->list_profiles = true;
        return 0;
    }
    return mrl_settings__add(gathering->settings, &setting) ? out_of_memory(error) : 0;
}

/* Finds a row among the keys; the caller knows that it is there. */
static unsigned int row_called(const struct mrl_rows *rows, const char *name)
{
    unsigned int i = 0;

    while (strcmp(rows->at[i]->name, name) != 0)
        i++;
    return i;
}

static int gather_profile(struct gathering *gathering, struct mrl_error *error)
{
    const struct mrl_profile *profile = mrl_profile__find(gathering->settings->profile, error);

    for (unsigned int i = 0; profile->settings[i].name; i++) {
        const struct mrl_setting setting = {
            .layer = MRL_LAYER_PROFILE,
            .row = row_called(&gathering->rows, profile->settings[i].name),
            .value = profile->settings[i].value,
        };

        if (mrl_settings__add(gathering->settings, &setting))
            return out_of_memory(error);
    }
    return 0;
}

/* -- applying --------------------------------------------------------------------------------- */

static int apply_one(struct gathering *gathering,
                     const struct mrl_setting *setting,
                     struct mrl_error *error)
{
    const struct mrl_option *row = gathering->rows.at[setting->row];
    struct mrl_error reason = { "" };
    int err = mrl_option__set(row, gathering->rows.targets[setting->row], setting->value, &reason);

    if (!err && gathering->settings->applied)
        err = gathering->settings->applied(gathering->settings->context, setting, row, &reason);
    gathering->failed = setting->layer;
    if (err && setting->layer == MRL_LAYER_FILE)
        mrl_error__set(error, err, "%.200s:%zu:%zu: %s: %s", setting->file, setting->line,
                       setting->column, row->name, reason.text);
    else if (err)
        mrl_error__set(error, err, "--%s: %s", row->name, reason.text);
    return err;
}

/* By a higher layer, or by a later file. */
static bool is_replaced(const struct gathering *gathering, unsigned int index)
{
    const struct mrl_settings *settings = gathering->settings;
    const struct mrl_setting *setting = &settings->list[index];

    for (unsigned int i = index + 1; i < settings->count; i++)
        if (setting->layer == MRL_LAYER_FILE && settings->list[i].row == setting->row &&
            settings->list[i].layer == MRL_LAYER_FILE && !gathering->rows.at[setting->row]->many &&
            settings->list[i].file != setting->file)
            return true;
    return !mrl_settings__is_in_force(settings, setting);
}

/* The profile, which a file may name too, comes before all else. */
static int apply(struct gathering *gathering, struct mrl_error *error)
{
    struct mrl_settings *settings = gathering->settings;
    unsigned int profile = row_called(&gathering->rows, profile_row.name);
    int err = 0;

    for (unsigned int i = 0; !err && i < settings->count; i++)
        if (settings->list[i].row == profile &&
            mrl_settings__is_in_force(settings, &settings->list[i]))
            err = apply_one(gathering, &settings->list[i], error);
    if (err)
        err = mrl_settings__fault(settings, err, error->text);
    if (!err && settings->profile)
        err = gather_profile(gathering, error);
    for (unsigned int i = 0; !err && i < settings->count; i++) {
        if (settings->list[i].row == profile || is_replaced(gathering, i))
            continue;
        err = apply_one(gathering, &settings->list[i], error);
        err = err ? mrl_settings__fault(settings, err, error->text) : 0;
    }
    return err;
}

/* -- from start to end ------------------------------------------------------------------------ */

/* What is wrong in a file is not explained by --help. */
static int fail(const struct mrl_verb *verb, int err, enum mrl_layer layer, const char *text)
{
    if (err != -ENOMEM && layer != MRL_LAYER_FILE)
        return mrl_usage_error(verb, text);
    mrl_say("%s", text);
    return err == -EINVAL || err == -EDOM ? MRL_EXIT_USAGE : MRL_EXIT_FAILED;
}

static void print_profiles(void)
{
    const char *name;

    for (unsigned int i = 0; (name = mrl_profile__name(i)); i++) {
        const struct mrl_profile *profile = mrl_profile__find(name, NULL);

        printf("%-10s %s\n", name, profile->doc);
        for (unsigned int j = 0; profile->settings[j].name; j++)
            printf("%-10s   --%s %s\n", "", profile->settings[j].name, profile->settings[j].value);
    }
}

/* -1: the verb ends with *ret_status. */
static int finish(const struct mrl_verb *verb, struct gathering *gathering, int *ret_status)
{
    struct mrl_settings *settings = gathering->settings;
    struct mrl_error error = { "" };
    int err = 0;

    gathering->failed = MRL_LAYER_FILE;
    if (settings->list_profiles) {
        print_profiles();
        *ret_status = mrl_flush_stdout();
        return -1;
    }
    if (settings->file)
        err = mrl_config__read(settings->file, &gathering->rows, settings, &error);
    if (!err)
        err = apply(gathering, &error);
    if (err) {
        *ret_status = fail(verb, err, gathering->failed, error.text);
        return -1;
    }
    if (!settings->print)
        return 0;
    mrl_settings__forget_overridden(settings, &gathering->rows);
    *ret_status = mrl_config__print(&gathering->rows, settings, &error)
                      ? mrl_usage_error(verb, error.text)
                      : mrl_flush_stdout();
    return -1;
}

/* In the same order each time: settings know rows by their number. */
static void gather_rows(struct gathering *gathering,
                        const struct mrl_option_group *groups,
                        unsigned int group_count)
{
    mrl_rows__add_groups(&gathering->rows, groups, group_count);
    mrl_rows__add(&gathering->rows, &profile_row, gathering->settings, true);
}

int mrl_layers__read_file(const char *path,
                          const struct mrl_option_group *groups,
                          unsigned int group_count,
                          struct mrl_settings *settings,
                          struct mrl_error *error)
{
    const struct mrl_settings none = { .file = path };

    return mrl_layers__read_again(&none, groups, group_count, settings, error);
}

int mrl_layers__read_again(const struct mrl_settings *before,
                           const struct mrl_option_group *groups,
                           unsigned int group_count,
                           struct mrl_settings *settings,
                           struct mrl_error *error)
{
    struct gathering gathering = { .settings = settings };
    int err = 0;

    gather_rows(&gathering, groups, group_count);
    settings->file = before->file;
    for (unsigned int i = 0; !err && i < before->count; i++)
        if (before->list[i].layer == MRL_LAYER_ARGUMENTS)
            err = mrl_settings__add(settings, &before->list[i]);
    if (err)
        return out_of_memory(error);
    if (settings->file)
        err = mrl_config__read(settings->file, &gathering.rows, settings, error);
    return err ? err : apply(&gathering, error);
}

void mrl_layers__compare(const struct mrl_settings *one,
                         const struct mrl_settings *other,
                         const struct mrl_option_group *groups,
                         unsigned int group_count,
                         void (*differs)(void *context, const struct mrl_option *row),
                         void *context)
{
    unsigned int row = 0;

    for (unsigned int g = 0; g < group_count; g++)
        for (unsigned int i = 0; i < groups[g].count; i++, row++)
            if (!mrl_settings__agree(one, other, &groups[g].rows[i], row))
                differs(context, &groups[g].rows[i]);
}

int mrl_layers__parse(const struct mrl_verb *verb,
                      int argc,
                      char **argv,
                      const struct mrl_option_group *groups,
                      unsigned int group_count,
                      struct mrl_settings *settings,
                      int *ret_status)
{
    struct gathering gathering = { .settings = settings };
    int operand;

    gather_rows(&gathering, groups, group_count);
    for (unsigned int i = 0; i < sizeof(own_rows) / sizeof(own_rows[0]); i++)
        mrl_rows__add(&gathering.rows, &own_rows[i], settings, false);
    operand = mrl_arguments__each(verb, &gathering.rows, argc, argv, note, &gathering, ret_status);
    return operand < 0 || finish(verb, &gathering, ret_status) ? -1 : operand;
}
