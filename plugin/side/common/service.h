/* SPDX-License-Identifier: Apache-2.0 */
/* What --http says, which its row (metrics.c) describes and the side program "metrics" reads. */
#ifndef MRL_SIDE_COMMON_SERVICE_H
#define MRL_SIDE_COMMON_SERVICE_H

#include <mrelease/sink.h>

/** Ports where none is given: ours, and the one where Tracee serves. */
#define MRL_METRICS_PORT        "9448"
#define MRL_METRICS_PORT_TRACEE "3366"

/** The words of --http-names, in this order. */
enum mrl_metrics_names { MRL_METRICS_NAMES_OWN, MRL_METRICS_NAMES_TRACEE };

struct mrl_metrics_options {
    unsigned int mode; /* of a unix socket; 0: 0600 */
    char group[64];    /* of a unix socket, whose members may connect; "": none */
    bool insecure;     /* addresses of other hosts are served */
    int names;         /* enum mrl_metrics_names */
};

/** The row, which mrl_sides__metrics() returns; the side program fills in what it does. */
extern const struct mrl_sink_ops mrl_service_metrics;

#endif
