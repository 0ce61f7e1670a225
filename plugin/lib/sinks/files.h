/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that the options of a destination in a side program name: secrets, and whom to trust. They
 * are read here, by prepare(), into one descriptor: the side program itself reads none. The options
 * of such a sink begin with their paths, char[MRL_FILES][MRL_FILE_PATH_MAX].
 */
#ifndef MRL_SINKS_FILES_H
#define MRL_SINKS_FILES_H

#include <mrelease/sink.h>

enum mrl_file {
    MRL_FILE_CA, /**< PEM: who signs the server's certificate */
    MRL_FILE_CERT,
    MRL_FILE_KEY,
    MRL_FILE_TOKEN,
    MRL_FILE_PASSWORD,
    MRL_FILE_HEADERS,     /**< whole lines */
    MRL_FILE_SIGNING_KEY, /**< that never travels */
    MRL_FILES,
};

/** How long a path, and how large a file may be. */
enum { MRL_FILE_PATH_MAX = 176, MRL_FILE_BYTES = 1024 * 1024 };

/** At the beginning of the descriptor; the files follow, one behind the other. 0: not given. */
struct mrl_file_sizes {
    uint32_t sizes[MRL_FILES];
};

/** A row of options: a file that is read at the start and on SIGHUP. */
#define MRL_FILE_ROW(text, which, sentence)                                                   \
    {                                                                                         \
        .name = text, .type = MRL_OPTION_COPY, .offset = (which) * (size_t)MRL_FILE_PATH_MAX, \
        .size = MRL_FILE_PATH_MAX, .doc = sentence, .separator = '/'                          \
    }

/** The rows of a client that speaks TLS. */
#define MRL_FILE_TLS_ROWS                                                                      \
    MRL_FILE_ROW("ca", MRL_FILE_CA,                                                            \
                 "Who signs the server's certificate, in PEM; else whom the system trusts."),  \
        MRL_FILE_ROW("cert", MRL_FILE_CERT, "Certificate of the client, in PEM: mutual TLS."), \
        MRL_FILE_ROW("key", MRL_FILE_KEY, "Its key.")

/** What the row of such a sink says alike, with MRL_ELSEWHERE_OPS. */
#define MRL_FILE_OPS \
    .prepare = mrl_files__prepare, .renew = mrl_files__renew, .unprepare = mrl_files__unprepare

/** Whether the URL's scheme is one with TLS: it ends in 's'. */
bool mrl_files__is_tls(const char *url);

/** Whether options go together: cert= and key=, and TLS. Error: -EINVAL, with a line. */
int mrl_files__check(const struct mrl_sink_target *target, struct mrl_error *error);

/** Whether the format is lines of JSON. Error: -EINVAL, with a line. */
int mrl_files__check_json(const struct mrl_sink_target *target, struct mrl_error *error);

/** As the members of struct mrl_sink_ops. The descriptor is fds[0]. */
int mrl_files__prepare(const struct mrl_sink_target *target,
                       void *options,
                       int *fds,
                       struct mrl_error *error,
                       void **ret_prepared);
int mrl_files__renew(void *prepared,
                     const struct mrl_sink_target *target,
                     int *fds,
                     struct mrl_error *error);
void mrl_files__unprepare(void *prepared);

#endif
