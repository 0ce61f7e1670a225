// SPDX-License-Identifier: Apache-2.0
/*
 * The names of a container, as whoever asked a runtime tells them, in what leaves the program: come
 * through as they were where that does no harm, and are harmless everywhere. What each shape makes
 * of them, test_shapes.c has judged.
 */
#include <jansson.h>
#include <mrelease/mrelease.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/tracee.pb-c.h>

#include "base/visible.h"
#include "enrich/known_names.h"
#include "unit/lines.h"
#include "unit/messages.h"
#include "unit/records.h"
#include "unit/unit.h"

#define ID          "4c01db0b339c6d2b5d4d86a7f6a3b1f8e0c9d7a65b4e3f2d1c0b9a8877665544"
#define REPLACEMENT "\xef\xbf\xbd"

/* A name, and what is left of it: in JSON that was read, in Tracee's protobuf and its JSON, and a
 * part of it that the table shows. */
static const struct evil {
    const char *name, *json, *clean, *seen;
} evils[] = {
    { "web", "web", "web", "web" },
    { "\x1b[31mred\x1b]0;t\x07", "\x1b[31mred\x1b]0;t\x07", "\x1b[31mred\x1b]0;t\x07",
      "\\x1b[31mred\\x1b]0;t\\x07" },
    { "a\nb\r\tc", "a\nb\r\tc", "a\nb\r\tc", "a\\x0ab\\x0d\\x09c" },
    { "\xe2\x80\xaegpj.exe", "\xe2\x80\xaegpj.exe", "\xe2\x80\xaegpj.exe",
      "\\xe2\\x80\\xaegpj.exe" },
    { "a\"b\\c'd", "a\"b\\c'd", "a\"b\\c'd", "a\"b\\c'd" },
    { "<&>\xe2\x80\xa8", "<&>\xe2\x80\xa8", "<&>\xe2\x80\xa8", "<&>\\xe2\\x80\\xa8" },
    { "caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9" },
    { "\xff\xc0\xaf\xed\xa0\x80\xe2\x82z",
      REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT
          REPLACEMENT "z",
      "z", "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x82z" },
    { "x\xc2\x9bm", "x\xc2\x9bm", "x\xc2\x9bm", "x\\xc2\\x9bm" },
    { "${jndi:ldap://x}|cs1=1", "${jndi:ldap://x}|cs1=1", "${jndi:ldap://x}|cs1=1",
      "${jndi:ldap://x}|cs1=1" },
};

/* -- a reader that was told ------------------------------------------------------------------- */

struct bench {
    struct test_decoder decoder;
    struct mrl_known_names *names;
};

static struct mrl_membership container_of(void *context, uint64_t cgroup)
{
    (void)context;
    (void)cgroup;
    return (struct mrl_membership){ .id = test_text(ID), .lookup = MRL_LOOKUP_KNOWN };
}

static int set_up(void **state)
{
    const struct mrl_names_asking nobody = { NULL, NULL };
    static struct bench bench;

    test_decoder__init(&bench.decoder);
    assert_int_equal(mrl_known_names__new(&nobody, &bench.names), 0);
    bench.decoder.host.container = container_of;
    bench.decoder.host.named = mrl_known_names__named;
    bench.decoder.host.names = bench.names;
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    mrl_known_names__free(bench->names);
    test_decoder__done(&bench->decoder);
    return 0;
}

/* A release, of which caller and target are in the container. All names are this one. */
static const struct mrl_event *event_named(struct bench *bench, struct mrl_text name)
{
    struct mrl_container_names told = { .id = test_text(ID),
                                        .result = MRL_NAMES_KNOWN,
                                        .runtime = MRL_RUNTIME_DOCKER };
    struct test_record record;

    for (unsigned int i = 0; i < MRL_NAMES; i++)
        told.texts[i] = name;
    assert_int_equal(mrl_known_names__tell(bench->names, &told), 0);
    mrl_known_names__take(bench->names);
    test_record__init_full(&record);
    return test_decoder__event(&bench->decoder, &record);
}

/* -- harmless --------------------------------------------------------------------------------- */

static bool is_utf8(const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + size;
    unsigned int one;

    for (; at < end; at += one)
        if (!(one = mrl_utf8_size(at, end)))
            return false;
    return true;
}

static bool has_controls(const char *line, const char *but)
{
    for (; *line; line++)
        if (((unsigned char)*line < ' ' || *line == 0x7f) && !strchr(but, *line))
            return true;
    return false;
}

static void no_line_has_what_ends_or_steers_it(void **state)
{
    static const struct {
        const char *format, *controls; /* that are its own */
    } formats[] = { { "json-v0.23", "" }, { "json-v0.24", "" }, { "json-v1beta1", "" },
                    { "ecs", "" },        { "ocsf", "" },       { "cef", "" },
                    { "leef", "\t" } };
    const struct mrl_encoder_options options = { .extras = UINT32_MAX };

    for (size_t i = 0; i < COUNT_OF(formats) * COUNT_OF(evils); i++) {
        const struct evil *evil = &evils[i % COUNT_OF(evils)];
        const char *format = formats[i / COUNT_OF(evils)].format;
        const struct mrl_event *event = event_named(*state, test_text(evil->name));
        char *line = test_line_as(format, &options, event);

        assert_int_equal(line[strlen(line) - 1], '\n');
        line[strlen(line) - 1] = '\0';
        if (!is_utf8(line, strlen(line)) ||
            has_controls(line, formats[i / COUNT_OF(evils)].controls))
            fail_case("%s: %s", format, line);
        free(line);
    }
}

/* Nothing that a terminal obeys, or does not show; and the lines of its own. */
static void the_table_shows_what_may_be_shown(void **state)
{
    const struct mrl_encoder_options options[] = {
        { .width = 0 },
        { .width = 80 },
        { .width = 140 },
        { .wide = true, .extras = UINT32_MAX },
        { .ascii = true, .width = 100 },
    };

    for (size_t i = 0; i < COUNT_OF(options) * COUNT_OF(evils); i++) {
        const struct mrl_encoder_options *its = &options[i / COUNT_OF(evils)];
        const struct evil *evil = &evils[i % COUNT_OF(evils)];
        char *line = test_line_as("table", its, event_named(*state, test_text(evil->name)));
        const unsigned char *at = (const unsigned char *)line, *end = at + strlen(line);

        for (unsigned int size; at < end; at += size) {
            size = *at == '\n' ? 1 : mrl_visible_size(at, end);
            if (!size || (its->ascii && *at & 0x80))
                fail_case("%s", line);
        }
        if ((!its->width || its->wide) && !strstr(line, evil->seen))
            fail_case("no '%s' in %s", evil->seen, line);
        free(line);
    }
}

/* -- as they were ----------------------------------------------------------------------------- */

/* At a path with dots; fails where there is no text. */
static void assert_text(const json_t *object, const char *path, const char *wanted)
{
    char part[64];

    while (strchr(path, '.')) {
        snprintf(part, sizeof(part), "%.*s", (int)strcspn(path, "."), path);
        path += strlen(part) + 1;
        object = json_object_get(object, part);
    }
    object = json_object_get(object, path);
    if (json_is_array(object))
        object = json_array_get(object, 0);
    assert_true(json_is_string(object));
    assert_string_equal(json_string_value(object), wanted);
}

static json_t *json_of(struct bench *bench, const char *format, const char *name)
{
    char *line = test_line_as(format, NULL, event_named(bench, test_text(name)));
    json_t *json = json_loads(line, 0, NULL);

    assert_non_null(json);
    free(line);
    return json;
}

static void json_has_them_as_they_were(void **state)
{
    static const char *const formats[] = { "json-v0.23", "json-v0.24" };
    static const char *const paths[] = { "container.name",          "container.image",
                                         "container.imageDigest",   "kubernetes.podName",
                                         "kubernetes.podNamespace", "kubernetes.podUID" };

    for (size_t i = 0; i < COUNT_OF(formats) * COUNT_OF(evils); i++) {
        const struct evil *evil = &evils[i % COUNT_OF(evils)];
        json_t *json = json_of(*state, formats[i / COUNT_OF(evils)], evil->name);

        for (size_t j = 0; j < COUNT_OF(paths); j++)
            assert_text(json, paths[j], evil->json);
        json_decref(json);
    }
}

static void v1beta1_has_them_without_what_is_no_text(void **state)
{
    static const char *const paths[] = { "workload.container.name",
                                         "workload.container.image.name",
                                         "workload.container.image.repo_digests",
                                         "workload.k8s.pod.name",
                                         "workload.k8s.pod.uid",
                                         "workload.k8s.namespace.name" };

    for (size_t i = 0; i < COUNT_OF(evils); i++) {
        json_t *json = json_of(*state, "json-v1beta1", evils[i].name);

        for (size_t j = 0; j < COUNT_OF(paths); j++)
            assert_text(json, paths[j], evils[i].clean);
        json_decref(json);
    }
}

static void grpc_has_the_same(void **state)
{
    static char buffer[MRL_EVENT_TEXT_MAX];
    static const enum mrl_grpc_dialect dialects[] = { MRL_GRPC_V0_24, MRL_GRPC_MAIN };

    for (size_t i = 0; i < COUNT_OF(dialects) * COUNT_OF(evils); i++) {
        const struct evil *evil = &evils[i % COUNT_OF(evils)];
        struct mrl_protobuf *encoder = test_protobuf(dialects[i / COUNT_OF(evils)], UINT32_MAX);
        struct mrl_text message =
            mrl_protobuf__put(encoder, event_named(*state, test_text(evil->name)), buffer);
        Tracee__V1beta1__StreamEventsResponse *response =
            tracee__v1beta1__stream_events_response__unpack(NULL, message.size,
                                                            (const uint8_t *)message.bytes);
        const Tracee__V1beta1__Workload *workload;

        assert_non_null(response);
        assert_true(response->event->workload->container && response->event->workload->k8s);
        workload = response->event->workload;
        assert_string_equal(workload->container->name, evil->clean);
        assert_string_equal(workload->container->image->name, evil->clean);
        assert_int_equal(workload->container->image->n_repo_digests, 1);
        assert_string_equal(workload->container->image->repo_digests[0], evil->clean);
        assert_string_equal(workload->k8s->pod->name, evil->clean);
        assert_string_equal(workload->k8s->pod->uid, evil->clean);
        assert_string_equal(workload->k8s->namespace_->name, evil->clean);
        tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
        mrl_protobuf__free(encoder);
    }
}

/* -- long ones -------------------------------------------------------------------------------- */

/* A name of 4 KiB is cut, and no letter in its middle; what is worth more than it is there. */
static void what_is_too_long_ends_with_a_whole_letter(void **state)
{
    static const char *const letters[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\xa7" };
    char *name = malloc(4096);

    assert_non_null(name);
    for (size_t i = 0; i < COUNT_OF(letters); i++)
        for (unsigned int before = 0; before < 4; before++) {
            const size_t size = strlen(letters[i]);
            const struct mrl_event *event;
            const char *formats[] = { "json", "json-v1beta1", "ecs", "table" };

            memset(name, 'b', before);
            for (size_t at = before; at + size <= 4096; at += size)
                memcpy(name + at, letters[i], size);
            event = event_named(*state,
                                (struct mrl_text){ name, before + (4096 - before) / size * size });
            /* A pod's uid is worth most: it has all the room there is. */
            assert_in_range(event->pod_uid.size, MRL_NAMES_BYTES_MAX - 3, MRL_NAMES_BYTES_MAX);
            assert_true(is_utf8(event->pod_uid.bytes, event->pod_uid.size));
            for (size_t j = 0; j < COUNT_OF(formats); j++) {
                char *line = test_line_in(formats[j], event);

                assert_null(strstr(line, REPLACEMENT));
                assert_null(strstr(line, "\\ufffd"));
                free(line);
            }
        }
    free(name);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(no_line_has_what_ends_or_steers_it),
        test(the_table_shows_what_may_be_shown),
        test(json_has_them_as_they_were),
        test(v1beta1_has_them_without_what_is_no_text),
        test(grpc_has_the_same),
        test(what_is_too_long_ends_with_a_whole_letter),
    };

    return cmocka_run_group_tests_name("named outputs", tests, NULL, NULL);
}
