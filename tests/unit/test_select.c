// SPDX-License-Identifier: Apache-2.0
/* --events in Tracee's syntax. */
#include <abi/record.h>
#include <errno.h>
#include <mrelease/event.h>
#include <string.h>

#include "unit/unit.h"

enum {
    PROCESS_MRELEASE = 1 << MRL_EVENT_PROCESS_MRELEASE,
    DO_MRELEASE = 1 << MRL_EVENT_DO_MRELEASE,
    MLOCK = 1 << MRL_EVENT_MLOCK,
    MUNLOCK = 1 << MRL_EVENT_MUNLOCK,
    MLOCKALL = 1 << MRL_EVENT_MLOCKALL,
    MUNLOCKALL = 1 << MRL_EVENT_MUNLOCKALL,
    MLOCK2 = 1 << MRL_EVENT_MLOCK2,
    FAMILY = MLOCK | MUNLOCK | MLOCKALL | MUNLOCKALL | MLOCK2,
    DEFAULT = PROCESS_MRELEASE | DO_MRELEASE,
    KNOWN = DEFAULT | FAMILY, /* rows that come later say themselves what they belong to */
};

static void select_understands_lists(void **state)
{
    static const struct {
        const char *list;
        uint32_t events;
    } cases[] = {
        { "process_mrelease", PROCESS_MRELEASE },
        { "do_mrelease", DO_MRELEASE },
        { "mlock", MLOCK },
        { "mlock2,munlockall", MLOCK2 | MUNLOCKALL },
        { "mlock,mlock", MLOCK },
        { "default", DEFAULT },
        { "proc", FAMILY },
        { "proc_mem", FAMILY },
        { "syscalls", PROCESS_MRELEASE | FAMILY },
        { "default,mlock", DEFAULT | MLOCK },
        { "mlock*", MLOCK | MLOCKALL | MLOCK2 },
        { "m*", FAMILY },
        { "munlock*,process*", MUNLOCK | MUNLOCKALL | PROCESS_MRELEASE },
        { "mlock*,-mlock2", MLOCK | MLOCKALL },
        { "-mlock2,mlock*", MLOCK | MLOCKALL },
        { "syscalls,-proc_mem", PROCESS_MRELEASE },
        { "proc,-mlock*", MUNLOCK | MUNLOCKALL },
        { "-do_mrelease", PROCESS_MRELEASE },
        { "-process_mrelease", DO_MRELEASE },
        { "-mlock", DEFAULT },
        { "-mlock*,-munlock*", DEFAULT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_error error = { "" };
        uint32_t events = 0;
        int err = mrl_events__parse(cases[i].list, &events, &error);

        if (err || (events & KNOWN) != cases[i].events)
            fail_case("'%s': %d, %#x, \"%s\"; wanted %#x", cases[i].list, err, events, error.text,
                      cases[i].events);
    }
}

static uint32_t events_of_set(unsigned int bit)
{
    uint32_t events = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (mrl_event_def__at(i)->sets & (1U << bit))
            events |= 1U << i;
    return events;
}

static void select_knows_each_set_and_event_of_the_table(void **state)
{
    uint32_t events = 0;

    (void)state;
    for (unsigned int bit = 0; mrl_set_name(bit); bit++) {
        assert_int_equal(mrl_events__parse(mrl_set_name(bit), &events, NULL), 0);
        assert_int_equal(events, events_of_set(bit));
    }
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        if (mrl_event_def__at(i)->lane == MRL_LANE_NONE)
            continue;
        assert_int_equal(mrl_events__parse(mrl_event_def__at(i)->name, &events, NULL), 0);
        assert_int_equal(events, 1U << i);
    }
}

static void select_refuses_with_one_line(void **state)
{
    static const struct {
        const char *list, *text;
    } cases[] = {
        { "", "'' is not a list of events, like 'process_mrelease,mlock*'" },
        { ",", "',' is not a list of events, like 'process_mrelease,mlock*'" },
        { "mlock,", "'mlock,' is not a list of events, like 'process_mrelease,mlock*'" },
        { ",mlock", "',mlock' is not a list of events, like 'process_mrelease,mlock*'" },
        { "mlock,,munlock",
          "'mlock,,munlock' is not a list of events, like 'process_mrelease,mlock*'" },
        { "-", "'-' is not a list of events, like 'process_mrelease,mlock*'" },
        { "mlock,-", "'mlock,-' is not a list of events, like 'process_mrelease,mlock*'" },
        { "mlok", "unknown event 'mlok': did you mean 'mlock'?" },
        { "process_mreleas", "unknown event 'process_mreleas': did you mean 'process_mrelease'?" },
        { "mlock,proc_men", "unknown event 'proc_men': did you mean 'proc_mem'?" },
        { "syscall", "unknown event 'syscall': did you mean 'syscalls'?" },
        { "-mlockk", "unknown event 'mlockk': did you mean 'mlock'?" },
        { "mlock, munlock", "unknown event ' munlock': did you mean 'munlock'?" },
        { "MLOCK2", NULL },
        { "kill*", NULL },
        { "mlock,-mlock", "'mlock,-mlock' leaves no event to watch" },
        { "-default", "'-default' leaves no event to watch" },
        { "mlock*,-proc", "'mlock*,-proc' leaves no event to watch" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_error error = { "" };
        uint32_t events = 0xdead;
        int err = mrl_events__parse(cases[i].list, &events, &error);

        if (err != -EINVAL || events != 0xdead || !error.text[0] ||
            (cases[i].text && strcmp(error.text, cases[i].text) != 0))
            fail_case("'%s': %d, %#x, \"%s\"", cases[i].list, err, events, error.text);
        assert_int_equal(mrl_events__parse(cases[i].list, &events, NULL), -EINVAL);
    }
}

static void select_refuses_a_term_longer_than_any_name(void **state)
{
    struct mrl_error error;
    uint32_t events = 0;
    char list[65];

    (void)state;
    memset(list, 'm', sizeof(list) - 1);
    list[sizeof(list) - 1] = '\0';
    assert_int_equal(mrl_events__parse(list, &events, &error), -EINVAL);
    list[63] = '\0';
    assert_int_equal(mrl_events__parse(list, &events, &error), -EINVAL);
    assert_int_equal(events, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(select_understands_lists),
        cmocka_unit_test(select_knows_each_set_and_event_of_the_table),
        cmocka_unit_test(select_refuses_with_one_line),
        cmocka_unit_test(select_refuses_a_term_longer_than_any_name),
    };

    return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
