/* SPDX-License-Identifier: Apache-2.0 */
/* What the environment says of the terminal. */
#ifndef MRL_BASE_TERMINAL_H
#define MRL_BASE_TERMINAL_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** Whether it obeys nothing. */
static inline bool mrl_terminal__is_dumb(void)
{
    const char *terminal = getenv("TERM");

    return terminal && !strcmp(terminal, "dumb");
}

/** Whether no colours are wanted: no-color.org, or it is dumb. */
static inline bool mrl_terminal__is_plain(void)
{
    const char *asked = getenv("NO_COLOR");

    return (asked && *asked) || mrl_terminal__is_dumb();
}

/** Whether it shows ASCII alone, as locale(7) has it. */
static inline bool mrl_terminal__is_ascii(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    const char *locale = NULL;

    for (unsigned int i = 0; i < 3 && !(locale && *locale); i++)
        locale = getenv(names[i]);
    return !locale || (!strcasestr(locale, "UTF-8") && !strcasestr(locale, "utf8"));
}

#endif
