// SPDX-License-Identifier: Apache-2.0
/*
 * Tags must be true: each field's are written down here once more, by what is known of how it is
 * read. A new field wants its name in one of the lists; EVENT.NAME, where another event has it
 * otherwise.
 */
#include <mrelease/event.h>
#include <mrelease/extra.h>
#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

enum { K = MRL_TAG_K, TOCTOU = MRL_TAG_TOCTOU, OPT = MRL_TAG_OPT };

static const struct {
    unsigned int tags;
    const char *names[40];
} lists[] = {
    /* Registers of the call, and what the sensor itself counted, or found out. */
    { K,
      { "pidfd", "flags", "addr", "len", "event", "count", "cause", "from_ns", "to_ns", "seq",
        "lane", "what", "detail", "events_so_far", "container_lookup", "container_confirmed" } },
    /* Of the target behind a descriptor, which the caller may point elsewhere meanwhile. */
    { K | TOCTOU | OPT,
      { "target_host_pid",  "target_pid",          "target_name",      "target_exe",
        "target_uid",       "target_start_time",   "target_entity_id", "target_cgroup_id",
        "target_threads",   "target_container_id", "target_dying",     "target_exit_signal",
        "target_mm_shared", "target_core_dumping", "outcome",          "released_bytes",
        "anon_before",      "anon_after",          "file_before",      "file_after",
        "shmem_before",     "shmem_after",         "swap_before",      "swap_after",
        "locked_bytes",     "pagetable_bytes",     "since_kill_ns" } },
    /* Of the reading, or of the caller, which no one else can swap. */
    { K | OPT,
      { "accuracy", "error_bound_bytes", "duration_ns", "target_from", "locked_before_bytes",
        "locked_after_bytes", "memlock_limit_bytes", "lock_flags", "id" } },
    /* What a runtime says, which no kernel knows: of the caller's container, and of the target's.
     */
    { OPT, { "container_runtime" } },
    { TOCTOU | OPT,
      { "target_container_name", "target_container_image", "target_pod_name",
        "target_pod_namespace" } },
    /* Of who it was, where that was anybody; of an interval, where it is about one. */
    { K | OPT,
      { "by_uid", "by_cgroup", "by_comm", "by_pid", "sensor_state.from_ns",
        "sensor_state.to_ns" } },
};

/* The tags of the list that holds `name`; 0: none does. */
static unsigned int tags_of(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (size_t j = 0; lists[i].names[j]; j++)
            if (!strcmp(lists[i].names[j], name))
                return lists[i].tags;
    return 0;
}

static void assert_tags(const char *of, const struct mrl_field *field)
{
    unsigned int tags;
    char name[128];

    snprintf(name, sizeof(name), "%s.%s", of, field->name);
    tags = tags_of(name);
    tags = tags ? tags : tags_of(field->name);
    if (!tags)
        fail_case("%s of %s is in no list of this test", field->name, of);
    if (field->tags != tags)
        fail_case("%s of %s has the tags %#x, not %#x", field->name, of, field->tags, tags);
}

static void tags_of_events_are_true(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; j < mrl_event_def__at(i)->field_count; j++)
            assert_tags(mrl_event_def__at(i)->name, &mrl_event_def__at(i)->fields[j]);
}

static void tags_of_extras_are_true(void **state)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    (void)state;
    for (unsigned int i = 0; i < count; i++)
        for (unsigned int j = 0; j < extras[i].field_count; j++)
            assert_tags(extras[i].name, &extras[i].fields[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_of_events_are_true),
        cmocka_unit_test(tags_of_extras_are_true),
    };

    return cmocka_run_group_tests_name("tags", tests, NULL, NULL);
}
