// SPDX-License-Identifier: Apache-2.0
#include "loaded.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

struct falco_host loaded_host;

int loaded__set_up(void **state)
{
    (void)state;
    return !falco_host__load(&loaded_host, MRL_TEST_FALCO_PLUGIN);
}

int loaded__tear_down(void **state)
{
    (void)state;
    falco_host__unload(&loaded_host);
    return 0;
}

struct falco_state *loaded__init(void)
{
    int rc;
    struct falco_state *plugin = falco_host__init(&loaded_host, "{}", &rc);

    assert_non_null(plugin);
    assert_int_equal(rc, FALCO_SUCCESS);
    return plugin;
}

struct falco_instance *loaded__replay(struct falco_state *plugin, const char *capture)
{
    char params[512];
    struct falco_instance *instance;
    int rc = 77;

    snprintf(params, sizeof(params), "replay:%s", capture);
    instance = loaded_host.open(plugin, params, &rc);
    if (rc != FALCO_SUCCESS)
        fail_case("open: %s", loaded_host.get_last_error(plugin));
    return instance;
}

static void check_event(const struct falco_event *event)
{
    struct falco_plugin_event head;

    memcpy(&head, event, sizeof(head));
    assert_int_equal(head.head.type, FALCO_PLUGIN_EVENT);
    assert_int_equal(head.head.nparams, FALCO_PARAMETERS);
    assert_int_equal(head.id_size, sizeof(uint32_t));
    assert_int_equal(head.plugin_id, 0);
    assert_int_equal(head.head.len, FALCO_PAYLOAD_OFFSET + head.payload_size);
    assert_true(head.head.ts > UINT64_C(1600000000000000000) && head.head.ts != UINT64_MAX);
}

unsigned int loaded__read_to_end(struct falco_state *plugin,
                                 struct falco_instance *instance,
                                 int wanted_end)
{
    struct falco_event **events = NULL;
    unsigned int all = 0;
    uint32_t count = 77;
    int rc;

    do {
        rc = loaded_host.next_batch(plugin, instance, &count, &events);
        for (uint32_t i = 0; i < count; i++)
            check_event(events[i]);
        assert_true((rc == FALCO_SUCCESS) == (count > 0));
        all += count;
    } while (rc == FALCO_SUCCESS || rc == FALCO_TIMEOUT);
    assert_int_equal(rc, wanted_end);
    return all;
}

struct loaded_fields loaded__fields(void)
{
    struct loaded_fields fields = { .rows = json_loads(loaded_host.get_fields(), 0, NULL) };

    fields.count = (unsigned int)json_array_size(fields.rows);
    return fields;
}

uint32_t loaded__id(const struct loaded_fields *fields, const char *name)
{
    for (unsigned int i = 0; i < fields->count; i++)
        if (!strcmp(name,
                    json_string_value(json_object_get(json_array_get(fields->rows, i), "name"))))
            return i;
    fail_case("no field %s", name);
    return 0;
}

int loaded__ask(struct falco_state *plugin,
                const struct falco_event *event,
                uint64_t number,
                struct falco_extract_field *questions,
                uint32_t count)
{
    const struct falco_event_input input = { event, number, "mrelease" };
    const struct falco_extract_input wanted = { .num_fields = count, .fields = questions };

    for (uint32_t i = 0; i < count; i++) {
        questions[i].res.buf = (void *)0x5555;
        questions[i].res_len = 0x5555;
    }
    return loaded_host.extract_fields(plugin, &input, &wanted);
}

struct falco_event **loaded__first_batch(struct falco_state *plugin,
                                         struct falco_instance *instance,
                                         uint32_t *ret_count)
{
    struct falco_event **events = NULL;
    int rc;

    do
        rc = loaded_host.next_batch(plugin, instance, ret_count, &events);
    while (rc == FALCO_TIMEOUT);
    assert_int_equal(rc, FALCO_SUCCESS);
    return events;
}

const char *loaded__text(const struct falco_extract_field *field)
{
    return field->res_len ? field->res.str[0] : "(absent)";
}
