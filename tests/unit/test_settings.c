// SPDX-License-Identifier: Apache-2.0
/* Layers of settings, the kinds of values that they have, and the profiles. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/options/layers.h"
#include "command/options/profile.h"
#include "command/session/session.h"
#include "unit/problems.h"

enum { ARGUMENTS_MAX = 8 };

static char config_path[] = "/tmp/mrelease-test-settings.XXXXXX";

/* What mrl_layers__parse() makes of a file and of arguments. */
struct outcome {
    struct mrl_session_options options;
    struct mrl_settings settings;
    int operand, status;
    char said[1024]; /* on standard error */
};

static void write_config(const char *text)
{
    FILE *file = fopen(config_path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

/* Calls it with the two standard streams caught; standard output goes to `printed`. */
static void parse(struct outcome *outcome, char **argv, FILE *printed)
{
    struct mrl_option_group groups[2] = { { .target = &outcome->options.plugin },
                                          { .target = &outcome->options } };
    FILE *said = tmpfile();
    int saved[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) }, argc = 0;
    size_t size;

    while (argv[argc])
        argc++;
    assert_non_null(said);
    groups[0].rows = mrl_plugin_options__rows(&groups[0].count);
    groups[1].rows = mrl_session_options__rows(&groups[1].count);
    fflush(stdout);
    dup2(fileno(printed), STDOUT_FILENO);
    dup2(fileno(said), STDERR_FILENO);
    outcome->operand = mrl_layers__parse(&mrl_verb_run, argc, argv, groups, 2, &outcome->settings,
                                         &outcome->status);
    fflush(stdout);
    dup2(saved[0], STDOUT_FILENO);
    dup2(saved[1], STDERR_FILENO);
    close(saved[0]);
    close(saved[1]);
    rewind(said);
    size = fread(outcome->said, 1, sizeof(outcome->said) - 1, said);
    outcome->said[size] = '\0';
    fclose(said);
}

/* run --config FILE, and `arguments` after it. */
static struct outcome *outcome_of(const char *config, const char *const *arguments, FILE *printed)
{
    static char words[ARGUMENTS_MAX][64];
    static struct outcome outcome;
    char *argv[ARGUMENTS_MAX + 4] = { (char *)"run" };
    FILE *own = printed ? printed : tmpfile();
    int argc = 1;

    outcome = (struct outcome){ .options = { .plugin = MRL_PLUGIN_OPTIONS } };
    if (config) {
        write_config(config);
        argv[argc++] = (char *)"--config";
        argv[argc++] = config_path;
    }
    for (int i = 0; i < ARGUMENTS_MAX && arguments[i]; i++) {
        snprintf(words[i], sizeof(words[i]), "%s", arguments[i]);
        argv[argc++] = words[i];
    }
    parse(&outcome, argv, own);
    if (!printed)
        fclose(own);
    return &outcome;
}

/* -- layers ----------------------------------------------------------------------------------- */

/* Events, count, and the outputs, as a run would have them. */
static void describe(const struct outcome *outcome, char *text, size_t size)
{
    const struct mrl_outputs *outputs = &outcome->options.outputs;
    const struct mrl_plugin_options *plugin = &outcome->options.plugin;
    size_t used = (size_t)snprintf(text, size, "%s %llu",
                                   plugin->more_event_count ? plugin->more_events[0] : "-",
                                   (unsigned long long)outcome->options.count);

    for (unsigned int i = 0; i < outputs->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, " %s", outputs->specs[i].options.name);
    if (outcome->options.extras && used < size)
        snprintf(text + used, size - used, " extras");
}

/* The soc profile is what a security pipeline needs: of a failed call, whom it was aimed at and
 * what came of it; and a number in every line. */
static void the_soc_profile_asks_for_target_outcome_and_numbers(void **state)
{
    struct outcome *outcome =
        outcome_of(NULL, (const char *const[ARGUMENTS_MAX]){ "--profile", "soc" }, NULL);
    uint32_t wanted;

    (void)state;
    assert_int_equal(mrl_extras__parse("target,outcome,seq", &wanted, NULL), 0);
    assert_int_equal(outcome->options.extras, wanted);
    mrl_settings__free(&outcome->settings);
}

static void higher_layers_replace_lower_ones(void **state)
{
    static const struct {
        const char *config; /* NULL: none */
        const char *arguments[ARGUMENTS_MAX];
        const char *got;
    } cases[] = {
        { NULL, { NULL }, "- 0" },
        { "", { NULL }, "- 0" },
        { "events: mlock\ncount: 3", { NULL }, "mlock 3" },
        { "events: mlock\ncount: 3", { "--count", "4" }, "mlock 4" },
        { "events: [mlock, munlock]", { "-e", "mlock2" }, "mlock2 0" },
        { "output: [json, 'table:/a']", { NULL }, "- 0 json table:/a" },
        { "output: [json, 'table:/a']", { "-o", "none" }, "- 0 none" },
        { "output: [json, 'table:/a']", { "-o", "none", "-o", "json:/b" }, "- 0 none json:/b" },
        { "output: json:/a", { "--record", "/c" }, "- 0 /c json:/a" },
        { NULL, { "--count", "3", "--count", "4" }, "- 4" },
        { NULL, { "--profile", "soc" }, "default 0 extras" },
        { NULL, { "--profile", "default" }, "- 0" },
        { "profile: soc", { NULL }, "default 0 extras" },
        { "profile: soc\nevents: mlock", { NULL }, "mlock 0 extras" },
        { "events: mlock\nprofile: soc", { NULL }, "mlock 0 extras" },
        { "events: mlock", { "--profile", "soc" }, "mlock 0 extras" },
        { "events: mlock", { "-e", "munlock", "--profile", "soc" }, "munlock 0 extras" },
        { "profile: soc", { "--profile", "default" }, "- 0" },
        { "profile: default", { "--profile", "soc" }, "default 0 extras" },
        /* What was replaced is not looked at. */
        { "count: never", { "--count", "2" }, "- 2" },
        { "profile: secops", { "--profile", "default" }, "- 0" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct outcome *outcome = outcome_of(cases[i].config, cases[i].arguments, NULL);
        char got[256];

        describe(outcome, got, sizeof(got));
        if (outcome->operand < 0 || outcome->said[0] || strcmp(got, cases[i].got) != 0)
            fail_case("%zu: %d '%s' \"%s\"; wanted \"%s\"", i, outcome->operand, outcome->said, got,
                      cases[i].got);
        mrl_settings__free(&outcome->settings);
    }
}

static void a_wrong_setting_is_one_line_that_says_where(void **state)
{
    static const struct {
        const char *config;
        const char *arguments[ARGUMENTS_MAX];
        int status;
        const char *said; /* "%": the path of the file */
    } cases[] = {
        { "count: 0", { NULL }, 2, "%:1:8: count: '0' is not a count" },
        { "count: -3", { NULL }, 2, "%:1:8: count: '-3' is not a count" },
        { "count: 99999999999999999999",
          { NULL },
          2,
          "%:1:8: count: '99999999999999999999' is too" },
        { "events: mlok",
          { NULL },
          2,
          "%:1:9: events: unknown event 'mlok': did you mean 'mlock'?" },
        { "output:\n  - json\n  - jsn:/a\n",
          { NULL },
          2,
          "%:3:5: output: unknown format 'jsn': did you mean 'json'?" },
        { "output: [json, json]", { NULL }, 2, "%:1:16: output: two outputs to stdout" },
        { "rung: tpbtf", { NULL }, 2, "%:1:7: rung: unknown rung 'tpbtf': did you mean 'tp_btf'?" },
        { "duration: 5", { NULL }, 2, "%:1:11: duration: '5' is not a duration, like 500ms" },
        { "profile: scc",
          { NULL },
          2,
          "%:1:10: profile: unknown profile 'scc': did you mean 'soc'?" },
        { "coutn: 3", { NULL }, 2, "%:1:1: unknown key 'coutn': did you mean 'count'?" },
        { "print-config: true", { NULL }, 2, "%:1:1: unknown key 'print-config'" },
        { "", { "--count", "0" }, 2, "--count: '0' is not a count" },
        { "", { "--profile", "scc" }, 2, "--profile: unknown profile 'scc': did you mean 'soc'?" },
        { "",
          { "--print-config", "--scope", "comm=a\tb" },
          2,
          "--scope: a value with a control character" },
        { "",
          { "--print-config", "--scope", "comm=a\x9b" },
          2,
          "--scope: a value with a control character" },
        { "", { "--config", "/a" }, 2, "--config: given twice, as " },
        { NULL, { "--config=" }, 2, "--config: the path is empty" },
        { NULL, { "--config", "/nonexistent" }, 1, "/nonexistent: No such file" },
        { NULL, { "--config", "/" }, 1, "/: no file in it is named *.yaml" },
        { NULL, { "--confg", "/" }, 2, "unknown option '--confg': did you mean '--config'?" },
        { "coutn: 3", { "--nosuch" }, 2, "unknown option '--nosuch'" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct outcome *outcome = outcome_of(cases[i].config, cases[i].arguments, NULL);
        const char *said = cases[i].said, *got = outcome->said + strlen("mrelease: ");
        bool matches = true;

        if (*said == '%') {
            matches = !strncmp(got, config_path, strlen(config_path));
            got += strlen(config_path);
            said++;
        }
        if (outcome->operand != -1 || outcome->status != cases[i].status || !matches ||
            strncmp(got, said, strlen(said)) != 0 ||
            strchr(outcome->said, '\n') != outcome->said + strlen(outcome->said) - 1)
            fail_case("%zu: %d, status %d, \"%s\"; wanted %d, \"%s\"", i, outcome->operand,
                      outcome->status, outcome->said, cases[i].status, cases[i].said);
        mrl_settings__free(&outcome->settings);
    }
}

/* What is printed is a file that says the same. */
static void the_printed_configuration_reads_back(void **state)
{
    static const char *const texts[] = {
        "events: [mlock, -munlock]\ncount: 7\noutput: [json, 'table:/a\"b\\c #d', \"none\"]\n",
        "profile: soc\nring: 4096\nlog-level: debug\n",
        "output: ['json:/\xc3\xa9\xe2\x80\xae\xe2\x80\xa8', \"table:/\\x9b\\u2029\\U000e0001\"]\n",
        "",
    };
    static const char *const print[] = { "--print-config", NULL }, *const none[] = { NULL };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char wanted[256], got[256], printed[4096];
        FILE *file = tmpfile();
        struct outcome *outcome = outcome_of(texts[i], none, NULL);
        size_t size;

        assert_int_not_equal(outcome->operand, -1);
        describe(outcome, wanted, sizeof(wanted));
        mrl_settings__free(&outcome->settings);
        outcome = outcome_of(texts[i], print, file);
        assert_int_equal(outcome->operand, -1);
        assert_int_equal(outcome->status, 0);
        mrl_settings__free(&outcome->settings);
        rewind(file);
        size = fread(printed, 1, sizeof(printed) - 1, file);
        printed[size] = '\0';
        fclose(file);
        outcome = outcome_of(printed, none, NULL);
        describe(outcome, got, sizeof(got));
        if (strcmp(wanted, got) != 0)
            fail_case("\"%s\" became \"%s\" by\n%s", wanted, got, printed);
        mrl_settings__free(&outcome->settings);
    }
}

/* -- rows ------------------------------------------------------------------------------------- */

static struct mrl_rows run_rows;

static void keep_rows(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    (void)verb;
    run_rows = *rows;
}

static int load_rows(void **state)
{
    forget_problems(state);
    mrl_arguments__help(&mrl_verb_run, keep_rows);
    return 0;
}

/* The words of the help are what people go by. */
static void what_may_be_repeated_says_so(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < run_rows.count; i++) {
        bool many = run_rows.at[i]->many;

        if (many != !!strstr(run_rows.at[i]->doc, "May be repeated"))
            problem("--%s: its help and its row differ on whether it is repeated",
                    run_rows.at[i]->name);
    }
    assert_int_equal(problems, 0);
}

/* The targets of the rows belong to the verb, which has ended: those of a test take their place. */
static int set(unsigned int row, const char *value)
{
    struct mrl_session_options session = { .plugin = MRL_PLUGIN_OPTIONS };
    struct mrl_settings settings = { .count = 0 };
    unsigned int plugin_rows, session_rows;

    mrl_plugin_options__rows(&plugin_rows);
    mrl_session_options__rows(&session_rows);
    if (row < plugin_rows)
        return mrl_option__set(run_rows.at[row], &session.plugin, value, NULL);
    if (row < plugin_rows + session_rows)
        return mrl_option__set(run_rows.at[row], &session, value, NULL);
    return mrl_option__set(run_rows.at[row], &settings, value, NULL);
}

static void every_word_that_is_offered_is_taken(void **state)
{
    unsigned int words = 0;
    const char *word;

    (void)state;
    for (unsigned int i = 0; i < run_rows.count; i++) {
        for (unsigned int j = 0; (word = mrl_option__word(run_rows.at[i], j)); j++, words++) {
            int err = set(i, word);

            if (err && err != -ENOENT) /* a module, which is not beside this program */
                problem("--%s does not take '%s'", run_rows.at[i]->name, word);
        }
        if (mrl_option__word(run_rows.at[i], 0) && !set(i, "no-such-word"))
            problem("--%s takes a word that is not offered", run_rows.at[i]->name);
    }
    assert_in_range(words, 20, 1000);
    assert_int_equal(problems, 0);
}

static void every_preset_is_taken(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < run_rows.count; i++)
        if (run_rows.at[i]->preset && set(i, run_rows.at[i]->preset))
            problem("--%s does not take its own '%s'", run_rows.at[i]->name,
                    run_rows.at[i]->preset);
    assert_int_equal(problems, 0);
}

static void profiles_name_options_and_words_that_exist(void **state)
{
    const char *name;

    (void)state;
    for (unsigned int p = 0; (name = mrl_profile__name(p)); p++) {
        const struct mrl_profile *profile = mrl_profile__find(name, NULL);

        for (unsigned int s = 0; profile->settings[s].name; s++) {
            unsigned int row = 0;

            while (row < run_rows.count &&
                   strcmp(run_rows.at[row]->name, profile->settings[s].name) != 0)
                row++;
            if (row == run_rows.count || !run_rows.is_key[row])
                problem("profile %s: no option '%s'", name, profile->settings[s].name);
            else if (set(row, profile->settings[s].value))
                problem("profile %s: --%s does not take '%s'", name, profile->settings[s].name,
                        profile->settings[s].value);
        }
    }
    assert_int_equal(problems, 0);
    assert_string_equal(mrl_profile__name(0), "default");
}

static int make_config_path(void **state)
{
    int fd = mkostemp(config_path, O_CLOEXEC);

    (void)state;
    close(fd);
    return fd < 0;
}

static int remove_config_path(void **state)
{
    (void)state;
    return unlink(config_path);
}

/* docs/running.md has each option in the first cell of a row: of one that says what changes, or of
 * the one that says what needs a restart. */
static void the_table_of_reloads_has_each_option(void **state)
{
    struct mrl_session_options options = { .plugin = MRL_PLUGIN_OPTIONS };
    struct mrl_option_group groups[2];
    char line[1024], taken[1024] = "", others[1024] = "", quoted[64], *end;
    FILE *file = fopen(MRL_TEST_DIR "/../docs/running.md", "re");

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        bool needs = strstr(line, "| need a restart:");
        char *cells = needs ? others : taken;

        end = strstr(line, " | ");
        if (!strncmp(line, "| `", 3) && end)
            strncat(cells, line, (size_t)(end - line));
    }
    fclose(file);
    mrl_session_options__groups(&options, groups);
    for (unsigned int g = 0; g < 2; g++)
        for (unsigned int i = 0; i < groups[g].count; i++) {
            snprintf(quoted, sizeof(quoted), "`%s`", groups[g].rows[i].name);
            if (!strstr(groups[g].rows[i].reloads ? taken : others, quoted))
                fail_msg("%s is not where it belongs in docs/running.md", quoted);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_soc_profile_asks_for_target_outcome_and_numbers),
        cmocka_unit_test(higher_layers_replace_lower_ones),
        cmocka_unit_test(a_wrong_setting_is_one_line_that_says_where),
        cmocka_unit_test(the_printed_configuration_reads_back),
        cmocka_unit_test(the_table_of_reloads_has_each_option),
        cmocka_unit_test_setup(what_may_be_repeated_says_so, load_rows),
        cmocka_unit_test_setup(every_word_that_is_offered_is_taken, load_rows),
        cmocka_unit_test_setup(every_preset_is_taken, load_rows),
        cmocka_unit_test_setup(profiles_name_options_and_words_that_exist, load_rows),
    };

    return cmocka_run_group_tests_name("settings", tests, make_config_path, remove_config_path);
}
