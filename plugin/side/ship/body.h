/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request, which grows and is used again. */
#ifndef MRL_SIDE_SHIP_BODY_H
#define MRL_SIDE_SHIP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zeroed is empty. */
struct mrl_body {
    char *bytes;
    size_t size, room;
    bool failed; /**< there was no memory, since it was emptied */
};

void mrl_body__put(struct mrl_body *body, const void *bytes, size_t size);

void mrl_body__text(struct mrl_body *body, const char *text);

/** Puts a text as a string of JSON, with its quotes. */
void mrl_body__json(struct mrl_body *body, const char *text, size_t size);

/** As gzip has it, in place of what `to` holds. Returns 0, or -errno. */
int mrl_body__compress(const struct mrl_body *body, struct mrl_body *to);

void mrl_body__empty(struct mrl_body *body);
void mrl_body__done(struct mrl_body *body);

#endif
