// SPDX-License-Identifier: Apache-2.0
/* The names of policies in what is printed and recorded of an event, and in what is replayed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include "deliver/metrics/pack.h"
#include "event/capture_format.h"
#include "event/policies.h"
#include "unit/captures.h"
#include "unit/lines.h"
#include "unit/unit.h"

static struct test_replay replay;

static struct mrl_policies *list(const char *const *names, unsigned int count)
{
    struct mrl_policies *policies = mrl_policies__new();

    assert_non_null(policies);
    for (unsigned int i = 0; i < count; i++)
        assert_int_equal(mrl_policies__add(policies, names[i], NULL), 0);
    return policies;
}

static const char *const names[] = { "locks", "all-of.it", "releases" };
static const char *const later[] = { "releases", "locks" };

/* -- printed ---------------------------------------------------------------------------------- */

/* The line of an event without names, with these in their place. */
static char *with_names(const char *line, const char *quoted)
{
    const char *at = strstr(line, "[\"\"]");
    char *text;

    assert_non_null(at);
    assert_true(asprintf(&text, "%.*s[%s]%s", (int)(at - line), line, quoted, at + 4) > 0);
    return text;
}

static void json_names_the_policies_in_their_order(void **state)
{
    static const char *const formats[] = { "json", "json-v0.24", "json-v1beta1" };
    static const struct {
        uint64_t matched;
        const char *quoted;
    } cases[] = {
        { 1, "\"locks\"" },
        { 4, "\"releases\"" },
        { 5, "\"locks\",\"releases\"" },
        { 7, "\"locks\",\"all-of.it\",\"releases\"" },
    };
    struct mrl_policies *policies = list(names, COUNT_OF(names));
    struct test_event event;

    (void)state;
    test_event__init(&event, "mlock");
    for (size_t i = 0; i < COUNT_OF(formats) * COUNT_OF(cases); i++) {
        const char *format = formats[i / COUNT_OF(cases)];
        char *plain, *wanted, *line;

        event.event.all_policies = NULL;
        plain = test_line_in(format, &event.event);
        event.event.all_policies = policies;
        event.event.policies = cases[i % COUNT_OF(cases)].matched;
        line = test_line_in(format, &event.event);
        wanted = with_names(plain, cases[i % COUNT_OF(cases)].quoted);
        assert_same_line(line, wanted);
        free(plain);
        free(line);
        free(wanted);
    }
    mrl_policies__unref(policies);
}

/* What a shape says of the policies; and nothing at all where none has a name. */
static void shapes_name_them_where_they_have_a_place(void **state)
{
    static const struct {
        const char *format, *one, *two;
    } cases[] = {
        { "ecs", "\"rule\":{\"ruleset\":[\"locks\"]}",
          "\"rule\":{\"ruleset\":[\"locks\",\"releases\"]}" },
        { "ocsf", "\"policies\":[\"locks\"]", "\"policies\":[\"locks\",\"releases\"]" },
        { "cef", " mreleasePolicies=locks ", " mreleasePolicies=locks,releases " },
        { "leef", "\tpolicy=locks\t", "\tpolicy=locks,releases\t" },
    };
    struct mrl_policies *policies = list(names, COUNT_OF(names));
    struct test_decoder *decoder = *state;
    struct test_record record;
    struct mrl_event event;

    test_record__init(&record, MRL_EVENT_MLOCK);
    event = *test_decoder__event(decoder, &record);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *none, *one, *two;

        event.all_policies = NULL;
        none = test_line_in(cases[i].format, &event);
        event.all_policies = policies;
        event.policies = 1;
        one = test_line_in(cases[i].format, &event);
        event.policies = 5;
        two = test_line_in(cases[i].format, &event);
        if (!strstr(one, cases[i].one) || !strstr(two, cases[i].two))
            fail_case("%s: %s%s", cases[i].format, one, two);
        assert_null(strstr(none, "olic"));
        assert_null(strstr(none, "rule"));
        free(none);
        free(one);
        free(two);
    }
    mrl_policies__unref(policies);
}

/* -- recorded, and replayed ------------------------------------------------------------------- */

static void add(struct test_capture *capture, uint64_t policies, uint32_t generation)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    test_record__judge(&record, policies, generation);
    test_capture__add(capture, &record);
}

static size_t size_of(const char *path)
{
    FILE *file = fopen(path, "r");
    long size;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    fclose(file);
    return (size_t)size;
}

static void assert_replays(const struct test_capture *capture)
{
    test_replay__run(&replay, capture->path, NULL);
    if (replay.ended != -ENODATA)
        fail_case("%s", replay.text);
    assert_int_equal(replay.lines.count, capture->lines.count);
    assert_memory_equal(replay.lines.text, capture->lines.text, capture->lines.size);
}

/* Other policies in the middle, then none that has a name, then again those of the beginning. */
static void a_replay_shows_the_names_of_each_configuration(void **state)
{
    struct test_capture *capture = *state;
    struct mrl_policies *first = list(names, COUNT_OF(names)),
                        *second = list(later, COUNT_OF(later));

    capture->policies = first;
    for (uint64_t matched = 1; matched < 8; matched++)
        add(capture, matched, 1);
    capture->policies = second;
    for (uint64_t matched = 1; matched < 4; matched++)
        add(capture, matched, 2);
    capture->policies = NULL;
    add(capture, 1, 3);
    capture->policies = first;
    add(capture, 7, 4);
    test_capture__close(capture);
    assert_non_null(strstr(capture->lines.text, "[\"locks\",\"all-of.it\",\"releases\"]"));
    assert_non_null(strstr(capture->lines.text, "[\"releases\",\"locks\"]"));
    assert_non_null(strstr(capture->lines.text, "[\"\"]"));
    assert_replays(capture);
    mrl_policies__unref(first);
    mrl_policies__unref(second);
}

/* A frame of 32 bytes for "locks": 16 of head, 8 with the bit, 5 and 3 zeros. */
static void a_name_is_recorded_once_and_no_name_never(void **state)
{
    struct test_capture *capture = *state;
    struct mrl_policies *policies = list(names, 1);
    size_t plain, one;

    add(capture, 1, 1);
    add(capture, 1, 2);
    test_capture__close(capture);
    plain = size_of(capture->path);
    unlink(capture->path);
    test_capture__open(capture);
    capture->policies = policies;
    add(capture, 1, 1);
    add(capture, 1, 2);
    test_capture__close(capture);
    one = size_of(capture->path);
    assert_int_equal(one - plain, 32);
    mrl_policies__unref(policies);
}

static void limit_files_to(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk was full when it was told that the policy is called otherwise. */
static void a_name_that_did_not_arrive_is_said_again(void **state)
{
    struct test_capture *capture = *state;
    struct mrl_policies *first = list(names, 1), *second = list(later, 1);
    struct test_record record;

    signal(SIGXFSZ, SIG_IGN);
    capture->policies = first;
    add(capture, 1, 1);
    capture->policies = second;
    test_record__init(&record, MRL_EVENT_MLOCK);
    test_record__judge(&record, 1, 2);
    limit_files_to(size_of(capture->path) + 64);
    assert_int_equal(test_capture__try(capture, &record), -EFBIG);
    limit_files_to(RLIM_INFINITY);
    add(capture, 1, 2);
    test_capture__close(capture);
    assert_replays(capture);
    mrl_policies__unref(first);
    mrl_policies__unref(second);
}

static void a_filter_of_the_replay_chooses_and_the_names_stay(void **state)
{
    struct test_capture *capture = *state;
    struct mrl_policies *policies = list(names, COUNT_OF(names));

    capture->policies = policies;
    add(capture, 6, 1);
    test_capture__close(capture);
    test_replay__run(&replay, capture->path, "mlock.retval=0");
    assert_int_equal(replay.lines.count, 1);
    assert_memory_equal(replay.lines.text, capture->lines.text, capture->lines.size);
    test_replay__run(&replay, capture->path, "mlock.retval!=0");
    assert_int_equal(replay.lines.count, 0);
    mrl_policies__unref(policies);
}

/* Behind the texts of outputs and of side programs. */
static void assert_rows(struct mrl_plugin *plugin)
{
    const struct mrl_side_life life = { "grpc", 7 };
    const struct mrl_metrics_sources sources = {
        .size = sizeof(sources), .plugin = plugin, .sides = &life, .side_count = 1
    };
    const struct mrl_label side = { "side", "grpc" }, bad = { "policy", "bad" },
                           any = { "policy", "any" };
    struct mrl_metrics *collected, *metrics;
    static char packed[64 * 1024];
    ssize_t size;

    assert_int_equal(mrl_metrics__collect_from(&sources, &collected), 0);
    size = mrl_metrics__pack(collected, packed, sizeof(packed)); /* as a side program has them */
    assert_int_equal(mrl_metrics__unpack(packed, (size_t)size, &metrics), 0);
    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_side_starts_total", &side, 1), 7);
    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_policy_matched_total", &any, 1), 2);
    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_policy_matched_total", &bad, 1), 0);
    assert_int_equal(mrl_metrics__sum(metrics, "mrelease_policy_matched_total", NULL, 0), 2);
    mrl_metrics__free(collected);
    mrl_metrics__free(metrics);
}

static struct mrl_batch *replay_by(const char *path, const struct mrl_policy_texts *texts)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_batch *batch;
    struct mrl_plugin *plugin;
    struct mrl_error error;

    options.replay = path;
    options.policies = texts;
    options.policy_count = 2;
    if (mrl_plugin__open(&options, &error, &plugin))
        fail_case("%s", error.text);
    assert_int_equal(mrl_plugin__next_batch(plugin, 0, &batch), 2);
    assert_rows(plugin);
    mrl_plugin__close(plugin); /* the batch outlives it, and so do the names */
    return batch;
}

static void policies_of_the_replay_judge_anew(void **state)
{
    static const char *const locks[] = { "mlock" }, *const failed[] = { "mlock.retval<0" };
    static const struct mrl_policy_texts texts[] = { { "bad", failed, 1, NULL, 0 },
                                                     { "any", locks, 1, NULL, 0 } };
    struct test_capture *capture = *state;
    struct mrl_policies *policies = list(names, COUNT_OF(names));
    struct mrl_text told[MRL_POLICIES_MAX];
    struct mrl_batch *batch;

    capture->policies = policies;
    add(capture, 6, 1);
    add(capture, 2, 1);
    test_capture__close(capture);
    batch = replay_by(capture->path, texts);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mrl_event__policies(mrl_batch__at(batch, i), told), 1);
        assert_string_equal(told[0].bytes, "any");
    }
    mrl_batch__unref(batch);
    mrl_policies__unref(policies);
}

/* -- forged ----------------------------------------------------------------------------------- */

struct forgery {
    uint32_t bit, reserved;
    const char *name;
};

static void put(FILE *file, enum mrl_frame_type type, const void *payload, size_t size)
{
    char frame[sizeof(struct mrl_frame_header) + MRL_FRAME_PAYLOAD_MAX];
    size_t whole = (size_t)(mrl_frame__put(frame, type, payload, size) - frame);

    assert_int_equal(fwrite(frame, 1, whole, file), whole);
}

static void put_policy(FILE *file, uint32_t bit, uint32_t reserved, const char *name)
{
    const struct mrl_frame_policy policy = { bit, reserved };
    char payload[MRL_FRAME_POLICY_MAX];

    memcpy(payload, &policy, sizeof(policy));
    memcpy(payload + sizeof(policy), name, strlen(name));
    put(file, MRL_FRAME_POLICY, payload, sizeof(policy) + strlen(name));
}

static FILE *forge(const char *path)
{
    const struct mrl_frame_host host = { .page_bytes = 4096, .cpus = 1 };
    FILE *file = fopen(path, "w");
    struct mrl_capture_header header;

    assert_non_null(file);
    mrl_capture__header(&header);
    fwrite(&header, 1, sizeof(header), file);
    put(file, MRL_FRAME_HOST, &host, sizeof(host));
    return file;
}

static void what_no_recorder_would_write_is_damage(void **state)
{
    static const struct forgery cases[] = {
        { MRL_POLICIES_MAX, 0, "a" },
        { UINT32_MAX, 0, "a" },
        { 0, 1, "a" },
        { 0, 0, "a\"b" },
        { 0, 0, "A" },
        { 0, 0, "-" },
    };
    struct test_capture *capture = *state;

    test_capture__close(capture);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        FILE *file = forge(capture->path);

        put_policy(file, cases[i].bit, cases[i].reserved, cases[i].name);
        fclose(file);
        test_replay__run(&replay, capture->path, NULL);
        if (replay.ended != -EBADMSG || !strstr(replay.text, "a policy that no recorder would"))
            fail_case("%zu: %s", i, replay.text);
    }
}

/* No event has room for all names that a file may tell one after the other. */
static void more_names_than_an_event_holds_are_damage(void **state)
{
    struct test_capture *capture = *state;
    char name[MRL_POLICY_NAME_MAX + 1];
    struct test_record record;
    FILE *file;

    test_capture__close(capture);
    file = forge(capture->path);
    memset(name, 'a', MRL_POLICY_NAME_MAX);
    name[MRL_POLICY_NAME_MAX] = '\0';
    for (uint32_t bit = 0; bit < MRL_POLICIES_MAX; bit++)
        put_policy(file, bit, 0, name);
    test_record__init(&record, MRL_EVENT_MLOCK);
    test_record__judge(&record, UINT64_MAX, 1);
    put(file, MRL_FRAME_RECORD, &record, record.call.size);
    fclose(file);
    test_replay__run(&replay, capture->path, NULL);
    assert_int_equal(replay.ended, -EBADMSG);
    assert_non_null(strstr(replay.text, "more names of policies than there can be"));
}

#define with_capture(test) \
    cmocka_unit_test_setup_teardown(test, test_capture__set_up, test_capture__tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_names_the_policies_in_their_order),
        cmocka_unit_test_setup_teardown(shapes_name_them_where_they_have_a_place,
                                        test_decoder__set_up, test_decoder__tear_down),
        with_capture(a_replay_shows_the_names_of_each_configuration),
        with_capture(a_name_is_recorded_once_and_no_name_never),
        with_capture(a_name_that_did_not_arrive_is_said_again),
        with_capture(a_filter_of_the_replay_chooses_and_the_names_stay),
        with_capture(policies_of_the_replay_judge_anew),
        with_capture(what_no_recorder_would_write_is_damage),
        with_capture(more_names_than_an_event_holds_are_damage),
    };

    return cmocka_run_group_tests_name("policy_names", tests, NULL, NULL);
}
