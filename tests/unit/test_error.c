// SPDX-License-Identifier: Apache-2.0
/* Error texts and the nearest known word. */
#include <errno.h>
#include <mrelease/error.h>
#include <string.h>

#include "base/distance.h"
#include "unit/unit.h"

static const char *const words[] = {
    "process_mrelease", "do_mrelease", "mlock",       "munlock", "mlockall",
    "munlockall",       "mlock2",      "events_lost", "default", "proc",
};

static void error_text_is_set_and_code_returned(void **state)
{
    struct mrl_error error;

    (void)state;
    assert_int_equal(mrl_error__set(&error, -EIO, "%s: %d", "ring", 7), -EIO);
    assert_string_equal(error.text, "ring: 7");
}

static void error_may_be_null(void **state)
{
    (void)state;
    assert_int_equal(mrl_error__set(NULL, -EIO, "%s", "unseen"), -EIO);
    assert_int_equal(mrl_error__unknown(NULL, "event", "mlok", words, COUNT_OF(words)), -EINVAL);
}

static void error_text_longer_than_its_room_is_cut(void **state)
{
    struct mrl_error error;
    char longer[2 * sizeof(error.text)];

    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(mrl_error__set(&error, -EINVAL, "%s", longer), -EINVAL);
    assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

/* Two letters that changed places are one mistake: else a short word would be too far from itself.
 */
static void distance_counts_an_exchange_once(void **state)
{
    (void)state;
    assert_int_equal(mrl_word__distance("rnu", "run"), 1);
    assert_int_equal(mrl_word__distance("", "run"), 3);
    assert_int_equal(mrl_word__distance("run", "run"), 0);
    assert_int_equal(mrl_word__distance("webhok+", "webhook+"), 1);
    assert_int_equal(mrl_word__distance("nur", "run"), 2);
}

static void error_names_the_nearest_word(void **state)
{
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        { "mlok", "mlock" },
        { "mlock3", "mlock" },
        { "mlo", "mlock" },
        { "mlocka", "mlockall" },
        { "munlok", "munlock" },
        { "munlockal", "munlockall" },
        { "process_mreleas", "process_mrelease" },
        { "process-mrelease", "process_mrelease" },
        { "process", "process_mrelease" },
        { "do_mreleese", "do_mrelease" },
        { "event_lost", "events_lost" },
        { "pro", "proc" },
        { "defaults", "default" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_error error, expected;

        assert_int_equal(mrl_error__unknown(&error, "event", cases[i].word, words, COUNT_OF(words)),
                         -EINVAL);
        mrl_error__set(&expected, 0, "unknown event '%s': did you mean '%s'?", cases[i].word,
                       cases[i].nearest);
        assert_string_equal(error.text, expected.text);
    }
}

static void error_lists_the_words_when_none_is_likely(void **state)
{
    static const char *const few[] = { "compat", "native", "all" };
    struct mrl_error error;

    (void)state;
    mrl_error__unknown(&error, "coverage", "zzzzzzzz", few, COUNT_OF(few));
    assert_string_equal(error.text, "unknown coverage 'zzzzzzzz': known are compat, native, all");
    mrl_error__unknown(&error, "coverage", "", few, COUNT_OF(few));
    assert_string_equal(error.text, "unknown coverage '': known are compat, native, all");
}

static void error_finds_no_neighbour_for_a_very_long_word(void **state)
{
    struct mrl_error error;
    char word[1001];

    (void)state;
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    mrl_error__unknown(&error, "event", word, words, COUNT_OF(words));
    assert_null(strstr(error.text, "did you mean"));
    assert_non_null(strstr(error.text, "known are"));
}

static void error_list_longer_than_its_room_is_cut(void **state)
{
    static const char *const repeated[64] = { [0 ... 63] = "a_word_of_some_length" };
    struct mrl_error error;

    (void)state;
    mrl_error__unknown(&error, "thing", "0123456789012345", repeated, COUNT_OF(repeated));
    assert_true(strlen(error.text) < sizeof(error.text));
    assert_non_null(strstr(error.text, "known are a_word_of_some_length, a_word"));
    assert_string_equal(error.text + strlen(error.text) -
                            strlen(", a_word_of_some_length and more"),
                        ", a_word_of_some_length and more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_text_is_set_and_code_returned),
        cmocka_unit_test(error_may_be_null),
        cmocka_unit_test(error_text_longer_than_its_room_is_cut),
        cmocka_unit_test(distance_counts_an_exchange_once),
        cmocka_unit_test(error_names_the_nearest_word),
        cmocka_unit_test(error_lists_the_words_when_none_is_likely),
        cmocka_unit_test(error_finds_no_neighbour_for_a_very_long_word),
        cmocka_unit_test(error_list_longer_than_its_room_is_cut),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
