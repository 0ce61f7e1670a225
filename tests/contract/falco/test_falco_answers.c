// SPDX-License-Identifier: Apache-2.0
/* The plugin for Falco: what it answers of its events, and to whom it answers nothing. */
#include <stdlib.h>
#include <string.h>

#include "loaded.h"
#include "unit/unit.h"

static void a_release_answers_with_its_target_and_bytes(void **state)
{
    struct falco_state *plugin = loaded__init();
    struct falco_instance *instance = loaded__replay(plugin, REAPS);
    struct loaded_fields fields = loaded__fields();
    struct falco_extract_field questions[] = {
        { .field_id = loaded__id(&fields, "mrelease.event") },
        { .field_id = loaded__id(&fields, "mrelease.failed") },
        { .field_id = loaded__id(&fields, "mrelease.target.name") },
        { .field_id = loaded__id(&fields, "mrelease.target.pid") },
        { .field_id = loaded__id(&fields, "mrelease.released_bytes") },
        { .field_id = loaded__id(&fields, "mrelease.errno") },
        { .field_id = loaded__id(&fields, "mrelease.arg"),
          .arg_key = "target_name",
          .arg_present = 1 },
        { .field_id = loaded__id(&fields, "mrelease.json"),
          .arg_key = "/eventName",
          .arg_present = 1 },
        { .field_id = loaded__id(&fields, "mrelease.args"), .flist = 1 },
        { .field_id = loaded__id(&fields, "mrelease.lost.count") },
        { .field_id = loaded__id(&fields, "mrelease.duration_ns") },
    };
    uint32_t count;
    struct falco_event **events = loaded__first_batch(plugin, instance, &count);
    bool seen = false;

    (void)state;
    for (uint32_t i = 0; i < count; i++) {
        falco_host__accept(&loaded_host, events[i]);
        assert_int_equal(loaded__ask(plugin, events[i], i + 1, questions, COUNT_OF(questions)),
                         FALCO_SUCCESS);
        assert_int_equal(questions[9].res_len, 0);
        if (strcmp(loaded__text(&questions[0]), "do_mrelease") != 0)
            continue;
        seen = true;
        assert_int_equal(questions[1].res.boolean[0], 0);
        assert_string_equal(loaded__text(&questions[2]), "sleep");
        assert_in_range(questions[3].res.u64[0], 1, 1 << 22);
        assert_in_range(questions[4].res.u64[0], 1, 1 << 30);
        assert_int_equal(questions[5].res_len, 0);
        assert_string_equal(loaded__text(&questions[6]), "sleep");
        assert_string_equal(loaded__text(&questions[7]), "do_mrelease");
        assert_in_range(questions[8].res_len, 10, 30);
        assert_non_null(strstr(questions[8].res.str[0], "pidfd="));
        assert_in_range(questions[10].res.u64[0], 1, UINT32_MAX);
    }
    assert_true(seen);
    json_decref(fields.rows);
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
}

static void wrong_questions_are_answered_with_nothing(void **state)
{
    struct falco_state *plugin = loaded__init();
    struct falco_instance *instance = loaded__replay(plugin, REAPS);
    struct loaded_fields fields = loaded__fields();
    uint32_t arg = loaded__id(&fields, "mrelease.arg"), json = loaded__id(&fields, "mrelease.json"),
             count;
    struct falco_event **events = loaded__first_batch(plugin, instance, &count);
    const struct {
        struct falco_extract_field question;
        int rc;
    } cases[] = {
        { { .field_id = fields.count }, FALCO_FAILURE },
        { { .field_id = UINT32_MAX }, FALCO_FAILURE },
        { { .field_id = arg }, FALCO_SUCCESS },
        { { .field_id = arg, .arg_index = 3 }, FALCO_SUCCESS },
        { { .field_id = arg, .arg_key = "", .arg_present = 1 }, FALCO_SUCCESS },
        { { .field_id = arg, .arg_key = "nothing", .arg_present = 1 }, FALCO_SUCCESS },
        { { .field_id = json, .arg_key = "eventName", .arg_present = 1 }, FALCO_SUCCESS },
        { { .field_id = json, .arg_key = "/", .arg_present = 1 }, FALCO_SUCCESS },
        { { .field_id = json, .arg_key = "/args/99", .arg_present = 1 }, FALCO_SUCCESS },
        { { .field_id = json, .arg_key = "/~2", .arg_present = 1 }, FALCO_SUCCESS },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct falco_extract_field question = cases[i].question;
        int rc = loaded__ask(plugin, events[0], 1, &question, 1);

        if (rc != cases[i].rc || question.res_len)
            fail_case("case %zu: %d, %llu values", i, rc, (unsigned long long)question.res_len);
    }
    json_decref(fields.rows);
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
}

/* What a capture of Falco may hold: of any length, and with any byte changed. */
static void hostile_payloads_are_refused_or_read_but_never_crash(void **state)
{
    struct falco_state *plugin = loaded__init();
    struct falco_instance *instance = loaded__replay(plugin, REAPS);
    struct falco_extract_field questions[FIELDS_MAX];
    struct loaded_fields fields = loaded__fields();
    uint32_t count, size;
    struct falco_event **events = loaded__first_batch(plugin, instance, &count);
    uint64_t number = 0;

    (void)state;
    for (unsigned int i = 0; i < fields.count; i++)
        questions[i] = (struct falco_extract_field){ .field_id = i,
                                                     .arg_key = "target_exe",
                                                     .arg_present = 1 };
    size = events[0]->len;
    for (uint32_t length = 0; length <= size; length++) {
        struct falco_plugin_event head;
        char *copy = malloc(size); /* exactly as long, so that reading on is seen */

        assert_non_null(copy);
        memcpy(copy, events[0], size);
        memcpy(&head, copy, sizeof(head));
        head.head.len = length;
        head.payload_size = length < sizeof(head) ? 0 : length - (uint32_t)sizeof(head);
        memcpy(copy, &head, sizeof(head));
        if (loaded__ask(plugin, (void *)copy, ++number, questions, fields.count) == FALCO_SUCCESS)
            assert_int_equal(length, size);
        free(copy);
    }
    for (uint32_t at = 0; at < size; at++)
        for (int bit = 0; bit < 8; bit++) {
            char *copy = malloc(size);

            assert_non_null(copy);
            memcpy(copy, events[0], size);
            copy[at] ^= (char)(1 << bit);
            if (at < 16 || at >= 20) /* a length that is a lie is the host's crime */
                loaded__ask(plugin, (void *)copy, ++number, questions, fields.count);
            free(copy);
        }
    json_decref(fields.rows);
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
}

static void an_event_as_text_is_its_line(void **state)
{
    struct falco_state *plugin = loaded__init();
    struct falco_instance *instance = loaded__replay(plugin, REAPS);
    uint32_t count;
    struct falco_event **events = loaded__first_batch(plugin, instance, &count);
    const struct falco_event_input input = { events[0], 1, "mrelease" };
    json_t *line = json_loads(loaded_host.event_to_string(plugin, &input), 0, NULL);

    (void)state;
    assert_non_null(json_string_value(json_object_get(line, "eventName")));
    json_decref(line);
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_answers_with_its_target_and_bytes),
        cmocka_unit_test(wrong_questions_are_answered_with_nothing),
        cmocka_unit_test(hostile_payloads_are_refused_or_read_but_never_crash),
        cmocka_unit_test(an_event_as_text_is_its_line),
    };

    return cmocka_run_group_tests_name("contract, falco_answers", tests, loaded__set_up,
                                       loaded__tear_down);
}
