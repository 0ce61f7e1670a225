// SPDX-License-Identifier: Apache-2.0
/* The shape of the classic JSON object, whatever the event: its keys, and its greatest length. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "unit/lines.h"
#include "unit/unit.h"

static const char *const keys[] = {
    "timestamp",      "threadStartTime", "processorId",    "processId",       "cgroupId",
    "threadId",       "parentProcessId", "hostProcessId",  "hostThreadId",    "hostParentProcessId",
    "userId",         "mountNamespace",  "pidNamespace",   "processName",     "executable",
    "hostName",       "containerId",     "container",      "kubernetes",      "eventId",
    "eventName",      "matchedPolicies", "argsNum",        "returnValue",     "syscall",
    "stackAddresses", "contextFlags",    "threadEntityId", "processEntityId", "parentEntityId",
    "args",
};

static void check_keys(const char *line)
{
    json_t *parsed = json_loads(line, 0, NULL), *value;
    const char *key;
    size_t at = 0;

    assert_non_null(parsed);
    json_object_foreach(parsed, key, value)
    {
        assert_true(at < COUNT_OF(keys));
        assert_string_equal(key, keys[at++]);
    }
    assert_int_equal(at, COUNT_OF(keys));
    json_decref(parsed);
}

static void json_has_the_31_keys_of_tracee_in_order(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(keys), 31);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct test_event event;
        char *line;

        test_event__init(&event, mrl_event_def__at(i)->name);
        line = test_line_in("json", &event.event);
        assert_memory_equal(line, "{\"timestamp\":1", 14);
        check_keys(line);
        free(line);
    }
}

static void json_of_the_worst_event_fits_its_room(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct test_event event;
        json_error_t error;
        json_t *parsed;
        char *line;

        test_event__init_worst(&event, mrl_event_def__at(i)->name);
        line = test_line_in("json-v0.23", &event.event);
        assert_in_range(strlen(line), 1, MRL_EVENT_TEXT_MAX);
        parsed = json_loads(line, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);
        if (!parsed)
            fail_case("%s: %s", mrl_event_def__at(i)->name, error.text);
        json_decref(parsed);
        free(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_of_the_worst_event_fits_its_room),
        cmocka_unit_test(json_has_the_31_keys_of_tracee_in_order),
    };

    return cmocka_run_group_tests_name("json shape", tests, NULL, NULL);
}
