// SPDX-License-Identifier: Apache-2.0
/* The side program "http": destinations that are spoken to by HTTP. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/common/sandbox.h"
#include "side/http/rights.h"
#include "side/http/sink.h"
#include "side/ship/serve.h"

static const struct mrl_sink_ops *row(const char *name)
{
    static struct mrl_sink_ops ops; /* one output, one program */
    const struct mrl_http_destination *const *at = mrl_http_destinations;

    while (*at && strcmp((*at)->row->name, name) != 0)
        at++;
    if (!*at)
        return NULL;
    mrl_http_destination__fill(*at, &ops);
    return &ops;
}

int main(int argc, char **argv)
{
    static const struct mrl_ship_program program = { row, mrl_http_sink__reopen };
    struct mrl_sandbox keeps;
    int err;

    if (argc != 3 || strcmp(argv[1], MRL_SIDE_SERVE) != 0)
        return EXIT_FAILURE;
    err = mrl_http__keep_rights(&keeps);
    err = err ? err : mrl_side__enter(&keeps, argv[2]);
    mrl_sandbox__done(&keeps);
    if (err)
        return EXIT_FAILURE;
    /* The thread that ships may be within a library: nothing is taken away under it. */
    _exit(mrl_ship__serve(&program));
}
