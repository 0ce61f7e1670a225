// SPDX-License-Identifier: Apache-2.0
/* The kinds table: every cell of every row. */
#include <mrelease/event.h>
#include <string.h>

#include "unit/problems.h"

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

    if (!kind->name || !*kind->name)
        problem("a kind has no name");
    if (kind->storage >= MRL_STORAGE_COUNT)
        problem("%s: no such wire", kind->name);
    if (kind->unit > MRL_UNIT_DURATION || (kind->unit && kind->storage != MRL_STORAGE_UNSIGNED))
        problem("%s: its unit does not fit", kind->name);
    if (kind->storage == MRL_STORAGE_TEXT ? kind->bits != 0 : kind->bits != 32 && kind->bits != 64)
        problem("%s: %u bits", kind->name, kind->bits);
    if (!is_one_of(kind->type_v0_23, v0_23) || !is_one_of(kind->type_v0_24, v0_24))
        problem("%s: a type string that Tracee does not read", kind->name);
    if (!is_one_of(kind->protobuf, protobuf))
        problem("%s: no such member of EventValue", kind->name);
    if (!is_one_of(kind->falco, falco))
        problem("%s: no such type in Falco", kind->name);
}

/* The rows themselves, whether or not a field uses them. */
static const struct mrl_kind kinds[] = {
#define MRL_KIND(symbol, wire_, unit_, bits_, v0_23, v0_24, protobuf_, falco_) \
    { .name = #symbol,                                                         \
      .storage = MRL_STORAGE_##wire_,                                          \
      .unit = MRL_UNIT_##unit_,                                                \
      .bits = bits_,                                                           \
      .type_v0_23 = v0_23,                                                     \
      .type_v0_24 = v0_24,                                                     \
      .protobuf = protobuf_,                                                   \
      .falco = falco_ },
#include "event/kinds.def"
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
            if (!row || row->storage != used->storage || row->bits != used->bits ||
                row->unit != used->unit || strcmp(row->type_v0_23, used->type_v0_23) != 0 ||
                strcmp(row->type_v0_24, used->type_v0_24) != 0)
                problem("%s.%s: kind %s is not its row", event->name, event->fields[i].name,
                        used->name);
        }
    }
    assert_int_equal(problems, 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup(name, forget_problems)
    const struct CMUnitTest tests[] = {
        test(table_kinds_are_complete),
        test(table_fields_use_kinds_as_their_rows_say),
    };

    return cmocka_run_group_tests_name("kinds", tests, NULL, NULL);
}
