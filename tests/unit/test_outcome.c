// SPDX-License-Identifier: Apache-2.0
/* Outcomes: the rules over what was seen of a call, and the page that tells them. */
#include <errno.h>
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/ladder.h"
#include "unit/extras.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { PAGE_BYTES = 32 * 1024, WORD_BYTES = 32 };

#define OUTCOMES_PAGE MRL_TEST_DIR "/../docs/outcomes.md"

#define SEEN     (MRL_TARGET_FOUND | MRL_TARGET_MM)
#define SAME     (SEEN | MRL_TARGET_AFTER)
#define DYING    (MRL_TARGET_DYING | MRL_TARGET_DYING_AFTER)
#define DUMPING  (MRL_TARGET_DUMPING | MRL_TARGET_DUMPING_AFTER)
#define MARKS    MRL_TARGET_MM_AFTER
#define SKIP     MRL_TARGET_SKIP_AFTER
#define UNSTABLE MRL_TARGET_UNSTABLE_AFTER
#define KNOWS    MRL_TARGET_REAP_KILL
#define BLOCKED  (MRL_RECORD_NO_ENTRY | MRL_RECORD_BLOCKED)

static const struct {
    int64_t answer;
    uint32_t call_flags; /* the second argument */
    uint8_t record_flags;
    uint32_t target_flags;
    int64_t anon_pages;
    const char *outcome;
} cases[] = {
    /* answer, flags, record, target, pages, outcome */
    { 0, 0, 0, SAME | MARKS | UNSTABLE, 900, "reaped" },
    { 0, 0, 0, SAME | MARKS, 900, "reaped" },
    { 0, 0, 0, SAME | MARKS | SKIP | UNSTABLE, 900, "reaped" },
    { 0, 0, 0, SAME | MARKS | SKIP, 900, "already_reaped" },
    { 0, 0, 0, SAME, 900, "unknown" },
    { 0, 0, 0, SAME | MRL_TARGET_OOM_SKIP, 900, "already_reaped" },
    { 0, 0, 0, SAME | MRL_TARGET_OOM_SKIP | MARKS | SKIP, 900, "already_reaped" },
    /* A reaper was there before: what is left decides. 128 pages are not above what the counters of
       4 CPUs hide. */
    { 0, 0, 0, SAME | MARKS | MRL_TARGET_UNSTABLE | UNSTABLE, 0, "already_reaped" },
    { 0, 0, 0, SAME | MARKS | MRL_TARGET_UNSTABLE | UNSTABLE, 128, "already_reaped" },
    { 0, 0, 0, SAME | MARKS | MRL_TARGET_UNSTABLE | UNSTABLE, 129, "reaped" },
    { 0, 0, 0, SAME | MARKS | MRL_TARGET_UNSTABLE | MRL_TARGET_EXACT_RSS, 1, "reaped" },
    { 0, 0, 0, SAME | MARKS | SKIP | MRL_TARGET_UNSTABLE | UNSTABLE, 129, "unknown" },
    /* Where the reaping itself is probed. */
    { 0, 0, 0, SAME | MRL_TARGET_WATCHED | MRL_TARGET_REAPED, 900, "reaped" },
    { 0, 0, 0, SAME | MRL_TARGET_WATCHED, 900, "already_reaped" },
    { 0, 0, 0, SAME | MARKS | MRL_TARGET_WATCHED, 900, "reaped" }, /* a probe was missed */
    { 0, 0, 0, MRL_TARGET_FOUND, 0, "unknown" },
    { 0, 0, 0, 0, 0, "unknown" },
    { -EINVAL, 1, 0, SAME, 0, "bad_flags" },
    { -EINVAL, UINT32_MAX, 0, 0, 0, "bad_flags" },
    /* On a kernel that knows the flag 1. */
    { -EINVAL, 1, 0, KNOWS | SAME, 0, "unknown" },
    { -EINVAL, 2, 0, KNOWS | SAME, 0, "bad_flags" },
    { -EINVAL, 3, 0, KNOWS | SAME, 0, "bad_flags" },
    { -EINVAL, 1, 0, KNOWS | SAME | DYING | DUMPING, 0, "core_dumping" },
    { -EINVAL, 1, 0, KNOWS | SAME | DYING | MRL_TARGET_SHARED, 0, "shared_mm" },
    { -EINVAL, 0, 0, KNOWS | SAME, 0, "not_dying" },
    { -EINVAL, 0, 0, SAME, 0, "not_dying" },
    { -EINVAL, 0, 0, SEEN, 0, "unknown" },
    { -EINVAL, 0, 0, 0, 0, "unknown" },
    { -EINVAL, 0, 0, SAME | MRL_TARGET_DYING_AFTER, 0, "unknown" },
    { -EINVAL, 0, 0, SAME | DYING, 0, "unknown" },
    { -EINVAL, 0, 0, SAME | DYING | MRL_TARGET_SHARED, 0, "shared_mm" },
    { -EINVAL, 0, 0, SAME | DYING | DUMPING, 0, "core_dumping" },
    { -EINVAL, 0, 0, SAME | DYING | MRL_TARGET_DUMPING, 0, "unknown" },
    { -EINVAL, 0, 0, SAME | MRL_TARGET_SHARED, 0, "not_dying" },
    { -ESRCH, 0, 0, MRL_TARGET_FOUND, 0, "race_lost" },
    { -ESRCH, 0, 0, SEEN | MRL_TARGET_DYING, 0, "race_lost" },
    { -ESRCH, 0, 0, SAME | MRL_TARGET_DYING_AFTER, 0, "race_lost" },
    { -ESRCH, 0, 0, MRL_TARGET_GONE, 0, "race_lost" },
    { -ESRCH, 0, 0, MRL_TARGET_THREAD, 0, "bad_fd" },
    { -ESRCH, 0, 0, MRL_TARGET_FOUND | MRL_TARGET_KERNEL, 0, "unknown" },
    { -ESRCH, 0, 0, SAME, 0, "unknown" },
    { -ESRCH, 0, 0, 0, 0, "unknown" },
    { -EBADF, 0, 0, 0, 0, "bad_fd" },
    { -EBADF, 7, 0, SAME, 0, "bad_fd" },
    { -EAGAIN, 0, 0, SAME | DYING, 900, "partial" },
    { -EINTR, 0, 0, SAME | DYING, 900, "interrupted" },
    { -ENOSYS, 0, 0, 0, 0, "unsupported" },
    { -EPERM, 0, 0, SAME, 0, "unknown" },
    { 1, 0, 0, SAME, 0, "unknown" },
    /* Without an entry: a filter, or a call that was under way when the probes came. */
    { -EPERM, 0, BLOCKED, 0, 0, "blocked" },
    { 0, 0, BLOCKED, 0, 0, "blocked" },
    { -EINVAL, 0, BLOCKED, 0, 0, "blocked" },
    { -EPERM, 0, MRL_RECORD_NO_ENTRY, 0, 0, "blocked" },
    { -ENOSYS, 0, MRL_RECORD_NO_ENTRY, 0, 0, "blocked" },
    { 448, 0, MRL_RECORD_NO_ENTRY, 0, 0, "blocked" },
    { 0, 0, MRL_RECORD_NO_ENTRY, 0, 0, "unknown" },
    { -EINVAL, 1, MRL_RECORD_NO_ENTRY, 0, 0, "unknown" },
    { -ESRCH, 0, MRL_RECORD_NO_ENTRY, 0, 0, "unknown" },
    { -EBADF, 0, MRL_RECORD_NO_ENTRY, 0, 0, "unknown" },
    { -EAGAIN, 0, MRL_RECORD_NO_ENTRY, 0, 0, "unknown" },
    { -EINTR, 0, MRL_RECORD_NO_ENTRY, 0, 0, "unknown" },
};

/* The extra "outcome" of process_mrelease. */
static void extra_outcome(const struct mrl_event *event, struct mrl_value *ret_value)
{
    struct mrl_value values[MRL_EXTRA_FIELDS_MAX] = { 0 };
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(extras[i].name, "outcome"))
            test_extra__values(&extras[i], event, values);
    *ret_value = values[0];
}

static void outcomes_follow_from_what_was_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct test_decoder decoder;
        struct test_record record;
        struct mrl_value value;

        test_decoder__init(&decoder);
        test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
        test_record__add_target(&record);
        record.call.ret = cases[i].answer;
        record.call.args[1] = cases[i].call_flags;
        record.call.flags = (__u8)(cases[i].record_flags | MRL_RECORD_TARGET);
        record.target.flags = cases[i].target_flags;
        record.target.before.anon = cases[i].anon_pages;
        extra_outcome(test_decoder__event(&decoder, &record), &value);
        if (value.absent || value.text.size != strlen(cases[i].outcome) ||
            memcmp(value.text.bytes, cases[i].outcome, value.text.size) != 0)
            fail_case("case %zu is %.*s, not %s", i, (int)value.text.size,
                      value.absent ? "" : value.text.bytes, cases[i].outcome);
        test_decoder__done(&decoder);
    }
}

static void outcomes_are_absent_where_nobody_looked(void **state)
{
    struct test_decoder decoder;
    struct test_record record;
    struct mrl_value value;

    (void)state;
    test_decoder__init(&decoder);
    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    extra_outcome(test_decoder__event(&decoder, &record), &value);
    assert_true(value.absent);
    test_decoder__done(&decoder);
}

/* The first cells of the rows that begin with "| `". */
static bool page_names(const char *page, const char *outcome)
{
    char cell[WORD_BYTES + 8];

    snprintf(cell, sizeof(cell), "\n| `%s` |", outcome);
    return strstr(page, cell);
}

static bool is_a_case(const char *word, size_t size)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (strlen(cases[i].outcome) == size && !memcmp(cases[i].outcome, word, size))
            return true;
    return false;
}

static void the_page_of_outcomes_has_each_and_no_other(void **state)
{
    static char page[PAGE_BYTES];
    FILE *file = fopen(OUTCOMES_PAGE, "r");
    size_t rows = 0;

    (void)state;
    assert_non_null(file);
    page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (!page_names(page, cases[i].outcome))
            fail_case("the page has no row for %s", cases[i].outcome);
    for (const char *row = page; (row = strstr(row, "\n| `")); row += 4, rows++)
        if (!is_a_case(row + 4, strcspn(row + 4, "`")))
            fail_case("no case for the row %.40s", row + 1);
    assert_int_equal(rows, 13);
}

static void only_ebadf_says_that_the_flag_is_known(void **state)
{
    (void)state;
    assert_true(mrl_ladder__knows_reap_kill(-EBADF));
    assert_false(mrl_ladder__knows_reap_kill(-EINVAL));
    assert_false(mrl_ladder__knows_reap_kill(-ENOSYS));
    assert_false(mrl_ladder__knows_reap_kill(-EPERM)); /* a filter */
    assert_false(mrl_ladder__knows_reap_kill(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_follow_from_what_was_seen),
        cmocka_unit_test(outcomes_are_absent_where_nobody_looked),
        cmocka_unit_test(only_ebadf_says_that_the_flag_is_known),
        cmocka_unit_test(the_page_of_outcomes_has_each_and_no_other),
    };

    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
