/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as the probes would write them, and the events that they decode to. The times and numbers
 * of a fresh record are those of the example of Tracee's fact sheet, so that its golden line fits.
 */
#ifndef MRL_TESTS_RECORDS_H
#define MRL_TESTS_RECORDS_H

#include <abi/record.h>
#include <mrelease/event.h>

#include "enrich/host.h"
#include "event/batch.h"
#include "event/decode.h"

enum { TEST_PAGE_BYTES = 4096, TEST_CPUS = 4 };

/** Epoch minus boot time of the host that the tests pretend to be. */
#define TEST_BOOT_NS     INT64_C(1763390000000000000)
#define TEST_ENTRY_NS    UINT64_C(1763467321987654321)
#define TEST_START_NS    UINT64_C(1763467200123456789)
#define TEST_PARENT_NS   UINT64_C(1763400000000000000)
#define TEST_DURATION_NS UINT64_C(1500)

/** A record with room for its target and paths. */
struct test_record {
    struct mrl_record call;
    struct mrl_target target;
    char exe[2 * MRL_EXE_BYTES];
};

_Static_assert(offsetof(struct test_record, exe) ==
                   sizeof(struct mrl_record) + sizeof(struct mrl_target),
               "the parts of a record follow each other");

/** A successful call of the event at index `event`, without target. */
void test_record__init(struct test_record *record, unsigned int event);

/** Adds a target that was seen before and after, and whose memory went. */
void test_record__add_target(struct test_record *record);

/** A successful do_mrelease with its target. */
void test_record__init_full(struct test_record *record);

/** Gives the target the path whose components, innermost first and each with its NUL, these are. */
void test_record__set_path(struct test_record *record, const char *steps, size_t size);

/** The same for the caller, once all else of the record is made. */
void test_record__set_caller_path(struct test_record *record, const char *steps, size_t size);

/** Says by what it was let through, once all else of the record is made: its parts move. */
void test_record__judge(struct test_record *record, uint64_t policies, uint32_t generation);

/** A pool, a batch and the host that decode wants. */
struct test_decoder {
    struct mrl_host host;
    struct mrl_pool *pool;
    struct mrl_batch *batch;
};

void test_decoder__init(struct test_decoder *decoder);
void test_decoder__done(struct test_decoder *decoder);

/** The same as cmocka wants them: the state is a struct test_decoder. */
int test_decoder__set_up(void **state);
int test_decoder__tear_down(void **state);

/** Decodes and returns the event; fails the test when it is refused. */
const struct mrl_event *test_decoder__event(struct test_decoder *decoder,
                                            const struct test_record *record);

/** Decodes `count` calls of mlock(), which are numbered from 0 on by their first argument: so
 * order, and the place of a gap, can be read off an output. */
void test_decoder__numbered(struct test_decoder *decoder, unsigned int count);

/** The value of the field called `name`; fails the test where there is none. */
const struct mrl_value *test_value(const struct mrl_event *event, const char *name);

#endif
