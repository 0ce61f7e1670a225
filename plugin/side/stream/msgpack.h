/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MessagePack, as far as Fluent Forward needs it: JSON becomes it, and answers are read without
 * memory, whatever size they say that they have.
 */
#ifndef MRL_SIDE_STREAM_MSGPACK_H
#define MRL_SIDE_STREAM_MSGPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "side/ship/body.h"

/* -- writing ---------------------------------------------------------------------------------- */

/** Up to 15 members, or pairs; they follow. */
void mrl_msgpack__array(struct mrl_body *body, unsigned int count);
void mrl_msgpack__map(struct mrl_body *body, unsigned int count);
void mrl_msgpack__text(struct mrl_body *body, const char *bytes, size_t size);
/** Of bytes that are no text; then they follow. */
void mrl_msgpack__binary(struct mrl_body *body, size_t size);
void mrl_msgpack__number(struct mrl_body *body, uint64_t number);

/** Appends the one object of `json`. A number beyond int64_t, which receivers damage, becomes a
 * text. Error: -EINVAL it is no object, or deeper than any event. */
int mrl_msgpack__json(struct mrl_body *body, const char *json, size_t size);

/* -- reading ---------------------------------------------------------------------------------- */

enum mrl_msgpack_type {
    MRL_MSGPACK_OTHER, /**< numbers, nil, extensions */
    MRL_MSGPACK_BOOL,
    MRL_MSGPACK_BYTES, /**< text or binary */
    MRL_MSGPACK_ARRAY,
    MRL_MSGPACK_MAP,
};

struct mrl_msgpack_value {
    enum mrl_msgpack_type type;
    const char *bytes; /**< borrowed */
    size_t size;       /**< of bytes; of an array, or pairs of a map, how many follow */
    bool truth;
};

/** What is left to be read. */
struct mrl_msgpack {
    const unsigned char *at, *end;
};

/** Reads a value; the members of an array or a map follow. Errors: -EAGAIN there is more to come;
 * -EBADMSG. */
int mrl_msgpack__read(struct mrl_msgpack *from, struct mrl_msgpack_value *ret_value);

/** Passes by a value with all that is in it. Errors as mrl_msgpack__read(). */
int mrl_msgpack__skip(struct mrl_msgpack *from);

#endif
