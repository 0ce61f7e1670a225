/* SPDX-License-Identifier: Apache-2.0 */
/** Proves files to be a whole stream, or names what is missing. */
#ifndef MRL_COMMAND_VERIFY_VERIFY_H
#define MRL_COMMAND_VERIFY_VERIFY_H

#include "command/verify/report.h"

/**
 * Reads files and directories (`paths` ends with NULL; "-" is standard input) and prints what is
 * found to `to`. An exit status: 0 complete; 3 a start or an end is not there; 1 something is
 * missing, changed, or cannot be read.
 */
int mrl_verify__files(char *const *paths, const struct mrl_report_form *form, FILE *to);

#endif
