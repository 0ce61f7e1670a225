/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a server listens: unix sockets with a mode, an owner and a lock, addresses of TCP, and what
 * systemd hands over.
 */
#ifndef MRL_SINKS_LISTEN_ADDRESS_H
#define MRL_SINKS_LISTEN_ADDRESS_H

#include <mrelease/error.h>

#include "sinks/listen/address_unix.h"

struct mrl_server_options;

/**
 * Listens at "unix:PATH" (mode 0600 unless options say otherwise; a stale socket there is replaced,
 * a live one is an error), at "tcp:HOST:PORT" (a loopback address, unless there is TLS or
 * options.insecure), or at the stream socket that systemd hands over ("systemd", or "systemd:NAME"
 * by FileDescriptorName=). Errors: -EINVAL the destination or a setting that is not for it; -ENOENT
 * systemd hands no such socket over; as socket(), bind() and listen(); each with a line.
 */
int mrl_address__listen(const char *destination,
                        const struct mrl_server_options *options,
                        struct mrl_error *error,
                        struct mrl_address *ret_address);

/** Takes "HOST:PORT" or "[HOST]:PORT" apart; `*ret_port` is borrowed. Error: -EINVAL. */
int mrl_address__split(const char *text,
                       char host[256],
                       const char **ret_port,
                       struct mrl_error *error);

/** Checks destination and settings without opening anything. Error: -EINVAL, with a line. */
int mrl_address__check(const char *destination,
                       const struct mrl_server_options *options,
                       struct mrl_error *error);

#endif
