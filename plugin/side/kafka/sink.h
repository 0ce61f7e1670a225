/* SPDX-License-Identifier: Apache-2.0 */
/* The sink "kafka", as it is in its side program. */
#ifndef MRL_SIDE_KAFKA_SINK_H
#define MRL_SIDE_KAFKA_SINK_H

#include "side/ship/serve.h"

extern const struct mrl_ship_program mrl_kafka_program;

#endif
