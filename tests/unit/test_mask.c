// SPDX-License-Identifier: Apache-2.0
/* Field masks: what protobuf-c reads from what they leave. */
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/tracee.pb-c.h>

#include "side/grpc/server/mask.h"
#include "unit/lines.h"
#include "unit/messages.h"
#include "unit/unit.h"

typedef Tracee__V1beta1__StreamEventsResponse Response;

static char buffer[MRL_EVENT_TEXT_MAX], kept[MRL_EVENT_TEXT_MAX];

static struct mrl_text full_message(void)
{
    struct mrl_protobuf *encoder = test_protobuf(MRL_GRPC_MAIN, 0);
    struct test_event event;
    struct mrl_text message;

    test_event__init(&event, "mlock");
    event.event.executable = test_text("/usr/bin/oomd");
    event.event.container_id = test_text("c0ffee");
    event.values[0].unsigned_number = 4096;
    message = mrl_protobuf__put(encoder, &event.event, buffer);
    mrl_protobuf__free(encoder);
    return message;
}

/* Applies paths, separated by commas; the bytes kept. */
static struct mrl_text masked(const char *paths)
{
    struct mrl_text list[16];
    struct mrl_mask *mask = NULL;
    size_t count = 0;
    ssize_t size;

    while (*paths) {
        size_t length = strcspn(paths, ",");

        assert_in_range(count, 0, COUNT_OF(list) - 1);
        list[count++] = (struct mrl_text){ paths, length };
        paths += length + (paths[length] == ',');
    }
    assert_int_equal(mrl_mask__new(list, count, &mask), 0);
    size = mrl_mask__apply(mask, full_message(), kept);
    mrl_mask__free(mask);
    assert_in_range(size, 2, MRL_EVENT_TEXT_MAX);
    return (struct mrl_text){ kept, (size_t)size };
}

static Response *read_masked(const char *paths)
{
    struct mrl_text message = masked(paths);
    Response *response = tracee__v1beta1__stream_events_response__unpack(
        NULL, message.size, (const uint8_t *)message.bytes);

    assert_non_null(response);
    assert_non_null(response->event);
    return response;
}

static void done(Response *response)
{
    tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
}

static void mask_without_paths_keeps_all(void **state)
{
    struct mrl_text message = masked("");

    (void)state;
    assert_int_equal(message.size, full_message().size);
    assert_memory_equal(message.bytes, full_message().bytes, message.size);
}

/* Paths, and the size of what is left, counted by hand from the wire format. */
static void mask_keeps_what_paths_name(void **state)
{
    static const struct {
        const char *paths, *wanted;
    } cases[] = {
        { "name", "\x0a\x07\x1a\x05mlock" },
        { "name.x.y", "\x0a\x07\x1a\x05mlock" },
        { "id,name", "\x0a\x0a\x10\x96\x01\x1a\x05mlock" },
        { "workload.process.executable", "\x0a\x15\x2a\x13\x0a\x11\x0a\x0f\x0a\x0d/usr/bin/oomd" },
        { "workload.container.id.x", "\x0a\x0c\x2a\x0a\x12\x08\x0a\x06"
                                     "c0ffee" },
        { "workload.process.pid", "\x0a\x09\x2a\x07\x0a\x05\x22\x03\x08\x92\x21" },
        { "workload.process.thread.syscall,name",
          "\x0a\x14\x1a\x05mlock\x2a\x0b\x0a\x09\x32\x07\x32\x05mlock" },
        { "data.name", "\x0a\x1e\x32\x06\x0a\x04"
                       "addr\x32\x05\x0a\x03len\x32\x0d\x0a\x0breturnValue" },
        { "workload.nothing", "\x0a\x02\x2a" }, /* and a NUL */
        { "nothing", "\x0a" },
        { "Name,,.,..,name .", "\x0a" },
        { "event.name", "\x0a" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_text message = masked(cases[i].paths);
        size_t size = strlen(cases[i].wanted);
        size_t ends_in_nul = cases[i].wanted[size - 1] == '\x2a' || size == 1;

        if (message.size != size + ends_in_nul ||
            memcmp(message.bytes, cases[i].wanted, message.size) != 0)
            fail_case("'%s' keeps %zu bytes", cases[i].paths, message.size);
    }
}

static void mask_of_a_leaf_keeps_all_below_it(void **state)
{
    static const char *const same[] = { "workload", "workload,workload.process.pid",
                                        "workload.process.pid,workload" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        Response *response = read_masked(same[i]);
        const Tracee__V1beta1__Workload *workload = response->event->workload;

        assert_null(response->event->timestamp);
        assert_int_equal(response->event->n_data, 0);
        assert_string_equal(workload->container->id, "c0ffee");
        assert_int_equal(workload->process->host_pid->value, 4242);
        assert_string_equal(workload->process->thread->name, "oomd");
        assert_int_equal(workload->process->ancestors[0]->pid->value, 1);
        done(response);
    }
}

static void mask_holds_for_each_element(void **state)
{
    Response *response = read_masked("data.pointer,workload.process.ancestors.pid");
    const Tracee__V1beta1__Event *event = response->event;

    (void)state;
    assert_int_equal(event->n_data, 3);
    assert_int_equal(event->data[0]->pointer, 4096);
    assert_string_equal(event->data[0]->name, "");
    assert_int_equal(event->data[1]->value_case, TRACEE__V1BETA1__EVENT_VALUE__VALUE__NOT_SET);
    assert_null(event->workload->process->pid);
    assert_int_equal(event->workload->process->ancestors[0]->pid->value, 1);
    assert_null(event->workload->process->ancestors[0]->host_pid);
    done(response);
}

static void mask_below_a_repeated_text_keeps_the_texts(void **state)
{
    Response *response = read_masked("policies.matched.x");

    (void)state;
    assert_int_equal(response->event->policies->n_matched, 1);
    done(response);
}

static void mask_of_very_deep_paths_is_made_and_freed(void **state)
{
    enum { DEEP = 20000 };
    static const char step[] = ".ancestors";
    char *path = malloc(64 + DEEP * sizeof(step)), *end = path;
    struct mrl_text paths[1];
    struct mrl_mask *mask = NULL;

    (void)state;
    assert_non_null(path);
    end = stpcpy(end, "workload.process");
    for (int i = 0; i < DEEP; i++)
        end = stpcpy(end, step);
    paths[0] = (struct mrl_text){ path, (size_t)(end - path) };
    assert_int_equal(mrl_mask__new(paths, 1, &mask), 0);
    assert_in_range(mrl_mask__apply(mask, full_message(), kept), 2, full_message().size);
    mrl_mask__free(mask);
    mrl_mask__free(NULL);
    free(path);
}

static void mask_refuses_what_is_no_message(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        { "\x0a", 1 },         { "\x0a\x05\x1a", 3 }, { "\x0a\x02\x1a\x05", 4 },
        { "\x0a\x01\x80", 3 }, { "\x08\x01", 2 },     { "\x0b", 1 },
    };
    const struct mrl_text name = test_text("name");
    struct mrl_mask *mask = NULL;

    (void)state;
    assert_int_equal(mrl_mask__new(&name, 1, &mask), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (mrl_mask__apply(mask, (struct mrl_text){ cases[i].bytes, cases[i].size }, kept) >= 0)
            fail_case("case %zu is taken", i);
    mrl_mask__free(mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mask_without_paths_keeps_all),
        cmocka_unit_test(mask_keeps_what_paths_name),
        cmocka_unit_test(mask_of_a_leaf_keeps_all_below_it),
        cmocka_unit_test(mask_holds_for_each_element),
        cmocka_unit_test(mask_below_a_repeated_text_keeps_the_texts),
        cmocka_unit_test(mask_of_very_deep_paths_is_made_and_freed),
        cmocka_unit_test(mask_refuses_what_is_no_message),
    };

    return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
