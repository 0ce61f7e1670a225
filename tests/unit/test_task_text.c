// SPDX-License-Identifier: Apache-2.0
/* What an encoder remembers of a task: never more than what is still so. */
#include <mrelease/encode.h>
#include <stddef.h>
#include <string.h>

#include "unit/unit.h"

static struct mrl_value no_values[1];

static struct mrl_text text(const char *bytes)
{
    return (struct mrl_text){ bytes, strlen(bytes) };
}

static struct mrl_event some_event(void)
{
    return (struct mrl_event){
        .def = mrl_event_def__find("munlockall", NULL),
        .entry_ns = 1700000000000000001,
        .thread_start_ns = 1700000000000000000,
        .process_start_ns = 1690000000000000000,
        .parent_start_ns = 1680000000000000000,
        .cgroup_id = 77,
        .thread_id = 5,
        .process_id = 4,
        .parent_process_id = 3,
        .host_thread_id = 1005,
        .host_process_id = 1004,
        .host_parent_process_id = 1003,
        .user_id = 1000,
        .mount_namespace = 4026531841,
        .pid_namespace = 4026531836,
        .cpu = 2,
        .process_name = text("name"),
        .host_name = text("host"),
        .container_id = text("container-a"),
        .executable = text("/bin/a"),
        .values = no_values,
    };
}

/* The numbers; the thread's own on the host stays, so that all of them meet in one place. */
static const struct {
    size_t offset, size;
} numbers[] = {
#define NUMBER(member)                                                              \
    {                                                                               \
        offsetof(struct mrl_event, member), sizeof(((struct mrl_event *)0)->member) \
    }
    NUMBER(entry_ns),
    NUMBER(thread_start_ns),
    NUMBER(process_start_ns),
    NUMBER(parent_start_ns),
    NUMBER(cgroup_id),
    NUMBER(thread_id),
    NUMBER(process_id),
    NUMBER(parent_process_id),
    NUMBER(host_process_id),
    NUMBER(host_parent_process_id),
    NUMBER(user_id),
    NUMBER(mount_namespace),
    NUMBER(pid_namespace),
    NUMBER(cpu),
    NUMBER(flags),
};

static char long_container[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static char long_path[] = "/0123456789abcdef/0123456789abcdef/0123456789abcdef/0123456789abcdef";

static const struct {
    size_t offset;
    const char *other;
} texts[] = {
    { offsetof(struct mrl_event, process_name), "nam" },
    { offsetof(struct mrl_event, process_name), "nams" },
    { offsetof(struct mrl_event, host_name), "hose" },
    { offsetof(struct mrl_event, container_id), "container-b" },
    { offsetof(struct mrl_event, container_id), "" },
    { offsetof(struct mrl_event, container_id), long_container },
    { offsetof(struct mrl_event, executable), "/bin/b" },
    { offsetof(struct mrl_event, executable), "" },
    { offsetof(struct mrl_event, executable), long_path },
};

enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]), TEXTS = sizeof(texts) / sizeof(texts[0]) };

static size_t encode(struct mrl_encoder *encoder, const struct mrl_event *event, char *line)
{
    return (size_t)mrl_encoder__put(encoder, event, line, MRL_EVENT_TEXT_MAX);
}

static struct mrl_encoder *new_encoder(const char *dialect)
{
    const struct mrl_encoder_options options = { .extras = UINT32_MAX }; /* the executable too */
    struct mrl_encoder *encoder;

    assert_int_equal(mrl_encoder__new(dialect, &options, NULL, &encoder), 0);
    return encoder;
}

/* An encoder that has just seen another event writes what one that has seen none does. */
static void assert_not_remembered(const char *dialect, const struct mrl_event *changed)
{
    static char seen[MRL_EVENT_TEXT_MAX], fresh[MRL_EVENT_TEXT_MAX];
    struct mrl_encoder *used = new_encoder(dialect), *unused = new_encoder(dialect);
    struct mrl_event before = some_event();
    size_t size;

    encode(used, &before, seen);
    encode(used, &before, seen);
    size = encode(unused, changed, fresh);
    if (strcmp(dialect, "json-v1beta1") != 0) /* which has no room for some of it */
        assert_memory_not_equal(seen, fresh, size);
    assert_int_equal(encode(used, changed, seen), size);
    assert_memory_equal(seen, fresh, size);
    mrl_encoder__free(used);
    mrl_encoder__free(unused);
}

static void check_dialects(const struct mrl_event *changed)
{
    static const char *const dialects[] = { "json-v0.23", "json-v0.24", "json-v1beta1" };

    for (size_t i = 0; i < COUNT_OF(dialects); i++)
        assert_not_remembered(dialects[i], changed);
}

static void task_text_follows_every_number(void **state)
{
    (void)state;
    for (int i = 0; i < NUMBERS; i++) {
        struct mrl_event event = some_event();
        unsigned char *bytes = (unsigned char *)&event + numbers[i].offset;

        /* Big enough a step to change a start time that is cut to 100 ms. */
        bytes[numbers[i].size > 4 ? 4 : 0] ^= 1;
        check_dialects(&event);
    }
}

static void task_text_follows_every_text(void **state)
{
    (void)state;
    for (int i = 0; i < TEXTS; i++) {
        struct mrl_event event = some_event();

        *(struct mrl_text *)(void *)((char *)&event + texts[i].offset) = text(texts[i].other);
        check_dialects(&event);
    }
}

enum { SHARERS = 6, STRIDE = 64 }; /* more than a set of the cache has ways */

/* In turn, and each twice in a row; one of them has a path too long to be kept. */
static void task_text_is_right_for_threads_that_share_a_place(void **state)
{
    static char lines[SHARERS][MRL_EVENT_TEXT_MAX], again[MRL_EVENT_TEXT_MAX], path[1024];
    struct mrl_event events[SHARERS];
    struct mrl_encoder *encoder = new_encoder("json-v1beta1");
    size_t sizes[SHARERS];

    (void)state;
    memset(path, '<', sizeof(path));
    for (unsigned int i = 0; i < SHARERS; i++) {
        events[i] = some_event();
        events[i].host_thread_id += i * STRIDE;
        if (i == 3)
            events[i].executable = (struct mrl_text){ path, sizeof(path) };
        sizes[i] = encode(encoder, &events[i], lines[i]);
    }
    for (int round = 0; round < 5 * SHARERS; round++) {
        int i = round / 2 % SHARERS;

        assert_int_equal(encode(encoder, &events[i], again), sizes[i]);
        assert_memory_equal(again, lines[i], sizes[i]);
    }
    assert_memory_not_equal(lines[0], lines[1], sizes[0]);
    mrl_encoder__free(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(task_text_follows_every_number),
        cmocka_unit_test(task_text_follows_every_text),
        cmocka_unit_test(task_text_is_right_for_threads_that_share_a_place),
    };

    return cmocka_run_group_tests_name("task_text", tests, NULL, NULL);
}
