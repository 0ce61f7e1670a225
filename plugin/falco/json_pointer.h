/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON pointers (RFC 6901) into the line of an event. The line is the encoder's own: compact,
 * valid, and no key in it needs an escape. So it is walked in place and nothing is allocated, which
 * a parser that builds a tree could not do for each event. What others wrote is jansson's to read
 * (config.h).
 */
#ifndef MRL_FALCO_JSON_POINTER_H
#define MRL_FALCO_JSON_POINTER_H

#include <mrelease/event.h>

/** Returns the text of the value that `pointer` names in `line`, which ends with a NUL; empty: it
 * names none. */
struct mrl_text mrl_json_pointer__find(const char *line, const char *pointer);

/** Resolves the escapes of a string, given with its quotes, into `to`, which has room for text.size
 * bytes; a NUL follows. Returns the bytes before it. */
size_t mrl_json_pointer__unquote(struct mrl_text text, char *to);

#endif
