// SPDX-License-Identifier: Apache-2.0
/* Lines on standard error, in each format, and which one is chosen. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "command/command.h"
#include "command/options/say.h"
#include "unit/unit.h"

/* A line is said in a child whose standard error is `fd`, and `out` is what stands there. */
static char out[4096];

static void say_into(int fd, enum mrl_log_format format, void (*say)(void))
{
    int kept = dup(STDERR_FILENO);

    dup2(fd, STDERR_FILENO);
    mrl_say__set_format(format);
    say();
    dup2(kept, STDERR_FILENO);
    close(kept);
    mrl_say__set_format(MRL_LOG_BARE);
}

static int new_file(void)
{
    char path[] = "/tmp/mrelease-say-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

static void say_to_file(enum mrl_log_format format, void (*say)(void))
{
    int fd = new_file();
    ssize_t size;

    say_into(fd, format, say);
    size = pread(fd, out, sizeof(out) - 1, 0);
    out[size > 0 ? size : 0] = '\0';
    close(fd);
}

static void say_warning(void)
{
    mrl_say_at(MRL_LOG_WARNING, "it is %s", "full \033[31m\"");
}

static void say_news(void)
{
    mrl_say("watching");
}

static void say_error(void)
{
    mrl_say_error("no right");
}

/* "2026-01-02T03:04:05.678Z " */
static const char *behind_time(void)
{
    int year, month, day, hour, minute, second, millisecond, size = 0;

    if (sscanf(out, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour, &minute, &second,
               &millisecond, &size) != 7 ||
        size != 25)
        fail_case("no time in %s", out);
    return out + size;
}

static void text_has_the_time_and_the_level(void **state)
{
    (void)state;
    say_to_file(MRL_LOG_TEXT, say_warning);
    assert_string_equal(behind_time(), "mrelease: warning: it is full ?[31m\"\n");
    say_to_file(MRL_LOG_TEXT, say_news);
    assert_string_equal(behind_time(), "mrelease: watching\n");
}

static void hold_and_say(void)
{
    static atomic_bool stop;
    struct stat file;

    mrl_say__hold();
    say_warning();
    say_news();
    say_error();
    assert_int_equal(fstat(STDERR_FILENO, &file), 0);
    assert_int_equal(file.st_size, 0);
    mrl_say__let_go(&stop);
    say_news();
}

static void what_is_held_comes_later_and_in_order(void **state)
{
    (void)state;
    say_to_file(MRL_LOG_JOURNAL, hold_and_say);
    assert_string_equal(out, "<4>it is full ?[31m\"\n<6>watching\n<3>no right\n<6>watching\n");
    say_to_file(MRL_LOG_BARE, hold_and_say);
    assert_string_equal(out, "mrelease: warning: it is full ?[31m\"\nmrelease: watching\n"
                             "mrelease: no right\nmrelease: watching\n");
}

static void json_is_an_object_per_line(void **state)
{
    const char *at, *level, *message;
    json_t *object;

    (void)state;
    say_to_file(MRL_LOG_JSON, say_warning);
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
    object = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(
        json_unpack(object, "{s:s, s:s, s:s}", "time", &at, "level", &level, "message", &message),
        0);
    assert_string_equal(level, "warning");
    assert_string_equal(message, "it is full ?[31m\"");
    assert_int_equal(strlen(at), 24);
    json_decref(object);
}

static void journal_has_priorities(void **state)
{
    (void)state;
    say_to_file(MRL_LOG_JOURNAL, say_warning);
    assert_string_equal(out, "<4>it is full ?[31m\"\n");
    say_to_file(MRL_LOG_JOURNAL, say_news);
    assert_string_equal(out, "<6>watching\n");
    say_to_file(MRL_LOG_JOURNAL, say_error);
    assert_string_equal(out, "<3>no right\n");
}

static void a_file_gets_the_time_and_a_pipe_does_not(void **state)
{
    int fds[2];
    ssize_t size;

    (void)state;
    unsetenv("JOURNAL_STREAM");
    say_to_file(MRL_LOG_AUTO, say_news);
    assert_string_equal(behind_time(), "mrelease: watching\n");
    assert_int_equal(pipe(fds), 0);
    say_into(fds[1], MRL_LOG_AUTO, say_news);
    size = read(fds[0], out, sizeof(out) - 1);
    out[size > 0 ? size : 0] = '\0';
    assert_string_equal(out, "mrelease: watching\n");
    close(fds[0]);
    close(fds[1]);
}

/* As systemd sets it; a variable that was inherited from elsewhere means nothing. */
static void journald_is_known_by_its_socket(void **state)
{
    char stream[64];
    struct stat file;
    int fd = new_file();
    ssize_t size;

    (void)state;
    fstat(fd, &file);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    say_into(fd, MRL_LOG_AUTO, say_news);
    size = pread(fd, out, sizeof(out) - 1, 0);
    out[size > 0 ? size : 0] = '\0';
    assert_string_equal(out, "<6>watching\n");
    setenv("JOURNAL_STREAM", "1:1", 1);
    say_to_file(MRL_LOG_AUTO, say_news);
    assert_string_equal(behind_time(), "mrelease: watching\n");
    unsetenv("JOURNAL_STREAM");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_the_time_and_the_level),
        cmocka_unit_test(what_is_held_comes_later_and_in_order),
        cmocka_unit_test(json_is_an_object_per_line),
        cmocka_unit_test(journal_has_priorities),
        cmocka_unit_test(a_file_gets_the_time_and_a_pipe_does_not),
        cmocka_unit_test(journald_is_known_by_its_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
