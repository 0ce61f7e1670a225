// SPDX-License-Identifier: Apache-2.0
/* Walks the event table: what holds of any row, so that a new one is checked unasked. */
#include <abi/record.h>
#include <mrelease/event.h>
#include <stdio.h>
#include <string.h>

#include "event/raw.h"
#include "unit/problems.h"

enum { NAME_MAX_BYTES = 40, CLASSIC_PREFIX_BYTES = 96, CLASSIC_FIELDS_MAX = 32 };

/* Such a name needs no escape in JSON, and serves as an identifier elsewhere. */
static bool is_safe_name(const char *name)
{
    return *name && strlen(name) < NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static bool is_sentence(const char *doc)
{
    return doc && strlen(doc) > 2 && doc[strlen(doc) - 1] == '.' && !strpbrk(doc, "\n|\"\\");
}

static bool is_version(const char *version)
{
    unsigned int major, minor, patch;
    int size = 0;

    return sscanf(version, "%u.%u.%u%n", &major, &minor, &patch, &size) == 3 &&
           (size_t)size == strlen(version);
}

static void table_rows_are_complete(void **state)
{
    const struct mrl_event_def *event;

    (void)state;
    for_each_event(event)
    {
        if (event->index != index_)
            problem("row %u says that it is %u", index_, event->index);
        if (!is_safe_name(event->name))
            problem("row %u: '%s' is no name", index_, event->name);
        if (!event->syscall || (*event->syscall && !is_safe_name(event->syscall)))
            problem("%s: '%s' is no system call", event->name, event->syscall);
        if (event->id != event->id_x86_64 && event->id != event->id_arm64)
            problem("%s: the id is of no architecture", event->name);
        if (event->id <= 0 || event->protobuf_id <= 0)
            problem("%s: an id is missing", event->name);
        if (event->is_syscall != (event->nr_i386 >= 0) || event->is_syscall != (event->nr_arm >= 0))
            problem("%s: 32-bit numbers do not fit its nature", event->name);
        if (!event->is_syscall && event->id < 10000)
            problem("%s: id %d may be Tracee's own", event->name, event->id);
        if (!is_version(event->version))
            problem("%s: '%s' is no version", event->name, event->version);
        if (!is_sentence(event->doc))
            problem("%s: '%s' is no sentence", event->name, event->doc);
    }
    assert_int_equal(problems, 0);
}

static void table_rows_are_unique(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; j < i; j++) {
            const struct mrl_event_def *a = mrl_event_def__at(i), *b = mrl_event_def__at(j);

            if (!strcmp(a->name, b->name))
                problem("two rows are called %s", a->name);
            if (a->id_x86_64 == b->id_x86_64 || a->id_arm64 == b->id_arm64 ||
                a->protobuf_id == b->protobuf_id)
                problem("%s and %s share an id", a->name, b->name);
            if (a->is_syscall && b->is_syscall &&
                (a->nr_i386 == b->nr_i386 || a->nr_arm == b->nr_arm))
                problem("%s and %s share a 32-bit number", a->name, b->name);
        }
    assert_int_equal(problems, 0);
}

static void check_field(const struct mrl_event_def *event, const struct mrl_field *field)
{
    const unsigned int all = MRL_TAG_K | MRL_TAG_U | MRL_TAG_TOCTOU | MRL_TAG_OPT;

    if (!is_safe_name(field->name))
        problem("%s: '%s' is no name", event->name, field->name);
    if (!field->kind)
        problem("%s.%s has no kind", event->name, field->name);
    if (!field->tags || field->tags & ~all || !(field->tags & (MRL_TAG_K | MRL_TAG_U)))
        problem("%s.%s: tags %#x", event->name, field->name, field->tags);
    if (!is_sentence(field->doc))
        problem("%s.%s: '%s' is no sentence", event->name, field->name, field->doc);
    for (const struct mrl_field *other = event->fields; other < field; other++)
        if (!strcmp(other->name, field->name))
            problem("%s has two fields %s", event->name, field->name);
}

static void table_fields_are_complete(void **state)
{
    const struct mrl_event_def *event;

    (void)state;
    for_each_event(event)
    {
        for (unsigned int i = 0; i < event->field_count; i++)
            check_field(event, &event->fields[i]);
        if (event->fields[event->field_count].name)
            problem("%s: its fields do not end", event->name);
    }
    assert_int_equal(problems, 0);
}

static void check_from(const struct mrl_event_def *event,
                       const struct mrl_field *field,
                       const struct mrl_from *from)
{
    bool is_number =
        field->kind->storage == MRL_STORAGE_SIGNED || field->kind->storage == MRL_STORAGE_UNSIGNED;

    switch (from->where) {
    case MRL_FROM_ARG:
        if (from->offset >= MRL_ARGS_MAX || !is_number)
            problem("%s.%s: no number or no argument", event->name, field->name);
        break;
    case MRL_FROM_TARGET:
        if (from->offset + from->size > sizeof(struct mrl_target) || !is_number ||
            from->size * 8 != field->kind->bits || !(field->tags & MRL_TAG_OPT))
            problem("%s.%s: its member of the target does not fit", event->name, field->name);
        break;
    case MRL_FROM_FUNCTION:
        if (!from->compute)
            problem("%s.%s: nothing computes it", event->name, field->name);
        break;
    default:
        problem("%s.%s comes from nowhere", event->name, field->name);
    }
}

static void table_fields_come_from_somewhere(void **state)
{
    const struct mrl_event_def *event;

    (void)state;
    for_each_event(event)
    {
        const struct mrl_from *from = mrl_event_def__from(event->index);

        for (unsigned int i = 0; i < event->field_count; i++)
            check_from(event, &event->fields[i], &from[i]);
    }
    assert_int_equal(problems, 0);
}

/* The classic encoder keeps {"name":"…","type":"…","value": ready, in rooms of a fixed size. */
static void table_names_fit_the_rooms_of_encoders(void **state)
{
    const struct mrl_event_def *event;

    (void)state;
    for_each_event(event)
    {
        if (event->field_count > CLASSIC_FIELDS_MAX)
            problem("%s has %u fields", event->name, event->field_count);
        for (unsigned int i = 0; i < event->field_count; i++) {
            const struct mrl_field *field = &event->fields[i];
            size_t size = strlen(",{\"name\":\"\",\"type\":\"\",\"value\":") + strlen(field->name) +
                          strlen(field->kind->type_v0_23);

            if (size >= CLASSIC_PREFIX_BYTES)
                problem("%s.%s needs %zu bytes", event->name, field->name, size);
        }
    }
    assert_int_equal(problems, 0);
}

static void table_finds_every_event_by_its_name(void **state)
{
    const struct mrl_event_def *event;
    struct mrl_error error;

    (void)state;
    for_each_event(event) assert_ptr_equal(mrl_event_def__find(event->name, NULL), event);
    assert_null(mrl_event_def__find("mlockal", &error));
    assert_string_equal(error.text, "unknown event 'mlockal': did you mean 'mlockall'?");
    assert_null(mrl_event_def__find("", NULL));
}

static void table_names_tags_and_sets_until_the_last(void **state)
{
    static const char *const tags[] = { "K", "U", "TOCTOU", "OPT", NULL };
    static const char *const sets[] = { "default", "syscalls", "proc", "proc_mem", NULL };

    (void)state;
    for (unsigned int bit = 0; tags[bit]; bit++)
        assert_string_equal(mrl_tag_name(bit), tags[bit]);
    for (unsigned int bit = 0; sets[bit]; bit++)
        assert_string_equal(mrl_set_name(bit), sets[bit]);
    assert_null(mrl_tag_name(4));
    assert_null(mrl_set_name(4));
    assert_null(mrl_tag_name(31));
    assert_null(mrl_set_name(UINT32_MAX));
}

int main(void)
{
#define test(name) cmocka_unit_test_setup(name, forget_problems)
    const struct CMUnitTest tests[] = {
        test(table_rows_are_complete),
        test(table_rows_are_unique),
        test(table_fields_are_complete),
        test(table_fields_come_from_somewhere),
        test(table_names_fit_the_rooms_of_encoders),
        test(table_finds_every_event_by_its_name),
        test(table_names_tags_and_sets_until_the_last),
    };

    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
