// SPDX-License-Identifier: Apache-2.0
/* The classes of strings. Each is written twice, and the tests hold the two against each other. */
#include <ctype.h>
#include <string.h>

#include "command/schema/shape.h"

/* -- numbers in strings ----------------------------------------------------------------------- */

/* Whether the digits are a number without a leading zero that is not above `most`. */
static bool is_number(const char *text, size_t size, const char *most)
{
    size_t most_size = strlen(most);

    for (size_t i = 0; i < size; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    if (!size || size > most_size || (*text == '0' && size > 1))
        return false;
    return size < most_size || memcmp(text, most, size) <= 0;
}

static bool holds_u64(const char *text, size_t size)
{
    return is_number(text, size, "18446744073709551615");
}

static bool holds_s64(const char *text, size_t size)
{
    if (size && *text == '-')
        return size > 1 && text[1] != '0' && is_number(text + 1, size - 1, "9223372036854775808");
    return is_number(text, size, "9223372036854775807");
}

/* What follows the first 18 or 19 digits of the bounds above, case by case. */
#define TO_2_63                                                                           \
    "[1-9][0-9]{0,17}|[1-8][0-9]{18}|9[0-1][0-9]{17}|92[0-1][0-9]{16}|922[0-2][0-9]{15}|" \
    "9223[0-2][0-9]{14}|92233[0-6][0-9]{13}|922337[0-1][0-9]{12}|92233720[0-2][0-9]{10}|" \
    "922337203[0-5][0-9]{9}|9223372036[0-7][0-9]{8}|92233720368[0-4][0-9]{7}|"            \
    "922337203685[0-3][0-9]{6}|9223372036854[0-6][0-9]{5}|92233720368547[0-6][0-9]{4}|"   \
    "922337203685477[0-4][0-9]{3}|9223372036854775[0-7][0-9]{2}|922337203685477580[0-"

const struct mrl_text_class mrl_text_u64 = {
    "^(0|[1-9][0-9]{0,18}|1[0-7][0-9]{18}|18[0-3][0-9]{17}|184[0-3][0-9]{16}|"
    "1844[0-5][0-9]{15}|18446[0-6][0-9]{14}|184467[0-3][0-9]{13}|1844674[0-3][0-9]{12}|"
    "184467440[0-6][0-9]{10}|1844674407[0-2][0-9]{9}|18446744073[0-6][0-9]{8}|"
    "1844674407370[0-8][0-9]{6}|18446744073709[0-4][0-9]{5}|184467440737095[0-4][0-9]{4}|"
    "18446744073709550[0-9]{3}|18446744073709551[0-5][0-9]{2}|1844674407370955160[0-9]|"
    "1844674407370955161[0-5])$",
    holds_u64,
};

const struct mrl_text_class mrl_text_s64 = {
    "^(0|" TO_2_63 "7]|-(" TO_2_63 "8]))$",
    holds_s64,
};

/* -- pointers --------------------------------------------------------------------------------- */

static bool holds_hex(const char *text, size_t size)
{
    if (size < 3 || size > 18 || text[0] != '0' || text[1] != 'x')
        return false;
    for (size_t i = 2; i < size; i++)
        if (!isdigit((unsigned char)text[i]) && (text[i] < 'a' || text[i] > 'f'))
            return false;
    return text[2] != '0' || size == 3;
}

const struct mrl_text_class mrl_text_hex = { "^0x(0|[1-9a-f][0-9a-f]{0,15})$", holds_hex };

/* -- times ------------------------------------------------------------------------------------ */

/* The digits of `form` ('0') are digits of the text, and what else it has is the same. */
static bool has_form(const char *text, const char *form)
{
    for (; *form; text++, form++)
        if (*form == '0' ? !isdigit((unsigned char)*text) : *text != *form)
            return false;
    return true;
}

static bool is_between(const char *text, unsigned int least, unsigned int most)
{
    unsigned int number = (unsigned int)(text[0] - '0') * 10 + (unsigned int)(text[1] - '0');

    return number >= least && number <= most;
}

enum { SECONDS_SIZE = 19, TIME_MAX = SECONDS_SIZE + 1 + 9 + 1 };

/* The fraction, from its dot: no zeros at its end. */
static bool is_fraction(const char *text, size_t size)
{
    if (!size)
        return true;
    if (size < 2 || *text != '.' || text[size - 1] == '0')
        return false;
    for (size_t i = 1; i < size; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return true;
}

static bool holds_time(const char *text, size_t size)
{
    return size > SECONDS_SIZE && size <= TIME_MAX && has_form(text, "0000-00-00T00:00:00") &&
           text[size - 1] == 'Z' && is_between(text + 5, 1, 12) && is_between(text + 8, 1, 31) &&
           is_between(text + 11, 0, 23) && is_between(text + 14, 0, 59) &&
           is_between(text + 17, 0, 59) &&
           is_fraction(text + SECONDS_SIZE, size - SECONDS_SIZE - 1);
}

const struct mrl_text_class mrl_text_time = {
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    "(\\.[0-9]{0,8}[1-9])?Z$",
    holds_time,
};
