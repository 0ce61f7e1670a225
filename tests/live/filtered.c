// SPDX-License-Identifier: Apache-2.0
#include "filtered.h"

#include <signal.h>
#include <string.h>

void filtered__assert_accounted(const struct sensor *sensor)
{
    if (strstr(sensor__stderr(sensor), "accounting: "))
        fail_msg("not every event is accounted for: %s", sensor__stderr(sensor));
}

void filtered__assert(const char *const *arguments,
                      struct script *script,
                      void (*act)(struct script *script))
{
    struct sensor sensor;

    sensor__start(&sensor, arguments);
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    filtered__assert_accounted(&sensor);
    assert_script(lines__parse(sensor__stdout(&sensor)), script);
}
