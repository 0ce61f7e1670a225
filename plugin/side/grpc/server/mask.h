/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field masks: which parts of an event a client of StreamEvents wants. A path names fields of
 * tracee.v1beta1.Event, joined by dots ("workload.process.pid"); it keeps all that lies below it.
 * Below a repeated message it holds for each element ("data.name"). Words that name no field
 * are ignored, as Tracee does; so is what follows the name of a number or a text.
 */
#ifndef MRL_GRPC_SERVER_MASK_H
#define MRL_GRPC_SERVER_MASK_H

#include <mrelease/event.h>

#include <sys/types.h>

/** Read-only once made: any number of threads. */
struct mrl_mask;

/**
 * Makes a mask. `paths` come from a peer and may be anything; its memory is at most proportional to
 * their bytes. `*ret_mask` is new. Errors: -ENOMEM; -E2BIG: more than 65,535 fields.
 */
int mrl_mask__new(const struct mrl_text *paths, size_t count, struct mrl_mask **ret_mask);

/**
 * Copies an encoded StreamEventsResponse, without what the mask leaves out, to `target`, which has
 * room for as many bytes and does not overlap. Messages on the way to a kept field stay, if empty.
 * Returns the bytes written, or -EBADMSG where the bytes are no message.
 */
ssize_t mrl_mask__apply(const struct mrl_mask *mask, struct mrl_text message, char *target);

/** NULL is allowed. */
void mrl_mask__free(struct mrl_mask *mask);

#endif
