// SPDX-License-Identifier: Apache-2.0
/* What the side program "names" and the main process say to each other about containers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "side/common/names/frames.h"
#include "side/common/names/service.h"
#include "unit/unit.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct mrl_container_names nginx = {
    .id = TEXT(ID),
    .result = MRL_NAMES_KNOWN,
    .runtime = MRL_RUNTIME_CONTAINERD,
    .cut = 1U << MRL_NAME_IMAGE,
    .texts = { TEXT("nginx"), TEXT("localhost/nginx:1"), TEXT("sha256:00"), TEXT("web-1"),
               TEXT("shop"), TEXT("6d0a") },
};

static char bytes[4096];

/* Writes it, and makes a message of `count` of what was written. */
static struct mrl_side_message written(const struct mrl_container_names *names, uint32_t count)
{
    const ssize_t size = mrl_side_named__put(bytes, sizeof(bytes), 7, names);

    assert_true(size > 0);
    return (struct mrl_side_message){
        .head = { .type = MRL_SIDE_NAMED, .size = (uint32_t)size, .count = count },
        .bytes = bytes,
    };
}

static int read_first(const struct mrl_side_message *message)
{
    struct mrl_container_names names;
    uint32_t ask;
    size_t at = 0;

    return mrl_side_named__next(message, &at, &ask, &names);
}

static void a_container_is_read_as_it_was_written(void **state)
{
    const struct mrl_side_message message = written(&nginx, 1);
    struct mrl_container_names names;
    uint32_t ask = 0;
    size_t at = 0;

    (void)state;
    assert_int_equal(mrl_side_named__next(&message, &at, &ask, &names), 1);
    assert_int_equal(ask, 7);
    assert_int_equal(names.result, MRL_NAMES_KNOWN);
    assert_int_equal(names.runtime, MRL_RUNTIME_CONTAINERD);
    assert_int_equal(names.cut, 1U << MRL_NAME_IMAGE);
    assert_false(names.is_sandbox);
    assert_int_equal(names.id.size, 64);
    for (int i = 0; i < MRL_NAMES; i++) {
        assert_int_equal(names.texts[i].size, nginx.texts[i].size);
        assert_memory_equal(names.texts[i].bytes, nginx.texts[i].bytes, nginx.texts[i].size);
    }
    assert_int_equal(mrl_side_named__next(&message, &at, &ask, &names), 0);
}

static void a_message_that_is_cut_anywhere_is_refused(void **state)
{
    struct mrl_side_message message = written(&nginx, 1);
    const uint32_t size = message.head.size;

    (void)state;
    for (message.head.size = 1; message.head.size < size; message.head.size++)
        assert_int_equal(read_first(&message), -EPROTO);
}

static void a_text_that_must_not_be_shown_is_refused(void **state)
{
    static const char *const bad[] = { "a\nb", "\x1b[31m", "\xff", "\xe2\x80\xae" };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct mrl_container_names names = nginx;
        struct mrl_side_message message;

        names.texts[MRL_NAME_POD] = (struct mrl_text){ bad[i], strlen(bad[i]) };
        message = written(&names, 1);
        assert_int_equal(read_first(&message), -EPROTO);
    }
}

static void what_a_program_may_not_say_is_refused(void **state)
{
    static char longer[300];
    struct mrl_container_names names[5] = { nginx, nginx, nginx, nginx, nginx };

    (void)state;
    memset(longer, 'x', sizeof(longer));
    names[0].result = MRL_NAMES_PENDING; /* that is no answer */
    names[1].runtime = MRL_RUNTIME_CRI;  /* nor is that one who knows */
    names[2].id = (struct mrl_text){ "../../etc/passwd", 16 };
    names[3].texts[MRL_NAME_CONTAINER] = (struct mrl_text){ longer, sizeof(longer) };
    names[4].cut = 1U << MRL_NAMES;
    for (int i = 0; i < 5; i++) {
        struct mrl_side_message message = written(&names[i], 1);

        assert_int_equal(read_first(&message), -EPROTO);
    }
}

static void there_is_no_room_for_half_a_container(void **state)
{
    const ssize_t size = mrl_side_named__put(bytes, sizeof(bytes), 0, &nginx);

    (void)state;
    assert_int_equal(mrl_side_named__put(bytes, (size_t)size - 1, 0, &nginx), -ENOSPC);
}

static void questions_are_read_and_checked(void **state)
{
    struct mrl_side_lookup lookups[2] = { { .ask = 1, .hint = MRL_RUNTIME_DOCKER },
                                          { .ask = 2, .hint = MRL_RUNTIME_CRI } };
    struct mrl_side_message message = {
        .head = { .type = MRL_SIDE_LOOKUP, .size = sizeof(lookups), .count = 2 },
        .bytes = (const char *)lookups
    };
    char id[MRL_NAMING_ID_BYTES + 1];
    struct mrl_side_lookup lookup;

    (void)state;
    memcpy(lookups[0].id, ID, 64);
    memcpy(lookups[1].id, "0123456789ab", 12);
    assert_int_equal(mrl_side_lookup__read(&message, 0, &lookup, id), 0);
    assert_string_equal(id, ID);
    assert_int_equal(mrl_side_lookup__read(&message, 1, &lookup, id), 0);
    assert_string_equal(id, "0123456789ab");
    assert_int_equal(lookup.ask, 2);
    assert_int_equal(mrl_side_lookup__read(&message, 2, &lookup, id), -EPROTO);
    lookups[1].hint = MRL_RUNTIMES;
    assert_int_equal(mrl_side_lookup__read(&message, 1, &lookup, id), -EPROTO);
    lookups[0].id[5] = '/';
    assert_int_equal(mrl_side_lookup__read(&message, 0, &lookup, id), -EPROTO);
    message.head.size--;
    assert_int_equal(mrl_side_lookup__read(&message, 0, &lookup, id), -EPROTO);
}

static void a_socket_is_named_by_its_runtime(void **state)
{
    struct mrl_names_socket socket;
    struct mrl_error error;

    (void)state;
    assert_int_equal(mrl_names_socket__read("cri-o=/run/x.sock", &socket, &error), 0);
    assert_int_equal(socket.runtime, MRL_RUNTIME_CRIO);
    assert_string_equal(socket.path, "/run/x.sock");
    assert_int_equal(mrl_names_socket__read("dokcer=/run/x.sock", &socket, &error), -EINVAL);
    assert_non_null(strstr(error.text, "did you mean 'docker'"));
    assert_int_equal(mrl_names_socket__read("docker:/run/x.sock", &socket, &error), -EINVAL);
    assert_int_equal(mrl_names_socket__read("docker=run/x.sock", &socket, &error), -EINVAL);
    assert_int_equal(mrl_names_socket__read("docker", &socket, &error), -EINVAL);
}

static void there_is_a_word_for_each_result(void **state)
{
    (void)state;
    for (int i = 0; i < MRL_NAMES_RESULTS; i++)
        assert_non_null(mrl_names_result__word((enum mrl_names_result)i));
    for (int i = 0; i < MRL_RUNTIMES; i++)
        assert_non_null(mrl_runtime__name((enum mrl_runtime)i));
    for (int i = 0; i < MRL_NAMES; i++)
        assert_in_range(mrl_name__bytes_max((enum mrl_name)i), 64, 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_container_is_read_as_it_was_written),
        cmocka_unit_test(a_message_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(a_text_that_must_not_be_shown_is_refused),
        cmocka_unit_test(what_a_program_may_not_say_is_refused),
        cmocka_unit_test(there_is_no_room_for_half_a_container),
        cmocka_unit_test(questions_are_read_and_checked),
        cmocka_unit_test(a_socket_is_named_by_its_runtime),
        cmocka_unit_test(there_is_a_word_for_each_result),
    };

    return cmocka_run_group_tests_name("names_frames", tests, NULL, NULL);
}
