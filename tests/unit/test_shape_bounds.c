// SPDX-License-Identifier: Apache-2.0
/* Formats write without looking at bounds: the longest event of each kind fits, in every one of
 * them, with nothing cut; and texts that no record holds are cut. */
#include <stdlib.h>
#include <string.h>

#include "encode/task_text.h"
#include "event/layout.h"
#include "event/named.h"
#include "event/state.h"
#include "unit/lines.h"
#include "unit/unit.h"

enum { STRANGER_BYTES = 100 * 1024, ROOM_BYTES = 16 * (int)MRL_EVENT_TEXT_MAX };

/* An event with all extras. */
struct scene {
    struct test_event own;
    struct mrl_value extras[MRL_LAYOUT_FIELDS_MAX];
    char bytes[STRANGER_BYTES];
};

static struct mrl_text text_of(const struct scene *scene, size_t size, bool is_strange)
{
    return (struct mrl_text){ scene->bytes, is_strange ? STRANGER_BYTES : size };
}

static bool is_name_of_target(const char *name)
{
    return strstr(name, "_pod_") || !strcmp(name, "target_container_name") ||
           !strcmp(name, "target_container_image");
}

/* As long as its name lets it be. */
static size_t longest(const char *name)
{
    return strstr(name, "exe")         ? MRL_EXE_TEXT_BYTES
           : is_name_of_target(name)   ? MRL_NAMES_BYTES_MAX / 4
           : strstr(name, "container") ? MRL_CONTAINER_BYTES
           : !strcmp(name, "detail")   ? MRL_STATE_DETAIL_MAX
                                       : MRL_NAME_BYTES;
}

/* Every number is as long as it can be, and every text, which is made of `byte`. */
static void init(struct scene *scene, const char *name, char byte, bool is_strange)
{
    struct mrl_event *event = &scene->own.event;
    struct mrl_layout layout;

    test_event__init_worst(&scene->own, name);
    memset(scene->bytes, byte, sizeof(scene->bytes));
    event->output = 1;
    event->lane = 1;
    event->flags = 0;
    event->run = "e30b2f15c2934355-00018f3a2b1c0d42";
    event->lookup = MRL_LOOKUP_KNOWN;
    event->container_lookup = mrl_lookup__name(MRL_LOOKUP_KNOWN);
    event->extra_values = scene->extras;
    event->process_name = text_of(scene, MRL_NAME_BYTES, is_strange);
    event->host_name = text_of(scene, MRL_NAME_BYTES, is_strange);
    event->container_id = text_of(scene, MRL_CONTAINER_BYTES, is_strange);
    event->names_result = MRL_NAMES_KNOWN;
    for (unsigned int n = 0; n < MRL_NAMES; n++)
        *(struct mrl_text *)mrl_event__name(event, n) =
            text_of(scene, n ? 100 : MRL_NAMES_BYTES_MAX - 100 * (MRL_NAMES - 1), is_strange);
    event->executable = text_of(scene, MRL_EXE_TEXT_BYTES, is_strange);
    mrl_layout__make(event->def, UINT32_MAX, &layout);
    for (unsigned int i = 0; i < layout.count; i++) {
        const struct mrl_layout_field *field = &layout.fields[i];
        struct mrl_value *value;

        if (field->size)
            continue;
        value = field->extra ? &scene->extras[field->at] : &scene->own.values[field->at];
        *value = (struct mrl_value){ .unsigned_number = UINT64_MAX };
        if (field->field->kind->storage == MRL_STORAGE_TEXT)
            value->text = text_of(scene, longest(field->field->name), is_strange);
    }
}

static size_t count(const char *line, size_t size, const char *what)
{
    const char *at = line, *end = line + size;
    size_t found = 0;

    while ((at = memmem(at, (size_t)(end - at), what, strlen(what)))) {
        at += strlen(what);
        found++;
    }
    return found;
}

/* How often the byte of the texts stands in the event, as the format writes it. */
static size_t put(const char *format, const char *name, char byte, bool is_strange)
{
    static char line[ROOM_BYTES];
    const struct mrl_encoder_options options = { .extras = UINT32_MAX, .width = 40 };
    struct mrl_encoder *encoder = test_encoder(format, &options);
    struct scene *scene = calloc(1, sizeof(*scene));
    ssize_t size;

    assert_non_null(scene);
    init(scene, name, byte, is_strange);
    size = mrl_encoder__put(encoder, &scene->own.event, line, sizeof(line));
    if (size < 0 || (size_t)size > MRL_EVENT_TEXT_MAX)
        fail_case("%s of %s: %zd bytes", format, name, size);
    mrl_encoder__free(encoder);
    free(scene);
    return byte == 'Q'
               ? count(line, (size_t)size, "Q")
               : count(line, (size_t)size, "\\ufffd") + count(line, (size_t)size, "\xef\xbf\xbd");
}

static const char *const shapes[] = { "ecs", "ocsf", "cef", "leef", "otlp" };

static void the_longest_event_fits_and_nothing_of_it_is_cut(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count() * COUNT_OF(shapes); i++) {
        const char *format = shapes[i % COUNT_OF(shapes)];
        const char *name = mrl_event_def__at(i / COUNT_OF(shapes))->name;
        size_t plain = put(format, name, 'Q', false), escaped = put(format, name, '\xff', false);

        assert_true(plain);
        if (strcmp(format, "otlp") && plain != escaped) /* OTLP leaves out what is not UTF-8 */
            fail_case("%s of %s: %zu of %zu bytes", format, name, escaped, plain);
    }
}

static void the_longest_event_fits_in_every_format(void **state)
{
    unsigned int all;
    const struct mrl_format *formats = mrl_format__all(&all);

    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count() * all; i++)
        put(formats[i % all].name, mrl_event_def__at(i / all)->name, '\x01', false);
}

static void texts_that_no_record_holds_are_cut(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count() * COUNT_OF(shapes); i++)
        assert_true(put(shapes[i % COUNT_OF(shapes)], mrl_event_def__at(i / COUNT_OF(shapes))->name,
                        'Q', true));
}

/* A sentence of CEF is short, and ends with a letter. */
static void no_letter_is_cut(void **state)
{
    const struct mrl_encoder_options options = { .extras = UINT32_MAX };
    struct mrl_encoder *encoder = test_encoder("cef", &options);
    struct scene *scene = calloc(1, sizeof(*scene));
    char detail[MRL_STATE_DETAIL_MAX];

    (void)state;
    assert_non_null(scene);
    for (unsigned int from = 0; from < 2; from++) {
        struct mrl_layout_field field;
        char *line;

        init(scene, "sensor_state", 'Q', false);
        memset(detail, 'Q', sizeof(detail));
        for (unsigned int i = from; i < MRL_STATE_DETAIL_MAX - 1; i += 2)
            memcpy(detail + i, "\xc3\xa9", 2);
        assert_true(mrl_layout__find(scene->own.event.def, "detail", &field));
        scene->own.values[field.at].text = (struct mrl_text){ detail, sizeof(detail) - from };
        line = test_line(encoder, &scene->own.event);
        assert_null(strstr(line, "\xef\xbf\xbd"));
        free(line);
    }
    free(scene);
    mrl_encoder__free(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_event_fits_and_nothing_of_it_is_cut),
        cmocka_unit_test(the_longest_event_fits_in_every_format),
        cmocka_unit_test(no_letter_is_cut),
        cmocka_unit_test(texts_that_no_record_holds_are_cut),
    };

    return cmocka_run_group_tests_name("bounds of shapes", tests, NULL, NULL);
}
