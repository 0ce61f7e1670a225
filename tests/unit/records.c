// SPDX-License-Identifier: Apache-2.0
/* Records for tests. */
#include "unit/records.h"

#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

void test_record__init(struct test_record *record, unsigned int event)
{
    memset(record, 0, sizeof(*record));
    record->call = (struct mrl_record){
        .size = sizeof(record->call),
        .event = (__u8)event,
        .cpu = 6,
        .lane = MRL_LANE_RARE,
        .seq = 7,
        .entry_ns = TEST_ENTRY_NS - (uint64_t)TEST_BOOT_NS,
        .exit_ns = TEST_ENTRY_NS - (uint64_t)TEST_BOOT_NS + TEST_DURATION_NS,
        .args = { 5 },
        .cgroup_id = 5650,
        .thread_start_ns = TEST_START_NS - (uint64_t)TEST_BOOT_NS,
        .leader_start_ns = TEST_START_NS - (uint64_t)TEST_BOOT_NS,
        .parent_start_ns = TEST_PARENT_NS - (uint64_t)TEST_BOOT_NS,
        .tid = 4242,
        .pid = 4242,
        .ppid = 1,
        .host_tid = 4242,
        .host_pid = 4242,
        .host_ppid = 1,
        .mount_ns = 4026531841,
        .pid_ns = 4026531836,
        .comm = "oomd",
        .host_name = "rugged",
    };
}

void test_record__add_target(struct test_record *record)
{
    record->call.flags |= MRL_RECORD_TARGET;
    record->call.size = sizeof(record->call) + sizeof(record->target);
    record->target = (struct mrl_target){
        .flags = MRL_TARGET_FOUND | MRL_TARGET_MM | MRL_TARGET_AFTER | MRL_TARGET_MM_AFTER |
                 MRL_TARGET_UNSTABLE_AFTER,
        .host_pid = 5151,
        .pid = 17,
        .uid = 1000,
        .start_ns = TEST_START_NS - (uint64_t)TEST_BOOT_NS,
        .cgroup_id = 77,
        .before = { .file = 10, .anon = 1000, .swap = 3, .shmem = 20 },
        .after = { .file = 9, .anon = 1, .swap = 2, .shmem = 0 },
        .locked_pages = 16,
        .pagetable_bytes = 8192,
        .comm = "hog",
    };
    test_record__set_path(record, "hog\0bin\0usr", sizeof("hog\0bin\0usr"));
}

void test_record__init_full(struct test_record *record)
{
    test_record__init(record, MRL_EVENT_DO_MRELEASE);
    test_record__add_target(record);
}

void test_record__set_path(struct test_record *record, const char *steps, size_t size)
{
    memcpy(record->exe, steps, size);
    record->target.exe_bytes = (__u32)size;
    record->call.size = (__u16)(offsetof(struct test_record, exe) + size);
}

void test_record__judge(struct test_record *record, uint64_t policies, uint32_t generation)
{
    const struct mrl_judgement judgement = { .policies = policies, .generation = generation };
    char *parts = (char *)record + sizeof(record->call);

    memmove(parts + sizeof(judgement), parts, record->call.size - sizeof(record->call));
    memcpy(parts, &judgement, sizeof(judgement));
    record->call.size = (__u16)(record->call.size + sizeof(judgement));
    record->call.flags |= MRL_RECORD_JUDGED;
}

void test_record__set_caller_path(struct test_record *record, const char *steps, size_t size)
{
    memcpy((char *)record + record->call.size, steps, size);
    record->call.exe_bytes = (__u32)size;
    record->call.size = (__u16)(record->call.size + size);
}

void test_decoder__init(struct test_decoder *decoder)
{
    *decoder = (struct test_decoder){
        .host = { .facts = { TEST_BOOT_NS, TEST_PAGE_BYTES, TEST_CPUS, false } },
        .pool = mrl_pool__new(2),
    };
    assert_non_null(decoder->pool);
    decoder->batch = mrl_pool__get(decoder->pool);
    assert_non_null(decoder->batch);
}

void test_decoder__done(struct test_decoder *decoder)
{
    mrl_batch__unref(decoder->batch);
    mrl_pool__unref(decoder->pool);
}

int test_decoder__set_up(void **state)
{
    struct test_decoder *decoder = malloc(sizeof(*decoder));

    assert_non_null(decoder);
    test_decoder__init(decoder);
    *state = decoder;
    return 0;
}

int test_decoder__tear_down(void **state)
{
    test_decoder__done(*state);
    free(*state);
    return 0;
}

const struct mrl_event *test_decoder__event(struct test_decoder *decoder,
                                            const struct test_record *record)
{
    size_t index = mrl_batch__count(decoder->batch);

    assert_true(mrl_batch__has_room(decoder->batch, MRL_BATCH_EVENTS));
    assert_int_equal(mrl_decode__append(record, record->call.size, &decoder->host, decoder->batch),
                     0);
    return mrl_batch__at(decoder->batch, index);
}

void test_decoder__numbered(struct test_decoder *decoder, unsigned int count)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    for (unsigned int i = 0; i < count; i++) {
        record.call.args[0] = i;
        test_decoder__event(decoder, &record);
    }
}

const struct mrl_value *test_value(const struct mrl_event *event, const char *name)
{
    for (unsigned int i = 0; i < event->def->field_count; i++)
        if (!strcmp(event->def->fields[i].name, name))
            return &event->values[i];
    print_error("%s has no field %s\n", event->def->name, name);
    fail();
    return NULL;
}
