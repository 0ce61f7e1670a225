/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and names as people read them: users, errors, sizes, durations, and what strangers chose,
 * without what a terminal obeys. */
#ifndef MRL_ENCODE_TABLE_PEOPLE_H
#define MRL_ENCODE_TABLE_PEOPLE_H

#include "encode/encoder.h"
#include "event/kind.h"

enum { MRL_USER_BYTES = 33, MRL_NUMBER_BYTES = 48 };

/** Names of users that were looked up. Zeroed is empty. */
struct mrl_user_names {
    struct mrl_user_name *all;
};

/** The name of a user, or the number where there is none; `fallback` may hold it. Looks it up
 * (blocking) once. */
const char *mrl_user_names__of(struct mrl_user_names *names,
                               uint32_t id,
                               char fallback[MRL_USER_BYTES]);

void mrl_user_names__forget(struct mrl_user_names *names);

/** Writes a text, bytes that must not be seen as `\x0a`. Returns how many columns it took: every
 * character counts as one. */
unsigned int mrl_people__put_text(struct mrl_writer *writer, struct mrl_text text);

/** A value, in the unit of its kind: "64.8 MiB", "2.2 ms"; not absent. */
void mrl_people__put_value(struct mrl_writer *writer,
                           const struct mrl_kind *kind,
                           const struct mrl_value *value);

/** "12:02:01.987654", local time. These return what snprintf() does. */
int mrl_people__print_time(char *cell, size_t size, uint64_t ns);

/** The name of an error, or the number. */
int mrl_people__print_return(char *cell, size_t size, int64_t value);

#endif
