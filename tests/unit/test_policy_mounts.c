// SPDX-License-Identifier: Apache-2.0
/* Whether a ConfigMap that is mounted was exchanged: a directory as the kubelet fills it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "command/policy/policy.h"
#include "unit/unit.h"

static char place[] = "/tmp/mrelease-mounts.XXXXXX";

static int enter_place(void **state)
{
    (void)state;
    return mkdtemp(place) && !chdir(place) && !mkdir("plain", 0700) && !mkdir("map", 0700) &&
                   !symlink("..1", "map/..data")
               ? 0
               : -1;
}

static int leave_place(void **state)
{
    (void)state;
    unlink("map/..data");
    rmdir("map");
    rmdir("plain");
    return chdir("/") || rmdir(place);
}

static uint64_t look(const char *one, const char *other)
{
    const char *const paths[] = { one, other };

    return mrl_policy_mounts__look(paths, other ? 2 : 1);
}

static void only_a_configmap_has_a_number(void **state)
{
    (void)state;
    assert_true(look("map", NULL));
    assert_true(look("plain", "map"));
    assert_int_equal(look("plain", NULL), 0);
    assert_int_equal(look("nowhere", NULL), 0);
}

static void one_that_was_exchanged_has_another_number(void **state)
{
    const uint64_t before = look("map", "plain");

    (void)state;
    assert_true(before == look("map", "plain"));
    assert_int_equal(symlink("..2", "map/..new"), 0);
    assert_int_equal(rename("map/..new", "map/..data"), 0);
    assert_true(before != look("map", "plain"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_configmap_has_a_number),
        cmocka_unit_test(one_that_was_exchanged_has_another_number),
    };

    return cmocka_run_group_tests_name("policy_mounts", tests, enter_place, leave_place);
}
