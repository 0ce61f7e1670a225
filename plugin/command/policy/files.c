// SPDX-License-Identifier: Apache-2.0
/* Which files --policy means, and reading them: all, or nothing that may be used. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "command/options/yaml.h"
#include "command/policy/policy.h"

/* A directory of more is no directory of policies: each file has one at least. */
enum { FILES_MAX = 4 * MRL_POLICIES_MAX };

/* The name becomes one of the set. */
static const char *keep_name(struct mrl_policy_set *set, const char *path)
{
    char **files = reallocarray(set->files, set->file_count + 1, sizeof(*files));
    char *name = strdup(strcmp(path, "-") ? path : "standard input");

    if (files)
        set->files = files;
    if (!files || !name) {
        free(name);
        return NULL;
    }
    set->files[set->file_count++] = name;
    return name;
}

static int read_file(struct mrl_policy_set *set, const char *path, bool may_wait)
{
    const char *name = keep_name(set, path);
    struct mrl_error error = { "" };
    char *bytes = NULL;
    size_t size = 0;
    int err;

    if (!name)
        return -ENOMEM;
    err = mrl_yaml__read_file(path, may_wait, MRL_POLICY_FILE_BYTES_MAX, &bytes, &size, &error);
    if (err)
        return err == -ENOMEM ? err : mrl_policy_set__note(set, MRL_POLICY_FAULT, error.text);
    err = mrl_written_policy__parse(set, name, bytes, size);
    free(bytes);
    return err;
}

/* As Tracee's main chooses; what begins with a dot has none of these ends in a ConfigMap. */
static int is_policy(const struct dirent *entry)
{
    static const char *const ends[] = { ".yaml", ".yml", ".json" };
    const size_t size = strlen(entry->d_name);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (*entry->d_name != '.' && size > strlen(ends[i]) &&
            !strcmp(entry->d_name + size - strlen(ends[i]), ends[i]))
            return 1;
    return 0;
}

/* By bytes, whatever the locale. */
static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static bool is_directory(const char *path)
{
    struct stat file;

    return !stat(path, &file) && S_ISDIR(file.st_mode);
}

static int fail(struct mrl_policy_set *set, const char *path, const char *text)
{
    struct mrl_error error;

    mrl_error__set(&error, -EINVAL, "%.200s: %s", path, text);
    return mrl_policy_set__note(set, MRL_POLICY_FAULT, error.text);
}

static int read_entries(struct mrl_policy_set *set,
                        const char *path,
                        struct dirent **entries,
                        int count)
{
    char file[PATH_MAX];
    int err = 0, files = 0;

    if (count > FILES_MAX)
        return fail(set, path, "there are more files in it than there may be policies");
    for (int i = 0; !err && i < count; i++) {
        if ((size_t)snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name) >= sizeof(file))
            return fail(set, path, "its name is too long");
        if (is_directory(file))
            continue;
        err = read_file(set, file, false);
        files++;
    }
    return err || files ? err : fail(set, path, "no file in it is named *.yaml, *.yml or *.json");
}

static int read_directory(struct mrl_policy_set *set, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_policy, by_name), err;

    if (count < 0)
        return errno == ENOMEM ? -ENOMEM : fail(set, path, strerror(errno));
    err = read_entries(set, path, entries, count);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return err;
}

static int read_path(struct mrl_policy_set *set, const char *path)
{
    if (!*path)
        return mrl_policy_set__note(set, MRL_POLICY_FAULT, "the path of a policy cannot be empty");
    return strcmp(path, "-") != 0 && is_directory(path) ? read_directory(set, path)
                                                        : read_file(set, path, !set->is_again);
}

/* -- together --------------------------------------------------------------------------------- */

static void check_names(struct mrl_policy_set *set)
{
    for (unsigned int i = 1; i < set->count; i++)
        for (unsigned int j = 0; j < i; j++) {
            const struct mrl_written_policy *one = &set->list[i], *other = &set->list[j];

            if (!one->name.text || !other->name.text ||
                strcmp(one->name.text, other->name.text) != 0)
                continue;
            mrl_policy_set__say(set, MRL_POLICY_FAULT, one->file, one->name.line, one->name.column,
                                "policy '%.64s' is there already: %.200s:%zu", one->name.text,
                                other->file, other->line);
            break;
        }
}

/* They are kept with each event of a batch. */
static void check_room(struct mrl_policy_set *set)
{
    size_t used = 0;

    for (unsigned int i = 0; i < set->count; i++) {
        const struct mrl_written_policy *policy = &set->list[i];

        used += policy->name.text ? strlen(policy->name.text) : 0;
        if (used <= MRL_POLICY_NAMES_MAX)
            continue;
        mrl_policy_set__say(
            set, MRL_POLICY_FAULT, policy->file, policy->name.line, policy->name.column,
            "the names of all policies have more than %d bytes together", MRL_POLICY_NAMES_MAX);
        return;
    }
}

static int finish(struct mrl_policy_set *set, int err, struct mrl_error *error)
{
    if (!err)
        check_names(set);
    if (!err)
        check_room(set);
    if (!err && !set->count && !set->faults)
        mrl_policy_set__note(set, MRL_POLICY_FAULT, "there is no policy in what --policy names");
    if (!err && !set->faults)
        err = mrl_policy_set__make_texts(set);
    if (err)
        return mrl_error__set(error, err, "out of memory");
    return set->faults ? mrl_error__set(error, -EINVAL, "%s", set->first.text) : 0;
}

int mrl_policy_set__read(struct mrl_policy_set *set,
                         const char *const *paths,
                         unsigned int count,
                         struct mrl_error *error)
{
    int err = 0;

    for (unsigned int i = 0; !err && i < count; i++)
        err = read_path(set, paths[i]);
    return finish(set, err, error);
}

int mrl_policy_set__read_text(struct mrl_policy_set *set,
                              const char *name,
                              const char *bytes,
                              size_t size,
                              struct mrl_error *error)
{
    const char *kept = keep_name(set, name);

    return finish(set, kept ? mrl_written_policy__parse(set, kept, bytes, size) : -ENOMEM, error);
}
