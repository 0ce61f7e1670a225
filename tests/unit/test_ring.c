// SPDX-License-Identifier: Apache-2.0
/* The reader of rings, over memory that is laid out as the kernel's. */
#include <linux/bpf.h>

#include <string.h>

#include "probe/rings.h"
#include "unit/unit.h"

enum { RING_BYTES = 256, TAKEN_MAX = 64 };

struct fixture {
    unsigned long consumer, producer;
    _Alignas(8) char data[2 * RING_BYTES];
    struct mrl_ring ring;
    char taken[TAKEN_MAX][RING_BYTES];
    size_t sizes[TAKEN_MAX];
    unsigned int count, limit;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    memset(&fixture, 0, sizeof(fixture));
    fixture.ring = (struct mrl_ring){ .consumer = &fixture.consumer,
                                      .producer = &fixture.producer,
                                      .data = fixture.data,
                                      .mask = RING_BYTES - 1 };
    fixture.limit = TAKEN_MAX;
    *state = &fixture;
    return 0;
}

static bool take(void *context, const void *record, size_t size)
{
    struct fixture *fixture = context;

    assert_true((uintptr_t)record % 8 == 0);
    memcpy(fixture->taken[fixture->count], record, size);
    fixture->sizes[fixture->count++] = size;
    return fixture->count < fixture->limit;
}

/* Both mappings show it, as of the kernel's. Returns the header. */
static uint32_t *put(struct fixture *fixture, const char *text, uint32_t bits)
{
    uint32_t size = (uint32_t)strlen(text), header[2] = { size | bits, 0 };
    char record[RING_BYTES];
    size_t at = fixture->producer & (RING_BYTES - 1);

    memcpy(record, header, sizeof(header));
    memcpy(record + sizeof(header), text, size);
    for (size_t i = 0; i < sizeof(header) + size; i++) {
        fixture->data[(at + i) % RING_BYTES] = record[i];
        fixture->data[(at + i) % RING_BYTES + RING_BYTES] = record[i];
    }
    fixture->producer += (sizeof(header) + size + 7) & ~7UL;
    return (uint32_t *)(fixture->data + at);
}

static void ring_hands_over_records_in_order(void **state)
{
    struct fixture *fixture = *state;

    put(fixture, "first", 0);
    put(fixture, "the second", 0);
    assert_false(mrl_ring__read(&fixture->ring, take, fixture));
    assert_int_equal(fixture->count, 2);
    assert_memory_equal(fixture->taken[0], "first", 5);
    assert_int_equal(fixture->sizes[1], 10);
    assert_memory_equal(fixture->taken[1], "the second", 10);
}

static void ring_gives_nothing_back_before_it_is_told(void **state)
{
    struct fixture *fixture = *state;

    put(fixture, "kept", 0);
    mrl_ring__read(&fixture->ring, take, fixture);
    assert_int_equal(fixture->consumer, 0);
    assert_false(mrl_ring__read(&fixture->ring, take, fixture));
    assert_int_equal(fixture->count, 1);
    mrl_ring__release(&fixture->ring);
    assert_int_equal(fixture->consumer, fixture->producer);
}

static void ring_waits_behind_a_record_that_is_still_written(void **state)
{
    struct fixture *fixture = *state;
    uint32_t *busy;

    put(fixture, "a", 0);
    busy = put(fixture, "b", BPF_RINGBUF_BUSY_BIT);
    put(fixture, "c", 0);
    assert_false(mrl_ring__read(&fixture->ring, take, fixture));
    assert_int_equal(fixture->count, 1);
    *busy &= ~BPF_RINGBUF_BUSY_BIT;
    mrl_ring__read(&fixture->ring, take, fixture);
    assert_int_equal(fixture->count, 3);
    assert_memory_equal(fixture->taken[2], "c", 1);
}

static void ring_passes_over_what_was_discarded(void **state)
{
    struct fixture *fixture = *state;

    put(fixture, "thrown away", BPF_RINGBUF_DISCARD_BIT);
    put(fixture, "kept", 0);
    mrl_ring__read(&fixture->ring, take, fixture);
    assert_int_equal(fixture->count, 1);
    assert_memory_equal(fixture->taken[0], "kept", 4);
}

static void ring_stops_when_it_is_told_and_goes_on_behind(void **state)
{
    struct fixture *fixture = *state;

    fixture->limit = 1;
    put(fixture, "a", 0);
    put(fixture, "b", 0);
    assert_true(mrl_ring__read(&fixture->ring, take, fixture));
    assert_int_equal(fixture->count, 1);
    mrl_ring__release(&fixture->ring);
    assert_int_equal(fixture->consumer, 16);
    fixture->limit = TAKEN_MAX;
    assert_false(mrl_ring__read(&fixture->ring, take, fixture));
    assert_memory_equal(fixture->taken[1], "b", 1);
}

static void ring_reads_over_its_end(void **state)
{
    struct fixture *fixture = *state;
    const char *text =
        "of forty bytes, and so it never fits as "; /* with its header 48: 256 / 48 */

    for (unsigned int i = 0; i < 20; i++) {
        put(fixture, text, 0);
        mrl_ring__read(&fixture->ring, take, fixture);
        mrl_ring__release(&fixture->ring);
    }
    assert_int_equal(fixture->count, 20);
    for (unsigned int i = 0; i < 20; i++)
        assert_memory_equal(fixture->taken[i], text, strlen(text));
}

static void ring_that_is_closed_can_be_closed(void **state)
{
    struct mrl_ring rings[MRL_LANE_COUNT] = { { .consumer = NULL } };

    (void)state;
    mrl_rings__close(rings);
    assert_true(mrl_ring__open(&rings[0], -1, RING_BYTES) < 0);
    assert_null(rings[0].consumer);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        test(ring_hands_over_records_in_order),
        test(ring_gives_nothing_back_before_it_is_told),
        test(ring_waits_behind_a_record_that_is_still_written),
        test(ring_passes_over_what_was_discarded),
        test(ring_stops_when_it_is_told_and_goes_on_behind),
        test(ring_reads_over_its_end),
        test(ring_that_is_closed_can_be_closed),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
