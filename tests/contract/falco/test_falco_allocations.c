// SPDX-License-Identifier: Apache-2.0
/* The plugin takes its memory when it is opened, and none per event. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "unit/unit.h"

#ifndef MRL_SANITIZED
/* glibc's own names of what is replaced here, for the plugin as well. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static atomic_ulong allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

static void ask(const struct falco_host *host, struct falco_state *state, struct falco_event *event)
{
    static uint64_t number;
    const struct falco_event_input input = { event, ++number, "mrelease" };

    for (uint32_t id = 0; id < 40; id++) {
        struct falco_extract_field field = { .field_id = id,
                                             .arg_key = "/args/0",
                                             .arg_present = 1 };
        const struct falco_extract_input wanted = { .num_fields = 1, .fields = &field };

        host->extract_fields(state, &input, &wanted);
    }
}

/* Of all events of a replay; returns their number. */
static unsigned int read_all(const struct falco_host *host,
                             struct falco_state *state,
                             struct falco_instance *instance,
                             unsigned long *ret_allocations)
{
    unsigned int events = 0;
    unsigned long before = 0;
    int rc;

    do {
        struct falco_event **batch;
        uint32_t count;

        rc = host->next_batch(state, instance, &count, &batch);
        for (uint32_t i = 0; i < count; i++)
            ask(host, state, batch[i]);
        if (!events)
            before =
                allocations; /* the first batch makes the batch itself, and what is made once */
        events += count;
    } while (rc == FALCO_SUCCESS || rc == FALCO_TIMEOUT);
    assert_int_equal(rc, FALCO_EOF);
    *ret_allocations = allocations - before;
    return events;
}

static void no_event_and_no_question_allocates(void **test)
{
    unsigned long allocated;
    struct falco_instance *instance;
    struct falco_state *state;
    struct falco_host host;
    unsigned int events;
    int rc;

    (void)test;
    assert_true(falco_host__load(&host, MRL_TEST_FALCO_PLUGIN));
    state = falco_host__init(&host, "{}", &rc);
    instance = host.open(state, "replay:" MRL_TEST_CAPTURES "/storm_of_failures.cap", &rc);
    assert_int_equal(rc, FALCO_SUCCESS);
    events = read_all(&host, state, instance, &allocated);
    assert_in_range(events, 129, UINT32_MAX);
    assert_int_equal(allocated, 0);
    host.close(state, instance);
    host.destroy(state);
    falco_host__unload(&host);
}
#else
static void no_event_and_no_question_allocates(void **test)
{
    (void)test;
    print_message("# skipped: a sanitizer's allocator cannot be counted\n");
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_event_and_no_question_allocates) };

    return cmocka_run_group_tests_name("contract, falco allocations", tests, NULL, NULL);
}
