// SPDX-License-Identifier: Apache-2.0
/* RFC 3339 from ns since the epoch. The calendar is asked once a day. */
#include "encode/rfc3339.h"

#include <time.h>

enum { DAY_S = 24 * 60 * 60, SECOND_NS = 1000000000 };

/* Nanoseconds have no years beyond 2554: four digits do. */
static void make_date(struct mrl_date *date, uint64_t days)
{
    const time_t seconds = (time_t)(days * DAY_S);
    char text[MRL_DATE_BYTES + 1];
    struct tm calendar = { 0 };

    gmtime_r(&seconds, &calendar);
    strftime(text, sizeof(text), "%Y-%m-%dT", &calendar);
    memcpy(date->text, text, MRL_DATE_BYTES);
    date->days = days + 1;
}

static void put_fraction(struct mrl_writer *writer, uint32_t ns)
{
    if (!ns)
        return;
    mrl_put_char(writer, '.');
    mrl_put_char(writer, (char)('0' + ns / 100000000));
    mrl_put_eight_digits(writer, ns % 100000000);
    while (writer->at[-1] == '0')
        writer->at--;
}

void mrl_put_rfc3339(struct mrl_writer *writer, struct mrl_date *date, uint64_t ns)
{
    uint64_t seconds = ns / SECOND_NS, days = seconds / DAY_S;
    uint32_t of_day = (uint32_t)(seconds % DAY_S);

    if (date->days != days + 1)
        make_date(date, days);
    mrl_put_bytes(writer, date->text, MRL_DATE_BYTES);
    mrl_put_two_digits(writer, of_day / 3600);
    mrl_put_char(writer, ':');
    mrl_put_two_digits(writer, of_day / 60 % 60);
    mrl_put_char(writer, ':');
    mrl_put_two_digits(writer, of_day % 60);
    put_fraction(writer, (uint32_t)(ns % SECOND_NS));
    mrl_put_char(writer, 'Z');
}
