// SPDX-License-Identifier: Apache-2.0
/* What YAML takes an unquoted word for: the expressions of its type repository, one row each. */
#include "command/options/scalar.h"

#include <regex.h>
#include <stddef.h>
#include <string.h>

static const struct {
    enum mrl_scalar type;
    const char *expression;
} rows[] = {
    { MRL_SCALAR_TRUE, "^(yes|Yes|YES|true|True|TRUE|on|On|ON)$" },
    { MRL_SCALAR_FALSE, "^(no|No|NO|false|False|FALSE|off|Off|OFF)$" },
    { MRL_SCALAR_NUMBER, "^[-+]?(0|[1-9][0-9]*)$" },
    { MRL_SCALAR_OTHER_NUMBER, "^[-+]?(0b[01_]+|0o[0-7]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$" },
    { MRL_SCALAR_OTHER_NUMBER, "^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\\.[0-9_]*)?$" },
    { MRL_SCALAR_OTHER_NUMBER, "^[-+]?([0-9][0-9_]*)?\\.[0-9_]*([eE][-+]?[0-9]+)?$" },
    { MRL_SCALAR_OTHER_NUMBER, "^[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$" },
    { MRL_SCALAR_OTHER_NUMBER, "^([-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN))$" },
    { MRL_SCALAR_OTHER_NUMBER, "^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?$" },
};

bool mrl_scalar__is_null(const char *plain)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(plain, words[i]))
            return true;
    return false;
}

enum mrl_scalar mrl_scalar__of(const char *plain)
{
    if (mrl_scalar__is_null(plain))
        return MRL_SCALAR_NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        regex_t expression;
        int err;

        if (regcomp(&expression, rows[i].expression, REG_EXTENDED | REG_NOSUB))
            return MRL_SCALAR_ERROR;
        err = regexec(&expression, plain, 0, NULL, 0);
        regfree(&expression);
        if (!err)
            return rows[i].type;
        if (err != REG_NOMATCH)
            return MRL_SCALAR_ERROR;
    }
    return MRL_SCALAR_TEXT;
}
