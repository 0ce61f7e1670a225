// SPDX-License-Identifier: Apache-2.0
/* Who is asked for which container, and when again: a table without clock and socket. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "side/names/naming.h"
#include "side/names/table.h"
#include "unit/unit.h"

enum { CRI, NATIVE, DOCKER, PODMAN, ASKERS };

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct mrl_table table;
static struct {
    unsigned int count;
    enum mrl_names_result last;
    uint32_t ask;
    char id[80];
} told;

static void tell(void *context, uint32_t ask, const struct mrl_container_names *names)
{
    (void)context;
    told.count++;
    told.last = names->result;
    told.ask = ask;
    snprintf(told.id, sizeof(told.id), "%.*s", (int)names->id.size, names->id.bytes);
}

/* All are up, but for those that `state` is of. */
static void begin(enum mrl_asker_state state, unsigned int first, unsigned int count)
{
    static const struct mrl_asker_row rows[ASKERS] = {
        [CRI] = { MRL_RUNTIME_CONTAINERD, MRL_INTERFACE_CRI, MRL_ASKER_UP, 0 },
        [NATIVE] = { MRL_RUNTIME_CONTAINERD, MRL_INTERFACE_CONTAINERD, MRL_ASKER_UP, 0 },
        [DOCKER] = { MRL_RUNTIME_DOCKER, MRL_INTERFACE_DOCKER, MRL_ASKER_UP, 1 },
        [PODMAN] = { MRL_RUNTIME_PODMAN, MRL_INTERFACE_DOCKER, MRL_ASKER_UP, 2 },
    };

    memset(&table, 0, sizeof(table));
    memset(&told, 0, sizeof(told));
    table.tell = tell;
    table.asker_count = ASKERS;
    memcpy(table.askers, rows, sizeof(rows));
    for (unsigned int i = first; i < first + count; i++)
        table.askers[i].state = state;
}

static void ask_as(const char *id, enum mrl_runtime hint, uint32_t number, int64_t now_ms)
{
    const struct mrl_side_lookup lookup = { .ask = number, .hint = (uint32_t)hint };
    char padded[MRL_NAMING_ID_BYTES + 1] = "";

    memcpy(padded, id, strlen(id));
    mrl_table__add(&table, &lookup, padded, now_ms);
}

/* Who has to ask now; ASKERS: nobody. Takes the errand. */
static unsigned int next(int64_t now_ms, struct mrl_errand *ret_errand)
{
    int64_t due_ms;

    for (unsigned int i = 0; i < ASKERS; i++)
        if (mrl_table__next(&table, i, now_ms, ret_errand, &due_ms))
            return i;
    return ASKERS;
}

/* The askers of one round, as digits, none of which knows the container. */
static const char *round_of(int64_t now_ms)
{
    static char order[16];
    struct mrl_errand errand;
    unsigned int asker, count = 0;

    while ((asker = next(now_ms, &errand)) != ASKERS && count < 8) {
        order[count++] = (char)('0' + asker);
        mrl_table__done(&table, asker, &errand, -ENOENT, now_ms);
    }
    order[count] = '\0';
    return order;
}

static void the_order_is_that_of_the_hint_and_of_the_interfaces(void **state)
{
    static const struct {
        enum mrl_runtime hint;
        const char *order; /* CRI 0, NATIVE 1, DOCKER 2, PODMAN 3 */
    } cases[] = {
        { MRL_RUNTIME_UNKNOWN, "0231" },    { MRL_RUNTIME_CRI, "0231" },
        { MRL_RUNTIME_DOCKER, "2031" },     { MRL_RUNTIME_PODMAN, "3021" },
        { MRL_RUNTIME_CONTAINERD, "0123" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(MRL_ASKER_UP, 0, 0);
        ask_as(ID, cases[i].hint, 1, 0);
        assert_string_equal(round_of(0), cases[i].order);
    }
}

static void a_miss_is_asked_for_after_four_pauses_and_told_once(void **state)
{
    static const int64_t due_ms[] = { 0, 25, 125, 525, 2125 };

    (void)state;
    begin(MRL_ASKER_UP, 0, 0);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 7, 0);
    for (size_t i = 0; i < sizeof(due_ms) / sizeof(due_ms[0]); i++) {
        assert_int_equal(told.count, 0);
        if (due_ms[i])
            assert_string_equal(round_of(due_ms[i] - 1), "");
        assert_string_equal(round_of(due_ms[i]), "0231");
    }
    assert_int_equal(told.count, 1);
    assert_int_equal(told.last, MRL_NAMES_NOT_FOUND);
    assert_int_equal(told.ask, 7);
    assert_string_equal(told.id, ID);
    assert_string_equal(round_of(100000), "");
}

static void within_ten_seconds_a_miss_is_answered_from_memory(void **state)
{
    (void)state;
    begin(MRL_ASKER_UP, 0, 0);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    for (int64_t now_ms = 0; now_ms < 3000; now_ms += 25)
        round_of(now_ms);
    assert_int_equal(told.count, 1);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 2, 11000);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.ask, 2);
    assert_string_equal(round_of(11000), "");
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 3, 12200);
    assert_int_equal(told.count, 2);
    assert_string_equal(round_of(12200), "0231");
}

static void one_that_is_known_is_gone_from_the_table(void **state)
{
    struct mrl_errand errand;

    (void)state;
    begin(MRL_ASKER_UP, 0, 0);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    assert_int_equal(next(0, &errand), CRI);
    mrl_table__done(&table, CRI, &errand, 0, 0);
    assert_int_equal(told.count, 0); /* who found it tells it */
    assert_int_equal(next(100000, &errand), ASKERS);
}

static void whoever_is_down_is_told_at_once_where_he_may_know_it(void **state)
{
    static const struct {
        unsigned int first, count;
        enum mrl_runtime hint;
        enum mrl_names_result result;
    } cases[] = {
        { CRI, ASKERS, MRL_RUNTIME_UNKNOWN, MRL_NAMES_RUNTIME_DOWN },
        { DOCKER, 1, MRL_RUNTIME_DOCKER, MRL_NAMES_RUNTIME_DOWN },
        { DOCKER, 1, MRL_RUNTIME_UNKNOWN, MRL_NAMES_RUNTIME_DOWN },
        { DOCKER, 1, MRL_RUNTIME_CONTAINERD, MRL_NAMES_PENDING }, /* and later not found */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(MRL_ASKER_DOWN, cases[i].first, cases[i].count);
        ask_as(ID, cases[i].hint, 1, 0);
        round_of(0);
        assert_int_equal(told.count, cases[i].result != MRL_NAMES_PENDING);
        if (told.count)
            assert_int_equal(told.last, cases[i].result);
    }
}

static void nobody_there_is_down_and_absent_ones_do_not_matter(void **state)
{
    (void)state;
    begin(MRL_ASKER_ABSENT, CRI, ASKERS);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    assert_int_equal(told.last, MRL_NAMES_RUNTIME_DOWN);
    begin(MRL_ASKER_ABSENT, DOCKER, 2);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    for (int64_t now_ms = 0; now_ms < 3000; now_ms += 25)
        round_of(now_ms);
    assert_int_equal(told.last, MRL_NAMES_NOT_FOUND);
}

static void one_that_hangs_is_left_out_with_all_of_its_socket(void **state)
{
    struct mrl_errand errand;

    (void)state;
    begin(MRL_ASKER_UP, 0, 0);
    ask_as(ID, MRL_RUNTIME_CONTAINERD, 1, 0);
    assert_int_equal(next(0, &errand), CRI);
    mrl_table__done(&table, CRI, &errand, -ETIMEDOUT, 1000);
    assert_int_equal(table.askers[CRI].state, MRL_ASKER_HUNG);
    assert_int_equal(table.askers[NATIVE].state, MRL_ASKER_HUNG);
    assert_int_equal(table.askers[DOCKER].state, MRL_ASKER_UP);
    assert_string_equal(round_of(1000), "23");
    assert_int_equal(told.last, MRL_NAMES_TIMEOUT);
    assert_int_equal(told.count, 1);
}

static void one_that_is_back_is_asked_for_what_nobody_knew(void **state)
{
    struct mrl_errand errand;

    (void)state;
    begin(MRL_ASKER_DOWN, CRI, ASKERS);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    for (int64_t now_ms = 0; now_ms < 3000; now_ms += 25)
        round_of(now_ms);
    assert_int_equal(told.count, 1);
    mrl_table__set_state(&table, DOCKER, MRL_ASKER_UP, 60000);
    assert_int_equal(next(60000, &errand), DOCKER);
    assert_string_equal(errand.id, ID);
    /* And so is one that is back within a round. */
    begin(MRL_ASKER_UP, 0, 0);
    ask_as(ID, MRL_RUNTIME_CONTAINERD, 1, 0);
    assert_int_equal(next(0, &errand), CRI);
    mrl_table__done(&table, CRI, &errand, -ETIMEDOUT, 1000);
    mrl_table__set_state(&table, CRI, MRL_ASKER_UP, 1000);
    assert_int_equal(next(1000, &errand), CRI);
}

static void who_was_missed_waits_for_who_was_not_asked_for_yet(void **state)
{
    struct mrl_errand errand;

    (void)state;
    begin(MRL_ASKER_UP, 0, 0);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    round_of(0);
    ask_as("ffffffffffff", MRL_RUNTIME_UNKNOWN, 2, 1);
    assert_int_equal(next(1000, &errand), CRI);
    assert_string_equal(errand.id, "ffffffffffff");
    assert_int_equal(next(1000, &errand), CRI);
    assert_string_equal(errand.id, ID);
}

static void who_was_not_reached_yet_is_waited_for(void **state)
{
    (void)state;
    begin(MRL_ASKER_NEW, CRI, 1);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    assert_string_equal(round_of(0), "");
    assert_int_equal(told.count, 0);
    assert_false(mrl_table__is_settled(&table));
    mrl_table__set_state(&table, CRI, MRL_ASKER_ABSENT, 10);
    assert_true(mrl_table__is_settled(&table));
    assert_string_equal(round_of(10), "231");
}

static void the_oldest_that_waits_is_given_up_but_first_what_is_over(void **state)
{
    char id[80];

    (void)state;
    begin(MRL_ASKER_UP, 0, 0);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    for (int64_t now_ms = 0; now_ms < 3000; now_ms += 25)
        round_of(now_ms);
    for (unsigned int i = 0; i < MRL_TABLE_ENTRIES; i++) {
        snprintf(id, sizeof(id), "%064x", i);
        ask_as(id, MRL_RUNTIME_UNKNOWN, i + 10, 3000);
    }
    assert_int_equal(told.count, 1); /* the one that was over went */
    ask_as("ffffffffffff", MRL_RUNTIME_UNKNOWN, 5, 3000);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.last, MRL_NAMES_QUEUE_FULL);
    assert_int_equal(told.ask, 10);
}

static void what_came_of_an_errand_that_was_given_up_changes_nothing(void **state)
{
    struct mrl_errand errand;
    char id[80];

    (void)state;
    begin(MRL_ASKER_UP, 0, 0);
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 1, 0);
    assert_int_equal(next(0, &errand), CRI);
    for (unsigned int i = 0; i < MRL_TABLE_ENTRIES; i++) {
        snprintf(id, sizeof(id), "%064x", i);
        ask_as(id, MRL_RUNTIME_UNKNOWN, 2, 0);
    }
    ask_as(ID, MRL_RUNTIME_UNKNOWN, 3, 0);
    mrl_table__done(&table, CRI, &errand, -ENOENT, 0);
    for (unsigned int i = 0; i < MRL_TABLE_ENTRIES; i++)
        assert_int_equal(table.entries[i].asked, 0);
}

static void texts_are_whole_characters_that_may_be_shown(void **state)
{
    static struct mrl_naming naming;
    char longer[300];

    (void)state;
    assert_false(mrl_naming__begin(&naming, MRL_RUNTIME_DOCKER, "../etc"));
    assert_true(mrl_naming__begin(&naming, MRL_RUNTIME_DOCKER, ID));
    mrl_naming__set(&naming, MRL_NAME_CONTAINER,
                    "a\n\xff\xe2\x80\xae"
                    "b");
    assert_int_equal(naming.names.texts[MRL_NAME_CONTAINER].size, 5);
    assert_memory_equal(naming.texts[MRL_NAME_CONTAINER], "a???b", 5);
    memset(longer, 'x', sizeof(longer));
    longer[255] = (char)0xc3; /* a character of two bytes at the bound */
    longer[256] = (char)0xa9;
    longer[299] = '\0';
    mrl_naming__set(&naming, MRL_NAME_POD, longer);
    assert_int_equal(naming.names.texts[MRL_NAME_POD].size, 255);
    assert_int_equal(naming.names.cut, 1U << MRL_NAME_POD);
    mrl_naming__set(&naming, MRL_NAME_POD, NULL);
    assert_int_equal(naming.names.texts[MRL_NAME_POD].size, 0);
    assert_int_equal(naming.names.cut, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_that_of_the_hint_and_of_the_interfaces),
        cmocka_unit_test(a_miss_is_asked_for_after_four_pauses_and_told_once),
        cmocka_unit_test(within_ten_seconds_a_miss_is_answered_from_memory),
        cmocka_unit_test(one_that_is_known_is_gone_from_the_table),
        cmocka_unit_test(whoever_is_down_is_told_at_once_where_he_may_know_it),
        cmocka_unit_test(nobody_there_is_down_and_absent_ones_do_not_matter),
        cmocka_unit_test(one_that_hangs_is_left_out_with_all_of_its_socket),
        cmocka_unit_test(one_that_is_back_is_asked_for_what_nobody_knew),
        cmocka_unit_test(who_was_missed_waits_for_who_was_not_asked_for_yet),
        cmocka_unit_test(who_was_not_reached_yet_is_waited_for),
        cmocka_unit_test(the_oldest_that_waits_is_given_up_but_first_what_is_over),
        cmocka_unit_test(what_came_of_an_errand_that_was_given_up_changes_nothing),
        cmocka_unit_test(texts_are_whole_characters_that_may_be_shown),
    };

    return cmocka_run_group_tests_name("names_table", tests, NULL, NULL);
}
