// SPDX-License-Identifier: Apache-2.0
/*
 * The JSON dialects side by side: the same record in all of them, and readers that are not ours:
 * jq, and Wireshark with traceeshark, whose rules for a line are written down here.
 */
#include <ctype.h>
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/cases.h"
#include "unit/lines.h"
#include "unit/unit.h"

static const char *const dialects[] = { "json-v0.23", "json-v0.24", "json-v1beta1" };

enum { DIALECTS = COUNT_OF(dialects), RANDOM_CASES = 300 };

/* Encoders, and the file that takes their lines in turn. */
struct group {
    struct mrl_encoder *encoders[DIALECTS];
    char path[64];
    FILE *file;
};

static void group_init(struct group *group)
{
    struct mrl_encoder_options options = { .extras = 0 };
    int descriptor;

    assert_int_equal(mrl_extras__parse("exe", &options.extras, NULL), 0);
    for (int i = 0; i < DIALECTS; i++)
        group->encoders[i] = test_encoder(dialects[i], &options);
    strcpy(group->path, "/tmp/mrelease-dialects-XXXXXX");
    descriptor = mkstemp(group->path);
    assert_true(descriptor >= 0);
    group->file = fdopen(descriptor, "w");
    assert_non_null(group->file);
}

static void group_done(struct group *group)
{
    for (int i = 0; i < DIALECTS; i++)
        mrl_encoder__free(group->encoders[i]);
    unlink(group->path);
}

static void put_event(struct group *group, const struct mrl_event *event)
{
    for (int i = 0; i < DIALECTS; i++) {
        char *line = test_line(group->encoders[i], event);

        fputs(line, group->file);
        free(line);
    }
}

static void put_random_calls(struct group *group)
{
    char arguments[64], *text = NULL;
    size_t room = 0;
    FILE *output;

    snprintf(arguments, sizeof(arguments), "generate.py --count %d --seed 5", RANDOM_CASES);
    output = test_python(arguments);
    while (getline(&text, &room, output) > 0) {
        json_t *both = json_loads(text, 0, NULL);

        for (int i = 0; i < DIALECTS; i++) {
            char *line = test_case__line(group->encoders[i], json_object_get(both, "case"));

            fputs(line, group->file);
            free(line);
        }
        json_decref(both);
    }
    free(text);
    assert_int_equal(pclose(output), 0);
}

static void put_each_event(struct group *group)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct test_event event;

        test_event__init(&event, mrl_event_def__at(i)->name);
        event.event.executable = test_text("/usr/bin/oomd");
        put_event(group, &event.event);
        event.event.container_id = test_text("c0ffee");
        event.event.flags = MRL_EVENT_IS_COMPAT;
        put_event(group, &event.event);
    }
}

/* Runs a reader on the file and shows what it says before the test fails. */
static void assert_accepted(FILE *reader)
{
    char line[1024];

    while (fgets(line, sizeof(line), reader))
        print_error("%s", line);
    assert_int_equal(pclose(reader), 0);
}

static void dialects_say_the_same_of_each_record(void **state)
{
    struct group group;
    char arguments[128];

    (void)state;
    if (access(TEST_PYTHON, X_OK))
        skip_because("there is no " TEST_PYTHON);
    group_init(&group);
    put_each_event(&group);
    put_random_calls(&group);
    fclose(group.file);
    snprintf(arguments, sizeof(arguments), "agree.py %s", group.path);
    assert_accepted(test_python(arguments));
    group_done(&group);
}

static void jq_reads_every_dialect(void **state)
{
    struct group group;
    char command[512];

    (void)state;
    if (access("/usr/bin/jq", X_OK))
        skip_because("there is no /usr/bin/jq");
    group_init(&group);
    put_each_event(&group);
    fclose(group.file);
    snprintf(command, sizeof(command),
             "jq -ne '[inputs | .eventName // .name | select(length > 0)] | length == %u or error' "
             "%s 2>&1 >/dev/null",
             2 * DIALECTS * mrl_event_def__count(), group.path);
    assert_accepted(popen(command, "re"));
    group_done(&group);
}

/* -- Wireshark --------------------------------------------------------------------------------- */

/* What its dissector asserts of a line, by the type of the JSON. */
static const struct {
    const char *name;
    int type, or_type;
} required_keys[] = {
    { "timestamp", JSON_INTEGER, -1 },
    { "processName", JSON_STRING, -1 },
    { "processId", JSON_INTEGER, -1 },
    { "threadId", JSON_INTEGER, -1 },
    { "parentProcessId", JSON_INTEGER, -1 },
    { "hostProcessId", JSON_INTEGER, -1 },
    { "hostThreadId", JSON_INTEGER, -1 },
    { "hostParentProcessId", JSON_INTEGER, -1 },
    { "threadStartTime", JSON_INTEGER, -1 },
    { "userId", JSON_INTEGER, -1 },
    { "cgroupId", JSON_INTEGER, -1 },
    { "mountNamespace", JSON_INTEGER, -1 },
    { "pidNamespace", JSON_INTEGER, -1 },
    { "processorId", JSON_INTEGER, -1 },
    { "hostName", JSON_STRING, -1 },
    { "container", JSON_OBJECT, -1 },
    { "kubernetes", JSON_OBJECT, -1 },
    { "eventId", JSON_STRING, JSON_INTEGER },
    { "eventName", JSON_STRING, -1 },
    { "argsNum", JSON_INTEGER, -1 },
    { "returnValue", JSON_INTEGER, -1 },
    { "syscall", JSON_STRING, -1 },
    { "args", JSON_ARRAY, -1 }, /* null is refused */
};

/* The types of arguments that it shows; text may stand for any other. */
static const char *const shown_types[] = {
    "int",    "pid_t", "int32",  "unsigned int",  "u32",         "uint32",
    "long",   "off_t", "int64",  "unsigned long", "u64",         "size_t",
    "uint64", "bool",  "string", "const char*",   "const void*", "trace.Pointer",
};

static void check_arguments(json_t *args)
{
    json_t *arg;
    size_t i;

    json_array_foreach(args, i, arg)
    {
        const char *type = json_string_value(json_object_get(arg, "type"));
        bool shown = false;

        assert_true(json_is_string(json_object_get(arg, "name")) && type);
        for (size_t t = 0; t < COUNT_OF(shown_types); t++)
            shown |= !strcmp(shown_types[t], type);
        if (!shown)
            fail_case("an argument of type '%s'", type);
    }
}

static void check_line_for_wireshark(const char *line)
{
    json_t *parsed = json_loads(line, 0, NULL);

    assert_memory_equal(line, "{\"timestamp\":", 13);
    assert_true(isdigit((unsigned char)line[13]));
    assert_non_null(parsed);
    for (size_t i = 0; i < COUNT_OF(required_keys); i++) {
        json_t *value = json_object_get(parsed, required_keys[i].name);

        if (!value || ((int)json_typeof(value) != required_keys[i].type &&
                       (int)json_typeof(value) != required_keys[i].or_type))
            fail_case("%s is missing, or of another type: %s", required_keys[i].name, line);
    }
    assert_true(*json_string_value(json_object_get(parsed, "eventName")));
    assert_true(json_is_string(json_object_get(json_object_get(parsed, "executable"), "path")));
    check_arguments(json_object_get(parsed, "args"));
    json_decref(parsed);
}

static void wireshark_reads_the_classic_dialects(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct test_event event;

        test_event__init(&event, mrl_event_def__at(i)->name);
        for (int d = 0; d < 2; d++) {
            char *line = test_line_in(dialects[d], &event.event);

            check_line_for_wireshark(line);
            free(line);
        }
    }
}

/* It knows such a line as Tracee's, and then finds no number. */
static void wireshark_cannot_read_v1beta1(void **state)
{
    struct test_event event;
    char *line;

    (void)state;
    test_event__init(&event, "process_mrelease");
    line = test_line_in("json-v1beta1", &event.event);
    assert_memory_equal(line, "{\"timestamp\":\"", 14);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialects_say_the_same_of_each_record),
        cmocka_unit_test(jq_reads_every_dialect),
        cmocka_unit_test(wireshark_reads_the_classic_dialects),
        cmocka_unit_test(wireshark_cannot_read_v1beta1),
    };

    return cmocka_run_group_tests_name("dialects", tests, NULL, NULL);
}
