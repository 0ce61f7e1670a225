// SPDX-License-Identifier: Apache-2.0
/* What the options of a server mean together; the row of the sink has them one by one. */
#include "grpc/common/options.h"

#include <errno.h>

int mrl_server_options__complete(struct mrl_server_options *options, struct mrl_error *error)
{
    if (*options->group && !options->mode)
        options->mode = 0660;
    if (!*options->cert != !*options->key)
        return mrl_error__set(error, -EINVAL, "cert= and key= come together");
    return *options->client_ca && !*options->cert
               ? mrl_error__set(error, -EINVAL, "client-ca= wants cert= and key=")
               : 0;
}
