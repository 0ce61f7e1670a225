// SPDX-License-Identifier: Apache-2.0
/* Which messages a client gets that has chosen policies. */
#include <grpc/grpc.h>
#include <stdlib.h>
#include <string.h>

#include "encode/grpc.h"
#include "event/lost.h"
#include "event/policies.h"
#include "side/grpc/server/backlog.h"
#include "side/grpc/server/chosen.h"
#include "unit/lines.h"
#include "unit/unit.h"

static const char *const names[] = { "locks", "lock", "releases" };

static struct mrl_policies *list(void)
{
    struct mrl_policies *policies = mrl_policies__new();

    assert_non_null(policies);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(mrl_policies__add(policies, names[i], NULL), 0);
    return policies;
}

static void a_message_is_wanted_for_any_policy_that_it_names(void **state)
{
    static const char *const formats[] = { "grpc", "grpc-main" };
    static const struct {
        uint64_t matched;
        const char *chosen[2];
        bool wanted;
    } cases[] = {
        { 1, { "locks" }, true },
        { 1, { "lock" }, false },
        { 2, { "lock" }, true },
        { 2, { "locks" }, false },
        { 5, { "lock", "releases" }, true },
        { 2, { "locks", "releases" }, false },
        { 7, { "none" }, false },
    };
    struct mrl_policies *policies = list();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases) * COUNT_OF(formats); i++) {
        struct mrl_chosen *chosen = calloc(1, sizeof(*chosen));
        struct mrl_encoder *encoder = test_encoder(formats[i % 2], NULL);
        char frame[MRL_EVENT_TEXT_MAX];
        struct test_event event;
        ssize_t size;

        for (size_t j = 0; j < 2 && cases[i / 2].chosen[j]; j++)
            assert_true(mrl_chosen__add(chosen, cases[i / 2].chosen[j]));
        test_event__init(&event, "mlock");
        event.event.all_policies = policies;
        event.event.policies = cases[i / 2].matched;
        size = mrl_encoder__put(encoder, &event.event, frame, sizeof(frame));
        if (mrl_chosen__wants(chosen, frame + sizeof(struct mrl_grpc_frame),
                              (size_t)size - sizeof(struct mrl_grpc_frame)) != cases[i / 2].wanted)
            fail_case("case %zu in %s", i / 2, formats[i % 2]);
        mrl_encoder__free(encoder);
        free(chosen);
    }
    mrl_policies__unref(policies);
}

/* Twice is once, and there is an end. */
static void as_many_may_be_chosen_as_there_can_be(void **state)
{
    struct mrl_chosen *chosen = calloc(1, sizeof(*chosen));
    char name[MRL_POLICY_NAME_MAX + 1] = "";
    unsigned int added = 0;

    (void)state;
    assert_true(mrl_chosen__add(chosen, "a") && mrl_chosen__add(chosen, "a"));
    assert_int_equal(chosen->count, 1);
    memset(name, 'n', sizeof(name) - 1);
    for (; added < 100; added++) {
        name[0] = (char)(' ' + added);
        if (!mrl_chosen__add(chosen, name))
            break;
    }
    assert_int_equal(added, (MRL_POLICY_NAMES_MAX - 1) / MRL_POLICY_NAME_MAX);
    free(chosen);
}

/* Steps over what others want; a gap is for everybody. */
static void a_client_gets_what_its_policies_want_and_every_gap(void **state)
{
    struct mrl_policies *policies = list();
    struct mrl_chosen *chosen = calloc(1, sizeof(*chosen));
    struct mrl_encoder *encoder = test_encoder("grpc", NULL);
    static char bytes[64 * 1024];
    struct mrl_chunk chunk = { .bytes = bytes };
    struct mrl_gap missing = { 0 };
    struct mrl_backlog *backlog;
    struct mrl_place place;
    struct test_event event;
    grpc_slice slices[16];
    unsigned int count;
    bool more;

    (void)state;
    assert_int_equal(mrl_backlog__new(&backlog), 0);
    mrl_backlog__join(backlog, &place);
    assert_true(mrl_chosen__add(chosen, "releases"));
    place.chosen = chosen;
    test_event__init(&event, "mlock");
    event.event.all_policies = policies;
    for (event.event.policies = 1; event.event.policies < 8; event.event.policies++) {
        chunk.size += (size_t)mrl_encoder__put(encoder, &event.event, bytes + chunk.size,
                                               sizeof(bytes) - chunk.size);
        chunk.events++;
    }
    event.event.all_policies = NULL;
    event.event.policies = 0;
    event.event.lost = &(struct mrl_lost){ .event = event.event.def, .count = 3 };
    chunk.size += (size_t)mrl_encoder__put(encoder, &event.event, bytes + chunk.size,
                                           sizeof(bytes) - chunk.size);
    chunk.events++;
    mrl_backlog__put(backlog, &chunk);
    count = mrl_backlog__take(backlog, &place, slices, COUNT_OF(slices), &missing, &more);
    assert_int_equal(count, 4 + 1);
    assert_false(more);
    assert_int_equal(missing.total, 0);
    assert_int_equal(mrl_backlog__behind(backlog, &place), 0);
    while (count)
        grpc_slice_unref(slices[--count]);
    mrl_backlog__free(backlog);
    mrl_encoder__free(encoder);
    mrl_policies__unref(policies);
    free(chosen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_wanted_for_any_policy_that_it_names),
        cmocka_unit_test(as_many_may_be_chosen_as_there_can_be),
        cmocka_unit_test(a_client_gets_what_its_policies_want_and_every_gap),
    };

    grpc_init();
    return cmocka_run_group_tests_name("grpc_chosen", tests, NULL, NULL);
}
