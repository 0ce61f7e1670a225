// SPDX-License-Identifier: Apache-2.0
/* --extra mlock: what the caller has locked, against what /proc says of it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/resource.h>

#include "harness.h"
#include "release.h"

enum { PROC_BYTES = 8192, CALLS = 6 };

#define KIB   ((uint64_t)1 << 10)
#define LIMIT (4096 * KIB)

/* Shared with the child: what was locked after each call. */
static uint64_t *locked_bytes;

static void forget(void *memory)
{
    munmap(memory, CALLS * sizeof(*locked_bytes));
}

static void call(struct script *script, const char *event, uint64_t a, uint64_t b, uint64_t c)
{
    char text[PROC_BYTES];
    const char *line;

    script__call(script, event, a, b, c);
    script__check(script, caller__read("/proc/self/status", text, sizeof(text)), "status");
    line = strstr(text, "\nVmLck:");
    script__check(script, line, "VmLck");
    locked_bytes[script->count - 1] = strtoull(line + strlen("\nVmLck:"), NULL, 10) * KIB;
}

static void lock_in_every_way(struct script *script)
{
    const struct rlimit limit = { LIMIT, 2 * LIMIT };
    char *memory = mmap(NULL, LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t at = (uint64_t)(uintptr_t)memory;

    script__check(script, memory != MAP_FAILED, "mmap");
    script__check(script, !setrlimit(RLIMIT_MEMLOCK, &limit), "setrlimit");
    call(script, "mlock", at, 64 * KIB, 0);
    call(script, "mlock2", at, 128 * KIB, 1);
    call(script, "mlock2", at, 256 * KIB, 1 | 64); /* refused */
    call(script, "munlock", at, 32 * KIB, 0);
    call(script, "mlockall", 1 | 4, 0, 0);
    call(script, "munlockall", 0, 0, 0);
}

static void locks_of_the_caller_are_told_before_and_after(void **state)
{
    static const char *const flags[CALLS] = { NULL, "MLOCK_ONFAULT",           "MLOCK_ONFAULT|0x40",
                                              NULL, "MCL_CURRENT|MCL_ONFAULT", NULL };
    const struct lines *lines;
    struct script *script;
    uint64_t before = 0;

    (void)state;
    live__require();
    script = script__new();
    locked_bytes = mmap(NULL, CALLS * sizeof(*locked_bytes), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(locked_bytes, MAP_FAILED);
    cleanup__add(forget, locked_bytes);
    lines = release__run_extra("mlock", "mlock*,munlock*", script, lock_in_every_way);
    assert_int_equal(script->count, CALLS);
    assert_int_equal(locked_bytes[0], 64 * KIB);
    assert_int_equal(locked_bytes[1], 128 * KIB);
    for (unsigned int i = 0; i < CALLS; i++) {
        const struct line *line = line_of_call(lines, script, &script->calls[i]);

        assert_int_equal(release__number(line, "locked_before_bytes"), before);
        assert_int_equal(release__number(line, "locked_after_bytes"), locked_bytes[i]);
        assert_int_equal(release__number(line, "memlock_limit_bytes"), LIMIT);
        if (flags[i])
            assert_string_equal(release__text(line, "lock_flags"), flags[i]);
        else
            assert_true(release__is_absent(line, "lock_flags"));
        before = locked_bytes[i];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(locks_of_the_caller_are_told_before_and_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
