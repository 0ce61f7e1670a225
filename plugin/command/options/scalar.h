/* SPDX-License-Identifier: Apache-2.0 */
/* What YAML takes an unquoted word for. */
#ifndef MRL_COMMAND_OPTIONS_SCALAR_H
#define MRL_COMMAND_OPTIONS_SCALAR_H

#include <stdbool.h>

enum mrl_scalar {
    MRL_SCALAR_TEXT,
    MRL_SCALAR_NULL,
    MRL_SCALAR_TRUE,
    MRL_SCALAR_FALSE,
    MRL_SCALAR_NUMBER,       /* a decimal integer */
    MRL_SCALAR_OTHER_NUMBER, /* octal, hexadecimal, sexagesimal, a fraction, a date … */
    MRL_SCALAR_ERROR,        /* out of memory */
};

/**
 * By the rules of YAML 1.1, and by those of 1.2 where it has more: what any reader may take for
 * something else than text is not text here.
 */
enum mrl_scalar mrl_scalar__of(const char *plain);

/** Whether it is MRL_SCALAR_NULL, at a hundredth of the time: files of policies have texts by the
 * ten thousand. */
bool mrl_scalar__is_null(const char *plain);

#endif
