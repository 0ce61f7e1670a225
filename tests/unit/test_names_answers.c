// SPDX-License-Identifier: Apache-2.0
/* Lists of runtimes, of any bytes: what of them is taken, and where they end. */
#include <cri.pb-c.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "side/names/call.h"
#include "side/names/docker.h"
#include "unit/unit.h"

struct taken {
    char ids[256];
    unsigned int count, most, refused;
};

static int take(struct taken *taken, const char *id)
{
    const size_t used = strlen(taken->ids);

    if (taken->count == taken->most) {
        taken->refused++;
        return -E2BIG;
    }
    snprintf(taken->ids + used, sizeof(taken->ids) - used, "%s%s", used ? " " : "", id);
    taken->count++;
    return 0;
}

static int take_json(void *context, const json_t *container)
{
    const char *id = json_string_value(json_object_get(container, "Id"));

    return take(context, id ? id : "-");
}

static int take_item(void *context, const ProtobufCMessage *item)
{
    return take(context, ((const Runtime__V1__Container *)item)->id);
}

static void a_list_of_docker_is_read_as_far_as_it_goes(void **state)
{
    static const struct {
        const char *bytes, *ids;
        int err;
    } cases[] = {
        { "[]", "", 0 },
        { " [ ]\n", "", 0 },
        { "[{\"Id\":\"a\"}]", "a", 0 },
        { "\n[ {\"Id\":\"a\"} ,\t{\"Id\":\"b\"}\r\n]", "a b", 0 },
        { "[1,{\"Id\":\"a\"},null,\"]\",[{}],1e3 ,{\"Id\":\"b,]\"}]", "- a - - - - b,]", 0 },
        { "[{\"Id\":\"a\"},{\"Id\":\"b\"},{\"Id\":\"c", "a b", -EBADMSG },
        { "[{\"Id\":\"a\"},", "a", -EBADMSG },
        { "[{\"Id\":\"a\"}", "a", -EBADMSG },
        { "[{\"Id\":\"a\"} {\"Id\":\"b\"}]", "a", -EBADMSG },
        { "[{\"Id\":\"a\"},]", "a", -EBADMSG },
        { "[,{\"Id\":\"a\"}]", "", -EBADMSG },
        { "{\"message\":\"no\"}", "", -EBADMSG },
        { "<html>", "", -EBADMSG },
        { "[", "", -EBADMSG },
        { "", "", -EBADMSG },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct taken taken = { .most = 100 };

        assert_int_equal(
            mrl_docker__each(cases[i].bytes, strlen(cases[i].bytes), take_json, &taken),
            cases[i].err);
        assert_string_equal(taken.ids, cases[i].ids);
    }
}

static void a_list_of_docker_ends_where_nobody_wants_more(void **state)
{
    static const char bytes[] = "[{\"Id\":\"a\"},{\"Id\":\"b\"},{\"Id\":\"c\"},{}]";
    struct taken taken = { .most = 2 };

    (void)state;
    assert_int_equal(mrl_docker__each(bytes, strlen(bytes), take_json, &taken), -E2BIG);
    assert_string_equal(taken.ids, "a b");
    assert_int_equal(taken.refused, 1);
}

#define ITEM(id)  "\x0a\x03\x0a\x01" id /* field 1, with an id */
#define TORN      "\x0a\x02\x0a\x05"    /* whose id is longer than it is */
#define OTHER     "\x12\x01x\x18\x05"   /* fields 2 and 3 */
#define CUT       "\x0a\x09\x0a"        /* longer than what there is */
#define BYTES(of) of, sizeof(of) - 1

static void a_list_of_cri_is_read_as_far_as_it_goes(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *ids;
        int err;
    } cases[] = {
        { BYTES(""), "", 0 },
        { BYTES(ITEM("a")), "a", 0 },
        { BYTES(OTHER ITEM("a") OTHER ITEM("b") OTHER), "a b", 0 },
        { BYTES(ITEM("a") TORN ITEM("b")), "a b", -EBADMSG },
        { BYTES(ITEM("a") CUT), "a", -EBADMSG },
        { BYTES("\xff\xff\xff"), "", -EBADMSG },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct taken taken = { .most = 100 };

        assert_int_equal(mrl_answer__each(&runtime__v1__container__descriptor, cases[i].bytes,
                                          cases[i].size, take_item, &taken),
                         cases[i].err);
        assert_string_equal(taken.ids, cases[i].ids);
    }
}

static void a_list_of_cri_ends_where_nobody_wants_more(void **state)
{
    static const char bytes[] = ITEM("a") TORN ITEM("b") ITEM("c") ITEM("d");
    struct taken taken = { .most = 2 };

    (void)state;
    assert_int_equal(mrl_answer__each(&runtime__v1__container__descriptor, bytes, sizeof(bytes) - 1,
                                      take_item, &taken),
                     -E2BIG);
    assert_string_equal(taken.ids, "a b");
    assert_int_equal(taken.refused, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_docker_is_read_as_far_as_it_goes),
        cmocka_unit_test(a_list_of_docker_ends_where_nobody_wants_more),
        cmocka_unit_test(a_list_of_cri_is_read_as_far_as_it_goes),
        cmocka_unit_test(a_list_of_cri_ends_where_nobody_wants_more),
    };

    mrl_docker__bound_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
