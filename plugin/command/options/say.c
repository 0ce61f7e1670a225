// SPDX-License-Identifier: Apache-2.0
#include "command/options/say.h"

#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/tame.h"
#include "command/command.h"
#include "command/options/progress.h"
#include "command/options/wrap.h"

enum { LINE_BYTES = 1024, TIME_BYTES = 48, INDENT = 4, NARROWEST = 40, ROOM_MS = 100 };

static enum mrl_log_format log_format = MRL_LOG_BARE;

/* What this thread says while it holds something that others wait for. */
static __thread struct {
    char *text;
    size_t size;
    FILE *stream; /* NULL: lines are written at once */
} held;

const char *mrl_log_level__name(enum mrl_log_level level)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };

    return names[level];
}

/* -- choosing --------------------------------------------------------------------------------- */

/* sd_journal_stream: the device and inode of the socket that journald reads. */
static bool is_journal(const struct stat *file)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;

    return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && device == file->st_dev &&
           inode == file->st_ino;
}

static enum mrl_log_format choose(void)
{
    struct stat file;

    if (fstat(STDERR_FILENO, &file))
        return MRL_LOG_BARE;
    if (is_journal(&file))
        return MRL_LOG_JOURNAL;
    return S_ISREG(file.st_mode) || isatty(STDERR_FILENO) ? MRL_LOG_TEXT : MRL_LOG_BARE;
}

void mrl_say__set_format(enum mrl_log_format format)
{
    log_format = format == MRL_LOG_AUTO ? choose() : format;
}

/* -- writing ---------------------------------------------------------------------------------- */

/* RFC 3339, in UTC. */
static void print_time(char text[TIME_BYTES])
{
    struct timespec now;
    struct tm utc;
    size_t size;

    clock_gettime(CLOCK_REALTIME, &now);
    size = strftime(text, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &utc));
    snprintf(text + size, TIME_BYTES - size, ".%03ldZ", now.tv_nsec / 1000000);
}

static void write_json(enum mrl_log_level level, const char *line)
{
    char at[TIME_BYTES], *text;
    json_t *object;

    print_time(at);
    object = json_pack("{s:s, s:s, s:s}", "time", at, "level", mrl_log_level__name(level),
                       "message", line);
    text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text)
        fprintf(stderr, "%s\n", text);
    free(text);
    json_decref(object);
}

/* Broken between words where it is wider than the terminal. */
__attribute__((format(printf, 1, 2))) static void write_text(const char *format, ...)
{
    char line[LINE_BYTES + TIME_BYTES + 32], broken[2 * sizeof(line)] = "";
    const int columns = (int)mrl_sink__columns_fd(STDERR_FILENO);
    struct mrl_wrap wrap = { .width = columns < NARROWEST ? NARROWEST : columns, .indent = INDENT };
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    wrap.to = columns ? fmemopen(broken, sizeof(broken) - 1, "w") : NULL;
    if (wrap.to) {
        mrl_wrap__put(&wrap, line);
        fclose(wrap.to);
    }
    fprintf(stderr, "%s\n", *broken ? broken : line);
}

/* In one piece: standard error may be shared. */
static void put(enum mrl_log_level level, bool shows_level, const char *line)
{
    static const int priorities[] = { 3, 4, 6, 7 }; /* syslog(3) */
    const char *word = shows_level ? mrl_log_level__name(level) : "";
    const char *colon = shows_level ? ": " : "";
    char at[TIME_BYTES];

    flockfile(stderr);
    mrl_progress__hide();
    switch (log_format) {
    case MRL_LOG_JSON:
        write_json(level, line);
        break;
    case MRL_LOG_JOURNAL:
        fprintf(stderr, "<%d>%s\n", priorities[level], line);
        break;
    case MRL_LOG_TEXT:
        print_time(at);
        write_text("%s mrelease: %s%s%s", at, word, colon, line);
        break;
    case MRL_LOG_AUTO:
    case MRL_LOG_BARE:
        write_text("mrelease: %s%s%s", word, colon, line);
    }
    funlockfile(stderr);
}

__attribute__((format(printf, 3, 0))) static void say(enum mrl_log_level level,
                                                      bool shows_level,
                                                      const char *format,
                                                      va_list arguments)
{
    char line[LINE_BYTES];

    vsnprintf(line, sizeof(line), format, arguments);
    mrl_tame(line);
    if (held.stream)
        fprintf(held.stream, "%c%c%s\n", '0' + (int)level, shows_level ? 'y' : 'n', line);
    else
        put(level, shows_level, line);
}

void mrl_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(MRL_LOG_INFO, false, format, arguments);
    va_end(arguments);
}

void mrl_say_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(MRL_LOG_ERROR, false, format, arguments);
    va_end(arguments);
}

void mrl_say_at(enum mrl_log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(level, true, format, arguments);
    va_end(arguments);
}

void mrl_say__hold(void)
{
    held.stream = open_memstream(&held.text, &held.size);
}

static bool has_room(const atomic_bool *stop)
{
    struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };

    while (!atomic_load(stop))
        if (poll(&room, 1, ROOM_MS))
            return true;
    return false;
}

void mrl_say__let_go(const atomic_bool *stop)
{
    char *line, *next;

    if (!held.stream)
        return;
    fclose(held.stream);
    held.stream = NULL;
    for (next = held.text; (line = strsep(&next, "\n")) && line[0] && line[1] && has_room(stop);)
        put((enum mrl_log_level)(line[0] - '0'), line[1] == 'y', line + 2);
    free(held.text);
}
