// SPDX-License-Identifier: Apache-2.0
/* From the numbers of real cgroups to containers. Makes a cgroup of its own, and removes it. */
#include <abi/record.h>
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "enrich/cgroups.h"
#include "enrich/host.h"
#include "unit/unit.h"

#define ID "ae95a93ce0c2f1b824ac4b205e4d1a3c8f724d663626c1ad23576efec64318de"

enum { DEPTH_MAX = 12 };

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

static void assert_container(struct mrl_membership found, const char *id)
{
    enum mrl_lookup lookup = *id ? MRL_LOOKUP_KNOWN : MRL_LOOKUP_HOST;

    if (found.id.size != strlen(id) || memcmp(found.id.bytes, id, found.id.size) != 0 ||
        found.lookup != lookup)
        fail_case("'%.*s' (%d), wanted '%s'", (int)found.id.size, found.id.bytes, found.lookup, id);
}

static void assert_unknown(struct mrl_membership found, enum mrl_lookup lookup)
{
    if (found.id.size || found.lookup != lookup)
        fail_case("'%.*s' (%d), wanted %d", (int)found.id.size, found.id.bytes, found.lookup,
                  lookup);
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

    assert_unknown(mrl_host__container(&fixture->host, UINT64_MAX - 1), MRL_LOOKUP_NOT_FOUND);
    assert_container(mrl_host__container(&fixture->host, 0), "");
}

static struct mrl_cgroup_names names_of(uint64_t id, const char *const *nodes, unsigned int count)
{
    struct mrl_cgroup_names names = { .size = sizeof(names),
                                      .event = MRL_RECORD_CGROUP,
                                      .flags = MRL_CGROUP_WHOLE,
                                      .count = count,
                                      .cgroup_id = id };

    for (unsigned int i = 0; i < count; i++)
        snprintf(names.nodes[i], sizeof(names.nodes[i]), "%s", nodes[i]);
    return names;
}

static int describe(struct fixture *fixture, const struct mrl_cgroup_names *names)
{
    return fixture->host.describe(fixture->host.containers, names, sizeof(*names));
}

#define NODES(...)                        \
    (const char *const[]){ __VA_ARGS__ }, \
        sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)

/* Innermost first; the root's name is empty. There is no such cgroup on this host. */
static void say(struct fixture *fixture, uint64_t id, const char *const *nodes, unsigned int count)
{
    struct mrl_cgroup_names names = names_of(id, nodes, count);

    assert_int_equal(describe(fixture, &names), 0);
}

enum { GONE = 0x7fffff01 };

/* Without a bound, 20,000 entries of more than 128 bytes would come on top. */
static void cgroup_cache_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    size_t before;

    for (unsigned int i = 0; i < 9000; i++)
        say(fixture, GONE + i, NODES("init.scope", ""));
    before = mallinfo2().uordblks;
    if (!before)
        skip_because("this allocator does not tell its size");
    for (unsigned int i = 9000; i < 29000; i++)
        say(fixture, GONE + i, NODES("init.scope", ""));
    assert_true(mallinfo2().uordblks < before + 20000 * 128 / 2);
}

/* The probes describe a cgroup once: what is in use must not be forgotten for what is not. */
static void cgroup_in_use_is_not_forgotten(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, GONE, NODES("docker-" ID ".scope", "system.slice", ""));
    for (unsigned int i = 1; i < 30000; i++) {
        say(fixture, GONE + i, NODES("init.scope", ""));
        if (i % 1000 == 0)
            assert_container(mrl_host__container(&fixture->host, GONE), ID);
    }
}

static void cgroup_name_that_is_no_id_is_the_hosts(void **state)
{
    struct fixture *fixture = *state;
    char name[200] = "docker-";
    uint64_t number;

    make_base(fixture);
    memset(name + strlen(name), 'a', sizeof(name) - strlen("docker-") - 1);
    number = make_cgroup(fixture, name);
    assert_container(mrl_host__container(&fixture->host, number), "");
    number = make_cgroup(fixture, "docker-compose@myapplication.service");
    assert_container(mrl_host__container(&fixture->host, number), "");
}

/* -- what the probes say ---------------------------------------------------------------------- */

static void cgroup_is_known_from_the_probes_alone(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, GONE, NODES("docker-" ID ".scope", "system.slice", ""));
    assert_container(mrl_host__container(&fixture->host, GONE), ID);
    assert_true(mrl_host__container(&fixture->host, GONE).confirmed);
    say(fixture, GONE + 1, NODES("ssh.service", "system.slice", ""));
    assert_container(mrl_host__container(&fixture->host, GONE + 1), "");
    assert_false(mrl_host__container(&fixture->host, GONE + 1).confirmed);
}

static void cgroup_whose_names_are_not_whole_is_not_the_hosts(void **state)
{
    struct mrl_cgroup_names names = names_of(GONE, NODES("h", "g", "f", "e", "d", "c", "b", "a"));
    struct fixture *fixture = *state;

    names.flags = 0;
    assert_int_equal(describe(fixture, &names), 0);
    assert_unknown(mrl_host__container(&fixture->host, GONE), MRL_LOOKUP_NOT_FOUND);
    names = names_of(GONE, NODES("h", "docker-" ID ".scope", "f", "e", "d", "c", "b", "a"));
    names.flags = 0;
    assert_int_equal(describe(fixture, &names), 0);
    assert_container(mrl_host__container(&fixture->host, GONE), ID);
    assert_false(mrl_host__container(&fixture->host, GONE).confirmed);
    /* a name that was cut may have held an id */
    names = names_of(GONE + 1, NODES("x", ""));
    memset(names.nodes[0], 'x', sizeof(names.nodes[0]) - 1);
    assert_int_equal(describe(fixture, &names), 0);
    assert_unknown(mrl_host__container(&fixture->host, GONE + 1), MRL_LOOKUP_NOT_FOUND);
}

/* Whoever is in a container can make cgroups in it until the probes no longer tell its own. */
static void a_cgroup_deep_within_a_container_is_of_it(void **state)
{
    static const char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct mrl_cgroup_names names =
        names_of(GONE, NODES("docker-" ID ".scope", "7", "6", "5", "4", "3", "2", "1"));
    struct fixture *fixture = *state;

    names.flags = 0;
    assert_int_equal(describe(fixture, &names), 0); /* it went: nobody knows what was around */
    assert_container(mrl_host__container(&fixture->host, GONE), ID);
    assert_true(mrl_host__container(&fixture->host, GONE).is_claim);
    say(fixture, GONE + 1, NODES(ID, "docker", ""));
    assert_unknown(mrl_host__container(&fixture->host, GONE), MRL_LOOKUP_UNREADABLE);

    make_base(fixture);
    make_cgroup(fixture, "docker");
    make_cgroup(fixture, other);
    for (unsigned int i = 1; i <= 7; i++)
        make_cgroup(fixture, (const char[]){ (char)('0' + i), '\0' });
    names.cgroup_id = make_cgroup(fixture, "docker-" ID ".scope");
    assert_int_equal(describe(fixture, &names), 0);
    assert_container(mrl_host__container(&fixture->host, names.cgroup_id), other);
}

static void names_that_no_probe_writes_are_refused(void **state)
{
    struct mrl_cgroup_names good = names_of(GONE, NODES("a", "")), bad = good;
    struct fixture *fixture = *state;

    assert_int_equal(fixture->host.describe(fixture->host.containers, &good, sizeof(good) - 1),
                     -EBADMSG);
    bad.count = MRL_CGROUP_NODES + 1;
    assert_int_equal(describe(fixture, &bad), -EBADMSG);
    bad.count = 0;
    assert_int_equal(describe(fixture, &bad), -EBADMSG);
    bad = good;
    bad.size--;
    assert_int_equal(describe(fixture, &bad), -EBADMSG);
    bad = good;
    memset(bad.nodes, 'x', sizeof(bad.nodes));
    bad.count = MRL_CGROUP_NODES;
    assert_int_equal(describe(fixture, &bad), 0); /* no NUL anywhere: all names are cut */
}

/* A cgroup within a container, or of a user, may have any name: it does not take another's id. */
static void claim_of_anothers_container_is_given_up(void **state)
{
    static const char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct fixture *fixture = *state;

    say(fixture, GONE, NODES(ID, "docker", other, "docker", ""));
    assert_container(mrl_host__container(&fixture->host, GONE), ID);
    assert_false(mrl_host__container(&fixture->host, GONE).confirmed);
    say(fixture, GONE + 1, NODES("docker-" ID ".scope", "app.slice", "user@1000.service", ""));
    assert_container(mrl_host__container(&fixture->host, GONE + 1), ID);
    /* Now the real one. */
    say(fixture, GONE + 2, NODES(ID, "docker", ""));
    assert_container(mrl_host__container(&fixture->host, GONE), other);
    assert_container(mrl_host__container(&fixture->host, GONE + 1), "");
    assert_container(mrl_host__container(&fixture->host, GONE + 2), ID);
    assert_true(mrl_host__container(&fixture->host, GONE + 2).confirmed);
    /* And the other way around. */
    say(fixture, GONE + 3, NODES(ID, "docker", other, "docker", ""));
    assert_container(mrl_host__container(&fixture->host, GONE + 3), other);
    /* Another cgroup of the container itself claims nothing. */
    say(fixture, GONE + 4, NODES("init.scope", ID, "docker", ""));
    assert_container(mrl_host__container(&fixture->host, GONE + 4), ID);
    assert_container(mrl_host__container(&fixture->host, GONE + 2), ID);
}

static struct mrl_names_place *place_of(const struct fixture *fixture, uint64_t cgroup)
{
    return mrl_host__container(&fixture->host, cgroup).place;
}

/* It is of the id that the cgroup had. */
static void a_cgroup_of_another_container_forgets_where_its_names_are(void **state)
{
    static const char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct fixture *fixture = *state;

    say(fixture, GONE, NODES(ID, "docker", other, "docker", ""));
    *place_of(fixture, GONE) = (struct mrl_names_place){ fixture, 1 };
    assert_int_equal(place_of(fixture, GONE)->generation, 1);
    say(fixture, GONE + 1, NODES(ID, "docker", "")); /* the one that GONE only claims to be */
    assert_container(mrl_host__container(&fixture->host, GONE), other);
    assert_int_equal(place_of(fixture, GONE)->generation, 0);
    *place_of(fixture, GONE) = (struct mrl_names_place){ fixture, 1 };
    say(fixture, GONE, NODES(other, "docker", ""));
    assert_int_equal(place_of(fixture, GONE)->generation, 0);
}

/* -- errors ----------------------------------------------------------------------------------- */

static void error_is_no_answer_and_is_not_remembered(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit, none;
    uint64_t number;

    make_base(fixture);
    number = make_cgroup(fixture, "docker-" ID ".scope");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){ 0, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_unknown(mrl_host__container(&fixture->host, number), MRL_LOOKUP_UNREADABLE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_container(mrl_host__container(&fixture->host, number), ID);
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
    struct mrl_membership container;

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
        test(cgroup_in_use_is_not_forgotten),
        test(cgroup_name_that_is_no_id_is_the_hosts),
        test(cgroup_is_known_from_the_probes_alone),
        test(cgroup_whose_names_are_not_whole_is_not_the_hosts),
        test(a_cgroup_deep_within_a_container_is_of_it),
        test(names_that_no_probe_writes_are_refused),
        test(claim_of_anothers_container_is_given_up),
        test(a_cgroup_of_another_container_forgets_where_its_names_are),
        test(error_is_no_answer_and_is_not_remembered),
        test(cgroup_is_found_by_a_walk_without_the_capability),
        test(cgroup_of_the_other_hierarchy_is_found_in_it),
        cmocka_unit_test(host_without_cgroups_has_no_containers),
        test(host_knows_its_clock_and_pages),
    };

    return cmocka_run_group_tests_name("cgroups", tests, NULL, NULL);
}
