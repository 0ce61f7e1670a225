/* SPDX-License-Identifier: Apache-2.0 */
/* Which events and filters hold, in the words of a sensor_state's detail. */
#ifndef MRL_READ_DETAIL_H
#define MRL_READ_DETAIL_H

#include <mrelease/plugin.h>
#include <stdio.h>

/** "events=A,B". */
void mrl_detail__put_events(FILE *to, uint32_t events);

/** "; filters=…", or "; filters=none". */
void mrl_detail__put_filters(FILE *to, const struct mrl_plugin_options *given);

#endif
