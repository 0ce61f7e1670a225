// SPDX-License-Identifier: Apache-2.0
/* The plugin for Falco, driven as Falco drives it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "host.h"
#include "unit/unit.h"

#define STORM MRL_TEST_CAPTURES "/storm_of_failures.cap"
#define REAPS MRL_TEST_CAPTURES "/stranger_reaps.cap"

enum { CYCLES = 1000, RELOADS = 20, FIELDS_MAX = 128 };

static struct falco_host host;

static int load(void **state)
{
    (void)state;
    return !falco_host__load(&host, MRL_TEST_FALCO_PLUGIN);
}

static int unload(void **state)
{
    (void)state;
    falco_host__unload(&host);
    return 0;
}

static struct falco_state *init(void)
{
    int rc;
    struct falco_state *plugin = falco_host__init(&host, "{}", &rc);

    assert_non_null(plugin);
    assert_int_equal(rc, FALCO_SUCCESS);
    return plugin;
}

static struct falco_instance *replay(struct falco_state *plugin, const char *capture)
{
    char params[512];
    struct falco_instance *instance;
    int rc = 77;

    snprintf(params, sizeof(params), "replay:%s", capture);
    instance = host.open(plugin, params, &rc);
    if (rc != FALCO_SUCCESS)
        fail_case("open: %s", host.get_last_error(plugin));
    return instance;
}

/* -- who it is -------------------------------------------------------------------------------- */

static bool matches(const char *text, const char *pattern)
{
    regex_t compiled;
    bool does;

    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    does = !regexec(&compiled, text, 0, NULL, 0);
    regfree(&compiled);
    return does;
}

static void hosts_from_falco_0_36_on_take_its_version(void **state)
{
    static const struct {
        const char *host;
        bool takes;
    } cases[] = {
        { "3.0.0", false }, { "3.1.0", true },  { "3.2.0", true },
        { "3.5.0", true },  { "3.7.0", true },  { "3.10.0", true },
        { "3.12.0", true }, { "4.0.0", false }, { "2.9.0", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (falco_host__takes_api(cases[i].host, host.get_required_api_version()) != cases[i].takes)
            fail_case("host %s", cases[i].host);
}

static void it_is_a_source_of_its_own(void **state)
{
    (void)state;
    assert_true(matches(host.get_name(), "^[a-z]+[a-z0-9_-]*$"));
    assert_true(matches(host.get_event_source(), "^[a-z]+[a-z0-9_]*$"));
    assert_true(matches(host.get_version(), "^[0-9]+\\.[0-9]+\\.[0-9]+$"));
    assert_in_range(host.get_id(), 1073741824, 2147483647);
    assert_true(*host.get_description());
    assert_true(*host.get_contact());
    assert_string_equal(host.get_extract_event_sources(), "[\"mrelease\"]");
}

static void fields_follow_the_convention(void **state)
{
    json_t *fields = json_loads(host.get_fields(), 0, NULL), *row;
    size_t index;

    (void)state;
    assert_true(json_is_array(fields));
    assert_in_range(json_array_size(fields), 40, FIELDS_MAX);
    json_array_foreach(fields, index, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const json_t *arg = json_object_get(row, "arg");

        if (!matches(name, "^mrelease(\\.[a-z]+[a-z0-9_]*)+$") ||
            !matches(json_string_value(json_object_get(row, "type")),
                     "^(uint64|string|bool|reltime|abstime)$") ||
            !*json_string_value(json_object_get(row, "desc")))
            fail_case("field %s", name);
        if (arg)
            assert_true(json_is_true(json_object_get(arg, "isKey")));
        for (size_t i = 0; i < index; i++)
            assert_string_not_equal(
                name, json_string_value(json_object_get(json_array_get(fields, i), "name")));
    }
    json_decref(fields);
}

/* -- configuration ---------------------------------------------------------------------------- */

static void init_takes_what_is_right_and_says_what_is_wrong(void **state)
{
    static const struct {
        const char *config, *error; /* NULL: it is right */
    } cases[] = {
        { NULL, NULL },
        { "", NULL },
        { "{}", NULL },
        { " { } ", NULL },
        { "null", NULL },
        { "{\"events\":\"default,mlock*\",\"coverage\":\"all\"}", NULL },
        { "{\"events\":[\"mlock\",\"process_mrelease.data.flags!=0\"]}", NULL },
        { "{\"ring\":\"16M\",\"busy-ring\":65536}", NULL },
        { "{\"mlock-ring\":65536}", NULL },
        { "{\"extra\":\"target,time\"}", NULL },
        { "{\"scope\":[\"uid!=0\",\"container\"]}", NULL },
        { "{\"event\":\"mlock\"}", "did you mean 'events'?" },
        { "{\"events\":\"mlok\"}", "events: " },
        { "{\"rung\":\"fentri\"}", "did you mean 'fentry'?" },
        { "{\"ring\":\"0\"}", "ring: " },
        { "{\"ring\":true}", "ring: neither a text nor a number" },
        { "{\"ring\":{}}", "ring: neither a text nor a number" },
        { "{\"extra\":\"targets\"}", "extra: " },
        { "{\"ring\":[\"8M\",\"4M\"]}", "ring: a list where one value is wanted" },
        { "{\"events\":\"a\\u0000b\"}", "events: a text with a NUL in it" },
        { "{\"rung\":\"auto\",\"rung\":\"kprobe\"}", "duplicate object key near '\"rung\"'" },
        { "null {}", "no valid JSON object" },
        { "nil", "no valid JSON object" },
        { "[]", "no valid JSON object" },
        { "{\"events\"", "line 1, column 9: ':' expected" },
        { "{\"events\":\"mlock\"", "no valid JSON object" },
        { "{} {}", "no valid JSON object" },
        { "x", "no valid JSON object" },
        { "{\"events\":[]}", "events: the list is empty" },
        { "{\"extra\":[]}", "extra: the list is empty" },
        { "{\"events\":[[[[[[[[1]]]]]]]]}", "events: neither a text nor a number" },
        { "{\"events\":[[[[[[[[1]]]]", "no valid JSON object" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int rc;
        struct falco_state *plugin = falco_host__init(&host, cases[i].config, &rc);

        assert_non_null(plugin);
        if (rc != (cases[i].error ? FALCO_FAILURE : FALCO_SUCCESS) ||
            (cases[i].error && !strstr(host.get_last_error(plugin), cases[i].error)))
            fail_case("%s: %d, %s", cases[i].config, rc, host.get_last_error(plugin));
        host.destroy(plugin);
    }
}

/* Standard error is caught meanwhile. */
static void a_former_name_is_taken_with_a_warning(void **state)
{
    char said[512] = "";
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO), rc;
    struct falco_state *plugin;

    (void)state;
    assert_non_null(file);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    plugin = falco_host__init(&host, "{\"mlock-ring\":65536}", &rc);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
    fclose(file);
    host.destroy(plugin);
    assert_int_equal(rc, FALCO_SUCCESS);
    assert_non_null(strstr(said, "mrelease: warning: 'mlock-ring' is called 'busy-ring' now"));
}

/* What is too long, or nested too deep for a parser that calls itself. */
static void init_bounds_what_it_reads(void **state)
{
    static char text[128 * 1024];
    static const struct {
        size_t size;
        char fill;
        const char *error;
    } cases[] = {
        { 32 * 1024, '[', "maximum parsing depth" },
        { sizeof(text) - 1, ' ', "more than 65536 bytes" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct falco_state *plugin;
        int rc;

        memset(text, cases[i].fill, cases[i].size);
        text[cases[i].size] = '\0';
        plugin = falco_host__init(&host, text, &rc);
        assert_int_equal(rc, FALCO_FAILURE);
        assert_non_null(strstr(host.get_last_error(plugin), cases[i].error));
        host.destroy(plugin);
    }
}

static void the_schema_names_every_key(void **state)
{
    int type = 77;
    json_t *schema = json_loads(host.get_init_schema(&type), 0, NULL), *properties;

    (void)state;
    assert_int_equal(type, FALCO_SCHEMA_JSON);
    properties = json_object_get(schema, "properties");
    assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    assert_non_null(json_object_get(properties, "events"));
    assert_non_null(json_object_get(properties, "rung"));
    assert_non_null(json_object_get(properties, "coverage"));
    assert_non_null(json_object_get(properties, "ring"));
    assert_non_null(json_object_get(properties, "extra"));
    json_decref(schema);
}

static void open_that_fails_says_why_and_may_be_closed(void **state)
{
    static const struct {
        const char *params, *error;
    } cases[] = {
        { "replay:", "which file?" },
        { "replay:/nonexistent", "No such file" },
        { "replay:/dev/null/x", "Not a directory" },
        { "replay:" MRL_TEST_CAPTURES "/../test_falco.c", "no capture" },
        { "reply:x", "replay:FILE" },
    };
    struct falco_state *plugin = init();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int rc = FALCO_FAILURE;
        struct falco_instance *instance = host.open(plugin, cases[i].params, &rc);

        if (rc != FALCO_FAILURE || !strstr(host.get_last_error(plugin), cases[i].error))
            fail_case("%s: %d, %s", cases[i].params, rc, host.get_last_error(plugin));
        assert_null(instance);
        host.close(plugin, NULL);
    }
    host.destroy(plugin);
}

static void open_parameters_are_listed(void **state)
{
    struct falco_state *plugin = init();
    int rc = 77;
    json_t *list = json_loads(host.list_open_params(plugin, &rc), 0, NULL), *row;
    size_t index;

    (void)state;
    assert_int_equal(rc, FALCO_SUCCESS);
    assert_int_equal(json_array_size(list), 2);
    json_array_foreach(list, index, row) /* Falco ends when one is empty */
        assert_true(json_string_length(json_object_get(row, "value")));
    json_decref(list);
    host.destroy(plugin);
}

/* -- batches ---------------------------------------------------------------------------------- */

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

/* Reads to the end. Returns the number of events. */
static unsigned int read_to_end(struct falco_state *plugin,
                                struct falco_instance *instance,
                                int wanted_end)
{
    struct falco_event **events = NULL;
    unsigned int all = 0;
    uint32_t count = 77;
    int rc;

    do {
        rc = host.next_batch(plugin, instance, &count, &events);
        for (uint32_t i = 0; i < count; i++)
            check_event(events[i]);
        assert_true((rc == FALCO_SUCCESS) == (count > 0));
        all += count;
    } while (rc == FALCO_SUCCESS || rc == FALCO_TIMEOUT);
    assert_int_equal(rc, wanted_end);
    return all;
}

static void replay_ends_and_stays_ended(void **state)
{
    struct falco_state *plugin = init();
    struct falco_instance *instance = replay(plugin, STORM);
    struct falco_event **events = NULL;
    uint32_t permyriad = 77, count = 77;

    (void)state;
    assert_in_range(read_to_end(plugin, instance, FALCO_EOF), 100, 1000000);
    assert_int_equal(host.next_batch(plugin, instance, &count, &events), FALCO_EOF);
    assert_int_equal(count, 0);
    assert_non_null(host.get_progress(plugin, instance, &permyriad));
    assert_int_equal(permyriad, 10000);
    host.close(plugin, instance);
    host.destroy(plugin);
}

/* A copy of a capture with one byte changed. */
static void damage(const char *capture, const char *path, double where)
{
    char bytes[256 * 1024];
    int fd = open(capture, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, bytes, sizeof(bytes));

    close(fd);
    assert_in_range(size, 1, sizeof(bytes) - 1);
    bytes[(size_t)((double)size * where)] ^= 0x55;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, bytes, (size_t)size), size);
    close(fd);
}

static void damage_is_an_error_with_a_text(void **state)
{
    char path[] = "/tmp/mrelease-falco-XXXXXX";
    struct falco_state *plugin = init();
    struct falco_instance *instance;

    (void)state;
    close(mkstemp(path));
    damage(STORM, path, 0.5);
    instance = replay(plugin, path);
    assert_in_range(read_to_end(plugin, instance, FALCO_FAILURE), 1, 1000000);
    assert_non_null(strstr(host.get_last_error(plugin), "at byte "));
    host.close(plugin, instance);
    host.destroy(plugin);
    unlink(path);
}

/* -- extraction ------------------------------------------------------------------------------- */

struct fields {
    json_t *rows;
    unsigned int count;
};

static struct fields fields_of_host(void)
{
    struct fields fields = { .rows = json_loads(host.get_fields(), 0, NULL) };

    fields.count = (unsigned int)json_array_size(fields.rows);
    return fields;
}

static uint32_t id_of(const struct fields *fields, const char *name)
{
    for (unsigned int i = 0; i < fields->count; i++)
        if (!strcmp(name,
                    json_string_value(json_object_get(json_array_get(fields->rows, i), "name"))))
            return i;
    fail_case("no field %s", name);
    return 0;
}

/* All questions at once; res and res_len hold rubbish, as a host leaves them. */
static int ask(struct falco_state *plugin,
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
    return host.extract_fields(plugin, &input, &wanted);
}

/* The events of a capture's first batch, in memory of our own: `*ret_count` of them. */
static struct falco_event **first_batch(struct falco_state *plugin,
                                        struct falco_instance *instance,
                                        uint32_t *ret_count)
{
    struct falco_event **events = NULL;
    int rc;

    do
        rc = host.next_batch(plugin, instance, ret_count, &events);
    while (rc == FALCO_TIMEOUT);
    assert_int_equal(rc, FALCO_SUCCESS);
    return events;
}

static const char *text_of(const struct falco_extract_field *field)
{
    return field->res_len ? field->res.str[0] : "(absent)";
}

static void a_release_answers_with_its_target_and_bytes(void **state)
{
    struct falco_state *plugin = init();
    struct falco_instance *instance = replay(plugin, REAPS);
    struct fields fields = fields_of_host();
    struct falco_extract_field questions[] = {
        { .field_id = id_of(&fields, "mrelease.event") },
        { .field_id = id_of(&fields, "mrelease.failed") },
        { .field_id = id_of(&fields, "mrelease.target.name") },
        { .field_id = id_of(&fields, "mrelease.target.pid") },
        { .field_id = id_of(&fields, "mrelease.released_bytes") },
        { .field_id = id_of(&fields, "mrelease.errno") },
        { .field_id = id_of(&fields, "mrelease.arg"), .arg_key = "target_name", .arg_present = 1 },
        { .field_id = id_of(&fields, "mrelease.json"), .arg_key = "/eventName", .arg_present = 1 },
        { .field_id = id_of(&fields, "mrelease.args"), .flist = 1 },
        { .field_id = id_of(&fields, "mrelease.lost.count") },
        { .field_id = id_of(&fields, "mrelease.duration_ns") },
    };
    uint32_t count;
    struct falco_event **events = first_batch(plugin, instance, &count);
    bool seen = false;

    (void)state;
    for (uint32_t i = 0; i < count; i++) {
        falco_host__accept(&host, events[i]);
        assert_int_equal(ask(plugin, events[i], i + 1, questions, COUNT_OF(questions)),
                         FALCO_SUCCESS);
        assert_int_equal(questions[9].res_len, 0);
        if (strcmp(text_of(&questions[0]), "do_mrelease") != 0)
            continue;
        seen = true;
        assert_int_equal(questions[1].res.boolean[0], 0);
        assert_string_equal(text_of(&questions[2]), "sleep");
        assert_in_range(questions[3].res.u64[0], 1, 1 << 22);
        assert_in_range(questions[4].res.u64[0], 1, 1 << 30);
        assert_int_equal(questions[5].res_len, 0);
        assert_string_equal(text_of(&questions[6]), "sleep");
        assert_string_equal(text_of(&questions[7]), "do_mrelease");
        assert_in_range(questions[8].res_len, 10, 30);
        assert_non_null(strstr(questions[8].res.str[0], "pidfd="));
        assert_in_range(questions[10].res.u64[0], 1, UINT32_MAX);
    }
    assert_true(seen);
    json_decref(fields.rows);
    host.close(plugin, instance);
    host.destroy(plugin);
}

static void wrong_questions_are_answered_with_nothing(void **state)
{
    struct falco_state *plugin = init();
    struct falco_instance *instance = replay(plugin, REAPS);
    struct fields fields = fields_of_host();
    uint32_t arg = id_of(&fields, "mrelease.arg"), json = id_of(&fields, "mrelease.json"), count;
    struct falco_event **events = first_batch(plugin, instance, &count);
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
        int rc = ask(plugin, events[0], 1, &question, 1);

        if (rc != cases[i].rc || question.res_len)
            fail_case("case %zu: %d, %llu values", i, rc, (unsigned long long)question.res_len);
    }
    json_decref(fields.rows);
    host.close(plugin, instance);
    host.destroy(plugin);
}

/* What a capture of Falco may hold: of any length, and with any byte changed. */
static void hostile_payloads_are_refused_or_read_but_never_crash(void **state)
{
    struct falco_state *plugin = init();
    struct falco_instance *instance = replay(plugin, REAPS);
    struct falco_extract_field questions[FIELDS_MAX];
    struct fields fields = fields_of_host();
    uint32_t count, size;
    struct falco_event **events = first_batch(plugin, instance, &count);
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
        if (ask(plugin, (void *)copy, ++number, questions, fields.count) == FALCO_SUCCESS)
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
                ask(plugin, (void *)copy, ++number, questions, fields.count);
            free(copy);
        }
    json_decref(fields.rows);
    host.close(plugin, instance);
    host.destroy(plugin);
}

static void an_event_as_text_is_its_line(void **state)
{
    struct falco_state *plugin = init();
    struct falco_instance *instance = replay(plugin, REAPS);
    uint32_t count;
    struct falco_event **events = first_batch(plugin, instance, &count);
    const struct falco_event_input input = { events[0], 1, "mrelease" };
    json_t *line = json_loads(host.event_to_string(plugin, &input), 0, NULL);

    (void)state;
    assert_non_null(json_string_value(json_object_get(line, "eventName")));
    json_decref(line);
    host.close(plugin, instance);
    host.destroy(plugin);
}

/* -- lives ------------------------------------------------------------------------------------ */

static unsigned int open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned int count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void a_thousand_lives_leave_nothing_open(void **state)
{
    unsigned int before = open_descriptors();

    (void)state;
    for (int i = 0; i < CYCLES; i++) {
        struct falco_state *plugin = init();
        struct falco_instance *instance = replay(plugin, REAPS);

        read_to_end(plugin, instance, FALCO_EOF);
        host.close(plugin, instance);
        host.destroy(plugin);
    }
    assert_int_equal(open_descriptors(), before);
}

static void two_inspectors_hold_two_instances(void **state)
{
    struct falco_state *one = init(), *other = init();
    struct falco_instance *first = replay(one, STORM), *second = replay(other, REAPS),
                          *third = replay(one, STORM);
    unsigned int events = read_to_end(one, first, FALCO_EOF);

    (void)state;
    assert_ptr_not_equal(first, third);
    host.close(one, first);
    assert_in_range(read_to_end(other, second, FALCO_EOF), 1, events);
    assert_int_equal(read_to_end(one, third, FALCO_EOF), events);
    host.close(other, second);
    host.destroy(other);
    host.close(one, third);
    host.destroy(one);
}

static void each_hot_restart_loads_it_anew(void **state)
{
    (void)state;
    for (int i = 0; i < RELOADS; i++) {
        struct falco_state *plugin = init();
        struct falco_instance *instance = replay(plugin, REAPS);

        read_to_end(plugin, instance, FALCO_EOF);
        host.close(plugin, instance);
        host.destroy(plugin);
        falco_host__unload(&host);
        assert_true(falco_host__load(&host, MRL_TEST_FALCO_PLUGIN));
    }
}

static atomic_bool over;

static atomic_uint told; /* metrics */

static void *ask_for_metrics(void *plugin)
{
    while (!over) {
        uint32_t count = 0;
        const struct falco_metric *metrics = host.get_metrics(plugin, &count);

        for (uint32_t i = 0; i < count; i++)
            told += *metrics[i].name != '\0';
    }
    return NULL;
}

static void metrics_are_asked_while_it_reads(void **state)
{
    struct falco_state *plugin = init();
    pthread_t askers[2];

    (void)state;
    over = false;
    told = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask_for_metrics, plugin), 0);
    for (int i = 0; i < 50 || (!told && i < 5000); i++) {
        struct falco_instance *instance = replay(plugin, STORM);

        read_to_end(plugin, instance, FALCO_EOF);
        host.close(plugin, instance);
    }
    over = true;
    for (int i = 0; i < 2; i++)
        pthread_join(askers[i], NULL);
    assert_int_not_equal(told, 0);
    host.destroy(plugin);
}

/* -- real calls ------------------------------------------------------------------------------- */

static struct falco_instance *open_live(struct falco_state *plugin)
{
    int rc;
    struct falco_instance *instance = host.open(plugin, "", &rc);

    if (rc != FALCO_SUCCESS) {
        print_message("# skipped: %s\n", host.get_last_error(plugin));
        host.destroy(plugin);
        skip();
    }
    return instance;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_quiet_host_is_waited_for_in_small_steps(void **state)
{
    struct falco_state *plugin = init();
    struct falco_instance *instance = open_live(plugin);
    struct falco_event **events;
    uint32_t count;

    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t start = now_ms();
        int rc = host.next_batch(plugin, instance, &count, &events);

        assert_true(rc == FALCO_TIMEOUT || rc == FALCO_SUCCESS);
        assert_in_range(now_ms() - start, 0, 1000); /* some ms, where nobody else runs */
    }
    host.close(plugin, instance);
    host.destroy(plugin);
}

static void a_real_call_arrives(void **state)
{
    struct falco_state *plugin = init();
    struct falco_instance *instance = open_live(plugin);
    struct fields fields = fields_of_host();
    struct falco_extract_field questions[] = {
        { .field_id = id_of(&fields, "mrelease.caller.pid") },
        { .field_id = id_of(&fields, "mrelease.pidfd") },
        { .field_id = id_of(&fields, "mrelease.errno") },
        { .field_id = id_of(&fields, "mrelease.outcome") },
    };
    struct falco_event **events;
    int64_t end = now_ms() + 5000;
    uint32_t count, metric_count = 0;
    uint64_t number = 0, seen_metric = 0;
    const struct falco_metric *metrics;
    bool seen = false;

    (void)state;
    assert_int_equal(syscall(448, -4711, 0), -1);
    while (!seen && now_ms() < end) {
        host.next_batch(plugin, instance, &count, &events);
        for (uint32_t i = 0; i < count && !seen; i++) {
            falco_host__accept(&host, events[i]);
            assert_int_equal(ask(plugin, events[i], ++number, questions, 4), FALCO_SUCCESS);
            seen = !strcmp(text_of(&questions[1]), "-4711") &&
                   !strcmp(text_of(&questions[2]), "EBADF") &&
                   !strcmp(text_of(&questions[3]), "bad_fd");
        }
    }
    assert_true(seen);
    metrics = host.get_metrics(plugin, &metric_count);
    for (uint32_t i = 0; i < metric_count; i++)
        if (!strcmp(metrics[i].name, "events_seen.process_mrelease"))
            seen_metric = metrics[i].value.u64;
    assert_in_range(seen_metric, 1, UINT64_MAX);
    json_decref(fields.rows);
    host.close(plugin, instance);
    host.destroy(plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_from_falco_0_36_on_take_its_version),
        cmocka_unit_test(it_is_a_source_of_its_own),
        cmocka_unit_test(fields_follow_the_convention),
        cmocka_unit_test(init_takes_what_is_right_and_says_what_is_wrong),
        cmocka_unit_test(a_former_name_is_taken_with_a_warning),
        cmocka_unit_test(init_bounds_what_it_reads),
        cmocka_unit_test(the_schema_names_every_key),
        cmocka_unit_test(open_that_fails_says_why_and_may_be_closed),
        cmocka_unit_test(open_parameters_are_listed),
        cmocka_unit_test(replay_ends_and_stays_ended),
        cmocka_unit_test(damage_is_an_error_with_a_text),
        cmocka_unit_test(a_release_answers_with_its_target_and_bytes),
        cmocka_unit_test(wrong_questions_are_answered_with_nothing),
        cmocka_unit_test(hostile_payloads_are_refused_or_read_but_never_crash),
        cmocka_unit_test(an_event_as_text_is_its_line),
        cmocka_unit_test(a_thousand_lives_leave_nothing_open),
        cmocka_unit_test(two_inspectors_hold_two_instances),
        cmocka_unit_test(each_hot_restart_loads_it_anew),
        cmocka_unit_test(metrics_are_asked_while_it_reads),
        cmocka_unit_test(a_quiet_host_is_waited_for_in_small_steps),
        cmocka_unit_test(a_real_call_arrives),
    };

    return cmocka_run_group_tests_name("contract, falco", tests, load, unload);
}
