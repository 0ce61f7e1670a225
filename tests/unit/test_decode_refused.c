// SPDX-License-Identifier: Apache-2.0
/* Records that are refused: anyone may have written them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/decode.h"
#include "unit/records.h"
#include "unit/unit.h"

/* In memory of exactly that size, so that a sanitizer sees a read beyond it. */
static int append_bytes(struct test_decoder *decoder, const void *bytes, size_t size)
{
    void *exact = malloc(size ? size : 1);
    int err;

    assert_non_null(exact);
    memcpy(exact, bytes, size);
    err = mrl_decode__append(exact, size, &decoder->host, decoder->batch);
    free(exact);
    return err;
}

static void assert_refused(struct test_decoder *decoder, const struct test_record *record)
{
    size_t used = decoder->batch->arena.used;

    assert_int_equal(append_bytes(decoder, record, record->call.size), -EBADMSG);
    assert_int_equal(mrl_batch__count(decoder->batch), 0);
    assert_int_equal(decoder->batch->arena.used, used);
}

static void decode_rejects_every_shorter_length(void **state)
{
    struct test_record record;

    test_record__init_full(&record);
    for (size_t size = 0; size < record.call.size; size++)
        assert_int_equal(append_bytes(*state, &record, size), -EBADMSG);
    assert_int_equal(append_bytes(*state, &record, record.call.size), 0);
}

static void decode_rejects_a_judgement_that_is_not_whole(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    test_record__judge(&record, 1, 1);
    while (--record.call.size >= sizeof(record.call))
        assert_refused(*state, &record);
}

static void decode_rejects_every_shorter_length_that_the_record_admits(void **state)
{
    struct test_record record;
    __u16 whole;

    test_record__init_full(&record);
    test_record__judge(&record, 1, 1);
    whole = record.call.size;
    for (record.call.size = 0; record.call.size < whole; record.call.size++)
        assert_int_equal(append_bytes(*state, &record, record.call.size), -EBADMSG);
}

static void decode_rejects_a_size_that_is_not_the_records(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    assert_int_equal(append_bytes(*state, &record, sizeof(record.call) + 8), -EBADMSG);
    record.call.size = sizeof(record.call) + 8;
    assert_int_equal(append_bytes(*state, &record, sizeof(record.call)), -EBADMSG);
}

/* The last bytes are the caller's path, and no part of the target's. */
static void decode_rejects_paths_that_overlap(void **state)
{
    struct test_record record;

    test_record__init_full(&record);
    test_record__set_caller_path(&record, "oomd\0bin", sizeof("oomd\0bin"));
    assert_int_equal(append_bytes(*state, &record, record.call.size), 0);
    record.target.exe_bytes += (__u32)sizeof("oomd\0bin");
    assert_int_equal(append_bytes(*state, &record, record.call.size), -EBADMSG);
}

static void decode_rejects_an_unknown_event(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_COUNT);
    assert_refused(*state, &record);
    record.call.event = 255;
    assert_refused(*state, &record);
}

static void decode_rejects_an_unknown_lane(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    record.call.lane = MRL_LANE_COUNT;
    assert_refused(*state, &record);
    record.call.lane = UINT8_MAX;
    assert_refused(*state, &record);
}

static void decode_rejects_string_past_record_end(void **state)
{
    struct test_record record;

    test_record__init_full(&record);
    record.target.exe_bytes++;
    assert_refused(*state, &record);
    record.target.exe_bytes = UINT32_MAX;
    assert_refused(*state, &record);
}

static void decode_rejects_a_path_longer_than_any(void **state)
{
    struct {
        struct test_record record;
        char more[8];
    } longer;

    test_record__init_full(&longer.record);
    memset(longer.record.exe, 0, sizeof(longer.record.exe) + sizeof(longer.more));
    longer.record.target.exe_bytes = MRL_EXE_BYTES + 1;
    longer.record.call.size = offsetof(struct test_record, exe) + MRL_EXE_BYTES + 1;
    assert_refused(*state, &longer.record);
    longer.record.target.exe_bytes = MRL_EXE_BYTES;
    longer.record.call.exe_bytes = MRL_EXE_BYTES + 1;
    longer.record.call.size = offsetof(struct test_record, exe) + 2 * MRL_EXE_BYTES + 1;
    assert_refused(*state, &longer.record);
}

static void decode_rejects_a_callers_path_that_is_not_the_records(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    test_record__set_caller_path(&record, "x", 2);
    record.call.exe_bytes = 3 + sizeof(record.call);
    assert_refused(*state, &record);
    record.call.exe_bytes = UINT32_MAX;
    assert_refused(*state, &record);
    record.call.exe_bytes = 2;
    ((char *)&record)[record.call.size - 1] = 'x';
    assert_refused(*state, &record);
    test_record__init_full(&record);
    test_record__set_caller_path(&record, "x", 2);
    record.target.exe_bytes++;
    assert_refused(*state, &record); /* it begins within the target's */
}

static void decode_rejects_a_path_without_its_nul(void **state)
{
    struct test_record record;

    test_record__init_full(&record);
    record.exe[record.target.exe_bytes - 1] = 'x';
    assert_refused(*state, &record);
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_decoder__set_up, test_decoder__tear_down)
    const struct CMUnitTest tests[] = {
        test(decode_rejects_every_shorter_length),
        test(decode_rejects_every_shorter_length_that_the_record_admits),
        test(decode_rejects_a_judgement_that_is_not_whole),
        test(decode_rejects_a_size_that_is_not_the_records),
        test(decode_rejects_paths_that_overlap),
        test(decode_rejects_an_unknown_event),
        test(decode_rejects_an_unknown_lane),
        test(decode_rejects_string_past_record_end),
        test(decode_rejects_a_path_longer_than_any),
        test(decode_rejects_a_path_without_its_nul),
        test(decode_rejects_a_callers_path_that_is_not_the_records),
    };

    return cmocka_run_group_tests_name("decode, refused", tests, NULL, NULL);
}
