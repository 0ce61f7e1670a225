// SPDX-License-Identifier: Apache-2.0
/* The verb spool, in a child: it gives up its rights. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "command/command.h"
#include "unit/spools.h"
#include "unit/unit.h"

static struct test_spool test;
static char out[1 << 20];
static ssize_t out_size;

static int setup(void **state)
{
    struct test_shipper shipper = { .seen = NULL };

    (void)state;
    test_spool__init(&test, NULL);
    test_spool__open(&test);
    test_spool__append(&test, 0, 30, 20);
    test_shipper__run(&shipper, &test, 12);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_spool__done(&test);
    return 0;
}

/* Returns its exit status; `out` is what it printed, on either stream. */
static int run(const char *action, const char *directory, const char *option)
{
    char *argv[] = { "spool", (char *)action, (char *)directory, (char *)option, NULL };
    int fd = memfd_create("out", 0), status, argc = 0;
    pid_t child;

    while (argv[argc])
        argc++;
    fflush(stdout);
    child = fork();
    if (!child) {
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        status = mrl_verb_spool.run(&mrl_verb_spool, argc, argv);
        fflush(stdout);
        _exit(status);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    out_size = pread(fd, out, sizeof(out) - 1, 0);
    out[out_size > 0 ? out_size : 0] = '\0';
    close(fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_says(const char *text)
{
    if (!strstr(out, text))
        fail_case("no '%s' in: %s", text, out);
}

static unsigned int lines(void)
{
    unsigned int count = 0;

    for (ssize_t i = 0; i < out_size; i++)
        count += out[i] == '\n';
    return count;
}

static void list_counts_a_spool_in_use(void **state)
{
    (void)state;
    assert_int_equal(run("list", test.directory, NULL), 0);
    assert_says("format json, 1 segments");
    assert_says("cursor: segment 0000000000000001, item 12");
    assert_says("oldest pending: 1970-01-01T00:00:00Z");
    /* 0, 3, 6 and 9 are of the first event; 0 was refused. */
    assert_says("          10            3            1            0            6\n");
    assert_int_equal(run("list", test.directory, "--format=json"), 0);
    assert_says("\"pending\":18,\"cursor\":{\"segment\":1,\"item\":12}");
    assert_says("{\"appended\":10,\"taken\":3,\"refused\":1,\"lost\":0,\"pending\":6}");
    test_spool__check(&test, false);
}

static void a_spool_that_was_given_nothing_says_so(void **state)
{
    struct test_spool empty;

    (void)state;
    test_spool__init(&empty, NULL);
    test_spool__open(&empty);
    assert_int_equal(run("list", empty.directory, NULL), 0);
    assert_says("format none yet, 0 segments");
    test_spool__done(&empty);
}

static void show_and_export_give_what_is_pending(void **state)
{
    (void)state;
    assert_int_equal(run("show", test.directory, NULL), 0);
    assert_int_equal(lines(), 2 * 18);
    assert_says("12 1970-01-01T00:00:00Z ");
    assert_says("id not known");
    assert_int_equal(run("export", test.directory, NULL), 0);
    assert_int_equal(lines(), 18);
}

static void drop_wants_a_yes_and_the_spool(void **state)
{
    (void)state;
    assert_int_equal(run("drop", test.directory, NULL), 1);
    assert_says("18 items are pending");
    assert_int_equal(run("drop", test.directory, "--yes"), 1);
    assert_says("another process uses it");
    test_spool__close(&test);
    assert_int_equal(run("drop", test.directory, "--yes"), 0);
    assert_says("18 items were given up");
    test_spool__open(&test);
    test_spool__check(&test, true);
    assert_int_equal(run("export", test.directory, NULL), 0);
    assert_string_equal(out, "");
}

static void wrong_words_are_explained(void **state)
{
    (void)state;
    assert_int_equal(run("lst", test.directory, NULL), 2);
    assert_says("did you mean 'list'?");
    assert_int_equal(run("list", NULL, NULL), 2);
    assert_int_equal(run("list", "/nowhere/at/all", NULL), 1);
    assert_says("/nowhere/at/all: No such file or directory");
    assert_int_equal(run("list", test.root, NULL), 1);
    assert_says("there is no spool");
    assert_int_equal(run("list", "/a\033[31mb", NULL), 1);
    assert_null(strchr(out, '\033'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(list_counts_a_spool_in_use, setup, teardown),
        cmocka_unit_test(a_spool_that_was_given_nothing_says_so),
        cmocka_unit_test_setup_teardown(show_and_export_give_what_is_pending, setup, teardown),
        cmocka_unit_test_setup_teardown(drop_wants_a_yes_and_the_spool, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_words_are_explained, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
