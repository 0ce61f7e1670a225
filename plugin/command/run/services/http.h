/* SPDX-License-Identifier: Apache-2.0 */
/* --http: where metrics and health are served. */
#ifndef MRL_COMMAND_RUN_SERVICES_HTTP_H
#define MRL_COMMAND_RUN_SERVICES_HTTP_H

#include <mrelease/error.h>

#include "side/common/service.h"

/** What --http and --http-names say. */
struct mrl_http_target {
    char destination[320]; /* as mrl_sides__metrics() takes it */
    struct mrl_metrics_options options;
};

/** Reads "[SETTINGS:]ADDRESS": HOST[:PORT], unix:PATH or systemd[:NAME]. Touches nothing. Error:
 * -EINVAL, with a line. */
int mrl_http_target__read(const char *text,
                          enum mrl_metrics_names names,
                          struct mrl_http_target *ret_target,
                          struct mrl_error *error);

#endif
