// SPDX-License-Identifier: Apache-2.0
/* From the numbers of real cgroups to containers. Makes a cgroup of its own, and removes it. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "enrich/cgroups.h"
#include "enrich/host.h"
#include "unit/unit.h"

#define ID "ae95a93ce0c2f1b824ac4b205e4d1a3c8f724d663626c1ad23576efec64318de"

enum { DEPTH_MAX = 4 };

/* A cgroup that looks like a container, and the cache that has to find it. */
struct fixture {
    struct mrl_host host;
    char root[PATH_MAX];
    char made[DEPTH_MAX][PATH_MAX]; /* outermost first */
    unsigned int made_count;
};

/* Where the hierarchy is that the probes number here; by name, unlike in the product. */
static bool find_hierarchy(bool v1, char root[PATH_MAX])
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent *entry;
    bool found = false;

    assert_non_null(mounts);
    while (!found && (entry = getmntent(mounts))) {
        found = v1 ? !strcmp(entry->mnt_type, "cgroup") && hasmntopt(entry, "cpuset")
                   : !strcmp(entry->mnt_type, "cgroup2");
        if (found)
            snprintf(root, PATH_MAX, "%s", entry->mnt_dir);
    }
    endmntent(mounts);
    return found;
}

static int remove_cgroups(void **state)
{
    struct fixture *fixture = *state;

    while (fixture->made_count)
        rmdir(fixture->made[--fixture->made_count]);
    mrl_host__done(&fixture->host);
    free(fixture);
    return 0;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    assert_int_equal(mrl_host__init(&fixture->host), 0);
    *state = fixture;
    return 0;
}

static void want_hierarchy(struct fixture *fixture)
{
    if (geteuid())
        skip_because("making a cgroup needs root");
    if (!find_hierarchy(fixture->host.facts.cgroup_v1, fixture->root))
        skip_because("no %s hierarchy is mounted",
                     fixture->host.facts.cgroup_v1 ? "cpuset" : "cgroup2");
}

/* Makes the cgroup `name` in the one that was made last; returns its number. */
static uint64_t make_cgroup(struct fixture *fixture, const char *name)
{
    const char *parent =
        fixture->made_count ? fixture->made[fixture->made_count - 1] : fixture->root;
    char *path = fixture->made[fixture->made_count];
    struct stat made;

    assert_true(fixture->made_count < DEPTH_MAX);
    assert_true(snprintf(path, PATH_MAX, "%.2000s/%.300s", parent, name) < PATH_MAX);
    if (mkdir(path, 0755))
        skip_because("no cgroup can be made in %s: %s", parent, strerror(errno));
    fixture->made_count++;
    assert_int_equal(stat(path, &made), 0);
    return made.st_ino;
}

static uint64_t make_base(struct fixture *fixture)
{
    char name[64];

    want_hierarchy(fixture);
    snprintf(name, sizeof(name), "mrelease-test-%d", (int)getpid());
    return make_cgroup(fixture, name);
}

static void assert_container(struct mrl_text container, const char *id)
{
    if (container.size != strlen(id) || memcmp(container.bytes, id, container.size) != 0)
        fail_case("'%.*s', wanted '%s'", (int)container.size, container.bytes, id);
}

static void cgroup_number_leads_to_its_container(void **state)
{
    struct fixture *fixture = *state;
    uint64_t base = make_base(fixture), number = make_cgroup(fixture, "docker-" ID ".scope");

    assert_container(mrl_host__container(&fixture->host, number), ID);
    assert_container(mrl_host__container(&fixture->host, base), "");
    assert_container(mrl_host__container(&fixture->host, number), ID);
}

static void cgroup_within_a_container_leads_to_it(void **state)
{
    struct fixture *fixture = *state;
    uint64_t number;

    make_base(fixture);
    make_cgroup(fixture, ID);
    number = make_cgroup(fixture, "init.scope");
    assert_container(mrl_host__container(&fixture->host, number), ID);
}

static void cgroup_that_went_is_still_known(void **state)
{
    struct fixture *fixture = *state;
    uint64_t number;

    make_base(fixture);
    number = make_cgroup(fixture, "docker-" ID ".scope");
    assert_container(mrl_host__container(&fixture->host, number), ID);
    assert_int_equal(rmdir(fixture->made[--fixture->made_count]), 0);
    assert_container(mrl_host__container(&fixture->host, number), ID);
}

static void cgroup_that_does_not_exist_has_no_container(void **state)
{
    struct fixture *fixture = *state;

    assert_container(mrl_host__container(&fixture->host, UINT64_MAX - 1), "");
    assert_container(mrl_host__container(&fixture->host, 0), "");
}

static void look_up_unknown(struct fixture *fixture, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        mrl_host__container(&fixture->host, (UINT64_C(1) << 63) + first + i);
}

/* Without a bound, 20,000 entries of more than 128 bytes would come on top. */
static void cgroup_cache_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    size_t before;

    before = mallinfo2().uordblks;
    look_up_unknown(fixture, 0, 1000);
    if (mallinfo2().uordblks <= before)
        skip_because("this allocator does not tell its size");
    before = mallinfo2().uordblks;
    look_up_unknown(fixture, 1000, 20000);
    assert_true(mallinfo2().uordblks < before + 20000 * 128 / 2);
}

static void cgroup_name_longer_than_any_id_is_cut(void **state)
{
    struct fixture *fixture = *state;
    char name[200] = "docker-";
    uint64_t number;

    make_base(fixture);
    memset(name + strlen(name), 'a', sizeof(name) - strlen("docker-") - 1);
    number = make_cgroup(fixture, name);
    assert_int_equal(mrl_host__container(&fixture->host, number).size, 128);
}

/* Sets or clears CAP_DAC_READ_SEARCH, without which no handle can be opened. */
static void set_read_search(bool on)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[2];

    assert_int_equal(syscall(SYS_capget, &header, sets), 0);
    if (on)
        sets[0].effective |= 1U << CAP_DAC_READ_SEARCH;
    else
        sets[0].effective &= ~(1U << CAP_DAC_READ_SEARCH);
    assert_int_equal(syscall(SYS_capset, &header, sets), 0);
}

static void cgroup_is_found_by_a_walk_without_the_capability(void **state)
{
    struct fixture *fixture = *state;
    uint64_t number;
    struct mrl_text container;

    make_base(fixture);
    number = make_cgroup(fixture, "docker-" ID ".scope");
    set_read_search(false);
    container = mrl_host__container(&fixture->host, number);
    set_read_search(true);
    assert_container(container, ID);
}

static void cgroup_of_the_other_hierarchy_is_found_in_it(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_cgroups *cgroups;
    uint64_t number;

    if (!find_hierarchy(!fixture->host.facts.cgroup_v1, fixture->root))
        skip_because("only one kind of hierarchy is mounted");
    fixture->host.facts.cgroup_v1 = !fixture->host.facts.cgroup_v1;
    make_base(fixture);
    number = make_cgroup(fixture, "docker-" ID ".scope");
    assert_int_equal(mrl_cgroups__new(fixture->host.facts.cgroup_v1, &cgroups), 0);
    assert_container(mrl_cgroups__container(cgroups, number), ID);
    mrl_cgroups__free(cgroups);
}

static void host_without_cgroups_has_no_containers(void **state)
{
    struct mrl_host host = { 0 };

    (void)state;
    assert_container(mrl_host__container(&host, 1), "");
    mrl_host__done(&host);
    mrl_cgroups__free(NULL);
}

static void host_knows_its_clock_and_pages(void **state)
{
    struct fixture *fixture = *state;
    struct timespec boot, wall;
    int64_t now;

    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &wall);
    now = (int64_t)mrl_host__epoch(&fixture->host,
                                   (uint64_t)(boot.tv_sec * INT64_C(1000000000) + boot.tv_nsec));
    assert_true(llabs(now - (wall.tv_sec * INT64_C(1000000000) + wall.tv_nsec)) < 100000000);
    assert_int_equal(fixture->host.facts.page_bytes, getpagesize());
    assert_true(fixture->host.facts.cpus >= 1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, remove_cgroups)
    const struct CMUnitTest tests[] = {
        test(cgroup_number_leads_to_its_container),
        test(cgroup_within_a_container_leads_to_it),
        test(cgroup_that_went_is_still_known),
        test(cgroup_that_does_not_exist_has_no_container),
        test(cgroup_cache_is_bounded),
        test(cgroup_name_longer_than_any_id_is_cut),
        test(cgroup_is_found_by_a_walk_without_the_capability),
        test(cgroup_of_the_other_hierarchy_is_found_in_it),
        cmocka_unit_test(host_without_cgroups_has_no_containers),
        test(host_knows_its_clock_and_pages),
    };

    return cmocka_run_group_tests_name("cgroups", tests, NULL, NULL);
}
