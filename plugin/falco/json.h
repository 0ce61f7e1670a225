/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON in place: what init() is configured by, and the line of an event that a pointer goes
 * into. No tree is built, nothing is allocated.
 */
#ifndef MRL_FALCO_JSON_H
#define MRL_FALCO_JSON_H

#include <mrelease/event.h>
#include <stdbool.h>

#include <sys/types.h>

/** Where a reader is. `at` never passes `end`. */
struct mrl_json {
    const char *at, *end;
};

enum mrl_json_type {
    MRL_JSON_WRONG,
    MRL_JSON_NULL,
    MRL_JSON_BOOL,
    MRL_JSON_NUMBER,
    MRL_JSON_STRING,
    MRL_JSON_ARRAY,
    MRL_JSON_OBJECT,
};

/** What begins here, blanks left aside; MRL_JSON_WRONG at the end, and before what is no JSON. */
enum mrl_json_type mrl_json__peek(struct mrl_json *json);

/** Steps over a value. Returns its text as it stands there; empty: it is wrong, or nested too deep.
 */
struct mrl_text mrl_json__skip(struct mrl_json *json);

/**
 * Steps into an array or object, and then from one member to the next. `first` is true before the
 * first call. Returns false behind the last, and where it is wrong: `*ret_wrong` is then set.
 */
bool mrl_json__next(struct mrl_json *json, char close, bool *first, bool *ret_wrong);

/** A key and its colon, within an object. Returns its text, quotes included; empty: it is wrong. */
struct mrl_text mrl_json__key(struct mrl_json *json);

/** Resolves the escapes of a string (with its quotes) into `to`, which has room for text.size
 * bytes; a NUL follows. Returns the bytes before it, or -1: it is wrong. */
ssize_t mrl_json__unquote(struct mrl_text text, char *to);

/** What a JSON pointer (RFC 6901) names in a value: its text; empty: nothing. */
struct mrl_text mrl_json__find(struct mrl_text value, const char *pointer);

#endif
