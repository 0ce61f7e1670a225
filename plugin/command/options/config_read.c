// SPDX-License-Identifier: Apache-2.0
/* The bytes of a configuration file. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "command/options/config.h"
#include "command/options/yaml.h"

/* What messages call a file. */
static const char *name_of(const char *path)
{
    return strcmp(path, "-") ? path : "standard input";
}

/* One file, whose name becomes one of the list. */
static int read_file(const char *path,
                     bool may_wait,
                     const struct mrl_rows *rows,
                     struct mrl_settings *settings,
                     struct mrl_error *error)
{
    char *name = strdup(name_of(path)), *bytes = NULL;
    size_t size = 0;
    int err;

    if (!name)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    if (settings->file_count == MRL_CONFIG_FILES_MAX) {
        free(name);
        return mrl_error__set(error, -EINVAL, "%.200s: more than %d files", path,
                              MRL_CONFIG_FILES_MAX);
    }
    settings->files[settings->file_count++] = name;
    err = mrl_yaml__read_file(path, may_wait, MRL_CONFIG_BYTES_MAX, &bytes, &size, error);
    if (err)
        return err;
    err = mrl_config__parse(name, bytes, size, rows, settings, error);
    free(bytes);
    return err;
}

static int is_config(const struct dirent *entry)
{
    const size_t size = strlen(entry->d_name);

    return *entry->d_name != '.' && size > 5 && !strcmp(entry->d_name + size - 5, ".yaml");
}

/* By bytes, whatever the locale: 10-a before 20-b. */
static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static int read_directory(const char *path,
                          const struct mrl_rows *rows,
                          struct mrl_settings *settings,
                          struct mrl_error *error)
{
    struct dirent **entries;
    char file[PATH_MAX];
    int count = scandir(path, &entries, is_config, by_name), err = 0;

    if (count < 0)
        return mrl_error__set(error, -errno, "%.200s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        snprintf(file, sizeof(file), "%.3000s/%s", path, entries[i]->d_name);
        if (!err)
            err = read_file(file, false, rows, settings, error);
        if (err)
            err = mrl_settings__fault(settings, err, error->text);
        free(entries[i]);
    }
    free(entries);
    return err;
}

static bool is_directory(const char *path)
{
    struct stat file;

    return !stat(path, &file) && S_ISDIR(file.st_mode);
}

/* Beside the file; there need be none. */
static int read_beside(const char *path,
                       const struct mrl_rows *rows,
                       struct mrl_settings *settings,
                       struct mrl_error *error)
{
    const char *slash = strrchr(path, '/');
    char beside[PATH_MAX];

    snprintf(beside, sizeof(beside), "%.*s" MRL_CONFIG_BESIDE, slash ? (int)(slash + 1 - path) : 0,
             path);
    return is_directory(beside) ? read_directory(beside, rows, settings, error) : 0;
}

int mrl_config__read(const char *path,
                     const struct mrl_rows *rows,
                     struct mrl_settings *settings,
                     struct mrl_error *error)
{
    int err;

    if (strcmp(path, "-") != 0 && is_directory(path)) {
        err = read_directory(path, rows, settings, error);
        return err || settings->file_count
                   ? err
                   : mrl_error__set(error, -ENOENT, "%.200s: no file in it is named *.yaml", path);
    }
    err = read_file(path, !settings->is_again, rows, settings, error);
    if (err)
        err = mrl_settings__fault(settings, err, error->text);
    return err || !strcmp(path, "-") ? err : read_beside(path, rows, settings, error);
}
