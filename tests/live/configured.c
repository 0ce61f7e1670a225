// SPDX-License-Identifier: Apache-2.0
#include "configured.h"

#include <stdio.h>
#include <unistd.h>

void configured__write(const char *text)
{
    const char *path = live__path("mrelease.yaml"), *new = live__path("mrelease.new");
    FILE *file = fopen(new, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(new, path), 0);
}

void configured__start(struct sensor *sensor, const char *text)
{
    configured__write(text);
    SENSOR_START(sensor, "--config", live__path("mrelease.yaml"));
}

static void call_each(struct script *script)
{
    script__call(script, "munlock", UINT64_MAX, 0, 0);
    script__call(script, "mlock", UINT64_MAX, 0, 0);
}

void configured__call(void)
{
    script__run(script__new(), call_each);
}

size_t configured__lines(const char *name, const char *event)
{
    return lines__count(lines__load(live__path(name)), event, 0);
}

void configured__await_lines(const char *name, const char *event, size_t count)
{
    for (int i = 0;
         i < 1000 && (access(live__path(name), F_OK) || configured__lines(name, event) < count);
         i++)
        live__pause_ms(5);
    assert_int_equal(configured__lines(name, event), count);
}
