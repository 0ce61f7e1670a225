// SPDX-License-Identifier: Apache-2.0
/* Batches and their pool. */
#include <string.h>

#include "event/batch.h"
#include "unit/records.h"
#include "unit/unit.h"

static void batch_outlives_its_pools_owner(void **state)
{
    struct test_decoder decoder;
    struct test_record record;
    const struct mrl_event *event;

    (void)state;
    test_decoder__init(&decoder);
    test_record__init_full(&record);
    event = test_decoder__event(&decoder, &record);
    mrl_pool__unref(decoder.pool);
    assert_int_equal(mrl_batch__count(decoder.batch), 1);
    assert_ptr_equal(mrl_batch__at(decoder.batch, 0), event);
    assert_memory_equal(event->process_name.bytes, "oomd", 4);
    assert_memory_equal(test_value(event, "target_exe")->text.bytes, "/usr/bin/hog", 12);
    mrl_batch__unref(decoder.batch);
}

static void batch_pool_is_bounded_and_reuses(void **state)
{
    struct mrl_pool *pool = mrl_pool__new(2);
    struct mrl_batch *first, *second;

    (void)state;
    first = mrl_pool__get(pool);
    second = mrl_pool__get(pool);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(mrl_pool__get(pool));
    first->count = 3;
    mrl_batch__unref(first);
    assert_ptr_equal(mrl_pool__get(pool), first);
    assert_int_equal(mrl_batch__count(first), 0);
    assert_int_equal(first->arena.used, 0);
    mrl_batch__unref(second);
    mrl_pool__unref(pool);
    mrl_batch__unref(first);
    mrl_batch__unref(NULL);
    mrl_pool__unref(NULL);
}

static void batch_has_room_for_the_largest_events_that_it_promises(void **state)
{
    struct test_decoder *decoder = *state;
    struct test_record record;
    char steps[MRL_EXE_BYTES] = { 0 };
    size_t count = 0;

    test_record__init_full(&record);
    test_record__set_path(&record, steps, sizeof(steps));
    while (mrl_batch__has_room(decoder->batch, MRL_BATCH_EVENTS)) {
        const struct mrl_event *event = test_decoder__event(decoder, &record);

        assert_int_equal(test_value(event, "target_exe")->text.size, sizeof(steps));
        count++;
    }
    assert_true(decoder->batch->arena.used <= MRL_BATCH_BYTES);
    assert_true(count >= MRL_BATCH_BYTES / MRL_BATCH_EVENT_ROOM);
    assert_int_equal(mrl_batch__count(decoder->batch), count);
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_decoder__set_up, test_decoder__tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_outlives_its_pools_owner),
        cmocka_unit_test(batch_pool_is_bounded_and_reuses),
        test(batch_has_room_for_the_largest_events_that_it_promises),
    };

    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
