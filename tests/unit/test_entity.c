// SPDX-License-Identifier: Apache-2.0
/* Entity ids: the vectors of Tracee's own tests, and tasks computed independently of this project.
 */
#include <murmurhash.h>
#include <string.h>

#include "enrich/entity.h"
#include "unit/unit.h"

#define MS_10  UINT64_C(10000000)
#define MS_100 UINT64_C(100000000)

static void entity_hash_gives_the_vectors_of_tracee(void **state)
{
    static const struct {
        uint32_t id;
        uint64_t time_ns;
        uint32_t hash;
    } cases[] = {
        { 0, 0, 0xf6c56b4a },
        { 1, 2, 0xd25f0e74 },
        { 0x12345678, 0x123456789ABCDEF0, 0xb065052c },
        { 0xFFFFFFFF, 0, 0x6d045877 },
        { 0, UINT64_MAX, 0xece98cf5 },
        { 0xFFFFFFFF, UINT64_MAX, 0xffa282fc },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(mrl_entity_hash(cases[i].id, cases[i].time_ns), cases[i].hash);
}

/* The library that computes them gives what Tracee's own function does, with Tracee's seed. */
static void entity_hash_function_gives_the_vectors_of_tracee(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t size, hash;
    } cases[] = {
        { "", 0, 0xac1e97d9 },
        { "hello", 5, 0x6fcfe226 },
        { "\0\0\0\0\0\0\0\0\0\0\0", 12, 0xf6c56b4a },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10, 0xaac3b662 },
        { "\x42", 1, 0xd03e2e67 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t hash;

        lmmh_x86_32(cases[i].bytes, cases[i].size, 0x18273645, &hash);
        assert_int_equal(hash, cases[i].hash);
    }
}

static void entity_id_gives_the_known_tasks(void **state)
{
    (void)state;
    assert_int_equal(mrl_entity_id(4242, 1763467200123456789, MS_100), 2214422668);
    assert_int_equal(mrl_entity_id(4242, 1763467200123456789, MS_10), 3078815117);
    assert_int_equal(mrl_entity_id(1, 1763400000000000000, MS_100), 4109670764);
    assert_int_equal(mrl_entity_id(1, 1763400000000000000, MS_10), 4109670764);
}

static void entity_id_cuts_the_start_time_down(void **state)
{
    const uint64_t start = 1763467200120000000;
    uint32_t id = mrl_entity_id(4242, start, MS_10);

    (void)state;
    assert_int_equal(mrl_entity_id(4242, start + MS_10 - 1, MS_10), id);
    assert_int_not_equal(mrl_entity_id(4242, start + MS_10, MS_10), id);
    assert_int_not_equal(mrl_entity_id(4242, start - 1, MS_10), id);
}

static void entity_id_of_no_task_is_zero(void **state)
{
    (void)state;
    assert_int_equal(mrl_entity_id(0, 0, MS_10), 0);
    assert_int_not_equal(mrl_entity_id(0, 1, MS_10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entity_hash_gives_the_vectors_of_tracee),
        cmocka_unit_test(entity_hash_function_gives_the_vectors_of_tracee),
        cmocka_unit_test(entity_id_gives_the_known_tasks),
        cmocka_unit_test(entity_id_cuts_the_start_time_down),
        cmocka_unit_test(entity_id_of_no_task_is_zero),
    };

    return cmocka_run_group_tests_name("entity", tests, NULL, NULL);
}
