// SPDX-License-Identifier: Apache-2.0
#include "side/common/names/service.h"

const struct mrl_sink_ops mrl_service_names = {
    .name = "names",
    .doc = "Names of containers and pods, from the runtimes of this host.",
    .side = "names",
    .option_bytes = sizeof(struct mrl_names_options),
};
