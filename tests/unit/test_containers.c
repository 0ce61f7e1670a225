// SPDX-License-Identifier: Apache-2.0
/* The table from cgroups to containers, where memory runs out. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "enrich/containers.h"
#include "unit/unit.h"

/* uthash calls malloc(), the table itself calloc(). */
static bool memory_is_out;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return memory_is_out ? NULL : __real_malloc(size);
}

static int put_without_memory(struct mrl_containers *containers, uint64_t cgroup)
{
    int err;

    memory_is_out = true;
    err = mrl_containers__put(containers, cgroup, (struct mrl_text){ "abc", 3 });
    memory_is_out = false;
    return err;
}

static void first_container_is_refused_when_memory_is_out(void **state)
{
    struct mrl_containers containers = { 0 };

    (void)state;
    assert_int_equal(put_without_memory(&containers, 1), -ENOMEM);
    assert_int_equal(mrl_containers__count(&containers), 0);
    assert_int_equal(mrl_containers__put(&containers, 1, (struct mrl_text){ "abc", 3 }), 1);
    assert_int_equal(mrl_containers__find(&containers, 1).id.size, 3);
    mrl_containers__clear(&containers);
}

/* uthash grows when a bucket is full: somewhere among many. What was there before stays. */
static void table_that_cannot_grow_keeps_what_it_has(void **state)
{
    struct mrl_containers containers = { 0 };
    uint64_t cgroup = 1;
    int err;

    (void)state;
    assert_int_equal(mrl_containers__put(&containers, cgroup, (struct mrl_text){ "abc", 3 }), 1);
    do
        err = put_without_memory(&containers, ++cgroup);
    while (err == 1 && cgroup < MRL_CONTAINERS_MAX);
    assert_int_equal(err, -ENOMEM);
    assert_int_equal(mrl_containers__count(&containers), cgroup - 1);
    for (uint64_t known = 1; known < cgroup; known++)
        assert_int_equal(mrl_containers__find(&containers, known).id.size, 3);
    assert_int_equal(mrl_containers__find(&containers, cgroup).id.size, 0);
    mrl_containers__clear(&containers);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_container_is_refused_when_memory_is_out),
        cmocka_unit_test(table_that_cannot_grow_keeps_what_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
