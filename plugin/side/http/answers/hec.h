/* SPDX-License-Identifier: Apache-2.0 */
/* What Splunk's HTTP Event Collector answers: strangers' bytes. */
#ifndef MRL_SIDE_HTTP_HEC_H
#define MRL_SIDE_HTTP_HEC_H

#include <stdbool.h>
#include <stddef.h>

struct mrl_hec_answer {
    long code;       /* -1: there is none */
    long long ack;   /* ackId; -1: there is none */
    long long wrong; /* invalid-event-number, from 0; -1: there is none */
    char text[128];
};

/** Returns 0, or -EPROTO: it is no such answer. */
int mrl_hec__read(const char *bytes, size_t size, struct mrl_hec_answer *ret_answer);

/** Whether {"acks": {"ID": true}} says that `ack` is there. */
bool mrl_hec__is_acked(const char *bytes, size_t size, long long ack);

#endif
