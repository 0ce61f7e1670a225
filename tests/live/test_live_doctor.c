// SPDX-License-Identifier: Apache-2.0
/* What doctor says of this host is what a run finds. */
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "harness.h"
#include "load.h"
#include "trigger.h"

enum { NOBODY = 65534 };

static pid_t examiner; /* the last one */

/* Its report; the test ends with it. */
static json_t *examine(const struct sensor_options *options, int wanted_status)
{
    struct sensor doctor;
    json_error_t error;
    json_t *report;
    int status;

    sensor__spawn(&doctor, options);
    examiner = doctor.pid;
    status = sensor__wait(&doctor);
    report = json_loads(sensor__stdout(&doctor), 0, &error);
    if (!report || status != wanted_status)
        fail_msg("exit status %d, line %d: %s; standard error: %s", status, error.line, error.text,
                 sensor__stderr(&doctor));
    return report;
}

static json_t *examine_quickly(const char *rung)
{
    const char *arguments[] = { "doctor", "--quick", "--format", "json", rung ? "--rung" : NULL,
                                rung,     NULL };
    const struct sensor_options options = { .arguments = arguments };

    return examine(&options, 0);
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* -- agreement -------------------------------------------------------------------------------- */

static void doctor_names_the_rung_that_a_run_takes(void **state)
{
    static const char *const coverages[] = { "compat", "native", "all" };
    json_t *report, *chosen;

    (void)state;
    live__require();
    report = examine_quickly(NULL);
    chosen = json_object_get(report, "chosen");
    for (size_t i = 0; i < COUNT_OF(coverages); i++) {
        struct sensor sensor;

        SENSOR_START(&sensor, "--coverage", coverages[i], "-o", "none");
        assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
        if (!strstr(sensor__stderr(&sensor),
                    live__text(", with %s\n", text_at(chosen, coverages[i]))))
            fail_msg("doctor says %s for %s, but the run: %s", text_at(chosen, coverages[i]),
                     coverages[i], sensor__stderr(&sensor));
    }
    json_decref(report);
}

static void doctor_watches_a_real_release(void **state)
{
    json_t *report, *release;

    (void)state;
    live__require();
    report = examine_quickly(NULL);
    release = json_object_get(report, "release");
    assert_true(json_is_true(json_object_get(release, "targetRight")));
    assert_string_equal(text_at(release, "outcome"), "reaped");
    json_decref(report);
}

/* A rung sees what its row in the library claims, and a machine offers what it offers to a test. */
static void rungs_see_what_they_claim(void **state)
{
    json_t *report, *rungs, *rung;
    size_t index;

    (void)state;
    live__require();
    report = examine_quickly(NULL);
    rungs = json_object_get(report, "rungs");
    json_array_foreach(rungs, index, rung)
    {
        bool works = json_is_true(json_object_get(rung, "works"));
        bool blind = !strcmp(text_at(rung, "rung"), "tracepoint");
        bool on_function =
            !strcmp(text_at(rung, "rung"), "fentry") || !strcmp(text_at(rung, "rung"), "kprobe");
        bool beside = *text_at(rung, "beside");
        const json_t *sees = json_object_get(rung, "sees");

        if (!works)
            continue;
        assert_string_equal(text_at(sees, "native"), "yes");
        assert_string_equal(text_at(sees, "compat"), !trigger__has_compat() ? "not offered"
                                                     : blind                ? "no"
                                                                            : "yes");
        assert_string_equal(text_at(sees, "blocked"), on_function && !beside ? "no" : "yes");
    }
    json_decref(report);
}

/* -- beside a sensor ----------------------------------------------------------------------------
 */

static size_t lines_of_examiner(const char *name)
{
    const struct lines *lines = lines__load(live__path(name));
    size_t count = 0;

    for (size_t i = 0; i < lines->count; i++)
        count += json__number(lines->at[i].json, "processId") == (uint64_t)examiner ||
                 json__number(lines->at[i].json, "parentProcessId") == (uint64_t)examiner;
    return count;
}

/* It proves rungs, asks the kernel, calls in three ways and releases a child's memory. */
static void its_calls_are_no_events_for_others(void **state)
{
    struct sensor sensor;

    (void)state;
    live__require();
    live__add_caller("mrelease*");
    SENSOR_START(&sensor, "-e", "process_mrelease,do_mrelease,mlock*,munlock*", "-o",
                 live__output("json", "events"));
    json_decref(examine_quickly(NULL));
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(lines_of_examiner("events"), 0);
    /* They were there, and are known for what they are. */
    assert_in_range(sensor__totals(&sensor, "process_mrelease").self, 10, UINT64_MAX);
}

/* -- one rung, and no rights ------------------------------------------------------------------ */

static void one_rung_is_tried_alone(void **state)
{
    json_t *report, *rungs;

    (void)state;
    live__require();
    report = examine_quickly("raw_tp");
    rungs = json_object_get(report, "rungs");
    assert_int_equal(json_array_size(rungs), 1);
    assert_string_equal(text_at(json_array_get(rungs, 0), "rung"), "raw_tp");
    assert_int_equal(json_object_size(json_object_get(report, "chosen")), 0);
    json_decref(report);
}

static void become_nobody(void)
{
    if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
        _exit(127);
}

static void without_rights_it_says_what_is_missing(void **state)
{
    const char *arguments[] = { "doctor", "--format", "json", NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = become_nobody };
    json_t *report, *rungs, *rung;
    size_t index;

    (void)state;
    live__require();
    report = examine(&options, 1);
    rungs = json_object_get(report, "rungs");
    json_array_foreach(rungs, index, rung)
    {
        assert_true(json_is_false(json_object_get(rung, "works")));
        assert_non_null(strstr(text_at(rung, "reason"), "CAP_BPF"));
    }
    assert_true(json_is_false(json_object_get(json_object_get(report, "capabilities"), "CAP_BPF")));
    assert_true(*text_at(json_object_get(report, "host"), "kernel"));
    json_decref(report);
}

/* As the profile of podman and CRI-O for a container that was given CAP_BPF. */
static void refuse_bpf(void)
{
    if (!trigger__block(SYS_bpf, SYS_bpf, EPERM))
        _exit(127);
}

static void a_filter_that_refuses_bpf_is_told_from_rights_that_are_missing(void **state)
{
    const char *arguments[] = { "doctor", "--quick", "--format", "json", NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = refuse_bpf };
    json_t *report;

    (void)state;
    live__require();
    report = examine(&options, 1);
    assert_non_null(strstr(text_at(json_object_get(report, "host"), "seccomp"), "refuses bpf()"));
    assert_true(json_is_true(json_object_get(json_object_get(report, "capabilities"), "CAP_BPF")));
    json_decref(report);
}

static void the_tax_is_measured_within_its_time(void **state)
{
    const char *arguments[] = { "doctor", "--format", "json", load__long() ? NULL : "--rung",
                                "raw_tp", NULL };
    const struct sensor_options options = { .arguments = arguments };
    json_t *report, *rungs, *rung;
    int64_t start_ns;
    size_t index;

    (void)state;
    live__require_unsanitized();
    start_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    report = examine(&options, 0);
    printf("# doctor%s took %.1f s\n", load__long() ? "" : " of one rung",
           (double)(mrl_clock__ns(CLOCK_MONOTONIC) - start_ns) / 1e9);
    assert_true(json_number_value(json_object_get(json_object_get(report, "getppidNs"), "median")) >
                0);
    rungs = json_object_get(report, "rungs");
    json_array_foreach(rungs, index, rung)
        assert_int_equal(json_is_object(json_object_get(rung, "taxNs")),
                         json_is_true(json_object_get(rung, "works")));
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(doctor_names_the_rung_that_a_run_takes),
        LIVE_TEST(doctor_watches_a_real_release),
        LIVE_TEST(rungs_see_what_they_claim),
        LIVE_TEST(its_calls_are_no_events_for_others),
        LIVE_TEST(one_rung_is_tried_alone),
        LIVE_TEST(without_rights_it_says_what_is_missing),
        LIVE_TEST(a_filter_that_refuses_bpf_is_told_from_rights_that_are_missing),
        LIVE_TEST(the_tax_is_measured_within_its_time),
    };

    return cmocka_run_group_tests_name("live, doctor", tests, NULL, NULL);
}
