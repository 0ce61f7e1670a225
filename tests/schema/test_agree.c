// SPDX-License-Identifier: Apache-2.0
/*
 * The fast path against the validator: what the first accepts, the second accepts. Since it is
 * asked first and gives up otherwise, validation with and without it is then the same. The lines
 * are those of the corpus, changed at random from a fixed seed, so that a failure can be repeated.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "corpus.h"
#include "unit/lines.h"
#include "unit/unit.h"

#ifdef MRL_SANITIZED
enum { MUTANTS = 8000 }; /* it makes them ten times as slow */
#else
enum { MUTANTS = 40000 };
#endif

enum { LINE_ROOM = 2 * MRL_EVENT_TEXT_MAX, CHANGES_MAX = 3, EVENTS = 400 };

/* -- mutants ---------------------------------------------------------------------------------- */

struct mutant {
    char line[LINE_ROOM];
    size_t size;
};

static void replace(struct mutant *mutant, size_t at, size_t size, const char *by, size_t by_size)
{
    if (at + size > mutant->size || mutant->size - size + by_size >= LINE_ROOM)
        return;
    memmove(mutant->line + at + by_size, mutant->line + at + size, mutant->size - at - size);
    memcpy(mutant->line + at, by, by_size);
    mutant->size += by_size - size;
}

static const char *const tokens[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\\"",
    "\\u0000",
    "\\ud800",
    "\\u00e9",
    "\\/",
    "\\x",
    "0",
    "-",
    "-0",
    "1",
    ".0",
    "e3",
    "null",
    "true",
    "false",
    "NaN",
    " ",
    "\t",
    "\x7f",
    "\xc3\xa9",
    "\xff",
    "\xed\xa0\x80",
    "\xf0\x9f\x98\x80",
    "\xf4\x90\x80\x80",
    "\xe2\x82",
    "\"value\":",
    "\"args\":[",
    "\"\":0",
    "{},",
    "[],",
    "0x0",
};

static void put_token(struct mutant *mutant)
{
    const char *token = tokens[random_below(COUNT_OF(tokens))];
    size_t at = random_below(mutant->size);

    replace(mutant, at, random_below(3), token, strlen(token));
}

static void flip_byte(struct mutant *mutant)
{
    char byte = (char)random_bits();

    replace(mutant, random_below(mutant->size), 1, &byte, 1);
}

/* The start of the next run of `set` at or after a random place, and its length; 0: there is none.
 */
static size_t find_run(const struct mutant *mutant, const char *set, size_t *ret_at)
{
    size_t at = random_below(mutant->size), size = 0;

    while (at < mutant->size && !strchr(set, mutant->line[at]))
        at++;
    while (at + size < mutant->size && mutant->line[at + size] &&
           strchr(set, mutant->line[at + size]))
        size++;
    *ret_at = at;
    return size;
}

static const char *const numbers[] = {
    "0",
    "-0",
    "1",
    "-1",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "65535",
    "65536",
    "9223372036854775807",
    "9223372036854775808",
    "9223372036854776832",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "00",
    "007",
    "18446744073709549568",
    "99999999999999999999999999",
};

static void put_number(struct mutant *mutant)
{
    const char *number = numbers[random_below(COUNT_OF(numbers))];
    size_t at, size = find_run(mutant, "-0123456789", &at);

    replace(mutant, at, size, number, strlen(number));
}

static void change_word(struct mutant *mutant)
{
    static const char *const words[] = {
        "mlock",       "munlock",     "mlockall", "munlockall", "mlock2",  "process_mrelease",
        "do_mrelease", "pidfd",       "flags",    "addr",       "len",     "int",
        "int32",       "uint64",      "name",     "str",        "pointer", "seq",
        "lane",        "returnValue", "int64",
    };
    const char *word = words[random_below(COUNT_OF(words))];
    size_t at,
        size = find_run(mutant, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", &at);

    replace(mutant, at, size, word, strlen(word));
}

/* A stretch from key to key, or of anything, away or twice. */
static void cut(struct mutant *mutant)
{
    size_t at = random_below(mutant->size), size = random_below(60);

    replace(mutant, at, size, "", 0);
}

static void double_up(struct mutant *mutant)
{
    char part[256];
    size_t at = random_below(mutant->size), size = random_below(sizeof(part));

    if (at + size > mutant->size)
        return;
    memcpy(part, mutant->line + at, size);
    replace(mutant, at, 0, part, size);
}

/* The rest of another line. */
static const struct corpus *spliced;

static void splice(struct mutant *mutant)
{
    const char *other = spliced->lines[random_below(spliced->count)];
    size_t at = random_below(strlen(other));

    if (at < mutant->size)
        replace(mutant, at, mutant->size - at, other + at, strlen(other + at));
}

static void (*const changes[])(struct mutant *mutant) = {
    put_token, flip_byte, put_number, put_number, put_number, change_word, cut, double_up, splice,
};

static void make_mutant(const struct corpus *corpus, struct mutant *mutant)
{
    const char *line = corpus->lines[random_below(corpus->count)];

    spliced = corpus;
    mutant->size = strlen(line);
    memcpy(mutant->line, line, mutant->size);
    for (size_t i = 1 + random_below(CHANGES_MAX); i; i--)
        changes[random_below(COUNT_OF(changes))](mutant);
}

static void check_mutants(struct corpus *corpus)
{
    static struct mutant mutant;
    struct mrl_fault fault;
    unsigned int accepted = 0;

    for (unsigned int i = 0; i < MUTANTS; i++) {
        make_mutant(corpus, &mutant);
        if (!mrl_schema__surely_holds(mrl_check__schema(corpus->check), mutant.line, mutant.size))
            continue;
        accepted++;
        if (mrl_check__line_slowly(corpus->check, mutant.line, mutant.size, &fault) != 1)
            fail_case("%s: %s: %s: %.*s", corpus->dialect->name, fault.pointer, fault.reason,
                      (int)mutant.size, mutant.line);
    }
    print_message("# %s: %u of %u mutants accepted by both\n", corpus->dialect->name, accepted,
                  MUTANTS);
    assert_true(accepted > MUTANTS / 100); /* or nothing is tested */
}

static void what_the_fast_path_accepts_the_validator_accepts(void **state)
{
    unsigned int count;
    const struct mrl_dialect *const *all = mrl_dialect__all(&count);

    (void)state;
    for (unsigned int i = 0; i < count; i++) {
        struct corpus corpus;

        corpus__init(&corpus, all[i]);
        check_mutants(&corpus);
        corpus__done(&corpus);
    }
}

/* -- events at random ------------------------------------------------------------------------- */

static const uint64_t edges[] = {
    0,
    1,
    INT32_MAX,
    (uint64_t)INT32_MAX + 1,
    UINT32_MAX,
    INT64_MAX,
    (uint64_t)INT64_MAX + 1,
    UINT64_MAX,
};

static uint64_t random_number(unsigned int bits)
{
    uint64_t number = random_below(2) ? edges[random_below(COUNT_OF(edges))] : random_bits();

    return bits == 64 ? number : number & ((1ULL << bits) - 1);
}

static struct mrl_text random_text(char *room, size_t most)
{
    size_t size = random_below(most + 1);

    for (size_t i = 0; i < size; i++)
        room[i] =
            (char)(random_below(8) ? 'a' + (char)random_below(26) : (char)(1 + random_below(255)));
    return (struct mrl_text){ room, size };
}

static void fill_value(const struct mrl_field *field, struct mrl_value *value, char *room)
{
    unsigned int bits = field->kind->bits;
    uint64_t number = random_number(bits ? bits : 64);

    *value = (struct mrl_value){ 0 };
    value->absent = (field->tags & MRL_TAG_OPT) && !random_below(4);
    if (field->kind->storage == MRL_STORAGE_TEXT)
        value->text = random_text(room, 40);
    else if (field->kind->storage == MRL_STORAGE_ENTITY)
        value->entity = (struct mrl_entity){ (uint32_t)random_bits(), random_bits() >> 2 };
    else if (field->kind->storage == MRL_STORAGE_SIGNED)
        value->number = bits == 32 ? (int32_t)(uint32_t)number : (int64_t)number;
    else
        value->unsigned_number = number;
}

struct random_event {
    struct test_event event;
    char name[16], host[16], container[64], texts[TEST_FIELDS_MAX][64];
};

static void fill_event(struct random_event *random, const char *name)
{
    struct mrl_event *event = &random->event.event;

    test_event__init(&random->event, name);
    event->entry_ns = 1 + random_bits() % INT64_MAX;
    event->return_value = (int64_t)random_number(64);
    event->seq = random_number(64);
    event->lane = (uint16_t)random_below(2);
    event->flags = (unsigned int)random_below(2) ? MRL_EVENT_IS_COMPAT : 0;
    if (*event->def->syscall) { /* a gap is of no task */
        event->cgroup_id = random_number(64);
        event->cpu = (uint16_t)random_bits();
        event->process_id = (uint32_t)random_number(32) | 1; /* no caller is 0 */
        event->host_thread_id = (uint32_t)random_number(32);
        event->user_id = (uint32_t)random_number(32);
        event->thread_start_ns = random_bits() % INT64_MAX;
        event->process_name = random_text(random->name, 15);
        event->host_name = random_text(random->host, 15);
        event->container_id = random_text(random->container, 64);
    } else {
        event->process_id = event->host_process_id = event->thread_id = 0;
        event->process_name = event->host_name = test_text("");
    }
    for (unsigned int i = 0; i < event->def->field_count; i++)
        fill_value(&event->def->fields[i], &random->event.values[i], random->texts[i]);
}

static void check_event(struct mrl_check *check, struct mrl_encoder *encoder, const char *name)
{
    struct random_event random;
    struct mrl_fault fault = { "", "" };
    size_t size;
    char *line;

    fill_event(&random, name);
    line = test_line(encoder, &random.event.event);
    size = strlen(line) - 1;
    if (mrl_check__line_slowly(check, line, size, &fault) != 1)
        fail_case("%s: %s: %s", fault.pointer, fault.reason, line);
    if (!mrl_schema__surely_holds(mrl_check__schema(check), line, size))
        fail_case("the fast path gave up: %s", line);
    free(line);
}

/* With every set of extras. */
static void check_encoder(const struct mrl_dialect *dialect)
{
    struct mrl_encoder_options options = { 0 };
    struct mrl_error error;
    struct mrl_check *check;
    unsigned int extras;

    mrl_extra__all(&extras);
    if (mrl_check__new(dialect, &error, &check))
        fail_case("%s", error.text);
    for (options.extras = 0; options.extras < 1U << extras; options.extras++) {
        struct mrl_encoder *encoder = test_encoder(dialect->name, &options);

        for (unsigned int i = 0; i < (unsigned int)EVENTS >> extras; i++)
            for (unsigned int j = 0; j < mrl_event_def__count(); j++)
                check_event(check, encoder, mrl_event_def__at(j)->name);
        mrl_encoder__free(encoder);
    }
    mrl_check__free(check);
}

static void lines_of_the_encoders_are_valid_whatever_the_event_and_the_extras(void **state)
{
    unsigned int count;
    const struct mrl_dialect *const *all = mrl_dialect__all(&count);

    (void)state;
    for (unsigned int i = 0; i < count; i++)
        check_encoder(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_the_encoders_are_valid_whatever_the_event_and_the_extras),
        cmocka_unit_test(what_the_fast_path_accepts_the_validator_accepts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
