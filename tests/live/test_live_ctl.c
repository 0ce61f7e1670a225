// SPDX-License-Identifier: Apache-2.0
/* 'mrelease ctl' and the control socket: what it tells, what it changes, whom it refuses, and that
 * nobody hurts the sensor by it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "configured.h"
#include "load.h"

enum { NOBODY = 65534, STRANGERS = 1000, CUT_MS = 4000, ANSWER = 6 };

static const char *socket_path(void)
{
    return live__path("control");
}

static void start(struct sensor *sensor, const char *text)
{
    assert_int_equal(chmod(live__path(""), 0711), 0);
    configured__start(sensor, live__text("control: \"mode=0666:%s\"\n%s", socket_path(), text));
}

/* What it said on standard output is in `*ret_ctl`. */
#define CTL(ret_ctl, ...) \
    sensor__run(ret_ctl,  \
                (const char *const[]){ "ctl", "--control", socket_path(), __VA_ARGS__, NULL })

/* -- what it tells ---------------------------------------------------------------------------- */

/* Nobody reads the FIFO: it takes what fits, and the queue drops the rest. */
static void a_drop_is_told_at_once(void **state)
{
    const struct load load = { "munlock", 1, 20000, 0 };
    struct sensor sensor, ctl;
    unsigned long long dropped = 0;
    const char *said = "";
    int reader;

    (void)state;
    live__require();
    assert_int_equal(mkfifo(live__path("fifo"), 0600), 0);
    reader = open(live__path("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    start(&sensor, live__text("events: [munlock]\nbusy-ring: 64M\n"
                              "output: [\"none\", \"json,policy=drop-newest,queue=128K:%s\"]\n",
                              live__path("fifo")));
    load__wait(load__start(&load), 20000);
    for (int i = 0; i < 20 && !dropped; i++) {
        live__pause_ms(100);
        assert_int_equal(CTL(&ctl, "status"), 0);
        said = strstr(sensor__stdout(&ctl), "queue=128K:");
        assert_non_null(said);
        said = strstr(said, " delivered, ");
        assert_int_equal(sscanf(said, " delivered, %llu dropped", &dropped), 1);
    }
    assert_in_range(dropped, 1, load.calls);
    assert_non_null(strstr(
        said, live__text("%llu dropped (queue full %llu, write failed 0)", dropped, dropped)));
    assert_non_null(strstr(said, " pending, "));
    close(reader);
    sensor__stop(&sensor, SIGTERM);
}

static void a_side_program_is_told_of(void **state)
{
    struct sensor sensor, ctl;

    (void)state;
    live__require();
    start(&sensor, "events: [munlock]\noutput: [none, \"json:webhook+http://127.0.0.1:9/x\"]\n");
    assert_int_equal(CTL(&ctl, "status"), 0);
    assert_non_null(strstr(sensor__stdout(&ctl), "side program http: lives, 0 restarts"));
    assert_int_equal(CTL(&ctl, "status", "--format", "json"), 0);
    assert_non_null(strstr(sensor__stdout(&ctl), "\"lives\": true"));
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
}

/* -- what it changes -------------------------------------------------------------------------- */

static void events_and_level_are_switched(void **state)
{
    struct sensor sensor, ctl;

    (void)state;
    live__require();
    start(&sensor, live__text("events: [munlock]\nextra: [seq]\noutput: [\"json:%s\"]\n",
                              live__path("out")));
    assert_int_equal(CTL(&ctl, "enable", "mlock"), 0);
    assert_int_equal(CTL(&ctl, "disable", "munlock"), 0);
    assert_int_equal(CTL(&ctl, "events"), 0);
    assert_non_null(strstr(sensor__stdout(&ctl), "mlock            yes"));
    assert_non_null(strstr(sensor__stdout(&ctl), "munlock          no"));
    configured__call();
    assert_int_equal(CTL(&ctl, "log-level", "error"), 0);
    assert_int_equal(CTL(&ctl, "enable", "munlock"), 0);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(configured__lines("out", "mlock"), 1);
    assert_int_equal(configured__lines("out", "munlock"), 0);
    /* Whatever the level: who changes what is told. */
    assert_non_null(strstr(sensor__stderr(&sensor), ", sets the log level to error\n"));
    assert_non_null(strstr(sensor__stderr(&sensor), ", enables munlock\n"));
    assert_int_equal(configured__lines("out", "sensor_state"), 6); /* with start and end */
}

static void a_reload_is_waited_for(void **state)
{
    struct sensor sensor, ctl;
    FILE *file;

    (void)state;
    live__require();
    start(&sensor, live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("out")));
    assert_int_equal(CTL(&ctl, "reload"), 0);
    assert_string_equal(sensor__stdout(&ctl), "nothing to change\n");
    file = fopen(live__path("mrelease.yaml"), "ae");
    assert_non_null(file);
    fputs("scpe: [x]\n", file);
    fclose(file);
    assert_int_equal(CTL(&ctl, "reload"), 1);
    sensor__assert_one_line(&ctl, ":4:1: unknown key 'scpe': did you mean 'scope'?");
    /* It would be waited for until somebody writes, and so would the end. */
    assert_int_equal(unlink(live__path("mrelease.yaml")), 0);
    assert_int_equal(mkfifo(live__path("mrelease.yaml"), 0600), 0);
    assert_int_equal(CTL(&ctl, "reload"), 1);
    sensor__assert_one_line(&ctl, "mrelease.yaml: it is no regular file");
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
}

static void what_is_asked_wrongly_is_told(void **state)
{
    struct sensor ctl;

    (void)state;
    live__require();
    assert_int_equal(CTL(&ctl, "enable", "mlok"), 2);
    sensor__assert_one_line(&ctl, "unknown event 'mlok': did you mean 'mlock'?");
    assert_int_equal(CTL(&ctl, "relod"), 2);
    sensor__assert_one_line(&ctl, "did you mean 'reload'?");
    assert_int_equal(CTL(&ctl, "enable"), 2);
    sensor__assert_one_line(&ctl, "which event?");
    assert_int_equal(CTL(&ctl, "status"), 1);
    sensor__assert_one_line(&ctl, "no sensor listens there");
}

/* Answers one question, with what would paint the terminal; its frame is that of the question. */
__attribute__((noreturn)) static void answer_as_a_stranger(int listening)
{
    static const char text[] =
        "{\"version\":\"\\u001b[2J\",\"outputs\":[{\"name\":\"\\u001b[31m\"}]}";
    struct {
        uint16_t version, type;
        uint32_t size, rest[3];
        char text[512];
    } frame;
    int fd = accept(listening, NULL, NULL);

    if (fd < 0 || recv(fd, &frame, sizeof(frame), 0) <= 0)
        _exit(1);
    frame.type = ANSWER;
    frame.size = sizeof(text);
    memcpy(frame.text, text, sizeof(text));
    _exit(send(fd, &frame, 20 + sizeof(text), MSG_NOSIGNAL) < 0);
}

static void an_answer_steers_no_terminal(void **state)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), status;
    struct sensor ctl;
    pid_t child;

    (void)state;
    live__require();
    snprintf(where.sun_path, sizeof(where.sun_path), "%s", socket_path());
    assert_int_equal(bind(fd, (const struct sockaddr *)&where, sizeof(where)), 0);
    assert_int_equal(listen(fd, 1), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child)
        answer_as_a_stranger(fd);
    close(fd);
    assert_int_equal(CTL(&ctl, "status"), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_null(strchr(sensor__stdout(&ctl), '\033'));
    assert_non_null(strstr(sensor__stdout(&ctl), "?[31m"));
}

/* -- strangers -------------------------------------------------------------------------------- */

static void become_nobody(void)
{
    if (setgid(NOBODY) || setuid(NOBODY))
        _exit(100);
}

static int ctl_as_nobody(struct sensor *ctl, const char *word, const char *operand)
{
    const char *arguments[] = { "ctl", "--control", socket_path(), word, operand, NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = become_nobody };

    sensor__spawn(ctl, &options);
    return sensor__wait(ctl);
}

static void others_may_look_and_change_nothing(void **state)
{
    struct sensor sensor, ctl;

    (void)state;
    live__require();
    start(&sensor, live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("out")));
    assert_int_equal(ctl_as_nobody(&ctl, "status", NULL), 0);
    assert_int_equal(ctl_as_nobody(&ctl, "disable", "munlock"), 1);
    sensor__assert_one_line(&ctl, "only root and the sensor's own user may");
    assert_int_equal(ctl_as_nobody(&ctl, "log-level", "error"), 1);
    assert_int_equal(ctl_as_nobody(&ctl, "reload", NULL), 1);
    configured__call();
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(configured__lines("out", "munlock"), 1);
    assert_non_null(strstr(sensor__stderr(&sensor), "a client, user 65534 (process "));
    assert_non_null(strstr(sensor__stderr(&sensor),
                           ", disables munlock: only root and the sensor's own user may\n"));
    assert_non_null(strstr(sensor__stderr(&sensor), ", reloads the configuration: only root"));
}

static int dial(void)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(where.sun_path, sizeof(where.sun_path), "%s", socket_path());
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&where, sizeof(where))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Whether the other end leaves the conversation within some seconds. */
static bool is_cut(int fd)
{
    struct pollfd end = { .fd = fd, .events = POLLIN };
    char byte;

    return poll(&end, 1, CUT_MS) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static void who_says_nothing_or_rubbish_is_cut(void **state)
{
    static const char rubbish[300] = "GET / HTTP/1.1\r\n\r\n";
    struct sensor sensor;
    int silent, talker;

    (void)state;
    live__require();
    start(&sensor, live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("out")));
    silent = dial();
    talker = dial();
    assert_true(silent >= 0 && talker >= 0);
    assert_true(send(talker, rubbish, sizeof(rubbish), MSG_NOSIGNAL) > 0);
    assert_true(is_cut(talker));
    assert_true(is_cut(silent));
    close(silent);
    close(talker);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
}

__attribute__((noreturn)) static void connect_often(void)
{
    int held = 0;

    become_nobody();
    for (int i = 0; i < STRANGERS; i++)
        held += dial() >= 0;
    _exit(held > STRANGERS / 2 ? 0 : 1);
}

static void a_thousand_connections_harm_nobody(void **state)
{
    struct sensor sensor, ctl;
    int status;
    pid_t child;

    (void)state;
    live__require();
    start(&sensor, live__text("events: [munlock]\noutput: [\"json:%s\"]\n", live__path("out")));
    child = fork();
    assert_true(child >= 0);
    if (!child)
        connect_often();
    for (int i = 0; i < 5; i++) {
        configured__call();
        assert_int_equal(CTL(&ctl, "status"), 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(CTL(&ctl, "disable", "munlock"), 0);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    assert_int_equal(configured__lines("out", "munlock"), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_drop_is_told_at_once),
        LIVE_TEST(a_side_program_is_told_of),
        LIVE_TEST(events_and_level_are_switched),
        LIVE_TEST(a_reload_is_waited_for),
        LIVE_TEST(what_is_asked_wrongly_is_told),
        LIVE_TEST(an_answer_steers_no_terminal),
        LIVE_TEST(others_may_look_and_change_nothing),
        LIVE_TEST(who_says_nothing_or_rubbish_is_cut),
        LIVE_TEST(a_thousand_connections_harm_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
