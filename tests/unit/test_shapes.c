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
#include "event/host.h"
#include "event/layout.h"
#include "event/lost.h"
#include "event/state.h"
#include "shape/told.h"
#include "unit/lines.h"
#include "unit/unit.h"

#define RUN     "e30b2f15c2934355-00018f3a2b1c0d42"
#define PYTHON  "/usr/bin/python3"
#define HOSTILE "a|b=c\\d\"e<f>\n\r\t\x01\x7f \xe2\x82\xac\xff\xe2\x80\xa8 spid=1"

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

/* -- scenes ----------------------------------------------------------------------------------- */

struct scene {
    struct mrl_event event;
    struct mrl_layout layout;
    struct mrl_value values[TEST_FIELDS_MAX], extras[MRL_LAYOUT_FIELDS_MAX];
    struct mrl_lost lost;
    struct mrl_state state;
};

static void find(const struct scene *scene, const char *name, struct mrl_value **ret_value)
{
    for (unsigned int i = 0; i < scene->layout.count; i++) {
        const struct mrl_layout_field *field = &scene->layout.fields[i];

        if (!strcmp(field->field->name, name) && !field->size) {
            *ret_value =
                (struct mrl_value *)(field->extra ? scene->extras : scene->values) + field->at;
            return;
        }
    }
    *ret_value = NULL;
}

static void set_number(struct scene *scene, const char *name, uint64_t number)
{
    struct mrl_value *value;

    find(scene, name, &value);
    if (value)
        *value = (struct mrl_value){ .unsigned_number = number };
}

static void set_text(struct scene *scene, const char *name, const char *text)
{
    struct mrl_value *value;

    find(scene, name, &value);
    if (value)
        *value = (struct mrl_value){ .text = test_text(text) };
}

static void set_lookup(struct scene *scene, enum mrl_lookup lookup, const char *id)
{
    scene->event.lookup = lookup;
    scene->event.container_lookup = mrl_lookup__name(lookup);
    scene->event.container_id = test_text(id);
    scene->event.container_confirmed = lookup == MRL_LOOKUP_KNOWN;
}

/* A call whose caller is known, and nothing else. */
static void init_call(struct scene *scene, const char *name)
{
    const struct mrl_event_def *def = mrl_event_def__find(name, NULL);

    memset(scene, 0, sizeof(*scene));
    scene->event = (struct mrl_event){
        .def = def,
        .entry_ns = UINT64_C(1795879211522903112),
        .exit_ns = UINT64_C(1795879211522951323),
        .seq = 42,
        .cgroup_id = UINT64_C(18446744073709547520),
        .thread_start_ns = UINT64_C(1795879210685509028),
        .process_start_ns = UINT64_C(1795879210685509028),
        .parent_start_ns = UINT64_C(1795879210000000000),
        .thread_id = 17,
        .process_id = 17,
        .parent_process_id = 1,
        .host_thread_id = 29937,
        .host_process_id = 29937,
        .host_parent_process_id = 29826,
        .mount_namespace = 4026531841,
        .pid_namespace = 4026531836,
        .cpu = 1,
        .lane = (uint16_t)def->lane,
        .process_name = test_text("earlyoom"),
        .host_name = test_text("pod"),
        .container_id = test_text(""),
        .executable = test_text("/usr/bin/earlyoom"),
        .values = scene->values,
        .extra_values = scene->extras,
        .run = RUN,
    };
    set_lookup(scene, MRL_LOOKUP_HOST, "");
    mrl_layout__make(def, UINT32_MAX, &scene->layout);
    for (unsigned int i = 0; i < scene->layout.count; i++)
        if (!scene->layout.fields[i].size && scene->layout.fields[i].field->tags & MRL_TAG_OPT) {
            struct mrl_value *value;

            find(scene, scene->layout.fields[i].field->name, &value);
            value->absent = true;
        }
    set_number(scene, "duration_ns", scene->event.exit_ns - scene->event.entry_ns);
}

static void know_target(struct scene *scene)
{
    struct mrl_value *entity;

    set_number(scene, "pidfd", 6);
    set_number(scene, "target_host_pid", 29938);
    set_number(scene, "target_pid", 1);
    set_text(scene, "target_name", "postgres");
    set_text(scene, "target_exe", "/usr/lib/postgresql/15/bin/postgres");
    set_number(scene, "target_uid", 999);
    set_number(scene, "target_start_time", UINT64_C(1795879210686250667));
    find(scene, "target_entity_id", &entity);
    *entity = (struct mrl_value){ .entity = { 29938, UINT64_C(1795879210686250667) } };
    set_number(scene, "target_cgroup_id", UINT64_C(18446744073709547520));
    set_text(scene, "target_container_id", "");
    set_text(scene, "target_from", "reaped_mm");
    set_number(scene, "target_threads", 3);
    set_number(scene, "target_dying", 1);
    set_number(scene, "released_bytes", 269156352);
    set_number(scene, "anon_before", 268529664);
    set_number(scene, "anon_after", 0);
    set_text(scene, "accuracy", "exact");
    set_number(scene, "error_bound_bytes", 0);
}

static void request_failed(struct scene *scene)
{
    init_call(scene, "process_mrelease");
    know_target(scene);
    scene->event.return_value = -22;
    set_text(scene, "outcome", "not_dying");
    set_lookup(scene, MRL_LOOKUP_KNOWN,
               "3f4caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void request_bad_fd(struct scene *scene)
{
    init_call(scene, "process_mrelease");
    set_number(scene, "pidfd", (uint64_t)INT64_C(-1));
    scene->event.return_value = -9;
    set_text(scene, "outcome", "bad_fd");
    set_lookup(scene, MRL_LOOKUP_NOT_FOUND, "");
    scene->event.executable = test_text("");
}

static void request_succeeded(struct scene *scene)
{
    init_call(scene, "process_mrelease");
    know_target(scene);
    set_text(scene, "outcome", "reaped");
    set_text(scene, "target_container_id", "77dd");
    scene->event.flags = MRL_EVENT_IS_COMPAT;
}

static void request_blocked(struct scene *scene)
{
    struct mrl_value *duration;

    init_call(scene, "process_mrelease");
    find(scene, "duration_ns", &duration);
    *duration = (struct mrl_value){ .absent = true };
    scene->event.return_value = -512; /* has no name */
    scene->event.flags = MRL_EVENT_NO_ENTRY;
    scene->event.entry_ns = scene->event.exit_ns;
    set_text(scene, "outcome", "blocked");
    set_lookup(scene, MRL_LOOKUP_UNREADABLE, "");
    scene->event.run = "";
}

static void release(struct scene *scene)
{
    init_call(scene, "do_mrelease");
    know_target(scene);
    scene->event.seq = 43;
    set_text(scene, "outcome", "reaped");
}

static void release_unknown(struct scene *scene)
{
    init_call(scene, "do_mrelease");
    scene->event.process_start_ns = scene->event.thread_start_ns = 0;
    scene->event.parent_start_ns = 0;
}

static void lock(struct scene *scene)
{
    init_call(scene, "mlock");
    set_number(scene, "addr", UINT64_C(0x7f0000001000));
    set_number(scene, "len", 65536);
    set_number(scene, "locked_before_bytes", 0);
    set_number(scene, "locked_after_bytes", 65536);
    set_number(scene, "memlock_limit_bytes", 8388608);
}

static void lock_failed(struct scene *scene)
{
    lock(scene);
    scene->event.return_value = -12;
}

static void lock_all(struct scene *scene)
{
    init_call(scene, "mlockall");
    set_number(scene, "flags", (uint64_t)INT64_C(-2));
    set_text(scene, "lock_flags", "MCL_CURRENT|0x40");
}

static void lock2(struct scene *scene)
{
    init_call(scene, "mlock2");
    set_number(scene, "len", 1);
    set_number(scene, "flags", 1);
    set_text(scene, "lock_flags", "MLOCK_ONFAULT");
}

static void unlock(struct scene *scene)
{
    init_call(scene, "munlock");
    set_number(scene, "addr", 4096);
}

static void unlock_all(struct scene *scene)
{
    init_call(scene, "munlockall");
}

static void hostile_names(struct scene *scene)
{
    request_failed(scene);
    scene->event.process_name = test_text("a|b=c\\d\"\n\xff");
    scene->event.executable = test_text(HOSTILE);
    set_text(scene, "target_name", "=|\\\t\r\n");
    set_text(scene, "target_exe", HOSTILE);
}

/* An event that an output tells. */
static void init_told(struct scene *scene, const char *name)
{
    scene->event.run = RUN;
    scene->event.output = 3;
    scene->event.seq = 1;
    mrl_layout__make(mrl_event_def__find(name, NULL), UINT32_MAX, &scene->layout);
}

static void loss(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->lost = (struct mrl_lost){ .event = mrl_event_def__find("mlock", NULL),
                                     .count = 1234,
                                     .cause = MRL_CAUSE_RING_FULL,
                                     .from_ns = UINT64_C(1795879299000000000),
                                     .to_ns = UINT64_C(1795879300000000000) };
    mrl_lost__event(&scene->lost, scene->values, &scene->event);
    init_told(scene, "events_lost");
}

static void loss_of_somebody(struct scene *scene)
{
    loss(scene);
    scene->lost.by =
        (struct mrl_blame){ true, 1000, { 8, UINT64_C(18446744073709547520), "fl=o\\|\n\xff" } };
    mrl_lost__event(&scene->lost, scene->values, &scene->event);
    init_told(scene, "events_lost");
}

static void sensor(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->state = (struct mrl_state){ .what = MRL_WHAT_STARTED,
                                       .detail = test_text("run=" RUN "; rung=tp_btf"),
                                       .by_uid = -1,
                                       .by_pid = -1,
                                       .time_ns = UINT64_C(1795879299000000000) };
    mrl_state__event(&scene->state, scene->values, &scene->event);
    init_told(scene, "sensor_state");
}

static void sensor_was_blind(struct scene *scene)
{
    sensor(scene);
    scene->state.what = MRL_WHAT_BLIND;
    scene->state.from_ns = UINT64_C(1795879290000000001);
    scene->state.to_ns = UINT64_C(1795879291000000000);
    scene->state.by_uid = scene->state.by_pid = 7;
    scene->state.events_so_far = UINT64_MAX;
    mrl_state__event(&scene->state, scene->values, &scene->event);
    init_told(scene, "sensor_state");
}

static const struct {
    const char *name;
    void (*init)(struct scene *scene);
} scenes[] = {
    { "request_failed", request_failed },
    { "request_bad_fd", request_bad_fd },
    { "request_succeeded", request_succeeded },
    { "request_blocked", request_blocked },
    { "release", release },
    { "release_unknown", release_unknown },
    { "lock", lock },
    { "lock_failed", lock_failed },
    { "lock_all", lock_all },
    { "lock2", lock2 },
    { "unlock", unlock },
    { "unlock_all", unlock_all },
    { "loss", loss },
    { "loss_of_somebody", loss_of_somebody },
    { "sensor", sensor },
    { "sensor_was_blind", sensor_was_blind },
    { "hostile_names", hostile_names },
};

/* What readers of JSON and of signed numbers stumble over. */
static const uint64_t numbers[] = { 0,         (UINT64_C(1) << 53) - 1, (UINT64_C(1) << 53) + 1,
                                    INT64_MAX, UINT64_C(1) << 63,       UINT64_MAX };

/* Every unsigned number of 64 bits that is no time. */
static void set_numbers(struct scene *scene, uint64_t number)
{
    for (unsigned int i = 0; i < scene->layout.count; i++) {
        const struct mrl_kind *kind = scene->layout.fields[i].field->kind;

        if (kind->storage == MRL_STORAGE_UNSIGNED && kind->bits == 64 &&
            kind->unit != MRL_UNIT_TIME && kind->unit != MRL_UNIT_DURATION)
            set_number(scene, scene->layout.fields[i].field->name, number);
    }
    scene->event.cgroup_id = number;
    if (scene->event.def->is & MRL_OF_RECORD)
        scene->event.seq = number;
}

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
                        const struct scene *scene)
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

    for (size_t i = 0; i < COUNT_OF(scenes); i++, count++) {
        struct scene scene;

        scenes[i].init(&scene);
        write_group(file, encoders, scenes[i].name, &scene);
        for (size_t j = 0; j < COUNT_OF(numbers); j++, count++) {
            scenes[i].init(&scene);
            set_numbers(&scene, numbers[j]);
            write_group(file, encoders, scenes[i].name, &scene);
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

        for (size_t i = 0; i < COUNT_OF(scenes); i++) {
            struct scene scene;
            char *line;

            scenes[i].init(&scene);
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
    for (size_t i = 0; i < COUNT_OF(scenes); i++) {
        char *start = writer.at;
        struct scene scene;

        scenes[i].init(&scene);
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
        struct scene scene;

        lock(&scene);
        first = test_line(encoder, &scene.event);
        set_lookup(&scene, MRL_LOOKUP_NOT_FOUND, "");
        second = test_line(encoder, &scene.event);
        set_lookup(&scene, MRL_LOOKUP_HOST, "");
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
