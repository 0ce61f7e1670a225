/* SPDX-License-Identifier: Apache-2.0 */
/* Times as text: RFC 3339 in UTC, as Go's RFC3339Nano has it. */
#ifndef MRL_ENCODE_RFC3339_H
#define MRL_ENCODE_RFC3339_H

#include <stdint.h>

#include "encode/writer.h"

enum { MRL_DATE_BYTES = sizeof("2025-11-18T") - 1 };

/** The date that was asked for last; most times are of the same day. Zeroed is empty. */
struct mrl_date {
    uint64_t days; /* since the epoch, and one more */
    char text[MRL_DATE_BYTES];
};

/** Writes ns since the epoch, "2025-11-18T12:02:01.9Z": up to nine digits behind the second, none
 * of them a zero at the end. At most 30 bytes. */
void mrl_put_rfc3339(struct mrl_writer *writer, struct mrl_date *date, uint64_t ns);

#endif
