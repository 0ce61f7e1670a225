// SPDX-License-Identifier: Apache-2.0
/* The capture format: headers and frames, whole, cut and damaged. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "event/capture_format.h"
#include "unit/unit.h"

/* -- header ----------------------------------------------------------------------------------- */

static int check(struct mrl_capture_header *header, bool *ret_differ, struct mrl_error *error)
{
    header->crc =
        (uint32_t)crc32(0, (const unsigned char *)header, offsetof(struct mrl_capture_header, crc));
    return mrl_capture__check(header, ret_differ, error);
}

static void capture_accepts_the_header_that_it_makes(void **state)
{
    struct mrl_capture_header header;
    bool differ = true;

    (void)state;
    mrl_capture__header(&header);
    assert_int_equal(mrl_capture__check(&header, &differ, NULL), 0);
    assert_false(differ);
    assert_memory_equal(header.magic, "\x89MRLCAP\n", 8);
    assert_memory_equal(&header.byte_order, "\x04\x03\x02\x01", 4);
    assert_int_equal(header.event_count, mrl_event_def__count());
}

#define CASE(member, change, err, text)                                \
    {                                                                  \
        offsetof(struct mrl_capture_header, member), change, err, text \
    }

static void capture_refuses_headers_of_others(void **state)
{
    static const struct {
        size_t offset;
        unsigned char change; /* of the lowest byte */
        int err;
        const char *text;
    } cases[] = {
        CASE(magic, 1, -EBADMSG, "it is no capture ('verify' and 'validate' read lines of JSON)"),
        CASE(byte_order, 5, -EOPNOTSUPP, "its byte order is another one"),
        CASE(version, 1, -EOPNOTSUPP, "its format has version 3, this is version 2"),
        CASE(version, 2, -EOPNOTSUPP, "its format has version 0, this is version 2"),
        CASE(version, 3, 0, ""), /* 1: the oldest that is read */
        CASE(record_version, 3, -EOPNOTSUPP, "its records have version 6, this is version 5"),
        CASE(record_version, 7, -EOPNOTSUPP, "its records have version 2, this is version 5"),
        CASE(record_version, 1, 0, ""), /* 4 */
        CASE(record_version, 6, 0, ""), /* 3: the oldest that is read */
        CASE(machine, EM_X86_64 ^ EM_AARCH64, -EOPNOTSUPP, "it was recorded on "),
        CASE(machine, 1, -EOPNOTSUPP, "it was recorded on another machine, this is "),
        CASE(event_count, 0x80, -EOPNOTSUPP, "it was recorded by a newer version, which knows "),
        CASE(event_count, 1, -EOPNOTSUPP, "it was recorded "),
        CASE(names_crc, 1, -EOPNOTSUPP, "it was recorded with another event table"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_capture_header header;
        struct mrl_error error = { "" };
        bool differ;

        mrl_capture__header(&header);
        ((unsigned char *)&header)[cases[i].offset] ^= cases[i].change;
        assert_int_equal(check(&header, &differ, &error), cases[i].err);
        if (strncmp(error.text, cases[i].text, strlen(cases[i].text)) != 0)
            fail_case("'%s' where '%s' was wanted", error.text, cases[i].text);
    }
}

static void capture_says_when_the_checksum_of_its_header_is_wrong(void **state)
{
    struct mrl_capture_header header;
    struct mrl_error error = { "" };
    bool differ;

    (void)state;
    mrl_capture__header(&header);
    header.reserved_too = 1;
    assert_int_equal(mrl_capture__check(&header, &differ, &error), -EBADMSG);
    assert_string_equal(error.text, "its header is damaged");
}

/* As it was before the last event was added to the table. */
static void capture_accepts_an_older_and_shorter_event_table(void **state)
{
    struct mrl_capture_header header;
    uint32_t names = 0, versions = 0;
    bool differ = true;

    (void)state;
    mrl_capture__header(&header);
    header.event_count--;
    for (unsigned int i = 0; i < header.event_count; i++) {
        const struct mrl_event_def *def = mrl_event_def__at(i);

        names = (uint32_t)crc32(names, (const unsigned char *)def->name,
                                (unsigned int)strlen(def->name) + 1);
        versions = (uint32_t)crc32(versions, (const unsigned char *)def->version,
                                   (unsigned int)strlen(def->version) + 1);
    }
    header.names_crc = names;
    header.versions_crc = versions;
    assert_int_equal(check(&header, &differ, NULL), 0);
    assert_false(differ);
    header.versions_crc ^= 1;
    assert_int_equal(check(&header, &differ, NULL), 0);
    assert_true(differ);
}

/* -- frames ----------------------------------------------------------------------------------- */

enum { SIZE = 13, WHOLE = 32 }; /* of a container frame */

static const char payload[SIZE] = "\1\0\0\0\0\0\0\0abcde";

static void make_frame(char frame[WHOLE])
{
    memset(frame, 0x55, WHOLE);
    assert_ptr_equal(mrl_frame__put(frame, MRL_FRAME_CONTAINER, payload, SIZE), frame + WHOLE);
}

static void frame_comes_back_as_it_was_put(void **state)
{
    _Alignas(8) char bytes[WHOLE];
    struct mrl_frame frame;

    (void)state;
    make_frame(bytes);
    assert_int_equal(mrl_frame__parse(bytes, WHOLE, &frame, NULL), WHOLE);
    assert_int_equal(frame.type, MRL_FRAME_CONTAINER);
    assert_int_equal(frame.size, SIZE);
    assert_ptr_equal(frame.payload, bytes + sizeof(struct mrl_frame_header));
    assert_memory_equal(frame.payload, payload, SIZE);
    assert_memory_equal(bytes + WHOLE - 3, "\0\0\0", 3);
}

static void frame_asks_for_more_at_every_length_but_its_own(void **state)
{
    _Alignas(8) char bytes[WHOLE];
    struct mrl_frame frame;

    (void)state;
    make_frame(bytes);
    for (size_t size = 0; size < WHOLE; size++)
        assert_int_equal(mrl_frame__parse(bytes, size, &frame, NULL), 0);
}

static void frame_notices_every_flipped_bit(void **state)
{
    _Alignas(8) char bytes[WHOLE];
    struct mrl_frame frame;

    (void)state;
    make_frame(bytes);
    for (unsigned int bit = 0; bit < 8 * WHOLE; bit++) {
        struct mrl_error error = { "" };

        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(mrl_frame__parse(bytes, WHOLE, &frame, &error), -EBADMSG);
        assert_non_null(strstr(error.text, "checksum"));
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
    assert_int_equal(mrl_frame__parse(bytes, WHOLE, &frame, NULL), WHOLE);
}

/* With right checksums, so that the bounds are what refuses them. */
static void frame_of_impossible_type_or_size_is_refused_by_its_header_alone(void **state)
{
    static const struct {
        uint32_t type, size;
    } cases[] = {
        { 0, 8 },
        { MRL_FRAME_END + 1, 24 },
        { UINT32_MAX, 24 },
        { MRL_FRAME_CONTAINER, 7 },
        { MRL_FRAME_CONTAINER, MRL_FRAME_PAYLOAD_MAX + 1 },
        { MRL_FRAME_CONTAINER, UINT32_MAX },
        { MRL_FRAME_RECORD, sizeof(struct mrl_record) - 1 },
        { MRL_FRAME_RECORD, MRL_RECORD_BYTES_MAX + 1 },
        { MRL_FRAME_HOST, sizeof(struct mrl_frame_host) + 8 },
        { MRL_FRAME_LOST, MRL_FRAME_LOST_BYTES - 8 },
        { MRL_FRAME_LOST, sizeof(struct mrl_frame_lost) + 8 },
        { MRL_FRAME_END, 0 },
        { MRL_FRAME_POLICY, sizeof(struct mrl_frame_policy) - 1 },
        { MRL_FRAME_POLICY, MRL_FRAME_POLICY_MAX + 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        _Alignas(8) struct mrl_frame_header header = { .type = cases[i].type,
                                                       .size = cases[i].size };
        struct mrl_error error = { "" };
        struct mrl_frame frame;

        header.header_crc = (uint32_t)crc32(0, (const unsigned char *)&header,
                                            offsetof(struct mrl_frame_header, header_crc));
        if (mrl_frame__parse(&header, sizeof(header), &frame, &error) != -EBADMSG)
            fail_case("type %u, %u bytes", cases[i].type, cases[i].size);
        assert_non_null(strstr(error.text, "impossible"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capture_accepts_the_header_that_it_makes),
        cmocka_unit_test(capture_refuses_headers_of_others),
        cmocka_unit_test(capture_says_when_the_checksum_of_its_header_is_wrong),
        cmocka_unit_test(capture_accepts_an_older_and_shorter_event_table),
        cmocka_unit_test(frame_comes_back_as_it_was_put),
        cmocka_unit_test(frame_asks_for_more_at_every_length_but_its_own),
        cmocka_unit_test(frame_notices_every_flipped_bit),
        cmocka_unit_test(frame_of_impossible_type_or_size_is_refused_by_its_header_alone),
    };

    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
