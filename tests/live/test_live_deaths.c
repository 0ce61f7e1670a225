// SPDX-License-Identifier: Apache-2.0
/*
 * Random deaths of a run and of its files: what verify says of what is left must be what the test
 * knows. Twelve rounds, each kind of death at least once; more with MRELEASE_TEST_LONG. The seed is
 * printed; MRELEASE_TEST_SEED sets it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"
#include "load.h"

enum {
    ROUNDS = 12,
    LONG_ROUNDS = 200,
    TIME_S = 35,
    FEW = 300,
    MANY = 8000, /* fit into a ring */
    LOAD_MAX_MS = 30000,
    KILL_MAX_US = 40000,
    FILES_MAX = 400,
    INCOMPLETE = 1,
    NOT_PROVEN = 3,
};

#define RARE "process_mrelease"

/* A round, and what is to come out of it. */
struct death {
    const char *directory, *file;
    int status;
    long long runs, blind;
};

static unsigned int seed;

/* 0 … bound - 1 */
static unsigned int any(unsigned int bound)
{
    return (unsigned int)rand_r(&seed) % bound;
}

/* -- runs ------------------------------------------------------------------------------------- */

static void start(struct death *death, struct sensor *sensor, const char *settings)
{
    struct stat file = { 0 };

    SENSOR_START(sensor, "--events", RARE, "--extra", "seq", "-o",
                 live__text("json%s:%s", settings, death->file));
    for (int i = 0; i < 500 && (stat(death->file, &file) || !file.st_size); i++)
        live__pause_ms(10);
    assert_true(file.st_size > 0); /* it has said that it started */
}

static pid_t call(uint64_t calls)
{
    const struct load load = { .event = RARE,
                               .cpu = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) - 1,
                               .calls = calls };

    return load__start(&load);
}

static void run_orderly(struct death *death, const char *settings)
{
    struct sensor sensor;

    start(death, &sensor, settings);
    load__wait(call(FEW + any(FEW)), LOAD_MAX_MS);
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
}

/* Somewhere in the middle of its calls. */
static void run_and_kill(struct death *death, const char *settings)
{
    struct sensor sensor;
    pid_t load;
    int status;

    start(death, &sensor, settings);
    load = call(MANY);
    usleep(any(KILL_MAX_US));
    assert_int_equal(kill(sensor.pid, SIGKILL), 0);
    assert_int_equal(waitpid(sensor.pid, &status, 0), sensor.pid);
    cleanup__forget_child(sensor.pid);
    load__wait(load, LOAD_MAX_MS);
}

/* -- files ------------------------------------------------------------------------------------ */

static const char *numbered(const struct death *death, unsigned int number)
{
    return number ? live__text("%s.%u", death->file, number) : death->file;
}

static unsigned int files_of(const struct death *death)
{
    unsigned int count = 0;

    while (count < FILES_MAX && !access(numbered(death, count), F_OK))
        count++;
    return count;
}

/* All of a file, and room for a line more; to be freed. */
static char *text_of(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    char *text;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    text = calloc(1, 2 * (size_t)status.st_size + 1);
    assert_non_null(text);
    *ret_size = fread(text, 1, (size_t)status.st_size, file);
    fclose(file);
    return text;
}

/* Whole lines that say they are of an event. */
static unsigned long long lines_of(const struct death *death, const char *event)
{
    const char *wanted = live__text("\"eventName\":\"%s\"", event);
    unsigned long long lines = 0;

    for (unsigned int number = 0; number < FILES_MAX; number++) {
        char *text, *at, *end;
        size_t size;

        if (access(numbered(death, number), F_OK))
            continue;
        text = text_of(numbered(death, number), &size);
        for (at = text; (end = strchr(at, '\n')); at = end + 1) {
            *end = '\0';
            lines += strstr(at, wanted) != NULL;
        }
        free(text);
    }
    return lines;
}

static bool ends_torn(const char *path)
{
    size_t size;
    char *text = text_of(path, &size);
    bool torn = size && text[size - 1] != '\n';

    free(text);
    return torn;
}

static void write_text(const char *path, const char *text, size_t size)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
}

/* -- deaths ----------------------------------------------------------------------------------- */

static void two_runs_in_one_file(struct death *death)
{
    run_orderly(death, "");
    run_orderly(death, "");
    *death = (struct death){ death->directory, death->file, 0, 2, 1 };
}

static void killed(struct death *death)
{
    run_and_kill(death, "");
    death->status = ends_torn(death->file) ? INCOMPLETE : NOT_PROVEN;
}

/* The next one repairs half a line. */
static void killed_and_followed(struct death *death)
{
    run_and_kill(death, "");
    run_orderly(death, "");
    *death = (struct death){ death->directory, death->file, NOT_PROVEN, 2, 1 };
}

static void killed_while_it_rotates(struct death *death)
{
    run_and_kill(death, ",rotate=4K");
    run_orderly(death, ",rotate=64K");
    *death = (struct death){ death->directory, death->file, NOT_PROVEN, 2, 1 };
}

static void moved_by_others(struct death *death)
{
    struct sensor sensor;
    pid_t load;

    start(death, &sensor, "");
    load = call(MANY);
    usleep(any(KILL_MAX_US));
    assert_int_equal(rename(death->file, numbered(death, 1)), 0);
    assert_int_equal(kill(sensor.pid, SIGHUP), 0);
    load__wait(load, LOAD_MAX_MS);
    sensor__await_text(&sensor, "reopened");
    assert_int_equal(sensor__stop(&sensor, SIGTERM), 0);
    death->status = 0;
}

/* At the end of a line, or within one. */
static void cut_off(struct death *death)
{
    size_t size, cut;
    char *text, *line;

    run_orderly(death, "");
    text = text_of(death->file, &size);
    cut = any((unsigned int)size);
    text[cut] = '\0';
    line = strrchr(text, '\n');
    if (any(2))
        cut = line ? (size_t)(line - text) + 1 : 0;
    assert_int_equal(truncate(death->file, (off_t)cut), 0);
    free(text);
    death->status = ends_torn(death->file) ? INCOMPLETE : NOT_PROVEN;
    death->runs = cut > 0;
}

static void lost_file_of_a_set(struct death *death)
{
    unsigned int files, gone;

    run_orderly(death, ",rotate=32K");
    files = files_of(death);
    assert_in_range(files, 3, FILES_MAX - 1);
    gone = any(files);
    assert_int_equal(unlink(numbered(death, gone)), 0);
    death->status = !gone || gone == files - 1 ? NOT_PROVEN : INCOMPLETE;
}

/* A line of an event is taken out, doubled, or put behind the one that follows it. */
static void edited(struct death *death)
{
    char *text, *line, *next, *end, copy[4096];
    unsigned int wanted = 2 + any(FEW / 2), what = any(3); /* not the first, which is a state */
    size_t size, length, moved;

    run_orderly(death, "");
    text = text_of(death->file, &size);
    end = text + size;
    for (line = text; wanted--; line = strchr(line, '\n') + 1)
        ;
    next = strchr(line, '\n') + 1;
    length = (size_t)(next - line);
    assert_in_range(length, 1, sizeof(copy));
    memcpy(copy, line, length);
    moved = (size_t)(strchr(next, '\n') + 1 - next);
    if (what == 0) {
        memmove(line, next, (size_t)(end - next));
        size -= length;
    } else if (what == 1) {
        memmove(next + length, next, (size_t)(end - next));
        memcpy(next, copy, length);
        size += length;
    } else {
        memmove(line, next, moved);
        memcpy(line + moved, copy, length);
    }
    write_text(death->file, text, size);
    free(text);
    death->status = INCOMPLETE;
}

static void unmount(void *path)
{
    umount2(path, MNT_DETACH);
}

/* What is dropped behind the last line shows nowhere; a gap that could be told does. */
static void full_disk(struct death *death)
{
    struct sensor sensor;

    live__private_mounts();
    assert_int_equal(mount("tmpfs", death->directory, "tmpfs", 0, "size=256k"), 0);
    cleanup__add(unmount, (void *)(uintptr_t)death->directory);
    start(death, &sensor, ",queue=64K"); /* and waits for it until it is full */
    load__wait(call(3000), LOAD_MAX_MS);
    sensor__await_text(&sensor, "No space left on device: tried again");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 1);
    assert_non_null(strstr(sensor__stderr(&sensor), " events are not in it: "));
    death->status = NOT_PROVEN;
}

static const struct {
    const char *name;
    void (*happen)(struct death *death);
} deaths[] = {
    { "two runs in one file", two_runs_in_one_file },
    { "killed", killed },
    { "killed, and another run follows", killed_and_followed },
    { "killed while it rotates", killed_while_it_rotates },
    { "moved by others", moved_by_others },
    { "cut off", cut_off },
    { "a lost file of a set", lost_file_of_a_set },
    { "edited", edited },
    { "a full disk", full_disk },
};

/* -- the verdict ------------------------------------------------------------------------------ */

static long long number_in(const json_t *verdict, const char *key)
{
    const json_t *value = json_object_get(verdict, key);

    if (!json_is_integer(value))
        fail_msg("the verdict has no %s", key);
    return json_integer_value(value);
}

static void judge(const struct death *death, const char *name, unsigned int round)
{
    const char *arguments[] = { "verify", "--format", "json", death->directory, NULL };
    struct sensor verifier;
    int status = sensor__run(&verifier, arguments), wanted = death->status;
    const char *said = sensor__stdout(&verifier), *last = strstr(said, "{\"kind\":\"verdict\"");
    json_t *verdict = json_loads(last ? last : "{", JSON_DISABLE_EOF_CHECK, NULL);

    if (!verdict)
        fail_msg("round %u, %s: %s", round, name, said);
    if (lines_of(death, "events_lost"))
        wanted = INCOMPLETE;
    if (status != wanted || number_in(verdict, "status") != status ||
        number_in(verdict, "runs") != death->runs ||
        number_in(verdict, "blind_intervals") != death->blind ||
        number_in(verdict, "events") != (long long)lines_of(death, RARE))
        fail_msg("round %u, %s: %d, %lld runs, %lld blind, %llu events wanted, but: %d: %s", round,
                 name, wanted, death->runs, death->blind, lines_of(death, RARE), status, said);
    json_decref(verdict);
}

/* Each kind once, in any order, and then whichever comes. */
static void pick_order(unsigned int order[COUNT_OF(deaths)])
{
    for (unsigned int i = 0; i < COUNT_OF(deaths); i++) {
        unsigned int other = any(i + 1);

        order[i] = order[other];
        order[other] = i;
    }
}

static void verify_says_what_became_of_a_run(void **state)
{
    const char *given = getenv("MRELEASE_TEST_SEED");
    unsigned int order[COUNT_OF(deaths)] = { 0 }, rounds = load__long() ? LONG_ROUNDS : ROUNDS;
    time_t end = time(NULL) + TIME_S;

    (void)state;
    live__require();
    seed = given ? (unsigned int)strtoul(given, NULL, 10) : (unsigned int)time(NULL);
    print_message("# seed %u\n", seed);
    pick_order(order);
    for (unsigned int i = 0;
         i < rounds && (load__long() || i < COUNT_OF(deaths) || time(NULL) < end); i++) {
        struct death death = { .directory = live__path(live__text("%u", i)), .runs = 1 };
        unsigned int kind = i < COUNT_OF(deaths) ? order[i] : any(COUNT_OF(deaths));

        death.file = live__text("%s/events", death.directory);
        assert_int_equal(mkdir(death.directory, 0755), 0);
        deaths[kind].happen(&death);
        judge(&death, deaths[kind].name, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(verify_says_what_became_of_a_run),
    };

    return cmocka_run_group_tests_name("live, deaths", tests, NULL, NULL);
}
