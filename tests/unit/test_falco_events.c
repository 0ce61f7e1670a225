// SPDX-License-Identifier: Apache-2.0
/* The plugin for Falco, called as a host calls it: what its events carry, and what it answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/lost.h"
#include "event/state.h"
#include "falco/abi.h"
#include "falco/config.h"
#include "falco/fields.h"
#include "falco/payload.h"
#include "unit/captures.h"
#include "unit/unit.h"

enum { EVENT_BYTES = sizeof(struct falco_plugin_event) + MRL_PAYLOAD_MAX };

#define CALLER "caller-6d6f62792d6475636b"
#define TARGET "target-636f6e7461696e6572"

static struct falco_state *init(void)
{
    const struct falco_init_input input = { .config = "{}" };
    struct falco_state *state;
    int rc;

    state = plugin_init(&input, &rc);
    assert_true(state && rc == FALCO_SUCCESS);
    return state;
}

static void a_payload_keeps_both_containers_apart(void **state)
{
    static char bytes[MRL_PAYLOAD_MAX];
    struct test_capture *capture = *state;
    struct mrl_reader *reader = calloc(1, sizeof(*reader));
    const struct mrl_event *event;
    const struct mrl_value *target;
    struct test_record record;
    struct mrl_error error;
    size_t size;

    assert_non_null(reader);
    test_record__init_full(&record);
    test_capture__set_container(capture, record.call.cgroup_id, CALLER);
    test_capture__set_container(capture, record.target.cgroup_id, TARGET);
    test_capture__qualify(capture, record.target.cgroup_id, MRL_LOOKUP_KNOWN, true);
    size = mrl_payload__put(bytes, test_decoder__event(&capture->decoder, &record), 3);
    event = mrl_reader__read(reader, bytes, size, &error);
    assert_non_null(event);
    assert_int_equal(reader->failures, 3);
    assert_int_equal(event->container_id.size, strlen(CALLER));
    assert_memory_equal(event->container_id.bytes, CALLER, strlen(CALLER));
    target = test_value(event, "target_container_id");
    assert_int_equal(target->text.size, strlen(TARGET));
    assert_memory_equal(target->text.bytes, TARGET, strlen(TARGET));
    assert_int_equal(event->lookup, MRL_LOOKUP_KNOWN);
    assert_true(!event->container_confirmed && event->target_confirmed);
    free(reader);
}

static void a_payload_with_its_run_has_an_id(void **state)
{
    static char bytes[MRL_PAYLOAD_MAX];
    struct test_capture *capture = *state;
    struct mrl_reader *reader = calloc(1, sizeof(*reader));
    struct mrl_event made;
    const struct mrl_event *event;
    struct test_record record;
    struct mrl_error error;
    size_t size;

    assert_non_null(reader);
    test_record__init(&record, MRL_EVENT_MLOCK);
    made = *test_decoder__event(&capture->decoder, &record);
    size = mrl_payload__put(bytes, &made, 0);
    assert_int_equal(mrl_payload__add_run(bytes, size, &made), size); /* not known */
    event = mrl_reader__read(reader, bytes, size, &error);
    assert_true(event && !event->id.size);
    made.run = "e30b2f15c2934355-00018f3a2b1c0d42";
    size = mrl_payload__add_run(bytes, size, &made);
    event = mrl_reader__read(reader, bytes, size, &error);
    assert_non_null(event);
    assert_memory_equal(event->id.bytes, "e30b2f15c2934355-00018f3a2b1c0d42-", 34);
    assert_string_equal(event->run, made.run);
    bytes[size - 1] = 'x';
    assert_null(mrl_reader__read(reader, bytes, size, &error));
    assert_null(mrl_reader__read(reader, bytes, size - 1, &error));
    free(reader);
}

static void a_payload_holds_the_names_of_both_containers(void **state)
{
    static char bytes[MRL_PAYLOAD_MAX];
    struct mrl_named named = {
        .result = MRL_NAMES_KNOWN,
        .runtime = MRL_RUNTIME_PODMAN,
        .texts = { [MRL_NAME_CONTAINER] = { "web", 3 }, [MRL_NAME_POD] = { "pod-1", 5 } }
    };
    struct test_capture *capture = *state;
    struct mrl_reader *reader = calloc(1, sizeof(*reader));
    const struct mrl_event *event;
    struct mrl_event made;
    struct test_record record;
    struct mrl_error error;
    size_t size, whole;

    assert_non_null(reader);
    test_record__init_full(&record);
    test_capture__set_container(capture, record.call.cgroup_id, "abc");
    test_capture__set_container(capture, record.target.cgroup_id, "def");
    mrl_containers__name(&capture->containers, record.call.cgroup_id, &named);
    named.texts[MRL_NAME_POD].size = 3;
    mrl_containers__name(&capture->containers, record.target.cgroup_id, &named);
    made = *test_decoder__event(&capture->decoder, &record);
    made.run = "e30b2f15c2934355-00018f3a2b1c0d42";
    size = mrl_payload__put(bytes, &made, 0);
    size = mrl_payload__add_run(bytes, size, &made);
    whole = mrl_payload__add_names(bytes, size, &made);
    assert_in_range(whole, size + 1, sizeof(bytes));
    event = mrl_reader__read(reader, bytes, whole, &error);
    assert_non_null(event);
    assert_int_equal(event->names_result, MRL_NAMES_KNOWN);
    assert_memory_equal(event->container_name.bytes, "web", 3);
    assert_int_equal(event->pod_name.size, 5);
    assert_memory_equal(event->target_pod_name.bytes, "pod", 3);
    assert_int_equal(event->target_pod_name.size, 3);
    assert_string_equal(event->run, made.run);
    assert_null(mrl_reader__read(reader, bytes, whole - 1, &error));
    memset(bytes + whole - 4, 0xff, 2); /* names that are longer than the payload */
    assert_null(mrl_reader__read(reader, bytes, whole, &error));
    free(reader);
}

static void a_payload_says_when_a_container_is_not_known(void **state)
{
    static char bytes[MRL_PAYLOAD_MAX];
    struct test_capture *capture = *state;
    struct mrl_reader *reader = calloc(1, sizeof(*reader));
    struct mrl_payload *head = (void *)bytes;
    const struct mrl_event *event;
    struct test_record record;
    struct mrl_error error;
    size_t size;

    assert_non_null(reader);
    test_record__init(&record, MRL_EVENT_MLOCK);
    test_capture__qualify(capture, record.call.cgroup_id, MRL_LOOKUP_NOT_FOUND, false);
    size = mrl_payload__put(bytes, test_decoder__event(&capture->decoder, &record), 0);
    event = mrl_reader__read(reader, bytes, size, &error);
    assert_true(event && event->lookup == MRL_LOOKUP_NOT_FOUND && !event->container_id.size);
    /* as older versions wrote it */
    head->caller_lookup = head->target_lookup = 0;
    event = mrl_reader__read(reader, bytes, size, &error);
    assert_true(event && event->lookup == MRL_LOOKUP_HOST);
    free(reader);
}

static void a_payload_holds_what_the_sensor_says_of_itself(void **state)
{
    static char bytes[MRL_PAYLOAD_MAX];
    const struct mrl_state said = { .what = MRL_WHAT_BLIND,
                                    .detail = { "run=x", 5 },
                                    .by_uid = 7,
                                    .by_pid = -1,
                                    .events_so_far = 9,
                                    .from_ns = 1,
                                    .to_ns = 2,
                                    .time_ns = 3 };
    struct mrl_value values[MRL_SENSOR_STATE_FIELDS];
    struct mrl_reader *reader = calloc(1, sizeof(*reader));
    const struct mrl_event *event;
    struct mrl_event made;
    struct mrl_error error;
    size_t size;

    (void)state;
    assert_non_null(reader);
    mrl_state__event(&said, values, &made);
    size = mrl_payload__put(bytes, &made, 0);
    event = mrl_reader__read(reader, bytes, size, &error);
    assert_non_null(event);
    assert_string_equal(event->def->name, "sensor_state");
    assert_memory_equal(test_value(event, "what")->text.bytes, "blind", 5);
    assert_int_equal(test_value(event, "events_so_far")->unsigned_number, 9);
    assert_true(test_value(event, "by_pid")->absent);
    bytes[size - 5 - MRL_STATE_WORD_BYTES] ^= 1; /* the word */
    assert_null(mrl_reader__read(reader, bytes, size, &error));
    free(reader);
}

static void a_payload_of_a_gap_says_who_caused_it(void **state)
{
    static char bytes[MRL_PAYLOAD_MAX];
    const struct mrl_lost lost = { .event = mrl_event_def__at(MRL_EVENT_DO_MRELEASE),
                                   .count = 7,
                                   .cause = MRL_CAUSE_SUPPRESSED,
                                   .by = { true, 65534, { 0, 12, "flood" } } };
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_reader *reader = calloc(1, sizeof(*reader));
    const struct mrl_event *event;
    struct mrl_event made;
    struct mrl_error error;
    size_t size;

    (void)state;
    assert_non_null(reader);
    mrl_lost__event(&lost, values, &made);
    size = mrl_payload__put(bytes, &made, 0);
    event = mrl_reader__read(reader, bytes, size, &error);
    assert_non_null(event);
    assert_int_equal(test_value(event, "count")->unsigned_number, 7);
    assert_int_equal(test_value(event, "by_uid")->unsigned_number, 65534);
    assert_int_equal(test_value(event, "by_cgroup")->unsigned_number, 12);
    assert_memory_equal(test_value(event, "by_comm")->text.bytes, "flood", 5);
    free(reader);
}

/* As in a configuration file: each item of the list counts, not the last alone. */
static void a_list_of_extras_is_their_union(void **state)
{
    struct mrl_falco_config list, text;
    struct mrl_error error;

    (void)state;
    assert_int_equal(mrl_falco_config__read(&list, "{\"extra\":[\"seq\",\"target\"]}", &error), 0);
    assert_int_equal(mrl_falco_config__read(&text, "{\"extra\":\"seq,target\"}", &error), 0);
    assert_int_equal(list.options.extras, text.options.extras);
    mrl_falco_config__done(&list);
    mrl_falco_config__done(&text);
}

/* -- a stream --------------------------------------------------------------------------------- */

struct run {
    struct falco_state *state;
    struct falco_instance *instance;
    struct falco_event **events;
    uint32_t count;
};

/* Two calls, of two events. */
static void begin(struct run *run, struct test_capture *capture)
{
    struct test_record record;
    char params[128];
    int rc;

    test_record__init(&record, MRL_EVENT_MLOCK);
    test_capture__add(capture, &record);
    test_record__init(&record, MRL_EVENT_MUNLOCK);
    test_capture__add(capture, &record);
    test_capture__close(capture);
    snprintf(params, sizeof(params), "replay:%s", capture->path);
    run->state = init();
    run->instance = plugin_open(run->state, params, &rc);
    assert_int_equal(rc, FALCO_SUCCESS);
    assert_int_equal(plugin_next_batch(run->state, run->instance, &run->count, &run->events),
                     FALCO_SUCCESS);
    assert_true(run->count >= 2);
}

static void end(struct run *run)
{
    plugin_close(run->state, run->instance);
    plugin_destroy(run->state);
}

static void an_event_is_dated_by_the_entry_of_its_call(void **state)
{
    struct falco_event head;
    struct run run;

    begin(&run, *state);
    memcpy(&head, run.events[0], sizeof(head));
    assert_int_equal(head.ts, TEST_ENTRY_NS);
    end(&run);
}

static uint32_t field_called(const char *name)
{
    unsigned int count, i = 0;
    const struct mrl_falco_field *fields = mrl_falco_fields__all(&count);

    while (i < count && strcmp(fields[i].name, name) != 0)
        i++;
    assert_true(i < count);
    return i;
}

static void assert_is(struct falco_state *state,
                      const void *event,
                      uint64_t number,
                      const char *name)
{
    const struct falco_event_input input = { event, number, "mrelease" };
    struct falco_extract_field field = { .field_id = field_called("mrelease.event") };
    const struct falco_extract_input wanted = { .num_fields = 1, .fields = &field };

    assert_int_equal(plugin_extract_fields(state, &input, &wanted), FALCO_SUCCESS);
    assert_int_equal(field.res_len, 1);
    assert_string_equal(field.res.str[0], name);
}

/* A host keeps its events in memory that it uses again. */
static void another_event_at_the_same_address_is_another_event(void **state)
{
    static char memory[EVENT_BYTES];
    struct falco_event head;
    struct run run;

    begin(&run, *state);
    for (uint64_t round = 0; round < 4; round++) {
        memcpy(&head, run.events[round % 2], sizeof(head));
        assert_true(head.len <= sizeof(memory));
        memcpy(memory, run.events[round % 2], head.len);
        assert_is(run.state, memory, round + 1, round % 2 ? "munlock" : "mlock");
    }
    end(&run);
}

static struct falco_extract_field ask(struct run *run, const char *name, const char *key)
{
    const struct falco_event_input input = { run->events[0], 1, "mrelease" };
    struct falco_extract_field field = { .field_id = field_called(name),
                                         .arg_key = key,
                                         .arg_present = key != NULL };
    const struct falco_extract_input wanted = { .num_fields = 1, .fields = &field };

    assert_int_equal(plugin_extract_fields(run->state, &input, &wanted), FALCO_SUCCESS);
    assert_int_equal(field.res_len, 1);
    return field;
}

/* An alert is a line, and whoever reads it may sit at a terminal. */
static void a_text_neither_breaks_a_line_nor_steers_nor_reorders(void **state)
{
    static const char path[] = "a\n\xe2\x80\xae"
                               "b\0tmp";
    struct falco_extract_field field;
    struct falco_event_input input = { .evtnum = 1 };
    struct test_record record;
    struct run run;

    test_record__init(&record, MRL_EVENT_MUNLOCKALL);
    snprintf(record.call.comm, sizeof(record.call.comm), "x\n\033[2J\xe2\x80\x8b");
    test_record__set_caller_path(&record, path, sizeof(path));
    test_capture__add(*state, &record);
    begin(&run, *state);
    input.evt = run.events[0];
    assert_string_equal(ask(&run, "mrelease.caller.name", NULL).res.str[0],
                        "x\\x0a\\x1b[2J\\xe2\\x80\\x8b");
    assert_string_equal(ask(&run, "mrelease.caller.exe", NULL).res.str[0],
                        "/tmp/a\\x0a\\xe2\\x80\\xaeb");
    assert_string_equal(ask(&run, "mrelease.json", "/processName").res.str[0],
                        "x\\x0a\\x1b[2J\\xe2\\x80\\x8b");
    /* A piece of JSON still means what it meant. */
    field = ask(&run, "mrelease.json", "/executable");
    assert_string_equal(field.res.str[0], "{\"path\":\"/tmp/a\\n\\u202eb\"}");
    assert_non_null(strstr(plugin_event_to_string(run.state, &input), "/tmp/a\\n\\u202eb\"}"));
    end(&run);
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_capture__set_up, test_capture__tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_holds_what_the_sensor_says_of_itself),
        cmocka_unit_test(a_payload_of_a_gap_says_who_caused_it),
        cmocka_unit_test(a_list_of_extras_is_their_union),
        test(a_payload_keeps_both_containers_apart),
        test(a_payload_with_its_run_has_an_id),
        test(a_payload_holds_the_names_of_both_containers),
        test(a_payload_says_when_a_container_is_not_known),
        test(an_event_is_dated_by_the_entry_of_its_call),
        test(a_text_neither_breaks_a_line_nor_steers_nor_reorders),
        test(another_event_at_the_same_address_is_another_event),
    };

    return cmocka_run_group_tests_name("falco_events", tests, NULL, NULL);
}
