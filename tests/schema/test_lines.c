// SPDX-License-Identifier: Apache-2.0
/* What a line may be: the rules that are of lines of events rather than of a schema. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus.h"
#include "unit/unit.h"

static struct corpus corpora[5];
static unsigned int corpus_count;

static int load(void **state)
{
    const struct mrl_dialect *const *all = mrl_dialect__all(&corpus_count);

    (void)state;
    assert_int_equal(corpus_count, COUNT_OF(corpora));
    for (unsigned int i = 0; i < corpus_count; i++)
        corpus__init(&corpora[i], all[i]);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < corpus_count; i++)
        corpus__done(&corpora[i]);
    return 0;
}

/* The first line of the classic corpus with `from` in it as `to`. */
static size_t edit(const char *line, const char *from, const char *to, size_t to_size, char *edited)
{
    const char *at = strstr(line, from);
    size_t before;

    assert_non_null(at);
    before = (size_t)(at - line);
    memcpy(edited, line, before);
    memcpy(edited + before, to, to_size);
    strcpy(edited + before + to_size, at + strlen(from));
    return before + to_size + strlen(at + strlen(from));
}

/* Judged alike by both ways. */
static int judge(struct mrl_check *check, const char *line, size_t size, struct mrl_fault *fault)
{
    int slowly = mrl_check__line_slowly(check, line, size, fault);

    assert_int_equal(mrl_check__line(check, line, size, fault), slowly);
    return slowly;
}

static void lines_of_tracee_are_valid_in_their_dialect(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < corpus_count; i++) {
        for (unsigned int j = 0; j < corpora[i].count; j++) {
            const char *line = corpora[i].lines[j];
            struct mrl_fault fault;

            if (judge(corpora[i].check, line, strlen(line), &fault) != 1)
                fail_case("%s line %u: %s: %s", corpora[i].dialect->name, j + 1, fault.pointer,
                          fault.reason);
        }
    }
}

static void lines_of_tracee_need_no_validator(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < corpus_count; i++)
        for (unsigned int j = 0; j < corpora[i].count; j++)
            if (!mrl_schema__surely_holds(mrl_check__schema(corpora[i].check), corpora[i].lines[j],
                                          strlen(corpora[i].lines[j])))
                fail_case("%s line %u", corpora[i].dialect->name, j + 1);
}

static void dialects_are_told_by_time_stamp_and_types(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < corpus_count; i++) {
        for (unsigned int j = 0; j < corpora[i].count; j++) {
            const char *line = corpora[i].lines[j];
            const struct mrl_dialect *wanted = corpora[i].dialect;

            if (strstr(line, "\"args\":[]"))
                wanted = NULL; /* the same in both */
            assert_ptr_equal(mrl_dialect__detect(line, strlen(line)), wanted);
        }
    }
}

static void only_lines_without_arguments_are_valid_in_another_dialect(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < corpus_count; i++) {
        for (unsigned int j = 0; j < corpora[i].count; j++) {
            const char *line = corpora[i].lines[j];
            struct mrl_fault fault;
            unsigned int valid = 0;

            for (unsigned int k = 0; k < corpus_count; k++)
                valid += judge(corpora[k].check, line, strlen(line), &fault) == 1;
            assert_int_equal(valid, strstr(line, "\"args\":[]") ? 2 : 1);
        }
    }
}

/* Each edits the first classic line, which has pidfd 5 and returnValue -22. */
struct edit {
    const char *from, *to;
    size_t to_size;               /* 0: that of the string */
    const char *pointer, *reason; /* NULL: stays valid */
};

#define NUL_IN_TEXT "\"oo\0md\""

static const struct edit edits[] = {
    /* other spellings of the same */
    { "\"oomd\"", "\"oo\\u006dd\"", 0, NULL, NULL },
    { "\"oomd\"", "\"\\uD83D\\uDE00\"", 0, NULL, NULL },
    { "\"oomd\"", "\"\xf0\x9f\x98\x80\"", 0, NULL, NULL },
    { "{\"timestamp\":", " { \"timestamp\" :\t", 0, NULL, NULL },
    { "\"value\":0}]}", "\"value\":0}]}\r", 0, NULL, NULL },
    { "\"value\":5", "\"value\":-0", 0, NULL, NULL },
    { "\"processorId\":6,\"processId\":4242", "\"processId\":4242,\"processorId\":6", 0, NULL,
      NULL },
    /* no JSON */
    { "{\"timestamp\"", "\xef\xbb\xbf{\"timestamp\"", 0, "", "byte order mark" },
    { "\"oomd\"", NUL_IN_TEXT, sizeof(NUL_IN_TEXT) - 1, "", "NUL byte" },
    { "\"oomd\"", "\"oom\xff\"", 0, "", "encoding" },
    { "\"oomd\"", "\"\xc0\xaf\"", 0, "", "encoding" },
    { "\"oomd\"", "\"\xed\xa0\x80\"", 0, "", "encoding" },
    { "\"oomd\"", "\"oom\x01\"", 0, "", "not JSON" },
    { "\"value\":5", "\"value\":NaN", 0, "", "not JSON" },
    { "\"value\":5", "\"value\":Infinity", 0, "", "not JSON" },
    { "\"value\":5", "\"value\":05", 0, "", "not JSON" },
    { "\"value\":5", "\"value\":+5", 0, "", "not JSON" },
    { "\"value\":5", "\"value\":0x5", 0, "", "not JSON" },
    { "\"value\":0}]}", "\"value\":0}]", 0, "", "not JSON" },
    { "\"value\":0}]}", "\"value\":0}]}}", 0, "", "not JSON" },
    { "\"value\":0}]}", "\"value\":0},]}", 0, "", "not JSON" },
    { "\"value\":0}]}", "\"value\":0}]} {}", 0, "", "not JSON" },
    { "\"value\":0}]}", "\"value\":0}]} // end", 0, "", "not JSON" },
    { "\"args\"", "'args'", 0, "", "not JSON" },
    /* JSON, but no line of events */
    { "\"oomd\"", "\"\\u0000\"", 0, "", "U+0000" },
    { "\"oomd\"", "\"\\ud83d\"", 0, "", "surrogate" },
    { "\"oomd\"", "\"\\ude00\"", 0, "", "surrogate" },
    { "\"processorId\":6", "\"processorId\":6,\"processorId\":6", 0, "", "twice" },
    { "\"name\":\"pidfd\"", "\"name\":\"pidfd\",\"name\":\"pidfd\"", 0, "", "twice" },
    { "\"value\":5", "\"value\":5.0", 0, "", "fraction" },
    { "\"value\":5", "\"value\":5e0", 0, "", "exponent" },
    { "\"value\":5", "\"value\":1e400", 0, "", "too big" },
    { "\"value\":5", "\"value\":18446744073709551616", 0, "", "above" },
    { "\"value\":5", "\"value\":-9223372036854775809", 0, "", "below" },
    { "\"value\":5", "\"value\":99999999999999999999999999999999", 0, "", "above" },
    { "\"value\":5",
      "\"value\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 0, "",
      "levels" },
    /* not what the schema says */
    { "\"value\":5", "\"value\":2147483648", 0, "/args/0/value", "" },
    { "\"value\":5", "\"value\":-2147483649", 0, "/args/0/value", "" },
    { "\"value\":5", "\"value\":\"5\"", 0, "/args/0/value", "" },
    { "\"value\":5", "\"value\":null", 0, "/args/0/value", "" },
    { "\"value\":5", "\"value\":18446744073709551615", 0, "/args/0/value", "" },
    { "\"returnValue\":-22", "\"returnValue\":9223372036854775807", 0, NULL, NULL },
    { "\"returnValue\":-22", "\"returnValue\":-9223372036854775808", 0, NULL, NULL },
    { "\"returnValue\":-22", "\"returnValue\":9223372036854775808", 0, "/returnValue", "" },
    { "\"returnValue\":-22", "\"returnValue\":9223372036854775809", 0, "/returnValue", "" },
    { "\"returnValue\":-22", "\"returnValue\":18446744073709551615", 0, "/returnValue", "" },
    { "\"cgroupId\":5650", "\"cgroupId\":18446744073709551615", 0, NULL, NULL },
    { "\"cgroupId\":5650", "\"cgroupId\":9223372036854775808", 0, NULL, NULL },
    { "\"cgroupId\":5650", "\"cgroupId\":-1", 0, "/cgroupId", "" },
    { "\"eventId\":\"448\"", "\"eventId\":448", 0, "/eventId", "" },
    { "\"eventId\":\"448\"", "\"eventId\":\"360\"", 0, "/eventId", "" },
    { "\"eventName\":\"process_mrelease\"", "\"eventName\":\"mrelease\"", 0, "/eventName", "" },
    { "\"container\":{}", "\"container\":{\"~a/b\":1}", 0, "/container", "" },
    { "\"oomd\"", "\"sixteen letters!\"", 0, "/processName", "" },
    { "\"matchedPolicies\":[\"\"]", "\"matchedPolicies\":[]", 0, "/matchedPolicies", "" },
    { "\"argsNum\":2", "\"argsNum\":3", 0, "/argsNum", "" },
    { "\"type\":\"int\"", "\"type\":\"int32\"", 0, "/args/0/type", "" },
};

static void edited_lines_fail_where_and_why_they_should(void **state)
{
    const char *line = corpora[0].lines[0];
    char edited[4096];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        const struct edit *e = &edits[i];
        struct mrl_fault fault = { "", "" };
        size_t size = edit(line, e->from, e->to, e->to_size ? e->to_size : strlen(e->to), edited);
        int valid = judge(corpora[0].check, edited, size, &fault);

        if (valid != !e->pointer ||
            (!valid && (strcmp(fault.pointer, e->pointer) != 0 || !*fault.reason ||
                        !strstr(fault.reason, e->reason))))
            fail_case("%s: %d '%s' '%s'", e->to, valid, fault.pointer, fault.reason);
    }
}

static void texts_that_are_no_object_are_refused(void **state)
{
    static const char *const texts[] = {
        "", " ", "\r", "null", "1", "\"\"", "[]", "{}", "nul", "{"
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct mrl_fault fault;

        assert_int_equal(judge(corpora[0].check, texts[i], strlen(texts[i]), &fault), 0);
        assert_true(*fault.reason);
    }
}

/* Blanks in a valid line make it as long as wanted. */
static void lines_may_be_as_long_as_tracee_reads_them(void **state)
{
    const char *line = corpora[0].lines[0];
    size_t size = strlen(line);
    char *padded = malloc(MRL_LINE_MAX + 1);
    struct mrl_fault fault;

    (void)state;
    assert_non_null(padded);
    memset(padded, ' ', MRL_LINE_MAX + 1);
    memcpy(padded, line, size);
    assert_int_equal(judge(corpora[0].check, padded, MRL_LINE_MAX, &fault), 1);
    assert_int_equal(judge(corpora[0].check, padded, MRL_LINE_MAX + 1, &fault), 0);
    assert_non_null(strstr(fault.reason, "longer"));
    free(padded);
}

static void deep_lines_end_early(void **state)
{
    char *deep = malloc(MRL_LINE_MAX);
    struct mrl_fault fault;

    (void)state;
    assert_non_null(deep);
    memset(deep, '[', MRL_LINE_MAX);
    assert_int_equal(judge(corpora[0].check, deep, MRL_LINE_MAX, &fault), 0);
    assert_non_null(strstr(fault.reason, "levels"));
    for (size_t i = 0; i + 5 < MRL_LINE_MAX; i += 5)
        memcpy(deep + i, "{\"a\":", 5);
    assert_int_equal(judge(corpora[0].check, deep, MRL_LINE_MAX, &fault), 0);
    free(deep);
}

/* A pattern must not recurse once per byte of a text. */
static void long_texts_under_a_pattern_are_refused(void **state)
{
    char *line = malloc(MRL_LINE_MAX), *text = malloc(60000);
    struct mrl_fault fault;
    size_t size;

    (void)state;
    assert_true(line && text);
    memset(text, '1', 60000);
    memcpy(text, "\"value\":\"0x", 11);
    text[59999] = '"';
    size = edit(corpora[0].lines[8], "\"value\":\"0x7f8a10000000\"", text, 60000, line);
    assert_int_equal(judge(corpora[0].check, line, size, &fault), 0);
    assert_string_equal(fault.pointer, "/args/0/value");
    free(line);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_tracee_are_valid_in_their_dialect),
        cmocka_unit_test(lines_of_tracee_need_no_validator),
        cmocka_unit_test(dialects_are_told_by_time_stamp_and_types),
        cmocka_unit_test(only_lines_without_arguments_are_valid_in_another_dialect),
        cmocka_unit_test(edited_lines_fail_where_and_why_they_should),
        cmocka_unit_test(texts_that_are_no_object_are_refused),
        cmocka_unit_test(lines_may_be_as_long_as_tracee_reads_them),
        cmocka_unit_test(deep_lines_end_early),
        cmocka_unit_test(long_texts_under_a_pattern_are_refused),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
