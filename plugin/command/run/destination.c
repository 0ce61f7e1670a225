// SPDX-License-Identifier: Apache-2.0
/*
 * From what stands behind a format to the sink that it means. A path begins with a slash, or with
 * dots and a slash, or holds no scheme. What looks like anything else is an error that names the
 * right word: a slip of the hand shall not become a file.
 */
#include "command/run/destination.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SCHEMES_MAX = 32, SCHEME_BYTES = 32 };

/* Words that other programs have for a destination that no sink here answers to. */
static const char *const elsewhere[] = {
    "console", "fluent", "forward", "http",   "https", "journal", "journald", "kafka",
    "null",    "redis",  "socket",  "syslog", "udp",   "webhook", NULL,
};

static bool has_word(const char *const *words, const char *word)
{
    for (; words && *words; words++)
        if (!strcasecmp(*words, word))
            return true;
    return false;
}

/* -- schemes ---------------------------------------------------------------------------------- */

/* One with a colon, or with a '+' before a URL, leads to what follows; one that ends in a slash is
 * the beginning of a URL; any other is the whole destination. */
static bool is_lead(const char *scheme)
{
    return strchr(":+/", scheme[strlen(scheme) - 1]) != NULL;
}

static bool is_of(const char *scheme, const char *text)
{
    return is_lead(scheme) ? !strncmp(text, scheme, strlen(scheme)) : !strcmp(text, scheme);
}

/* Whether the scheme was meant: in capitals, without its colon, or with something behind it that
 * belongs elsewhere ("stdout,f"). */
static bool is_almost(const char *scheme, const char *text)
{
    size_t size = strcspn(scheme, ":+");

    return !strncasecmp(text, scheme, size) && (!text[size] || strchr(" ,;=&:", text[size]));
}

static const char *find_scheme(const struct mrl_sink_ops *sink,
                               const char *text,
                               bool (*fits)(const char *scheme, const char *text))
{
    for (const char *const *scheme = sink->schemes; scheme && *scheme; scheme++)
        if (fits(*scheme, text))
            return *scheme;
    return NULL;
}

/* -- sinks ------------------------------------------------------------------------------------ */

/* The sink at `index` that an output may name; NULL after the last. */
static const struct mrl_sink_ops *sink_at(unsigned int index)
{
    unsigned int count;
    const struct mrl_sink_ops *const *sinks = mrl_sink__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!sinks[i]->option && !index--)
            return sinks[i];
    return NULL;
}

const struct mrl_sink_ops *mrl_sink__of_format(const char *format)
{
    unsigned int count;
    const struct mrl_sink_ops *const *sinks = mrl_sink__all(&count);

    for (unsigned int i = 0; i < count; i++)
        for (const char *const *own = sinks[i]->formats; own && *own; own++)
            if (!strcmp(*own, format))
                return sinks[i];
    return NULL;
}

/* The sink of lines that takes what is left out, or else paths. */
static const struct mrl_sink_ops *sink_of_lines(bool is_left_out)
{
    const struct mrl_sink_ops *sink;

    for (unsigned int i = 0; (sink = sink_at(i)); i++)
        if (!sink->formats && (is_left_out ? sink->preset != NULL : sink->is_path))
            return sink;
    return NULL;
}

/* -- errors ----------------------------------------------------------------------------------- */

static int say_what_was_meant(const struct mrl_sink_ops *sink,
                              const char *format,
                              const char *text,
                              struct mrl_error *error)
{
    const char *scheme = find_scheme(sink, text, is_of);

    if (!scheme)
        scheme = find_scheme(sink, text, is_almost);
    if (sink->formats)
        return mrl_error__set(error, -EINVAL, "'%.64s' takes no %s: did you mean '%s:%s'?", text,
                              format, sink->formats[0],
                              scheme && is_of(scheme, text) ? text : sink->preset);
    return mrl_error__set(error, -EINVAL,
                          "'%.64s' is no destination: did you mean '%s'? A file of that name is "
                          "'./%.64s'",
                          text, scheme ? scheme : sink->schemes[0], text);
}

/* `size` bytes of `text` look like a scheme, or like the word of another program. Of
 * "webhook+https:", the part that a destination is known by ends with the plus. */
static int say_what_is_known(const char *text, size_t size, struct mrl_error *error)
{
    const char *known[SCHEMES_MAX];
    const struct mrl_sink_ops *sink;
    struct mrl_error reason;
    unsigned int count = 0;
    char word[SCHEME_BYTES];
    const char *plus = memchr(text, '+', size);

    size = plus ? (size_t)(plus - text) + 1 : size;
    for (unsigned int i = 0; (sink = sink_at(i)); i++)
        for (const char *const *scheme = sink->schemes; !sink->formats && scheme && *scheme;
             scheme++)
            if (count < SCHEMES_MAX)
                known[count++] = *scheme;
    snprintf(word, sizeof(word), "%.*s", (int)(size < sizeof(word) ? size : sizeof(word)), text);
    mrl_error__unknown(&reason, "destination", word, known, count);
    return mrl_error__set(error, -EINVAL, "%s%s A file of that name is './%.64s'", reason.text,
                          reason.text[strlen(reason.text) - 1] == '?' ? "" : ".", text);
}

/* Nobody answers to it: a path, or an error. */
static int take_path(const char *format, const char *text, struct mrl_error *error)
{
    const struct mrl_sink_ops *sink;
    size_t size = strcspn(text, ":/");
    bool is_path = *text == '/' || !strncmp(text, "./", 2) || !strncmp(text, "../", 3);

    for (unsigned int i = 0; !is_path && (sink = sink_at(i)); i++)
        if (find_scheme(sink, text, is_almost) || has_word(sink->foreign, text) ||
            is_almost(sink->name, text))
            return say_what_was_meant(sink, format, text, error);
    if (!is_path && (text[size] == ':' || has_word(elsewhere, text)))
        return say_what_is_known(text, text[size] == ':' ? size + 1 : size, error);
    return 0;
}

/* -- all -------------------------------------------------------------------------------------- */

int mrl_destination__check(const char *text, struct mrl_error *error)
{
    size_t size = strlen(text);

    for (const char *at = text; *at; at++)
        if (iscntrl((unsigned char)*at))
            return mrl_error__set(error, -EINVAL, "'%.64s' holds a control character", text);
    if (!size)
        return mrl_error__set(error, -EINVAL, "the path is empty");
    return text[0] == ' ' || text[size - 1] == ' '
               ? mrl_error__set(error, -EINVAL, "'%.64s' begins or ends with a blank", text)
               : 0;
}

bool mrl_destination__is_one(const char *text)
{
    const struct mrl_sink_ops *sink;

    for (unsigned int i = 0; (sink = sink_at(i)); i++)
        if (!sink->formats && find_scheme(sink, text, is_of))
            return true;
    return false;
}

static int find_by_scheme(const char *format,
                          const char *text,
                          struct mrl_destination *ret_destination,
                          struct mrl_error *error)
{
    const struct mrl_sink_ops *sink;
    const char *scheme = NULL;

    for (unsigned int i = 0; !scheme && (sink = sink_at(i)); i++)
        scheme = find_scheme(sink, text, is_of);
    if (!scheme) {
        *ret_destination = (struct mrl_destination){ sink_of_lines(false), text };
        return take_path(format, text, error);
    }
    if (sink->formats)
        return say_what_was_meant(sink, format, text, error);
    /* Several words for one destination become one word. */
    if (!is_lead(scheme))
        text = sink->schemes[0];
    else if (scheme[strlen(scheme) - 1] != '/')
        text += strlen(scheme);
    /* "journald:" is "journald". */
    if (!*text && !is_lead(sink->schemes[0]))
        text = sink->schemes[0];
    *ret_destination = (struct mrl_destination){ sink, text };
    return *text ? 0 : mrl_error__set(error, -EINVAL, "nothing follows '%s'", scheme);
}

/* Of a sink that has its own formats: the URL behind its scheme; else what is there. */
static const char *url_of(const struct mrl_sink_ops *sink, const char *text)
{
    const char *scheme = find_scheme(sink, text, is_of);

    return scheme && scheme[strlen(scheme) - 1] == '+' ? text + strlen(scheme) : text;
}

int mrl_destination__find(const char *format,
                          const char *text,
                          struct mrl_destination *ret_destination,
                          struct mrl_error *error)
{
    const struct mrl_sink_ops *sink = mrl_sink__of_format(format);

    if (text && mrl_destination__check(text, error))
        return -EINVAL;
    if (sink && sink->option)
        return mrl_error__set(error, -EINVAL, "'%s' is what --%s FILE writes", format,
                              sink->option);
    if (!sink && text)
        return find_by_scheme(format, text, ret_destination, error);
    if (!sink)
        sink = sink_of_lines(true);
    *ret_destination = (struct mrl_destination){ sink, text ? url_of(sink, text) : sink->preset };
    return 0;
}

size_t mrl_destination__settings_size(const char *text)
{
    size_t size = strcspn(text, ":");

    return text[size] && memchr(text, '=', size) && !memchr(text, '/', size) ? size : 0;
}
