// SPDX-License-Identifier: Apache-2.0
/*
 * The shapes: every event, with what is known and what is not, against tests/golden/shapes.py,
 * which maps the line of a dialect to each shape by itself, and against golden lines.
 */
#include <jansson.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encode/varint.h"
#include "shape/told.h"
#include "unit/scenes.h"
#include "unit/unit.h"

#define PYTHON "/usr/bin/python3"

static const char *const shapes[] = { "ecs", "ocsf", "cef", "leef" };

static const struct mrl_host_identity host = {
    .name = "node7",
    .kernel = "6.12.48",
    .architecture = "x86_64",
    .boot_id = "e30b2f15-c293-4355-aba2-d2433cd06077",
    .machine_id = "0123456789abcdef0123456789abcdef",
    .os_name = "Debian GNU/Linux",
    .os_version = "12",
};

/* What readers of JSON and of signed numbers stumble over. */
static const uint64_t numbers[] = { 0,         (UINT64_C(1) << 53) - 1, (UINT64_C(1) << 53) + 1,
                                    INT64_MAX, UINT64_C(1) << 63,       UINT64_MAX };

/* -- against the independent mapping ---------------------------------------------------------- */

struct encoders {
    struct mrl_encoder *dialect, *shapes[COUNT_OF(shapes)], *otlp;
    bool extras, has_host;
};

static void make_encoders(struct encoders *encoders, bool extras, bool has_host)
{
    struct mrl_encoder_options options = { .extras = UINT32_MAX };

    *encoders = (struct encoders){ .dialect = test_encoder("json-v0.24", &options),
                                   .extras = extras,
                                   .has_host = has_host };
    options.extras = extras ? UINT32_MAX : 0;
    options.host = has_host ? &host : NULL;
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        encoders->shapes[i] = test_encoder(shapes[i], &options);
    encoders->otlp = test_encoder("otlp", &options);
}

static void free_encoders(struct encoders *encoders)
{
    mrl_encoder__free(encoders->dialect);
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        mrl_encoder__free(encoders->shapes[i]);
    mrl_encoder__free(encoders->otlp);
}

static json_t *text_or_null(const char *text, bool known)
{
    return known ? json_string(text) : json_null();
}

static json_t *host_json(bool known)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", text_or_null(host.name, known), "kernel",
        text_or_null(host.kernel, known), "architecture", text_or_null(host.architecture, known),
        "boot_id", text_or_null(host.boot_id, known), "machine_id",
        text_or_null(host.machine_id, known), "os_name", text_or_null(host.os_name, known),
        "os_version", text_or_null(host.os_version, known));
}

static json_t *own_fields(const struct mrl_event_def *def)
{
    json_t *names = json_array();

    for (unsigned int i = 0; i < def->field_count; i++)
        json_array_append_new(names, json_string(def->fields[i].name));
    return names;
}

static char *line_of(struct mrl_encoder *encoder, const struct mrl_event *event)
{
    char *line = test_line(encoder, event);

    assert_int_equal(line[strlen(line) - 1], '\n');
    line[strlen(line) - 1] = '\0';
    if (strchr(line, '\n'))
        fail_case("an event is two lines: %s", line);
    return line;
}

/* A record, whose bytes are no text. */
static json_t *hex_of(struct mrl_encoder *encoder, const struct mrl_event *event)
{
    static char record[MRL_EVENT_TEXT_MAX], hex[2 * MRL_EVENT_TEXT_MAX + 1];
    ssize_t size = mrl_encoder__put(encoder, event, record, sizeof(record));

    assert_true(size > 0);
    for (ssize_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)record[i]);
    return json_string(hex);
}

/* The line of the dialect is printed as it is: jansson's integers end at 2^63. */
static void write_group(FILE *file,
                        const struct encoders *encoders,
                        const char *name,
                        const struct test_scene *scene)
{
    const struct mrl_event *event = &scene->event;
    json_t *group = json_pack(
        "{s:s, s:b, s:o, s:{s:I, s:I, s:b, s:o}}", "scene", name, "extras", encoders->extras,
        "host", host_json(encoders->has_host), "facts", "end_ns", (json_int_t)event->exit_ns,
        "process_start_ns", (json_int_t)event->process_start_ns, "no_entry",
        (event->flags & MRL_EVENT_NO_ENTRY) != 0, "own", own_fields(event->def));
    char *line = line_of(encoders->dialect, event), *text;

    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        char *shape = line_of(encoders->shapes[i], event);

        if (json_object_set_new(group, shapes[i], json_string(shape)))
            fail_case("%s, %s: no UTF-8: %s", name, shapes[i], shape);
        free(shape);
    }
    json_object_set_new(group, "otlp", hex_of(encoders->otlp, event));
    text = json_dumps(group, JSON_COMPACT);
    assert_non_null(text);
    fprintf(file, "{\"json\":%s,%s\n", line, text + 1);
    free(text);
    free(line);
    json_decref(group);
}

static unsigned int write_all(FILE *file, const struct encoders *encoders)
{
    unsigned int count = 0;

    for (size_t i = 0; i < TEST_NAMED_SCENES; i++, count++) {
        struct test_scene scene;

        test_named_scenes[i].init(&scene);
        write_group(file, encoders, test_named_scenes[i].name, &scene);
    }
    for (size_t i = 0; i < TEST_SCENES; i++, count++) {
        struct test_scene scene;

        test_scenes[i].init(&scene);
        write_group(file, encoders, test_scenes[i].name, &scene);
        for (size_t j = 0; j < COUNT_OF(numbers); j++, count++) {
            test_scenes[i].init(&scene);
            test_scene__set_numbers(&scene, numbers[j]);
            write_group(file, encoders, test_scenes[i].name, &scene);
        }
    }
    return count;
}

static void check_mapping(bool extras, bool has_host)
{
    char path[] = "/tmp/mrelease-shapes-XXXXXX", command[1024], said[4096] = "", wanted[64];
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w"), *output;
    struct encoders encoders;

    assert_non_null(file);
    make_encoders(&encoders, extras, has_host);
    snprintf(wanted, sizeof(wanted), "%u compared\n", write_all(file, &encoders));
    fclose(file);
    free_encoders(&encoders);
    snprintf(command, sizeof(command), PYTHON " -B %s/golden/shapes.py %s 2>&1", MRL_TEST_DIR,
             path);
    output = popen(command, "re");
    assert_non_null(output);
    said[fread(said, 1, sizeof(said) - 1, output)] = '\0';
    pclose(output);
    if (!getenv("MRELEASE_KEEP"))
        unlink(path);
    if (strcmp(said, wanted) != 0)
        fail_case("%s", said);
}

static void every_event_says_in_each_shape_what_the_dialect_says(void **state)
{
    (void)state;
    if (access(PYTHON, X_OK))
        skip_because("there is no " PYTHON);
    check_mapping(false, true);
    check_mapping(true, true);
}

static void a_host_that_is_not_known_is_not_invented(void **state)
{
    (void)state;
    if (access(PYTHON, X_OK))
        skip_because("there is no " PYTHON);
    check_mapping(false, false);
}

/* -- by themselves ---------------------------------------------------------------------------- */

/* One line per scene, in their order. */
static FILE *open_golden(const char *shape)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/golden/%s/events.%s", MRL_TEST_DIR, shape,
             strstr(shape, "ef") ? "txt" : "json");
    file = fopen(path, "re");
    if (!file)
        fail_case("%s is missing", path);
    return file;
}

static void golden_lines_are_printed_byte_for_byte(void **state)
{
    const struct mrl_encoder_options options = { .host = &host };
    char *wanted = NULL;
    size_t room = 0;

    (void)state;
    for (size_t s = 0; s < COUNT_OF(shapes); s++) {
        struct mrl_encoder *encoder = test_encoder(shapes[s], &options);
        FILE *file = open_golden(shapes[s]);

        for (size_t i = 0; i < TEST_SCENES; i++) {
            struct test_scene scene;
            char *line;

            test_scenes[i].init(&scene);
            line = test_line(encoder, &scene.event);
            assert_true(getline(&wanted, &room, file) > 0);
            assert_same_line(line, wanted);
            free(line);
        }
        assert_true(getline(&wanted, &room, file) < 0);
        fclose(file);
        mrl_encoder__free(encoder);
    }
    free(wanted);
}

/* As ScopeLogs, of which protoc makes the same bytes from the text. */
static void golden_records_are_what_protoc_encodes(void **state)
{
    static char wanted[256 * 1024], records[256 * 1024];
    struct mrl_encoder *encoder = test_encoder("otlp", NULL);
    struct mrl_writer writer = { records };
    char command[1024];
    FILE *protoc;
    size_t size;

    (void)state;
    if (system("command -v protoc >/dev/null"))
        skip_because("there is no protoc");
    for (size_t i = 0; i < TEST_SCENES; i++) {
        char *start = writer.at;
        struct test_scene scene;

        test_scenes[i].init(&scene);
        writer.at += mrl_encoder__put(encoder, &scene.event, writer.at, MRL_EVENT_TEXT_MAX);
        mrl_wrap(&writer, start, 2);
    }
    mrl_encoder__free(encoder);
    snprintf(command, sizeof(command),
             "cd %s/golden/otlp && protoc --encode=otlp.ScopeLogs logs.proto <events.txt",
             MRL_TEST_DIR);
    protoc = popen(command, "re");
    assert_non_null(protoc);
    size = fread(wanted, 1, sizeof(wanted), protoc);
    assert_int_equal(pclose(protoc), 0);
    assert_int_equal((size_t)(writer.at - records), size);
    assert_memory_equal(records, wanted, size);
}

/* A shape's own name for a field must not be taken for the field, nor the other way round. */
static void what_is_told_has_names_of_its_own(void **state)
{
    const struct mrl_field *told;

    (void)state;
    for (unsigned int e = 0; e < mrl_event_def__count(); e++) {
        struct mrl_layout layout;

        mrl_layout__make(mrl_event_def__at(e), UINT32_MAX, &layout);
        for (unsigned int i = 0; (told = mrl_told__field(i)); i++)
            for (unsigned int j = 0; j < layout.count; j++)
                if (!strcmp(told->name, layout.fields[j].field->name) &&
                    strcmp(told->name, "id") != 0)
                    fail_case("'%s' is a field of %s as well", told->name,
                              mrl_event_def__at(e)->name);
    }
}

static void no_place_is_taken_twice(void **state)
{
    struct mrl_shape_place *places = calloc(MRL_PLACES_MAX, sizeof(*places));

    (void)state;
    assert_non_null(places);
    for (size_t s = 0; s < COUNT_OF(shapes); s++)
        for (unsigned int e = 0; e < mrl_event_def__count(); e++) {
            unsigned int count = mrl_format__places(shapes[s], mrl_event_def__at(e), places);

            assert_in_range(count, 10, MRL_PLACES_MAX);
            for (unsigned int i = 0; i < count; i++)
                for (unsigned int j = 0; j < i; j++)
                    if (*places[i].path && !strcmp(places[i].path, places[j].path))
                        fail_case("%s of %s: two things at %s", shapes[s],
                                  mrl_event_def__at(e)->name, places[i].path);
        }
    assert_int_equal(mrl_format__places("json", mrl_event_def__at(0), places), 0);
    free(places);
}

/* The text of a task is kept: what it does not depend on must not be kept with it. */
static void the_container_of_one_event_is_not_that_of_the_next(void **state)
{
    const struct mrl_encoder_options options = { .host = &host };

    (void)state;
    for (size_t s = 0; s < COUNT_OF(shapes); s++) {
        struct mrl_encoder *encoder = test_encoder(shapes[s], &options);
        char *first, *second, *again;
        struct test_scene scene;

        test_scene__lock(&scene);
        first = test_line(encoder, &scene.event);
        test_scene__set_lookup(&scene, MRL_LOOKUP_NOT_FOUND, "");
        second = test_line(encoder, &scene.event);
        test_scene__set_lookup(&scene, MRL_LOOKUP_HOST, "");
        again = test_line(encoder, &scene.event);
        assert_string_not_equal(first, second);
        assert_string_equal(first, again);
        free(first);
        free(second);
        free(again);
        mrl_encoder__free(encoder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_says_in_each_shape_what_the_dialect_says),
        cmocka_unit_test(a_host_that_is_not_known_is_not_invented),
        cmocka_unit_test(golden_lines_are_printed_byte_for_byte),
        cmocka_unit_test(golden_records_are_what_protoc_encodes),
        cmocka_unit_test(what_is_told_has_names_of_its_own),
        cmocka_unit_test(no_place_is_taken_twice),
        cmocka_unit_test(the_container_of_one_event_is_not_that_of_the_next),
    };

    return cmocka_run_group_tests_name("shapes", tests, NULL, NULL);
}
