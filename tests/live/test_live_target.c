// SPDX-License-Identifier: Apache-2.0
/* do_mrelease: whose memory was released, and how much of it. Each field by name. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/vfs.h>

#include "harness.h"
#include "release.h"

enum { SOMEBODY = 12345 };

#define MIB       ((size_t)1 << 20)
#define CONTAINER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

/* -- how much --------------------------------------------------------------------------------- */

/* Files of a file system in memory are shared memory to the kernel. */
static bool is_in_memory(const char *path)
{
    struct statfs fs;

    assert_int_equal(statfs(path, &fs), 0);
    return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

static void assert_amount(size_t anon_bytes, size_t shmem_bytes, size_t file_bytes)
{
    struct script *script = script__new();
    const struct lines *lines;

    script->victim.anon_bytes = anon_bytes;
    script->victim.shmem_bytes = shmem_bytes;
    script->victim.file_bytes = file_bytes;
    if (file_bytes) {
        const char *path = live__path("held");
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        script->victim.file = path;
        if (is_in_memory(live__path(""))) {
            puts("# skipped: the test's directory is on a file system in memory");
            skip();
        }
        assert_int_equal(posix_fallocate(fd, 0, (off_t)file_bytes), 0);
        close(fd);
    }
    lines = release__run("default", script, release__act);
    assert_release_bytes(assert_released(lines, script, script->victim.self.pid), &script->victim);
}

static void anonymous_memory_of_16_mib_comes_back(void **state)
{
    (void)state;
    live__require();
    assert_amount(16 * MIB, 0, 0);
}

static void anonymous_memory_of_64_mib_comes_back(void **state)
{
    (void)state;
    live__require();
    assert_amount(64 * MIB, 0, 0);
}

static void anonymous_memory_of_256_mib_comes_back(void **state)
{
    (void)state;
    live__require();
    assert_amount(256 * MIB, 0, 0);
}

static void memory_of_all_kinds_at_once_is_told_apart(void **state)
{
    (void)state;
    live__require();
    assert_amount(64 * MIB, 48 * MIB, 32 * MIB);
}

static void shared_memory_is_told_from_anonymous_memory(void **state)
{
    (void)state;
    live__require();
    assert_amount(16 * MIB, 24 * MIB, 0);
}

static void file_memory_is_told_from_anonymous_memory(void **state)
{
    (void)state;
    live__require();
    assert_amount(16 * MIB, 0, 24 * MIB);
}

static void locked_memory_is_counted_and_comes_back(void **state)
{
    struct script *script;
    const struct lines *lines;
    const struct line *line;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 32 * MIB;
    script->victim.locked_bytes = 8 * MIB;
    lines = release__run("default", script, release__act);
    line = assert_released(lines, script, script->victim.self.pid);
    assert_release_bytes(line, &script->victim);
    assert_int_equal(release__number(line, "locked_bytes"), 8 * MIB);
}

/* -- who -------------------------------------------------------------------------------------- */

static void name_user_and_container_are_those_of_the_target(void **state)
{
    struct script *script;
    const struct line *line;

    (void)state;
    live__require();
    script = script__new();
    script->victim.anon_bytes = 16 * MIB;
    script->victim.uid = SOMEBODY;
    script->victim.name = "the \"victim\"<&>";
    script->victim.cgroup = cgroup__make("target/docker/" CONTAINER);
    if (!script->victim.cgroup) {
        puts("# skipped: no cgroup can be made");
        skip();
    }
    release__run("default", script, release__act);
    strcpy(script->victim.self.container_id, CONTAINER);
    line = assert_released(lines__load(live__path("events")), script, script->victim.self.pid);
    assert_string_equal(release__text(line, "target_name"), "the \"victim\"<&>");
    assert_int_equal(release__number(line, "target_uid"), SOMEBODY);
    assert_int_equal(release__number(line, "target_cgroup_id"), cgroup__id(script->victim.cgroup));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(anonymous_memory_of_16_mib_comes_back),
        LIVE_TEST(anonymous_memory_of_64_mib_comes_back),
        LIVE_TEST(anonymous_memory_of_256_mib_comes_back),
        LIVE_TEST(memory_of_all_kinds_at_once_is_told_apart),
        LIVE_TEST(shared_memory_is_told_from_anonymous_memory),
        LIVE_TEST(file_memory_is_told_from_anonymous_memory),
        LIVE_TEST(locked_memory_is_counted_and_comes_back),
        LIVE_TEST(name_user_and_container_are_those_of_the_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
