/* SPDX-License-Identifier: Apache-2.0 */
/* JSON documents as text that people can read. */
#ifndef MRL_COMMAND_SCHEMA_JSON_TEXT_H
#define MRL_COMMAND_SCHEMA_JSON_TEXT_H

#include <jansson.h>

/** What a document holds in place of UINT64_MAX, which is beyond jansson's integers: as a real. */
#define MRL_JSON_UINT64_MAX 0x1p64

/** The document, whose reals are all UINT64_MAX, with a newline at its end: a new string, NULL
 * without memory. */
char *mrl_json_text(const json_t *root);

#endif
