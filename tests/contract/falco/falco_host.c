// SPDX-License-Identifier: Apache-2.0
/*
 * falco_host fields PLUGIN                      what get_fields() says
 * falco_host schema PLUGIN                      what get_init_schema() says
 * falco_host init PLUGIN CONFIG                 exit status 0: it is accepted
 * falco_host extract PLUGIN CAPTURE FIELD…      a JSON object per event: each field that has a
 * value
 * falco_host live PLUGIN CONFIG FIELD…          the same of this host's calls, until its input ends
 */
#include <dlfcn.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

enum { ASKED_MAX = 256 };

static struct falco_host host;

struct asked {
    const char *text; /* with its argument */
    char key[128];
    bool has_key;
    uint32_t id;
    enum falco_type type;
    bool is_list;
};

static enum falco_type type_of(const char *name)
{
    return !strcmp(name, "string")    ? FALCO_STRING
           : !strcmp(name, "bool")    ? FALCO_BOOL
           : !strcmp(name, "reltime") ? FALCO_RELTIME
           : !strcmp(name, "abstime") ? FALCO_ABSTIME
                                      : FALCO_UINT64;
}

static bool look_up(const json_t *fields, const char *text, struct asked *asked)
{
    size_t size = strcspn(text, "["), index;
    const json_t *row;

    *asked = (struct asked){ .text = text, .has_key = text[size] };
    snprintf(asked->key, sizeof(asked->key), "%.*s",
             (int)(asked->has_key ? strlen(text) - size - 2 : 0), text + size + asked->has_key);
    json_array_foreach(fields, index, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));

        if (strlen(name) != size || memcmp(name, text, size) != 0)
            continue;
        asked->id = (uint32_t)index;
        asked->type = type_of(json_string_value(json_object_get(row, "type")));
        asked->is_list = json_is_true(json_object_get(row, "isList"));
        return true;
    }
    return false;
}

static json_t *one_value(const struct falco_extract_field *field, uint64_t index)
{
    if (field->ftype == FALCO_STRING)
        return json_string(field->res.str[index]);
    if (field->ftype == FALCO_BOOL)
        return json_boolean(field->res.boolean[index]);
    return json_integer((json_int_t)field->res.u64[index]);
}

static json_t *value_of(const struct falco_extract_field *field)
{
    json_t *list;

    if (!field->flist)
        return one_value(field, 0);
    list = json_array();
    for (uint64_t i = 0; i < field->res_len; i++)
        json_array_append_new(list, one_value(field, i));
    return list;
}

/* As Falco does: a call per field. */
static void extract(struct falco_state *state,
                    const struct falco_event_input *event,
                    const struct asked *asked,
                    json_t *object)
{
    struct falco_extract_field field = {
        .res_len = 99,
        .field_id = asked->id,
        .field = asked->text,
        .arg_key = asked->has_key ? asked->key : NULL,
        .arg_index = UINT64_MAX,
        .arg_present = asked->has_key,
        .ftype = asked->type,
        .flist = asked->is_list,
    };
    const struct falco_extract_input input = { .num_fields = 1, .fields = &field };

    if (host.extract_fields(state, event, &input) == FALCO_SUCCESS && field.res_len)
        json_object_set_new(object, asked->text, value_of(&field));
}

static void print_events(struct falco_state *state,
                         struct falco_event **events,
                         uint32_t count,
                         const struct asked *asked,
                         int asked_count)
{
    static uint64_t number;

    for (uint32_t i = 0; i < count; i++) {
        const struct falco_event_input event = { events[i], ++number, "mrelease" };
        json_t *object = json_object();

        falco_host__accept(&host, events[i]);
        for (int j = 0; j < asked_count; j++)
            extract(state, &event, &asked[j], object);
        json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
    }
}

static bool input_ends(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

    return poll(&input, 1, 0) != 0;
}

/* Until it ends; that of this host, until the input does. */
static int follow(struct falco_state *state,
                  const char *params,
                  const struct asked *asked,
                  int asked_count)
{
    const bool is_live = !strcmp(params, "live");
    struct falco_event **events;
    uint32_t count;
    int rc;
    struct falco_instance *instance = host.open(state, params, &rc);

    if (is_live && rc == FALCO_SUCCESS)
        fputs("falco_host: watching\n", stderr);
    while ((rc == FALCO_SUCCESS || rc == FALCO_TIMEOUT) && !(is_live && input_ends())) {
        rc = host.next_batch(state, instance, &count, &events);
        print_events(state, events, count, asked, asked_count);
        fflush(stdout);
    }
    if (rc == FALCO_FAILURE)
        fprintf(stderr, "falco_host: %s\n", host.get_last_error(state));
    host.close(state, instance);
    return is_live ? rc == FALCO_FAILURE : rc != FALCO_EOF;
}

static int extract_all(const char *config, const char *params, char **names)
{
    static struct asked asked[ASKED_MAX];
    json_t *fields = json_loads(host.get_fields(), 0, NULL);
    struct falco_state *state;
    int count = 0, rc, status;

    for (; names[count] && count < ASKED_MAX; count++)
        if (!look_up(fields, names[count], &asked[count])) {
            fprintf(stderr, "falco_host: '%s' is no field\n", names[count]);
            return 2;
        }
    state = falco_host__init(&host, config, &rc);
    status = rc ? 1 : follow(state, params, asked, count);
    host.destroy(state);
    json_decref(fields);
    return status;
}

static int print_fields(char **arguments)
{
    (void)arguments;
    return puts(host.get_fields()) < 0;
}

static int print_schema(char **arguments)
{
    int type;

    (void)arguments;
    return puts(host.get_init_schema(&type)) < 0 || type != FALCO_SCHEMA_JSON;
}

static int init(char **arguments)
{
    int rc;
    struct falco_state *state = falco_host__init(&host, arguments[0], &rc);

    if (rc)
        fprintf(stderr, "falco_host: %s\n", host.get_last_error(state));
    host.destroy(state);
    return rc != FALCO_SUCCESS;
}

static int extract_fields(char **arguments)
{
    char params[512];

    snprintf(params, sizeof(params), "replay:%s", arguments[0]);
    return extract_all("{}", params, arguments + 1);
}

static int extract_live(char **arguments)
{
    return extract_all(arguments[0], "live", arguments + 1);
}

static const struct verb {
    const char *name;
    int wanted; /* arguments, at least */
    int (*run)(char **arguments);
} verbs[] = {
    { "fields", 0, print_fields },    { "schema", 0, print_schema }, { "init", 1, init },
    { "extract", 1, extract_fields }, { "live", 1, extract_live },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0 || argc - 3 < verbs[i].wanted)
            continue;
        if (falco_host__load(&host, argv[2]))
            return verbs[i].run(argv + 3);
        fprintf(stderr, "falco_host: %s\n", dlerror());
        return 2;
    }
    fputs("falco_host: fields|schema PLUGIN, init PLUGIN CONFIG, extract PLUGIN CAPTURE FIELD…, "
          "live PLUGIN CONFIG FIELD…\n",
          stderr);
    return 2;
}
