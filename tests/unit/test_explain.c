// SPDX-License-Identifier: Apache-2.0
/* The verb explain: whatever may stand in an event is explained, and only that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "command/command.h"
#include "command/verbs/explain.h"
#include "event/lost.h"
#include "unit/unit.h"

static char out[1 << 16];

/* Returns its exit status; `out` is what it printed, on either stream. */
static int run(const char *word)
{
    char *argv[] = { "explain", (char *)word, NULL };
    int fd = memfd_create("out", 0), status;
    ssize_t size;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (!child) {
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        status = mrl_verb_explain.run(&mrl_verb_explain, word ? 2 : 1, argv);
        fflush(stdout);
        _exit(status);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    size = pread(fd, out, sizeof(out) - 1, 0);
    out[size > 0 ? size : 0] = '\0';
    close(fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_says(const char *text)
{
    if (!strstr(out, text))
        fail_case("no '%s' in: %s", text, out);
}

static bool is_explained(const char *word, const char *of)
{
    const struct mrl_explained *row;

    for (unsigned int i = 0; (row = mrl_explained__at(i)); i++)
        if (!strcmp(row->word, word) && !strcmp(row->of, of))
            return true;
    return false;
}

/* The first column of docs/outcomes.md. */
static void every_outcome_of_the_page_is_explained(void **state)
{
    FILE *page = fopen(MRL_TEST_DIR "/../docs/outcomes.md", "r");
    char line[4096], word[64];
    int count = 0;

    (void)state;
    assert_non_null(page);
    while (fgets(line, sizeof(line), page))
        if (sscanf(line, "| `%63[a-z_]`", word) == 1) {
            if (!is_explained(word, "outcome"))
                fail_case("'%s' is not explained", word);
            count++;
        }
    fclose(page);
    assert_true(count >= 13);
}

static void every_cause_of_a_loss_is_explained(void **state)
{
    (void)state;
    for (int i = 0; i < MRL_CAUSE_COUNT; i++)
        if (!is_explained(mrl_cause__name((enum mrl_cause)i).bytes, "loss"))
            fail_case("'%s' is not explained", mrl_cause__name((enum mrl_cause)i).bytes);
}

/* By a row of its own, or by the sentence of the table of events. */
static void every_event_is_explained(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        assert_int_equal(run(mrl_event_def__at(i)->name), MRL_EXIT_OK);
        assert_says("What to do:");
    }
}

/* Each is a word for people: a line that ends, and no more than a few. */
static void every_alert_is_explained(void **state)
{
    FILE *rules = fopen(MRL_TEST_DIR "/../packaging/prometheus/mrelease.rules.yml", "r");
    char line[1024], word[64];
    int count = 0;

    (void)state;
    assert_non_null(rules);
    while (fgets(line, sizeof(line), rules))
        if (sscanf(line, " - alert: %63[A-Za-z]", word) == 1) {
            if (!is_explained(word, "alert"))
                fail_case("'%s' is not explained", word);
            count++;
        }
    fclose(rules);
    assert_true(count >= 13);
    assert_int_equal(run("mreleaseloss"), MRL_EXIT_OK);
    assert_says("MreleaseLoss (alert)");
}

static void every_rung_is_explained(void **state)
{
    unsigned int count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count),
                            *row = mrl_option__find(rows, count, "option", "rung", NULL);

    (void)state;
    for (unsigned int i = 0; row->word(i); i++)
        if (!is_explained(row->word(i), "rung"))
            fail_case("'%s' is not explained", row->word(i));
}

static void rows_are_sentences(void **state)
{
    const struct mrl_explained *row;

    (void)state;
    for (unsigned int i = 0; (row = mrl_explained__at(i)); i++) {
        const char *const texts[] = { row->means, row->cause, row->advice };

        for (size_t j = 0; j < COUNT_OF(texts); j++)
            if (strlen(texts[j]) < 6 || texts[j][strlen(texts[j]) - 1] != '.')
                fail_case("of '%s': %s", row->word, texts[j]);
    }
}

static void a_word_may_be_written_as_people_do(void **state)
{
    static const char *const words[] = { "EBADF", "ebadf", "9", "-9" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_int_equal(run(words[i]), MRL_EXIT_OK);
        assert_says("EBADF (process_mrelease)\n");
    }
    assert_int_equal(run("EINVAL"), MRL_EXIT_OK);
    assert_says("EINVAL (process_mrelease)\n");
    assert_says("EINVAL (mlock mlock2 munlock mlockall)\n");
}

static void a_field_is_explained_by_its_sentence(void **state)
{
    (void)state;
    assert_int_equal(run("released_bytes"), MRL_EXIT_OK);
    assert_says("released_bytes (field of do_mrelease)\n");
    assert_int_equal(run("pidfd"), MRL_EXIT_OK);
    assert_int_equal(run("stopped"), MRL_EXIT_OK);
    assert_says("stopped (sensor_state)\n");
}

static void what_nobody_knows_names_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(run("rign_full"), MRL_EXIT_USAGE);
    assert_says("did you mean 'ring_full'?");
    assert_int_equal(run("\033[31m"), MRL_EXIT_USAGE);
    assert_null(strchr(out, '\033'));
    assert_int_equal(run(NULL), MRL_EXIT_OK);
    assert_says("ring_full");
    assert_says("MreleaseLoss");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_of_the_page_is_explained),
        cmocka_unit_test(every_cause_of_a_loss_is_explained),
        cmocka_unit_test(every_event_is_explained),
        cmocka_unit_test(every_alert_is_explained),
        cmocka_unit_test(every_rung_is_explained),
        cmocka_unit_test(rows_are_sentences),
        cmocka_unit_test(a_word_may_be_written_as_people_do),
        cmocka_unit_test(a_field_is_explained_by_its_sentence),
        cmocka_unit_test(what_nobody_knows_names_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
