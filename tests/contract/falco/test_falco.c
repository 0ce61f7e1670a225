// SPDX-License-Identifier: Apache-2.0
/* The plugin for Falco, driven as Falco drives it: who it is, how it is configured, what it reads.
 */
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loaded.h"
#include "unit/unit.h"

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
        if (falco_host__takes_api(cases[i].host, loaded_host.get_required_api_version()) !=
            cases[i].takes)
            fail_case("host %s", cases[i].host);
}

static void it_is_a_source_of_its_own(void **state)
{
    (void)state;
    assert_true(matches(loaded_host.get_name(), "^[a-z]+[a-z0-9_-]*$"));
    assert_true(matches(loaded_host.get_event_source(), "^[a-z]+[a-z0-9_]*$"));
    assert_true(matches(loaded_host.get_version(), "^[0-9]+\\.[0-9]+\\.[0-9]+$"));
    assert_in_range(loaded_host.get_id(), 1073741824, 2147483647);
    assert_true(*loaded_host.get_description());
    assert_true(*loaded_host.get_contact());
    assert_string_equal(loaded_host.get_extract_event_sources(), "[\"mrelease\"]");
}

static void fields_follow_the_convention(void **state)
{
    json_t *fields = json_loads(loaded_host.get_fields(), 0, NULL), *row;
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
        struct falco_state *plugin = falco_host__init(&loaded_host, cases[i].config, &rc);

        assert_non_null(plugin);
        if (rc != (cases[i].error ? FALCO_FAILURE : FALCO_SUCCESS) ||
            (cases[i].error && !strstr(loaded_host.get_last_error(plugin), cases[i].error)))
            fail_case("%s: %d, %s", cases[i].config, rc, loaded_host.get_last_error(plugin));
        loaded_host.destroy(plugin);
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
    plugin = falco_host__init(&loaded_host, "{\"mlock-ring\":65536}", &rc);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
    fclose(file);
    loaded_host.destroy(plugin);
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
        plugin = falco_host__init(&loaded_host, text, &rc);
        assert_int_equal(rc, FALCO_FAILURE);
        assert_non_null(strstr(loaded_host.get_last_error(plugin), cases[i].error));
        loaded_host.destroy(plugin);
    }
}

static void the_schema_names_every_key(void **state)
{
    int type = 77;
    json_t *schema = json_loads(loaded_host.get_init_schema(&type), 0, NULL), *properties;

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
    struct falco_state *plugin = loaded__init();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int rc = FALCO_FAILURE;
        struct falco_instance *instance = loaded_host.open(plugin, cases[i].params, &rc);

        if (rc != FALCO_FAILURE || !strstr(loaded_host.get_last_error(plugin), cases[i].error))
            fail_case("%s: %d, %s", cases[i].params, rc, loaded_host.get_last_error(plugin));
        assert_null(instance);
        loaded_host.close(plugin, NULL);
    }
    loaded_host.destroy(plugin);
}

static void open_parameters_are_listed(void **state)
{
    struct falco_state *plugin = loaded__init();
    int rc = 77;
    json_t *list = json_loads(loaded_host.list_open_params(plugin, &rc), 0, NULL), *row;
    size_t index;

    (void)state;
    assert_int_equal(rc, FALCO_SUCCESS);
    assert_int_equal(json_array_size(list), 2);
    json_array_foreach(list, index, row) /* Falco ends when one is empty */
        assert_true(json_string_length(json_object_get(row, "value")));
    json_decref(list);
    loaded_host.destroy(plugin);
}

/* -- batches ---------------------------------------------------------------------------------- */

static void replay_ends_and_stays_ended(void **state)
{
    struct falco_state *plugin = loaded__init();
    struct falco_instance *instance = loaded__replay(plugin, STORM);
    struct falco_event **events = NULL;
    uint32_t permyriad = 77, count = 77;

    (void)state;
    assert_in_range(loaded__read_to_end(plugin, instance, FALCO_EOF), 100, 1000000);
    assert_int_equal(loaded_host.next_batch(plugin, instance, &count, &events), FALCO_EOF);
    assert_int_equal(count, 0);
    assert_non_null(loaded_host.get_progress(plugin, instance, &permyriad));
    assert_int_equal(permyriad, 10000);
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
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
    struct falco_state *plugin = loaded__init();
    struct falco_instance *instance;

    (void)state;
    close(mkstemp(path));
    damage(STORM, path, 0.5);
    instance = loaded__replay(plugin, path);
    assert_in_range(loaded__read_to_end(plugin, instance, FALCO_FAILURE), 1, 1000000);
    assert_non_null(strstr(loaded_host.get_last_error(plugin), "at byte "));
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
    unlink(path);
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
    };

    return cmocka_run_group_tests_name("contract, falco", tests, loaded__set_up, loaded__tear_down);
}
