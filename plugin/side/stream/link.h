/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket that leads to a destination: UDP, TCP or TLS. It is opened when it is needed, waits no
 * longer than it may, and after an error says what went wrong and is closed. One thread.
 */
#ifndef MRL_SIDE_STREAM_LINK_H
#define MRL_SIDE_STREAM_LINK_H

#include <mrelease/sink.h>
#include <stdbool.h>

#include <sys/types.h>

#include "side/ship/files.h"

struct mrl_link;

/** To the "SCHEME://HOST[:PORT]" of `url`: a scheme "udp" has datagrams, one that ends in 's' has
 * TLS. `port`: where none is named. `*ret_link` is new. Error: -ENOMEM, with a line. */
int mrl_link__new(const char *url,
                  const char *port,
                  uint64_t timeout_ns,
                  struct mrl_error *error,
                  struct mrl_link **ret_link);

/** NULL is allowed. What is open is closed in an orderly way. */
void mrl_link__free(struct mrl_link *link);

/** Certificates and keys for the next connection. Errors as mrl_tls__context(); then those of
 * before stay in use. */
int mrl_link__take_files(struct mrl_link *link,
                         const struct mrl_files *files,
                         struct mrl_error *error);

/** From now on everything may take `timeout_ns` together, or until `*stop` is nonzero. */
void mrl_link__begin(struct mrl_link *link, const int *stop);

/** Whether it is open, as far as one knows. */
bool mrl_link__is_open(const struct mrl_link *link);

/** Connects, unless it is open. Returns 1 when it did, 0, or -errno. */
int mrl_link__open(struct mrl_link *link);

/**
 * Waits until a server that does not want this client has had the time to say so: by TLS 1.3 it
 * does after the client's part of the handshake. What is received is thrown away. Errors: -EPIPE it
 * was closed; -EPROTO without TLS's farewell; -ECANCELED.
 */
int mrl_link__settle(struct mrl_link *link);

/** Throws away what was received, without waiting. Errors: as mrl_link__settle(). */
int mrl_link__drain(struct mrl_link *link);

/** Sends all of it. Errors: -errno; of datagrams, -EMSGSIZE leaves the link open. */
int mrl_link__send(struct mrl_link *link, const char *bytes, size_t size);

/** Waits until the other end's kernel has acknowledged all that was sent. Errors: -errno. */
int mrl_link__await_acks(struct mrl_link *link);

/** Receives `size` bytes at most, one at least. Returns how many, or -errno: -EPIPE the end. */
ssize_t mrl_link__receive(struct mrl_link *link, char *bytes, size_t size);

/** Closes: what was sent before stays sent. Returns whether the other end closed too, in an orderly
 * way, and so had read all of it; false where it was closed already. */
bool mrl_link__close(struct mrl_link *link);

/** Closes for a reason of the caller's, which is a line. Returns -EPROTO. */
__attribute__((format(printf, 3, 4))) int mrl_link__fail(struct mrl_link *link,
                                                         enum mrl_item_verdict verdict,
                                                         const char *format,
                                                         ...);

/** After an error: why, and what that means for what was being sent. */
const char *mrl_link__why(const struct mrl_link *link);
enum mrl_item_verdict mrl_link__verdict(const struct mrl_link *link);

#endif
