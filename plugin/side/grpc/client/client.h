/* SPDX-License-Identifier: Apache-2.0 */
/* The client: the verb health, and which verb is meant. */
#ifndef MRL_GRPC_CLIENT_CLIENT_H
#define MRL_GRPC_CLIENT_CLIENT_H

#include "side/grpc/common/verbs.h"

/**
 * Does what the words (enum mrl_client_word, `count` of them) say: prints to standard output, and
 * what goes wrong to standard error. Returns an exit status.
 */
int mrl_client__main(int count, char **words);

#endif
