// SPDX-License-Identifier: Apache-2.0
#include "side/common/sides.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tame.h"
#include "side/common/join.h"
#include "side/common/names/service.h"
#include "side/common/service.h"

/* Where the build and the installation have them, seen from the program. */
#define PLACE "../libexec/mrelease"

enum { LINE_MAX_BYTES = 640 };

void mrl_sides__say(const struct mrl_sides *sides,
                    enum mrl_log_level level,
                    const char *format,
                    ...)
{
    char line[LINE_MAX_BYTES];
    va_list arguments;

    if (!sides->options.log)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    sides->options.log(sides->options.context, level, mrl_tame(line));
}

/* What an error of a socket, at which a service manager should listen, most likely means. */
static const char *meaning(int err)
{
    static const struct {
        int err;
        const char *text;
    } rows[] = {
        { -ENOENT, "nobody listens there yet: start its socket unit" },
        { -ECONNREFUSED, "nobody listens there any more: start its socket unit, or remove it" },
        { -EACCES, "who listens there is neither root nor this process's user, or lets nobody in" },
        { -EPROTOTYPE, "it is no socket of a side program (SOCK_SEQPACKET)" },
        { -EAGAIN, "who listens there accepts nobody" },
        { -ETIMEDOUT, "who listens there accepts nobody, or does not say that it is open" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].err == err)
            return rows[i].text;
    return "";
}

int mrl_sides__explain(const struct mrl_sides *sides,
                       unsigned int program,
                       int err,
                       struct mrl_error *error)
{
    const char *why = err == -EPIPE ? "who starts them has ended" : strerror(-err);
    const char *path = sides->paths[program], *means;

    if (!sides->options.joins_only && !mrl_join__is_socket(path))
        return mrl_error__set(error, err, "the side program '%s': %s", sides->rows[program]->side,
                              why);
    means = meaning(err);
    return mrl_error__set(error, err, "the side program '%s' at %.200s: %s%s%s",
                          sides->rows[program]->side, path, why, *means ? ": " : "", means);
}

/* -- which programs there are ----------------------------------------------------------------- */

static void find_path(const char *directory, const char *name, char path[PATH_MAX])
{
    char self[PATH_MAX] = "";

    if (directory) {
        snprintf(path, PATH_MAX, "%.3000s/%.256s", directory, name);
        return;
    }
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0 && strrchr(self, '/'))
        *strrchr(self, '/') = '\0';
    snprintf(path, PATH_MAX, "%.3000s/" PLACE "/%.256s", self, name);
}

int mrl_side__find(
    const char *name, const char *directory, char *path, size_t size, struct mrl_error *error)
{
    char found[PATH_MAX];

    find_path(directory, name, found);
    if (access(found, X_OK))
        return mrl_error__set(error, -ENOENT,
                              "the side program '%s' is not installed: %.300s: %s (it is in the "
                              "package mrelease-%s)",
                              name, found, strerror(errno), name);
    snprintf(path, size, "%s", found);
    return 0;
}

/* Where somebody else starts it: the socket, if there is one. Returns whether. */
static bool find_socket(const char *directory, const char *name, char path[PATH_MAX])
{
    if (!directory)
        return false;
    find_path(directory, name, path);
    return mrl_join__is_socket(path);
}

static void list_program(struct mrl_sides *sides, const struct mrl_sink_ops *row)
{
    const unsigned int at = sides->count;

    if (!row->side || at == MRL_SIDES_MAX)
        return;
    sides->rows[at] = row;
    sides->fed[at] = *row;
    mrl_feed__set(&sides->fed[at]);
    if (sides->options.joins_only && sides->options.sockets)
        find_path(sides->options.sockets, row->side, sides->paths[at]);
    else if (!find_socket(sides->options.sockets, row->side, sides->paths[at]))
        find_path(sides->options.directory, row->side, sides->paths[at]);
    sides->startable[at] =
        (struct mrl_startable){ sides->paths[at], .is_awaited = row == &mrl_service_names };
    sides->count++;
}

static void list_programs(struct mrl_sides *sides)
{
    unsigned int count;
    const struct mrl_sink_ops *const *all = mrl_sink__all(&count);

    list_program(sides, &mrl_service_metrics);
    list_program(sides, &mrl_service_names);
    for (unsigned int i = 0; i < count; i++)
        list_program(sides, all[i]);
}

/* -- life ------------------------------------------------------------------------------------- */

int mrl_sides__start(const struct mrl_sides_options *options,
                     struct mrl_error *error,
                     struct mrl_sides **ret_sides)
{
    struct mrl_sides *sides = calloc(1, sizeof(*sides));
    int err;

    if (!sides)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    memcpy(&sides->options, options,
           options->size < sizeof(*options) ? options->size : sizeof(*options));
    list_programs(sides);
    sides->options.sockets = sides->options.directory = NULL; /* the caller's */
    err = sides->options.joins_only
              ? mrl_starter__join_only(sides->startable, &sides->starter)
              : mrl_starter__fork(sides->startable, sides->count,
                                  sides->options.sandbox ? sides->options.sandbox : "on",
                                  &sides->starter);
    if (err) {
        free(sides);
        return mrl_error__set(error, err, "the starter of side programs: %s", strerror(-err));
    }
    pthread_mutex_init(&sides->lock, NULL);
    *ret_sides = sides;
    return 0;
}

const struct mrl_sink_ops *mrl_sides__metrics(void)
{
    return &mrl_service_metrics;
}

const struct mrl_sink_ops *mrl_sides__names(void)
{
    return &mrl_service_names;
}

const struct mrl_sink_ops *mrl_sides__sink(struct mrl_sides *sides, const struct mrl_sink_ops *row)
{
    for (unsigned int i = 0; i < sides->count; i++)
        if (sides->rows[i] == row)
            return &sides->fed[i];
    return row;
}

static void wake_all(struct mrl_sides *sides, atomic_bool *flag)
{
    atomic_store(flag, true);
    pthread_mutex_lock(&sides->lock);
    for (unsigned int i = 0; i < MRL_SIDES_OPEN_MAX; i++)
        if (sides->sinks[i])
            mrl_keeper__wake(sides->sinks[i]);
    pthread_mutex_unlock(&sides->lock);
}

unsigned int mrl_sides__lives(struct mrl_sides *sides,
                              struct mrl_side_life *ret_lives,
                              unsigned int most)
{
    unsigned int count = 0, at;

    pthread_mutex_lock(&sides->lock);
    for (unsigned int i = 0; i < MRL_SIDES_OPEN_MAX; i++) {
        const char *name = sides->sinks[i] ? mrl_keeper__program(sides->sinks[i]) : NULL;

        for (at = 0; name && at < count && strcmp(ret_lives[at].name, name) != 0; at++)
            ;
        if (!name || at == most)
            continue;
        if (at == count)
            ret_lives[count++] = (struct mrl_side_life){ name, 0 };
        ret_lives[at].starts += mrl_keeper__starts(sides->sinks[i]);
    }
    pthread_mutex_unlock(&sides->lock);
    return count;
}

/* Only the thread that calls this opens and closes sinks, so the sink stays. The caller then waits
 * for the sink's thread, and must not hold the lock: that thread may be answering a client who asks
 * about all side programs, which takes the lock. */
static struct mrl_sink *sink_at(struct mrl_sides *sides, unsigned int at)
{
    struct mrl_sink *sink;

    pthread_mutex_lock(&sides->lock);
    sink = sides->sinks[at];
    pthread_mutex_unlock(&sides->lock);
    return sink;
}

int mrl_sides__await(struct mrl_sides *sides, struct mrl_error *error)
{
    int err = 0;

    for (unsigned int i = 0; !err && i < MRL_SIDES_OPEN_MAX; i++) {
        struct mrl_sink *sink = sink_at(sides, i);

        /* At the start, none may have a thread; later the others go on with theirs. */
        if (sink && !atomic_load(&sides->ready))
            mrl_keeper__rest(sink);
        err = sink ? mrl_keeper__await(sink, error) : 0;
    }
    return err;
}

static void tell_all(struct mrl_sides *sides, void (*tell)(struct mrl_sink *sink))
{
    for (unsigned int i = 0; i < MRL_SIDES_OPEN_MAX; i++) {
        struct mrl_sink *sink = sink_at(sides, i);

        if (sink)
            tell(sink);
    }
}

void mrl_sides__ready(struct mrl_sides *sides)
{
    tell_all(sides, mrl_keeper__begin);
    wake_all(sides, &sides->ready);
}

void mrl_sides__rest(struct mrl_sides *sides)
{
    tell_all(sides, mrl_keeper__rest);
}

void mrl_sides__hurry(struct mrl_sides *sides)
{
    wake_all(sides, &sides->hurries);
}

void mrl_sides__free(struct mrl_sides *sides)
{
    if (!sides)
        return;
    mrl_starter__end(&sides->starter);
    pthread_mutex_destroy(&sides->lock);
    free(sides);
}
