// SPDX-License-Identifier: Apache-2.0
/*
 * Walks the two tables. What the rows of Tracee's events must say is typed here by hand, from
 * Tracee's source; everything else holds for any row, so that a new one is checked unasked.
 */
#include <abi/record.h>
#include <jansson.h>
#include <mrelease/event.h>
#include <stdio.h>
#include <string.h>

#include "core/raw.h"
#include "unit/unit.h"

enum { NAME_MAX_BYTES = 40, CLASSIC_PREFIX_BYTES = 96, CLASSIC_FIELDS_MAX = 32 };

static unsigned int problems;

#define problem(format, ...)                \
    do {                                    \
        problems++;                         \
        print_error(format, ##__VA_ARGS__); \
        print_error("\n");                  \
    } while (0)

#define for_each_event(event)     \
    for (unsigned int index_ = 0; \
         index_ < mrl_event_def__count() && ((event) = mrl_event_def__at(index_), 1); index_++)

static int forget_problems(void **state)
{
    (void)state;
    problems = 0;
    return 0;
}

/* -- Tracee's events, by hand ----------------------------------------------------------------- */

struct known_field {
    const char *name, *type_v0_23, *type_v0_24, *protobuf;
};

static const struct known_event {
    const char *name;
    int x86_64, arm64, i386, arm, protobuf;
    const char *sets;
    struct known_field fields[4];
} tracee_events[] = {
    { "process_mrelease",
      448,
      448,
      448,
      448,
      360,
      "syscalls",
      { { "pidfd", "int", "int32", "int32" }, { "flags", "unsigned int", "uint32", "u_int32" } } },
    { "mlock",
      149,
      228,
      150,
      150,
      150,
      "syscalls,proc,proc_mem",
      { { "addr", "const void*", "trace.Pointer", "pointer" },
        { "len", "size_t", "uint64", "u_int64" } } },
    { "munlock",
      150,
      229,
      151,
      151,
      151,
      "syscalls,proc,proc_mem",
      { { "addr", "const void*", "trace.Pointer", "pointer" },
        { "len", "size_t", "uint64", "u_int64" } } },
    { "mlockall",
      151,
      230,
      152,
      152,
      152,
      "syscalls,proc,proc_mem",
      { { "flags", "int", "int32", "int32" } } },
    { "munlockall", 152, 231, 153, 153, 153, "syscalls,proc,proc_mem", { { NULL } } },
    { "mlock2",
      325,
      284,
      376,
      390,
      326,
      "syscalls,proc,proc_mem",
      { { "addr", "const void*", "trace.Pointer", "pointer" },
        { "len", "size_t", "uint64", "u_int64" },
        { "flags", "int", "int32", "int32" } } },
};

static void compare_numbers(const struct known_event *known, const struct mrl_event_def *event)
{
    const int wanted[] = { known->x86_64, known->arm64, known->i386, known->arm, known->protobuf };
    const int found[] = { event->id_x86_64, event->id_arm64, event->nr_i386, event->nr_arm,
                          event->protobuf_id };
    static const char *const what[] = { "x86-64 id", "arm64 id", "i386 number", "arm number",
                                        "protobuf id" };

    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (wanted[i] != found[i])
            problem("%s: %s is %d, Tracee's is %d", known->name, what[i], found[i], wanted[i]);
    if (!event->is_syscall || strcmp(event->syscall, known->name) != 0)
        problem("%s: is no system call of that name", known->name);
    if (strcmp(event->version, "1.0.0") != 0)
        problem("%s: version %s, Tracee's is 1.0.0", known->name, event->version);
}

static void compare_sets(const struct known_event *known, const struct mrl_event_def *event)
{
    char sets[64] = "";

    for (unsigned int bit = 0; mrl_set_name(bit); bit++) {
        if (!(event->sets & (1U << bit)) || (1U << bit) == MRL_SET_DEFAULT)
            continue;
        strcat(sets, *sets ? "," : "");
        strcat(sets, mrl_set_name(bit));
    }
    if (strcmp(sets, known->sets) != 0)
        problem("%s: sets %s, Tracee's are %s", known->name, sets, known->sets);
}

static void compare_fields(const struct known_event *known, const struct mrl_event_def *event)
{
    unsigned int count = 0;

    for (; known->fields[count].name; count++) {
        const struct known_field *wanted = &known->fields[count];
        const struct mrl_field *field = &event->fields[count];

        if (count >= event->field_count || strcmp(field->name, wanted->name) != 0 ||
            strcmp(field->kind->type_v0_23, wanted->type_v0_23) != 0 ||
            strcmp(field->kind->type_v0_24, wanted->type_v0_24) != 0 ||
            strcmp(field->kind->protobuf, wanted->protobuf) != 0 || field->tags != MRL_TAG_K)
            problem("%s: argument %u is not Tracee's %s", known->name, count, wanted->name);
        if (mrl_event_def__from(event->index)[count].where != MRL_FROM_ARG ||
            mrl_event_def__from(event->index)[count].offset != count)
            problem("%s: %s is not argument %u of the call", known->name, wanted->name, count);
    }
    if (count != event->field_count)
        problem("%s: %u fields, Tracee has %u", known->name, event->field_count, count);
}

static void table_says_of_tracees_events_what_tracee_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(tracee_events); i++) {
        const struct mrl_event_def *event = mrl_event_def__find(tracee_events[i].name, NULL);

        if (!event) {
            problem("%s is missing", tracee_events[i].name);
            continue;
        }
        compare_numbers(&tracee_events[i], event);
        compare_sets(&tracee_events[i], event);
        compare_fields(&tracee_events[i], event);
    }
    assert_int_equal(problems, 0);
}

static void table_turns_on_the_release_events_by_default(void **state)
{
    const struct mrl_event_def *event;

    (void)state;
    for_each_event(event)
    {
        bool wanted =
            !strcmp(event->name, "process_mrelease") || !strcmp(event->name, "do_mrelease");

        if (wanted != !!(event->sets & MRL_SET_DEFAULT))
            problem("%s is %s the default set", event->name, wanted ? "not in" : "in");
    }
    assert_int_equal(problems, 0);
}

static void table_numbers_own_events_as_designed(void **state)
{
    const struct mrl_event_def *released = mrl_event_def__find("do_mrelease", NULL);
    const struct mrl_event_def *lost = mrl_event_def__find("events_lost", NULL);

    (void)state;
    assert_non_null(released);
    assert_int_equal(released->id, 10448);
    assert_int_equal(released->protobuf_id, 10448);
    assert_string_equal(released->syscall, "process_mrelease");
    assert_non_null(lost);
    assert_int_equal(lost->id, 10999);
    assert_int_equal(lost->protobuf_id, 10999);
    assert_string_equal(lost->syscall, "");
}

static void table_has_the_fields_of_own_events_in_order(void **state)
{
    static const char *const released[] = {
        "pidfd",
        "flags",
        "target_host_pid",
        "target_pid",
        "target_name",
        "target_exe",
        "target_uid",
        "target_start_time",
        "target_entity_id",
        "target_cgroup_id",
        "target_container_id",
        "outcome",
        "released_bytes",
        "anon_before",
        "anon_after",
        "file_before",
        "file_after",
        "shmem_before",
        "shmem_after",
        "swap_before",
        "swap_after",
        "locked_bytes",
        "pagetable_bytes",
        "accuracy",
        "error_bound_bytes",
        "duration_ns",
    };
    static const char *const lost[] = { "event", "count", "cause", "from_ns", "to_ns" };
    const struct mrl_event_def *event = mrl_event_def__at(MRL_EVENT_DO_MRELEASE);

    (void)state;
    assert_int_equal(event->field_count, COUNT_OF(released));
    for (unsigned int i = 0; i < event->field_count; i++)
        assert_string_equal(event->fields[i].name, released[i]);
    event = mrl_event_def__at(MRL_EVENT_EVENTS_LOST);
    assert_int_equal(event->field_count, COUNT_OF(lost));
    for (unsigned int i = 0; i < event->field_count; i++)
        assert_string_equal(event->fields[i].name, lost[i]);
}

/* -- any row ---------------------------------------------------------------------------------- */

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
    bool is_number = field->kind->wire == MRL_WIRE_SIGNED || field->kind->wire == MRL_WIRE_UNSIGNED;

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

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (word && !strcmp(*words, word))
            return true;
    return false;
}

static void check_kind(const struct mrl_kind *kind)
{
    static const char *const falco[] = { "uint64", "string", "abstime", "reltime", NULL };
    static const char *const protobuf[] = { "int32",   "u_int32", "int64", "u_int64",
                                            "pointer", "str",     NULL };
    static const char *const v0_23[] = { "int",    "unsigned int", "long",        "unsigned long",
                                         "size_t", "const void*",  "const char*", NULL };
    static const char *const v0_24[] = { "int32",         "uint32", "int64", "uint64",
                                         "trace.Pointer", "string", NULL };
    json_t *schema = json_loads(kind->schema ? kind->schema : "", JSON_DECODE_INT_AS_REAL, NULL);

    if (!kind->name || !*kind->name)
        problem("a kind has no name");
    if (kind->wire >= MRL_WIRE_COUNT)
        problem("%s: no such wire", kind->name);
    if (kind->unit > MRL_UNIT_DURATION || (kind->unit && kind->wire != MRL_WIRE_UNSIGNED))
        problem("%s: its unit does not fit", kind->name);
    if (kind->wire == MRL_WIRE_TEXT ? kind->bits != 0 : kind->bits != 32 && kind->bits != 64)
        problem("%s: %u bits", kind->name, kind->bits);
    if (!is_one_of(kind->type_v0_23, v0_23) || !is_one_of(kind->type_v0_24, v0_24))
        problem("%s: a type string that Tracee does not read", kind->name);
    if (!is_one_of(kind->protobuf, protobuf))
        problem("%s: no such member of EventValue", kind->name);
    if (!is_one_of(kind->falco, falco))
        problem("%s: no such type in Falco", kind->name);
    if (!json_is_object(schema) || !json_is_string(json_object_get(schema, "type")))
        problem("%s: its schema is none", kind->name);
    json_decref(schema);
}

/* The rows themselves, whether or not a field uses them. */
static const struct mrl_kind kinds[] = {
#define MRL_KIND(symbol, wire_, unit_, bits_, v0_23, v0_24, protobuf_, falco_, schema_) \
    { .name = #symbol,                                                                  \
      .wire = MRL_WIRE_##wire_,                                                         \
      .unit = MRL_UNIT_##unit_,                                                         \
      .bits = bits_,                                                                    \
      .type_v0_23 = v0_23,                                                              \
      .type_v0_24 = v0_24,                                                              \
      .protobuf = protobuf_,                                                            \
      .falco = falco_,                                                                  \
      .schema = schema_ },
#include "core/kinds.def"
};

static void table_kinds_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        check_kind(&kinds[i]);
        for (size_t j = 0; j < i; j++)
            if (!strcmp(kinds[i].name, kinds[j].name))
                problem("two kinds are called %s", kinds[i].name);
    }
    assert_int_equal(problems, 0);
}

static void table_fields_use_kinds_as_their_rows_say(void **state)
{
    const struct mrl_event_def *event;

    (void)state;
    for_each_event(event)
    {
        for (unsigned int i = 0; i < event->field_count; i++) {
            const struct mrl_kind *used = event->fields[i].kind, *row = NULL;

            for (size_t k = 0; k < COUNT_OF(kinds); k++)
                if (!strcmp(kinds[k].name, used->name))
                    row = &kinds[k];
            if (!row || row->wire != used->wire || row->bits != used->bits ||
                row->unit != used->unit || strcmp(row->type_v0_23, used->type_v0_23) != 0 ||
                strcmp(row->type_v0_24, used->type_v0_24) != 0)
                problem("%s.%s: kind %s is not its row", event->name, event->fields[i].name,
                        used->name);
        }
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

/* -- look-ups --------------------------------------------------------------------------------- */

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
        test(table_says_of_tracees_events_what_tracee_says),
        test(table_turns_on_the_release_events_by_default),
        test(table_numbers_own_events_as_designed),
        test(table_has_the_fields_of_own_events_in_order),
        test(table_rows_are_complete),
        test(table_rows_are_unique),
        test(table_fields_are_complete),
        test(table_fields_come_from_somewhere),
        test(table_kinds_are_complete),
        test(table_fields_use_kinds_as_their_rows_say),
        test(table_names_fit_the_rooms_of_encoders),
        test(table_finds_every_event_by_its_name),
        test(table_names_tags_and_sets_until_the_last),
    };

    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
