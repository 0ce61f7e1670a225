/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys in PEM, read and judged here so that a wrong one is named before gRPC has
 * it. */
#ifndef MRL_GRPC_COMMON_PEM_H
#define MRL_GRPC_COMMON_PEM_H

#include <mrelease/error.h>

/** A file: its path, for messages; and the descriptor to read it at from its beginning, the
 * caller's, or -1: the path is opened. The path is NULL or "" where there is none. */
struct mrl_pem_file {
    const char *path;
    int fd;
};

struct mrl_pem_files {
    struct mrl_pem_file cert, key; /* both or none */
    struct mrl_pem_file ca;
};

/** The texts of the files, of malloc(), NUL-terminated; NULL where there is none. */
struct mrl_pem {
    char *cert, *key, *ca;
};

/**
 * Reads the files. Every certificate must be valid now, and the first must belong to the key, which
 * must have no passphrase. A certificate that expires soon is logged, and so is a key
 * at a path that every user may read. Errors: -EINVAL, or as open(), each with a line.
 */
int mrl_pem__read(const struct mrl_pem_files *files,
                  struct mrl_pem *ret_pem,
                  struct mrl_error *error);

/** Wipes the key, and frees all. */
void mrl_pem__free(struct mrl_pem *pem);

#endif
