// SPDX-License-Identifier: Apache-2.0
/* The table of names: what is asked, what is told, and what is forgotten. */
#include <abi/record.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "enrich/known_names.h"
#include "unit/unit.h"

struct asked {
    unsigned int count;
    char id[65];
    enum mrl_runtime hint;
    int answer;
};

static int ask(void *context, const char *id, enum mrl_runtime hint)
{
    struct asked *asked = context;

    asked->count++;
    snprintf(asked->id, sizeof(asked->id), "%s", id);
    asked->hint = hint;
    return asked->answer;
}

static struct asked asked;

static int set_up(void **state)
{
    const struct mrl_names_asking asking = { ask, &asked };
    struct mrl_known_names *names;

    asked = (struct asked){ .count = 0 };
    assert_int_equal(mrl_known_names__new(&asking, &names), 0);
    *state = names;
    return 0;
}

static int tear_down(void **state)
{
    mrl_known_names__free(*state);
    return 0;
}

static struct mrl_text text(const char *bytes)
{
    return (struct mrl_text){ bytes, strlen(bytes) };
}

static const struct mrl_named *look(struct mrl_known_names *names, const char *id)
{
    const struct mrl_membership container = { .id = text(id),
                                              .lookup = MRL_LOOKUP_KNOWN,
                                              .hint = MRL_RUNTIME_DOCKER };

    return mrl_known_names__named(names, &container);
}

static int tell(struct mrl_known_names *names,
                const char *id,
                enum mrl_names_result result,
                const char *name)
{
    const struct mrl_container_names told = {
        .id = text(id),
        .result = result,
        .runtime = MRL_RUNTIME_DOCKER,
        .texts = { [MRL_NAME_CONTAINER] = text(name), [MRL_NAME_POD] = text("pod") },
    };

    return mrl_known_names__tell(names, &told);
}

static void assert_result(struct mrl_known_names *names, const char *id, const char *word)
{
    assert_string_equal(mrl_names_result__word(look(names, id)->result), word);
}

static void a_container_is_asked_about_once(void **state)
{
    assert_result(*state, "c1", "pending");
    assert_result(*state, "c1", "pending");
    assert_int_equal(asked.count, 1);
    assert_string_equal(asked.id, "c1");
    assert_int_equal(asked.hint, MRL_RUNTIME_DOCKER);
    assert_result(*state, "c2", "pending");
    assert_int_equal(asked.count, 2);
}

static void what_was_told_is_known_once_it_is_taken_in(void **state)
{
    const struct mrl_named *named;

    look(*state, "c1");
    assert_int_equal(tell(*state, "c1", MRL_NAMES_KNOWN, "web"), 0);
    assert_true(mrl_known_names__has_news(*state));
    assert_result(*state, "c1", "pending");
    mrl_known_names__take(*state);
    assert_false(mrl_known_names__has_news(*state));
    named = look(*state, "c1");
    assert_int_equal(named->result, MRL_NAMES_KNOWN);
    assert_int_equal(named->runtime, MRL_RUNTIME_DOCKER);
    assert_int_equal(named->texts[MRL_NAME_CONTAINER].size, 3);
    assert_memory_equal(named->texts[MRL_NAME_CONTAINER].bytes, "web", 3);
    assert_memory_equal(named->texts[MRL_NAME_POD].bytes, "pod", 3);
    assert_int_equal(named->texts[MRL_NAME_IMAGE].size, 0);
    assert_int_equal(asked.count, 1);
}

static void what_nobody_asked_for_is_known_as_well(void **state)
{
    assert_int_equal(tell(*state, "c1", MRL_NAMES_KNOWN, "web"), 0);
    mrl_known_names__take(*state);
    assert_result(*state, "c1", "known");
    /* Nor is it asked for where the answer lies there. */
    assert_int_equal(tell(*state, "c2", MRL_NAMES_KNOWN, "db"), 0);
    assert_result(*state, "c2", "known");
    assert_int_equal(asked.count, 0);
}

static void names_outlive_the_container(void **state)
{
    tell(*state, "c1", MRL_NAMES_KNOWN, "web");
    tell(*state, "c1", MRL_NAMES_NOT_FOUND, "");
    tell(*state, "c2", MRL_NAMES_NOT_FOUND, "");
    tell(*state, "c2", MRL_NAMES_KNOWN, "late");
    mrl_known_names__take(*state);
    assert_result(*state, "c1", "known");
    assert_result(*state, "c2", "known");
}

static void each_reason_has_its_word(void **state)
{
    static const enum mrl_names_result results[] = { MRL_NAMES_NOT_FOUND, MRL_NAMES_RUNTIME_DOWN,
                                                     MRL_NAMES_TIMEOUT, MRL_NAMES_QUEUE_FULL };

    for (size_t i = 0; i < COUNT_OF(results); i++) {
        char id[8];

        snprintf(id, sizeof(id), "c%zu", i);
        look(*state, id);
        tell(*state, id, results[i], "");
        mrl_known_names__take(*state);
        assert_result(*state, id, mrl_names_result__word(results[i]));
    }
    assert_int_equal(asked.count, COUNT_OF(results));
}

static void who_cannot_be_asked_is_told_so(void **state)
{
    asked.answer = -EAGAIN;
    assert_result(*state, "c1", "queue_full");
}

static void an_id_that_is_only_claimed_is_not_asked_about(void **state)
{
    const struct mrl_membership claim = { .id = text("c1"), .is_claim = true };

    tell(*state, "c1", MRL_NAMES_KNOWN, "of somebody else");
    mrl_known_names__take(*state);
    assert_int_equal(mrl_known_names__named(*state, &claim)->result, MRL_NAMES_OFF);
    assert_int_equal(asked.count, 0);
}

static void wrong_answers_are_refused(void **state)
{
    struct mrl_container_names told = { .result = MRL_NAMES_KNOWN };
    char long_id[66] = "";

    assert_int_equal(mrl_known_names__tell(*state, &told), -EINVAL);
    memset(long_id, 'a', sizeof(long_id) - 1);
    told.id = text(long_id);
    assert_int_equal(mrl_known_names__tell(*state, &told), -EINVAL);
    told.id = text("c1");
    told.result = MRL_NAMES_RESULTS;
    assert_int_equal(mrl_known_names__tell(*state, &told), -EINVAL);
    told.result = MRL_NAMES_KNOWN;
    told.runtime = MRL_RUNTIMES;
    assert_int_equal(mrl_known_names__tell(*state, &told), -EINVAL);
    assert_false(mrl_known_names__has_news(*state));
}

/* A pod's name is worth more than a digest. */
static void long_texts_are_cut_together(void **state)
{
    static char image[2000];
    struct mrl_container_names told = { .id = text("c1"),
                                        .result = MRL_NAMES_KNOWN,
                                        .texts = { [MRL_NAME_POD] = text("pod") } };
    const struct mrl_named *named;
    size_t size = 0;

    memset(image, 'i', sizeof(image));
    told.texts[MRL_NAME_IMAGE] = (struct mrl_text){ image, sizeof(image) };
    told.texts[MRL_NAME_IMAGE_DIGEST] = (struct mrl_text){ image, sizeof(image) };
    mrl_known_names__tell(*state, &told);
    mrl_known_names__take(*state);
    named = look(*state, "c1");
    for (unsigned int i = 0; i < MRL_NAMES; i++)
        size += named->texts[i].size;
    assert_int_equal(size, MRL_NAMES_BYTES_MAX);
    assert_int_equal(named->texts[MRL_NAME_POD].size, 3);
    assert_int_equal(named->texts[MRL_NAME_IMAGE_DIGEST].size, 0);
}

static void tell_many(struct mrl_known_names *names, unsigned int from, unsigned int count)
{
    static char image[1000];
    struct mrl_container_names told = { .result = MRL_NAMES_KNOWN };
    char id[16];

    memset(image, 'i', sizeof(image));
    told.texts[MRL_NAME_IMAGE] = (struct mrl_text){ image, sizeof(image) };
    for (unsigned int i = from; i < from + count; i++) {
        snprintf(id, sizeof(id), "c%u", i);
        told.id = text(id);
        assert_int_equal(mrl_known_names__tell(names, &told), 0);
        mrl_known_names__take(names);
    }
}

static void memory_is_bounded_by_count_and_by_bytes(void **state)
{
    unsigned int count;
    size_t bytes;

    tell_many(*state, 0, 5000);
    count = mrl_known_names__count(*state, &bytes);
    assert_in_range(bytes, MRL_KNOWN_NAMES_BYTES - 2000, MRL_KNOWN_NAMES_BYTES);
    assert_in_range(count, 2000, MRL_KNOWN_NAMES_MAX);
    for (unsigned int i = 0; i < 5000; i++) {
        char id[16];

        snprintf(id, sizeof(id), "d%u", i);
        look(*state, id);
    }
    assert_int_equal(mrl_known_names__count(*state, &bytes), MRL_KNOWN_NAMES_MAX);
}

static void nobody_is_forgotten_for_one_that_is_known(void **state)
{
    char id[16];

    for (unsigned int i = 0; i < MRL_KNOWN_NAMES_MAX; i++) {
        snprintf(id, sizeof(id), "d%u", i);
        look(*state, id);
    }
    for (unsigned int i = MRL_KNOWN_NAMES_MAX - 10; i < MRL_KNOWN_NAMES_MAX; i++) {
        snprintf(id, sizeof(id), "d%u", i);
        tell(*state, id, MRL_NAMES_KNOWN, "web");
    }
    mrl_known_names__take(*state);
    look(*state, "d0");
    assert_int_equal(asked.count, MRL_KNOWN_NAMES_MAX);
}

static void what_is_in_use_is_not_forgotten(void **state)
{
    tell_many(*state, 0, 1);
    for (unsigned int i = 1; i < 10; i++) {
        tell_many(*state, i * 1000, 1000);
        assert_result(*state, "c0", "known");
    }
    assert_int_equal(asked.count, 0);
    assert_result(*state, "c1000", "pending");
}

/* A cgroup remembers where its container's names are, until some are forgotten. */
static void a_place_is_not_believed_once_names_were_forgotten(void **state)
{
    struct mrl_names_place place = { .found = NULL };
    const struct mrl_membership container = { .id = text("placed"), .place = &place };

    tell(*state, "placed", MRL_NAMES_KNOWN, "web");
    mrl_known_names__take(*state);
    assert_int_equal(mrl_known_names__named(*state, &container)->result, MRL_NAMES_KNOWN);
    assert_non_null(place.found);
    assert_ptr_equal(mrl_known_names__look(*state, &container), place.found);
    tell_many(*state, 0, 10000);
    assert_int_equal(mrl_known_names__named(*state, &container)->result, MRL_NAMES_PENDING);
    assert_int_equal(asked.count, 1);
    assert_string_equal(asked.id, "placed");
}

static void what_a_container_waits_for_stays(void **state)
{
    const struct mrl_membership container = { .id = text("waited for") };
    struct mrl_known_name *name = mrl_known_names__look(*state, &container);

    mrl_known_name__hold(name, 1);
    tell_many(*state, 0, 10000);
    assert_ptr_equal(mrl_known_names__look(*state, &container), name);
    assert_int_equal(mrl_known_name__hold(name, -1), 0);
}

static void what_is_told_to_a_reader_that_sleeps_is_bounded(void **state)
{
    unsigned int told = 0;

    while (told < 100000 && !tell(*state, "c1", MRL_NAMES_KNOWN, "web"))
        told++;
    assert_in_range(told, 500, 5000);
    while (told < 100000 && tell(*state, "c1", MRL_NAMES_KNOWN, "web") == 1) /* take it in */
        told++;
    assert_in_range(told, 1000, 10000);
    assert_int_equal(tell(*state, "c1", MRL_NAMES_KNOWN, "web"), -EAGAIN);
    assert_int_equal(mrl_known_names__counts(*state).dropped, 2);
    mrl_known_names__take(*state);
    assert_int_equal(tell(*state, "c1", MRL_NAMES_KNOWN, "web"), 0);
}

static void answers_are_counted_by_result_and_runtime(void **state)
{
    struct mrl_names_counts counts;

    look(*state, "c1");
    tell(*state, "c1", MRL_NAMES_KNOWN, "web");
    tell(*state, "c2", MRL_NAMES_TIMEOUT, "");
    mrl_known_names__take(*state);
    counts = mrl_known_names__counts(*state);
    assert_int_equal(counts.asked, 1);
    assert_int_equal(counts.answers[MRL_NAMES_KNOWN][MRL_RUNTIME_DOCKER], 1);
    assert_int_equal(counts.answers[MRL_NAMES_TIMEOUT][MRL_RUNTIME_DOCKER], 1);
    assert_int_equal(counts.answers[MRL_NAMES_KNOWN][MRL_RUNTIME_CRIO], 0);
}

#define ID "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void see(struct mrl_known_names *names, __u8 flags, const char *name, const char *around)
{
    struct mrl_cgroup_names change = { .size = sizeof(change),
                                       .event = MRL_RECORD_CGROUP,
                                       .flags = flags | MRL_CGROUP_WHOLE,
                                       .count = 3,
                                       .cgroup_id = 7 };

    snprintf(change.nodes[0], sizeof(change.nodes[0]), "%s", name);
    snprintf(change.nodes[1], sizeof(change.nodes[1]), "%s", around);
    mrl_known_names__see(names, &change, sizeof(change));
    mrl_known_names__see(names, &change, sizeof(change) - 1); /* not whole */
}

/* Before anybody calls from there. */
static void a_container_that_is_made_is_asked_about(void **state)
{
    see(*state, MRL_CGROUP_MADE, "session.scope", "user.slice");
    see(*state, MRL_CGROUP_MADE, "docker-" ID ".scope", "user@1000.service"); /* a claim */
    assert_int_equal(asked.count, 0);
    see(*state, MRL_CGROUP_MADE, "docker-" ID ".scope", "system.slice");
    assert_int_equal(asked.count, 1);
    assert_string_equal(asked.id, ID);
    assert_int_equal(asked.hint, MRL_RUNTIME_DOCKER);
    see(*state, MRL_CGROUP_MADE, ID, "pod12");
    assert_int_equal(asked.hint, MRL_RUNTIME_CRI);
    assert_result(*state, ID, "pending"); /* and not once more */
    assert_int_equal(asked.count, 2);
    tell(*state, ID, MRL_NAMES_KNOWN, "web");
    mrl_known_names__take(*state);
    assert_result(*state, ID, "known");
    assert_int_equal(asked.count, 2);
}

static void names_of_a_container_that_is_removed_are_kept_for_late_events(void **state)
{
    tell(*state, ID, MRL_NAMES_KNOWN, "web");
    see(*state, MRL_CGROUP_REMOVED, "docker-" ID ".scope", "system.slice");
    assert_int_equal(asked.count, 0);
    mrl_known_names__take(*state);
    tell_many(*state, 0, 10000); /* of which most are forgotten before it */
    assert_result(*state, ID, "known");
    assert_int_equal(asked.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_container_is_asked_about_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_told_is_known_once_it_is_taken_in, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_asked_for_is_known_as_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_container_that_is_made_is_asked_about, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            names_of_a_container_that_is_removed_are_kept_for_late_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_outlive_the_container, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_reason_has_its_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_cannot_be_asked_is_told_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_id_that_is_only_claimed_is_not_asked_about, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wrong_answers_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_texts_are_cut_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_is_bounded_by_count_and_by_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_forgotten_for_one_that_is_known, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_in_use_is_not_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_is_not_believed_once_names_were_forgotten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_container_waits_for_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_told_to_a_reader_that_sleeps_is_bounded, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(answers_are_counted_by_result_and_runtime, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
