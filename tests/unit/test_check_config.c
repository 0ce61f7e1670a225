// SPDX-License-Identifier: Apache-2.0
/* Configurations of several files, and what 'mrelease check-config' finds in them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "unit/unit.h"

static char directory[] = "/tmp/mrelease-test-check.XXXXXX";

static int set_up(void **state)
{
    char path[128];

    (void)state;
    memcpy(strrchr(directory, '.') + 1, "XXXXXX", 6);
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/conf.d", directory);
    return mkdir(path, 0755);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "chmod -R u+w %s; rm -r %s", directory, directory);
    return system(command); /* NOLINT: a name of our own */
}

static void put(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "we");
    assert_non_null(file);
    for (; *text; text++)
        if (*text == '@')
            fputs(directory, file);
        else
            fputc(*text, file);
    assert_int_equal(fclose(file), 0);
}

/* Runs the program with `arguments`, of which '@' is the directory; its output is in `said`. */
static int run(const char *arguments, char said[8192])
{
    char command[1024];
    FILE *to = fmemopen(command, sizeof(command), "w"), *from;
    size_t size;

    assert_non_null(to);
    fputs(MRL_TEST_PROGRAM " ", to);
    for (; *arguments; arguments++)
        if (*arguments == '@')
            fputs(directory, to);
        else
            fputc(*arguments, to);
    fputs(" 2>&1", to);
    fclose(to);
    from = popen(command, "re"); /* NOLINT: words of our own */
    assert_non_null(from);
    size = fread(said, 1, 8191, from);
    said[size] = '\0';
    return WEXITSTATUS(pclose(from));
}

static void assert_says(const char *said, const char *part)
{
    char whole[512];
    FILE *to = fmemopen(whole, sizeof(whole), "w");

    for (; *part; part++)
        if (*part == '@')
            fputs(directory, to);
        else
            fputc(*part, to);
    fclose(to);
    if (!strstr(said, whole))
        fail_msg("\"%s\" is not in:\n%s", whole, said);
}

/* -- several files ---------------------------------------------------------------------------- */

static void lists_add_up_and_of_other_keys_the_last_file_counts(void **state)
{
    char said[8192];

    (void)state;
    put("mrelease.yaml",
        "events: [mlock]\nextra: [seq]\nring: 1M\nlog-level: debug\nquiet: true\n");
    put("conf.d/20-b.yaml", "ring: 4M\nevents: [munlock]\n");
    put("conf.d/10-a.yaml", "ring: 2M\nextra: [target]\nquiet: false\n");
    put("conf.d/README", "nonsense\n");
    put("conf.d/.hidden.yaml", "nonsense\n");
    assert_int_equal(run("run --config @/mrelease.yaml --print-config", said), 0);
    assert_says(said, "events:\n  - \"mlock\"  # @/mrelease.yaml\n"
                      "  - \"munlock\"  # @/conf.d/20-b.yaml\n");
    assert_says(said, "\nring: \"4M\"  # @/conf.d/20-b.yaml\n");
    assert_says(said, "\nextra: \"seq,target\"  # @/mrelease.yaml\n");
    assert_says(said, "\nlog-level: \"debug\"  # @/mrelease.yaml\n");
    assert_says(said, "\n# quiet: false\n");
    assert_says(said, "\n# rung: auto\n");
    assert_int_equal(run("run --config @/conf.d --print-config --ring 8M", said), 0);
    assert_says(said, "\nring: \"8M\"  # command line\n");
    assert_says(said, "events:\n  - \"munlock\"  # @/conf.d/20-b.yaml\n");
    /* Not only as it is printed. */
    put("mrelease.yaml", "output: [json]\n");
    put("conf.d/20-b.yaml", "output: [json]\n");
    assert_int_equal(run("run --config @/mrelease.yaml --print-config", said), 2);
    assert_says(said, "@/conf.d/20-b.yaml:1:10: output: two outputs to stdout");
}

static void a_fault_names_its_file(void **state)
{
    char said[8192];

    (void)state;
    put("mrelease.yaml", "events: [mlock]\n");
    put("conf.d/10-a.yaml", "\nrng: 2M\n");
    assert_int_equal(run("run --config @/mrelease.yaml --print-config", said), 2);
    assert_says(said, "@/conf.d/10-a.yaml:2:1: unknown key 'rng': did you mean 'rung'?");
    put("conf.d/10-a.yaml", "rung: fast\n");
    assert_int_equal(run("run --config @/mrelease.yaml --print-config", said), 2);
    assert_says(said, "@/conf.d/10-a.yaml:1:7: rung: ");
}

/* -- checking --------------------------------------------------------------------------------- */

static void a_configuration_without_a_fault_says_so(void **state)
{
    char said[8192];

    (void)state;
    put("mrelease.yaml", "events: [mlock]\noutput: [\"json:@/out\"]\nsandbox-paths: [\"@\"]\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 0);
    assert_says(said, "@/mrelease.yaml: nothing is wrong\n");
    assert_int_equal(run("check-config --format json @/mrelease.yaml", said), 0);
    assert_says(said, "\"ok\": true");
}

static void every_fault_is_told(void **state)
{
    static const char *const faults[] = {
        "@/mrelease.yaml:1:1: unknown key 'evnts': did you mean 'events'?\n",
        "@/mrelease.yaml:3:5: output: @/none: No such file or directory\n",
        "@/mrelease.yaml:4:5: output: unknown format 'jsn': did you mean 'json'?\n",
        "@/mrelease.yaml:5:5: output: @/token: No such file or directory\n",
        "@/mrelease.yaml:6:5: output: unknown destination 'elasticsarch+': did you mean 'elasticsearch+'?",
        "@/mrelease.yaml:7:7: ring: ",
        "@/mrelease.yaml:8:17: sandbox-paths: @/nowhere: No such file or directory\n",
        "@/mrelease.yaml:9:15: metrics-file: @/gone: No such file or directory\n",
        "@/mrelease.yaml:10:7: http: @/gone: No such file or directory\n",
        "@/conf.d/10-a.yaml:1:9: scope: ",
        "@/conf.d/10-a.yaml:2:12: log-level: ",
    };
    char said[8192];
    size_t lines = 0;

    (void)state;
    put("mrelease.yaml", "evnts: [mlock]\n"
                         "output:\n"
                         "  - json:@/none/x\n"
                         "  - jsn:@/x\n"
                         "  - json,token-file=@/token:splunk+http://127.0.0.1:9\n"
                         "  - json:elasticsarch+http://127.0.0.1/x\n"
                         "ring: many\n"
                         "sandbox-paths: [\"@/nowhere\"]\n"
                         "metrics-file: @/gone/a.prom\n"
                         "http: unix:@/gone/http\n");
    put("conf.d/10-a.yaml", "scope: [\"uid=x\"]\nlog-level: loud\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 1);
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        assert_says(said, faults[i]);
    for (const char *at = said; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, COUNT_OF(faults));
    assert_int_equal(run("check-config --format json @/mrelease.yaml", said), 1);
    assert_says(said, "\"file\": \"@/conf.d/10-a.yaml\"");
    assert_says(said, "\"line\": 2");
    put("mrelease.yaml", "http: 0.0.0.0\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 1);
    assert_says(said, "@/mrelease.yaml:1:7: http: tcp:0.0.0.0:9448: not a loopback address");
    put("mrelease.yaml", "http: \": :9448\"\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 1);
    assert_says(said, "@/mrelease.yaml:1:7: http: 'tcp:: :9448': there is a blank in it");
    put("mrelease.yaml", "control: \"group=no-such-group:@/control\"\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 1);
    assert_says(said, "there is no group 'no-such-group'");
}

static void options_that_exclude_each_other_have_a_place(void **state)
{
    static const char policy[] =
        "type: policy\nname: a\nscope: [global]\nrules: [{event: mlock}]\n";
    char said[8192];

    (void)state;
    put("policy", policy);
    put("mrelease.yaml", "policy: [\"@/policy\"]\nscope:\n  - uid=0\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 1);
    assert_says(said, "@/mrelease.yaml:3:5: scope: policy and scope flags cannot be used together");
    assert_int_equal(run("run --config @/mrelease.yaml", said), 2);
    assert_says(said, "@/mrelease.yaml:3:5: scope: policy and scope flags cannot be used together");
    /* The one in the file is not what counts. */
    assert_int_equal(run("run --config @/mrelease.yaml --scope uid=1", said), 2);
    assert_says(said, "policy and scope flags cannot be used together");
    assert_null(strstr(said, ":3:5: "));
    put("mrelease.yaml", "policy: [\"@/policy\"]\n");
    put("conf.d/10-a.yaml", "events: [mlock]\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 1);
    assert_says(said, "@/conf.d/10-a.yaml:1:10: events: policy and event flags cannot be used");
    /* What a profile says of events gives way. */
    put("conf.d/10-a.yaml", "profile: soc\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 0);
}

/* A name may steer a terminal, and a FIFO never end. */
static void a_file_that_is_none_is_refused_at_once(void **state)
{
    char said[8192], path[128];

    (void)state;
    put("mrelease.yaml", "metrics-file: @/none/a.prom\n");
    put("conf.d/\033[31m.yaml", "quiet: true\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 1);
    assert_says(said, "@/mrelease.yaml:1:15: metrics-file: @/none: No such file or directory\n");
    put("mrelease.yaml", "quiet: true\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 0);
    assert_says(said, "@/conf.d/?[31m.yaml: nothing is wrong\n");
    snprintf(path, sizeof(path), "%s/conf.d/a.yaml", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(run("check-config @/mrelease.yaml", said), 1);
    assert_says(said, "@/conf.d/a.yaml: it is no regular file, but a FIFO\n");
}

static void it_looks_as_the_user_who_will_run_it(void **state)
{
    char said[8192];

    (void)state;
    if (geteuid()) {
        puts("# skipped: needs root");
        skip();
    }
    assert_int_equal(chmod(directory, 0755), 0);
    put("mrelease.yaml", "output: [\"json:@/out\"]\n");
    assert_int_equal(run("check-config @/mrelease.yaml", said), 0);
    assert_int_equal(run("check-config --user nobody @/mrelease.yaml", said), 1);
    assert_says(said, "output: @: nothing can be written there: Permission denied\n");
    assert_int_equal(run("check-config --user nosuchuser @/mrelease.yaml", said), 2);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(lists_add_up_and_of_other_keys_the_last_file_counts),
        test(a_fault_names_its_file),
        test(a_configuration_without_a_fault_says_so),
        test(every_fault_is_told),
        test(options_that_exclude_each_other_have_a_place),
        test(a_file_that_is_none_is_refused_at_once),
        test(it_looks_as_the_user_who_will_run_it),
    };

    return cmocka_run_group_tests_name("check_config", tests, NULL, NULL);
}
