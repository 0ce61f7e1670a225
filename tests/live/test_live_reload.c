// SPDX-License-Identifier: Apache-2.0
/* SIGHUP reads the configuration anew: what changes without a restart, what does not, and that
 * nothing is lost by it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "configured.h"
#include "load.h"

enum { SHORT_ROUNDS = 5, SHORT_PER_MS = 20, LONG_ROUNDS = 40, LONG_PER_MS = 100, ROUND_MS = 150 };

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    while ((text = strstr(text, part))) {
        count++;
        text += strlen(part);
    }
    return count;
}

/* Returns when it was said what became of it. */
static void reload(const struct sensor *sensor)
{
    const size_t taken = count_of(sensor__stderr(sensor), "mrelease: configuration: ");
    const size_t refused = count_of(sensor__stderr(sensor), "the configuration is not taken");

    assert_int_equal(kill(sensor->pid, SIGHUP), 0);
    for (int i = 0; i < 4000; i++) {
        const char *said = sensor__stderr(sensor);

        if (count_of(said, "mrelease: configuration: ") > taken ||
            count_of(said, "the configuration is not taken") > refused)
            return;
        live__pause_ms(5);
    }
    fail_msg("no answer to SIGHUP: %s", sensor__stderr(sensor));
}

static int verify(const char *name)
{
    struct sensor verify;

    return sensor__run(&verify, (const char *const[]){ "verify", live__path(name), NULL });
}

/* -- under load ------------------------------------------------------------------------------- */

/* All that comes is wanted by each of the filters, which are others each time. */
static const char *round_config(int round)
{
    return live__text("events: [munlock, \"munlock.retval<%d\"]\n"
                      "extra: [seq]\n"
                      "busy-ring: 64M\n"
                      "output:\n"
                      "  - json,policy=block,queue=64M:%s\n"
                      "  - json,policy=block,queue=16M:%s%d\n",
                      100 + round, live__path("stays"), live__path("round"), round);
}

static void nothing_is_lost_under_load(void **state)
{
    const int rounds = load__long() ? LONG_ROUNDS : SHORT_ROUNDS;
    const unsigned int per_ms = load__long() ? LONG_PER_MS : SHORT_PER_MS;
    const struct load load = { "munlock", 1, (uint64_t)(rounds + 1) * ROUND_MS * per_ms, per_ms };
    struct sensor sensor;
    pid_t child;

    (void)state;
    live__require();
    configured__start(&sensor, round_config(0));
    child = load__start(&load);
    for (int round = 1; round <= rounds; round++) {
        live__pause_ms(ROUND_MS / 2);
        configured__write(round_config(round));
        reload(&sensor);
    }
    load__wait(child, 120 * 1000);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(count_of(sensor__stderr(&sensor), "events and filters exchanged; added"),
                     rounds);
    assert_null(strstr(sensor__stderr(&sensor), "accounting"));
    assert_int_equal(verify("stays"), LIVE_GAPLESS);
    assert_int_equal(
        lines__count_of_file(live__path("stays")),
        sensor__lines(&sensor, live__text("json,policy=block,queue=64M:%s", live__path("stays"))));
    assert_int_equal(sensor__totals(&sensor, "munlock").read, load.calls);
    /* Nor is anything in those that came or went, from their first line to the last. */
    for (int round = 0; round <= rounds; round++) {
        struct sensor judge;

        sensor__run(&judge, (const char *const[]){
                                "verify", live__text("%s%d", live__path("round"), round), NULL });
        assert_non_null(strstr(sensor__stdout(&judge), ", 0 gaps, 0 missing, 0 told"));
    }
}

/* The same file with other settings goes on behind what was written with the old ones. */
static const char *settings_config(int round)
{
    return live__text("events: [munlock]\nextra: [seq]\nbusy-ring: 64M\n"
                      "output: [\"json,policy=block,queue=%dM:%s\"]\n",
                      32 + round % 2, live__path("stays"));
}

static void other_settings_lose_nothing(void **state)
{
    const struct load load = { "munlock", 1, 30000, SHORT_PER_MS };
    struct sensor sensor;
    pid_t child;

    (void)state;
    live__require();
    configured__start(&sensor, settings_config(0));
    child = load__start(&load);
    for (int round = 1; round <= SHORT_ROUNDS; round++) {
        live__pause_ms(ROUND_MS);
        configured__write(settings_config(round));
        reload(&sensor);
    }
    load__wait(child, 60 * 1000);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(count_of(sensor__stderr(&sensor), "configuration: added json,policy=block"),
                     SHORT_ROUNDS);
    assert_null(strstr(sensor__stderr(&sensor), "accounting"));
    assert_int_equal(verify("stays"), LIVE_GAPLESS);
    assert_int_equal(configured__lines("stays", "munlock"), load.calls);
}

/* -- what changes ----------------------------------------------------------------------------- */

static void events_outputs_and_level_change(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    configured__start(&sensor, live__text("events: [munlock]\noutput: [\"json:%s\", \"json:%s\"]\n",
                                          live__path("stays"), live__path("goes")));
    configured__call();
    configured__await_lines("stays", "munlock", 1);
    configured__write(live__text("events: [mlock]\nlog-level: warning\n"
                                 "output: [\"json:%s\", \"json:%s\"]\n",
                                 live__path("stays"), live__path("comes")));
    reload(&sensor);
    configured__call();
    configured__await_lines("comes", "mlock", 1);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(configured__lines("stays", "munlock"), 1);
    assert_int_equal(configured__lines("stays", "mlock"), 1);
    assert_int_equal(configured__lines("goes", "munlock"), 1);
    assert_int_equal(configured__lines("goes", "mlock"), 0);
    assert_int_equal(configured__lines("comes", "munlock"), 0);
    assert_non_null(strstr(sensor__stderr(&sensor),
                           live__text("mrelease: configuration: events and filters exchanged; "
                                      "added json:%s; removed json:%s; the log level is warning\n",
                                      live__path("comes"), live__path("goes"))));
    assert_null(strstr(sensor__stderr(&sensor), " seen, ")); /* totals are news, not warnings */
}

/* As a package, or a tool of configuration, adds one. */
static void a_file_that_is_new_in_conf_d_is_read(void **state)
{
    struct sensor sensor;
    FILE *file;

    (void)state;
    live__require();
    assert_int_equal(mkdir(live__path("conf.d"), 0755), 0);
    configured__start(
        &sensor, live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("stays")));
    file = fopen(live__path("conf.d/10-more.yaml"), "we");
    assert_non_null(file);
    fprintf(file, "events: [mlock]\noutput: [\"json:%s\"]\n", live__path("comes"));
    assert_int_equal(fclose(file), 0);
    reload(&sensor);
    configured__call();
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(configured__lines("stays", "mlock"), 1);
    assert_int_equal(configured__lines("stays", "munlock"), 1);
    assert_int_equal(configured__lines("comes", "mlock"), 1);
}

static void what_needs_a_restart_is_named(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    configured__start(
        &sensor, live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("stays")));
    configured__write(
        live__text("events: [munlock]\noutput: [\"json:%s\"]\nring: 16M\nextra: [seq]\n"
                   "record: %s\ncoverage: native\nlog-format: text\n",
                   live__path("stays"), live__path("capture")));
    reload(&sensor);
    configured__write(live__text("events: [munlock]\noutput: [\"json:%s\"]\ncoverage: compat\n",
                                 live__path("stays")));
    reload(&sensor);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_non_null(strstr(sensor__stderr(&sensor), "mrelease: configuration: needs a restart: "
                                                    "coverage, ring, extra, record, log-format\n"));
    assert_non_null(
        strstr(sensor__stderr(&sensor), "mrelease: configuration: nothing to change\n"));
    assert_int_not_equal(access(live__path("capture"), F_OK), 0);
}

/* -- what is wrong changes nothing ------------------------------------------------------------ */

/* No directory can be made; under sanitizers, whose sandbox refuses fewer calls, none there. */
#ifdef MRL_SANITIZED
#    define SPOOL_REFUSED "mrelease-spool: Permission denied (the sandbox holds a run to the"
#else
#    define SPOOL_REFUSED "mrelease-spool: Operation not permitted (after the start, this wants a"
#endif

/* @: the directory of the test. What it says is in the one line of the refusal. */
static const struct wrong {
    const char *config, *said;
} wrongs[] = {
    { "evnts: [mlock]\n", ":1:1: unknown key 'evnts': did you mean 'events'?" },
    { "events: [mlock, mlok2]\n", "did you mean 'mlock2'?" },
    { "output: [\"jsn:@/comes\"]\n", "did you mean 'json'?" },
    { "output: [\"json:@/comes\", \"json:@/none/x\"]\n", "no such directory" },
    { "events: [mlock]\noutput: [\"json:@/comes\", \"json:@/fifo\"]\n",
      "a FIFO that nobody reads" },
    { "events: [mlock]\noutput: [\"json:@/comes\", \"json-v1beta1:@/y\"]\n", "needs a restart" },
    { "events: [mlock]\noutput: [\"json:@/comes\", \"json:/var/tmp/mrelease-test\"]\n",
      "/var/tmp/mrelease-test: Permission denied (the sandbox holds a run to the directories" },
    { "events: [mlock]\noutput: [\"json:@/comes\", \"json:@/foreign/x\"]\n",
      "/foreign/x: Permission denied (after the start, this wants a right that was given up" },
    { "events: [mlock]\noutput: [\"json:@/comes\", "
      "\"json,spool=/var/tmp/mrelease-spool:webhook+http://127.0.0.1:9/\"]\n",
      SPOOL_REFUSED },
    { "events: [mlock]\noutput: [\"json:@/comes\", \"grpc:unix:@/socket\"]\n", "needs a restart" },
    { "events: [mlock\n", "no YAML" },
};

/* With the directory of the test in place of each '@'. */
static void write_wrong(const char *config)
{
    char text[2048];
    FILE *to = fmemopen(text, sizeof(text), "w");

    assert_non_null(to);
    for (; *config; config++)
        if (*config == '@')
            fputs(live__path(""), to);
        else
            fputc(*config, to);
    fclose(to);
    configured__write(text);
}

static void assert_refused(const struct sensor *sensor, const struct wrong *wrong)
{
    const char *line;

    printf("# %s\n", wrong->said);
    write_wrong(wrong->config);
    reload(sensor);
    line = strstr(sensor__stderr(sensor), "the configuration is not taken, and nothing has ");
    while (strstr(line + 1, "the configuration is not taken"))
        line = strstr(line + 1, "the configuration is not taken");
    if (!strstr(line, wrong->said))
        fail_msg("%s: %s", wrong->said, line);
    assert_int_not_equal(access(live__path("comes"), F_OK), 0);
}

static void a_wrong_configuration_changes_nothing(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    assert_int_equal(mkfifo(live__path("fifo"), 0600), 0);
    assert_int_equal(mkdir(live__path("foreign"), 0700), 0);
    assert_int_equal(chown(live__path("foreign"), 65534, 65534), 0);
    configured__start(
        &sensor, live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("stays")));
    for (size_t i = 0; i < COUNT_OF(wrongs); i++)
        assert_refused(&sensor, &wrongs[i]);
    assert_int_equal(unlink(live__path("mrelease.yaml")), 0);
    reload(&sensor);
    configured__call();
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(configured__lines("stays", "munlock"), 1);
    assert_int_equal(configured__lines("stays", "mlock"), 0);
    assert_int_equal(count_of(sensor__stderr(&sensor), "the configuration is not taken"),
                     COUNT_OF(wrongs) + 1);
    assert_null(strstr(sensor__stderr(&sensor), "reloaded"));
}

/* The directory of the configuration is one that a run may look into, and make nothing in. */
static void a_directory_that_may_be_read_alone_is_refused_with_the_reason(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    assert_int_equal(mkdir(live__path("out"), 0755), 0);
    configured__start(&sensor, live__text("output: [\"json:%s\"]\n", live__path("out/stays")));
    configured__write(live__text("output: [\"json:%s\"]\n", live__path("comes")));
    reload(&sensor);
    assert_non_null(strstr(sensor__stderr(&sensor),
                           live__text("%s: Permission denied (the sandbox holds a run to the "
                                      "directories that its outputs had at the start",
                                      live__path("comes"))));
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_not_equal(access(live__path("comes"), F_OK), 0);
}

/* Who rotates files waits for their being opened anew, whatever else is wrong. */
static void files_are_reopened_by_a_wrong_configuration(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    configured__start(
        &sensor, live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("stays")));
    configured__call();
    configured__await_lines("stays", "munlock", 1);
    assert_int_equal(rename(live__path("stays"), live__path("stays.1")), 0);
    configured__write("nonsense\n");
    reload(&sensor);
    configured__call();
    configured__await_lines("stays", "munlock", 1);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
}

/* -- further ---------------------------------------------------------------------------------- */

static void a_later_output_may_go_where_the_sandbox_was_told(void **state)
{
    const char *elsewhere = "/var/tmp/mrelease-test-reload";
    struct sensor sensor;

    (void)state;
    live__require();
    assert_true(!mkdir(elsewhere, 0700) || errno == EEXIST);
    configured__start(&sensor,
                      live__text("events: [munlock]\nsandbox-paths: [%s]\noutput: [\"json:%s\"]\n",
                                 elsewhere, live__path("stays")));
    configured__write(live__text("events: [munlock]\nsandbox-paths: [%s]\n"
                                 "output: [\"json:%s\", \"json:%s/comes\"]\n",
                                 elsewhere, live__path("stays"), elsewhere));
    reload(&sensor);
    assert_int_equal(unlink(live__text("%s/comes", elsewhere)), 0);
    assert_int_equal(rmdir(elsewhere), 0);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_non_null(strstr(sensor__stderr(&sensor), "configuration: added json:"));
}

/* It asks for no server before there is something to deliver. */
static void a_side_program_may_come_and_go(void **state)
{
    const char *with, *without;
    struct sensor sensor;

    (void)state;
    live__require();
    without = live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("stays"));
    with = live__text(
        "events: [munlock]\noutput: [\"json:%s\", \"json:webhook+http://127.0.0.1:9/x\"]\n",
        live__path("stays"));
    configured__start(&sensor, without);
    for (int i = 0; i < 2; i++) {
        configured__write(with);
        reload(&sensor);
        configured__write(without);
        reload(&sensor);
    }
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(count_of(sensor__stderr(&sensor), "configuration: added json:webhook"), 2);
    assert_int_equal(count_of(sensor__stderr(&sensor), "configuration: removed json:webhook"), 2);
    assert_null(strstr(sensor__stderr(&sensor), "has died"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(nothing_is_lost_under_load),
        LIVE_TEST(other_settings_lose_nothing),
        LIVE_TEST(events_outputs_and_level_change),
        LIVE_TEST(a_file_that_is_new_in_conf_d_is_read),
        LIVE_TEST(what_needs_a_restart_is_named),
        LIVE_TEST(a_wrong_configuration_changes_nothing),
        LIVE_TEST(a_directory_that_may_be_read_alone_is_refused_with_the_reason),
        LIVE_TEST(files_are_reopened_by_a_wrong_configuration),
        LIVE_TEST(a_later_output_may_go_where_the_sandbox_was_told),
        LIVE_TEST(a_side_program_may_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
