// SPDX-License-Identifier: Apache-2.0
/* Lines for tests. */
#include "unit/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/named.h"
#include "event/policies.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { TEST_CONTAINER_MAX = 128 }; /* what enrich/cgroups.c keeps of an id */

struct mrl_text test_text(const char *text)
{
    return (struct mrl_text){ text, strlen(text) };
}

void test_event__init(struct test_event *event, const char *name)
{
    const struct mrl_event_def *def = mrl_event_def__find(name, NULL);

    assert_non_null(def);
    memset(event, 0, sizeof(*event));
    event->event = (struct mrl_event){
        .def = def,
        .entry_ns = TEST_ENTRY_NS,
        .exit_ns = TEST_ENTRY_NS + TEST_DURATION_NS,
        .cgroup_id = 5650,
        .thread_start_ns = TEST_START_NS,
        .process_start_ns = TEST_START_NS,
        .parent_start_ns = TEST_PARENT_NS,
        .thread_id = 4242,
        .process_id = 4242,
        .parent_process_id = 1,
        .host_thread_id = 4242,
        .host_process_id = 4242,
        .host_parent_process_id = 1,
        .mount_namespace = 4026531841,
        .pid_namespace = 4026531836,
        .cpu = 6,
        .process_name = test_text("oomd"),
        .host_name = test_text("rugged"),
        .container_id = test_text(""),
        .executable = test_text(""),
        .values = event->values,
        .run = "",
    };
    for (unsigned int i = 0; i < def->field_count; i++)
        if (def->fields[i].kind->storage == MRL_STORAGE_TEXT)
            event->values[i].text = test_text("");
}

static struct mrl_text worst_text(size_t size)
{
    static char bytes[MRL_EXE_BYTES];

    memset(bytes, 0x01, sizeof(bytes)); /* \u0001 or \x01: as long as an escape can be */
    return (struct mrl_text){ bytes, size };
}

static void init_worst_value(const struct mrl_field *field, struct mrl_value *value)
{
    if (field->kind->storage == MRL_STORAGE_ENTITY)
        value->entity = (struct mrl_entity){ UINT32_MAX, UINT64_MAX };
    else if (field->kind->storage != MRL_STORAGE_TEXT)
        value->unsigned_number = UINT64_MAX;
    else if (strstr(field->name, "exe"))
        value->text = worst_text(MRL_EXE_BYTES);
    else
        value->text = worst_text(strstr(field->name, "container") ? TEST_CONTAINER_MAX : 16);
}

/* As many policies as there may be, and their names as long. Lives as long as the program. */
static const struct mrl_policies *worst_policies(void)
{
    static struct mrl_policies *policies;
    char name[MRL_POLICY_NAMES_MAX / MRL_POLICIES_MAX + 1];

    if (policies)
        return policies;
    policies = mrl_policies__new();
    assert_non_null(policies);
    for (unsigned int i = 0; i < MRL_POLICIES_MAX; i++) {
        memset(name, 'p', sizeof(name) - 1);
        name[0] = (char)('a' + i % 8);
        name[1] = (char)('a' + i / 8);
        name[sizeof(name) - 1] = '\0';
        assert_int_equal(mrl_policies__add(policies, name, NULL), 0);
    }
    return policies;
}

void test_event__init_worst(struct test_event *event, const char *name)
{
    test_event__init(event, name);
    memset((char *)event + offsetof(struct mrl_event, entry_ns), 0xff,
           offsetof(struct mrl_event, process_name) - offsetof(struct mrl_event, entry_ns));
    event->event.return_value = INT64_MIN;
    event->event.process_name = worst_text(MRL_NAME_BYTES);
    event->event.host_name = worst_text(MRL_NAME_BYTES);
    event->event.container_id = worst_text(TEST_CONTAINER_MAX);
    event->event.executable = worst_text(MRL_EXE_BYTES);
    event->event.names_result = MRL_NAMES_KNOWN;
    for (unsigned int i = 0; i < MRL_NAMES; i++)
        *(struct mrl_text *)mrl_event__name(&event->event, i) =
            worst_text(MRL_NAMES_BYTES_MAX / MRL_NAMES);
    for (unsigned int i = 0; i < event->event.def->field_count; i++)
        init_worst_value(&event->event.def->fields[i], &event->values[i]);
    event->event.policies = UINT64_MAX;
    event->event.all_policies = worst_policies();
}

struct mrl_encoder *test_encoder(const char *format, const struct mrl_encoder_options *options)
{
    struct mrl_encoder *encoder = NULL;
    struct mrl_error error;

    if (mrl_encoder__new(format, options, &error, &encoder))
        fail_case("%s", error.text);
    return encoder;
}

char *test_line(struct mrl_encoder *encoder, const struct mrl_event *event)
{
    char *line = malloc(MRL_EVENT_TEXT_MAX + 1);
    ssize_t size;

    assert_non_null(line);
    size = mrl_encoder__put(encoder, event, line, MRL_EVENT_TEXT_MAX);
    assert_in_range(size, 0, MRL_EVENT_TEXT_MAX);
    line[size] = '\0';
    assert_int_equal(strlen(line), size); /* no format puts a NUL */
    return line;
}

char *test_line_in(const char *format, const struct mrl_event *event)
{
    return test_line_as(format, NULL, event);
}

char *test_line_as(const char *format,
                   const struct mrl_encoder_options *options,
                   const struct mrl_event *event)
{
    struct mrl_encoder *encoder = test_encoder(format, options);
    char *line = test_line(encoder, event);

    mrl_encoder__free(encoder);
    return line;
}

char *test_golden(const char *path)
{
    char whole[4096], *text = calloc(1, MRL_EVENT_TEXT_MAX + 2);
    FILE *file;
    size_t size;

    assert_non_null(text);
    snprintf(whole, sizeof(whole), "%s/golden/%s", MRL_TEST_DIR, path);
    file = fopen(whole, "re");
    if (!file) {
        free(text);
        return NULL;
    }
    size = fread(text, 1, MRL_EVENT_TEXT_MAX + 1, file);
    fclose(file);
    assert_in_range(size, 1, MRL_EVENT_TEXT_MAX);
    return text;
}

void assert_same_line(const char *line, const char *wanted)
{
    size_t same = 0, shown;

    while (line[same] && line[same] == wanted[same])
        same++;
    if (line[same] == wanted[same])
        return;
    shown = same > 60 ? same - 60 : 0;
    fail_case("lines part at byte %zu:\n  …%.120s\nwanted\n  …%.120s", same, line + shown,
              wanted + shown);
}
