// SPDX-License-Identifier: Apache-2.0
/* Container ids in cgroup paths, as the runtimes spell them. */
#include <string.h>

#include "enrich/cgroups.h"
#include "unit/unit.h"

#define ID_A   "ae95a93ce0c2f1b824ac4b205e4d1a3c8f724d663626c1ad23576efec64318de"
#define ID_B   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD    "0f7ad251-39da-44f7-af28-34a0e971be3e"
#define POD_   "0f7ad251_39da_44f7_af28_34a0e971be3e"
#define GARDEN "0f7ad251-39da-44f7-af28-34a0"

struct path_case {
    const char *path, *id;
};

static void check_cases(const struct path_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mrl_text id = mrl_container_path__parse(cases[i].path).id;

        if (id.size != strlen(cases[i].id) || memcmp(id.bytes, cases[i].id, id.size) != 0)
            fail_case("%s: '%.*s', wanted '%s'", cases[i].path, (int)id.size, id.bytes,
                      cases[i].id);
    }
}

static void container_is_found_in_the_paths_of_runtimes(void **state)
{
    static const struct path_case cases[] = {
        /* docker under cgroupfs and under systemd; v1 paths have their controller in front */
        { "/docker/" ID_A, ID_A },
        { "/sys/fs/cgroup/cpuset/docker/" ID_A, ID_A },
        { "/sys/fs/cgroup/system.slice/docker-" ID_A ".scope", ID_A },
        { "/sys/fs/cgroup/unified/system.slice/docker-" ID_A ".scope", ID_A },
        { "/sys/fs/cgroup/cpuset/system.slice/docker-" ID_A ".scope", ID_A },
        { "/actions_job/" ID_A, ID_A },
        { "docker-" ID_A, ID_A },
        /* containerd */
        { "/system.slice/cri-containerd-" ID_A ".scope", ID_A },
        { "/kubepods.slice/kubepods-pod" POD_ ".slice/cri-containerd-" ID_A ".scope", ID_A },
        { "/kubepods-besteffort-pod" POD_ ".slice:cri-containerd:" ID_A, ID_A },
        { "/system.slice/containerd.service/kubepods-burstable-pod" POD_
          ".slice:cri-containerd:" ID_A,
          ID_A },
        { "/a:cri-containerd:ignored:cri-containerd:" ID_A, ID_A },
        /* CRI-O and podman */
        { "/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" ID_A ".scope", ID_A },
        { "/machine.slice/libpod-" ID_A ".scope", ID_A },
        { "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID_A ".scope", ID_A },
        { "/machine.slice/libpod-" ID_A ".scope/container", ID_A },
        /* Kubernetes without systemd */
        { "/kubepods/pod" POD "/" ID_A, ID_A },
        { "/kubepods/burstable/pod" POD "/" ID_A, ID_A },
        { "/sys/fs/cgroup/memory/kubepods/besteffort/pod" POD "/" ID_A, ID_A },
        /* bare ids of other runtimes, with and without a scope */
        { "/" ID_A, ID_A },
        { "/ecs/task/" ID_A, ID_A },
        { "/any.slice/" ID_A ".scope", ID_A },
        { ID_A, ID_A },
        { "/garden/" GARDEN, GARDEN },
        { "/system.garden.slice/" GARDEN ".scope", GARDEN },
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

static void container_is_the_innermost(void **state)
{
    static const struct path_case cases[] = {
        { "/docker/" ID_A "/docker/" ID_B, ID_B },
        { "/system.slice/docker-" ID_A ".scope/kubepods/pod" POD "/" ID_B, ID_B },
        { "/docker/" ID_A "/init.scope", ID_A },
        { "/docker/" ID_A "/system.slice/sshd.service", ID_A },
        { "/docker/" ID_A "/", ID_A },
        { "/docker/" ID_A "//x", ID_A },
        { "/docker/" ID_A "/system.slice/a-service-with-a-rather-long-name.service", ID_A },
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

static void container_monitors_are_skipped(void **state)
{
    static const struct path_case cases[] = {
        { "/machine.slice/libpod-conmon-" ID_A ".scope", "" },
        { "/kubepods.slice/crio-conmon-" ID_A ".scope", "" },
        { "/docker/" ID_B "/machine.slice/libpod-conmon-" ID_A ".scope", ID_B },
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

static void container_is_empty_on_the_host(void **state)
{
    static const struct path_case cases[] = {
        { "", "" },
        { "/", "" },
        { "///", "" },
        { "/sys/fs/cgroup", "" },
        { "/init.scope", "" },
        { "/system.slice/ssh.service", "" },
        { "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-terminal.scope", "" },
        { "/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service", "" },
        { "/kubepods/burstable/pod" POD, "" },
        { "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_ ".slice", "" },
        /* shorter than any id, though they have a runtime's prefix */
        { "/docker-0123456789abcdef", "" },
        { "/crio-01234.scope", "" },
        { "/libpod-0123456789.scope", "" },
        /* almost an id */
        { "/docker/ae95a93ce0c2f1b824ac4b205e4d1a3c8f724d663626c1ad23576efec64318d", "" },
        { "/docker/" ID_A "0", "" },
        { "/docker/ge95a93ce0c2f1b824ac4b205e4d1a3c8f724d663626c1ad23576efec64318de", "" },
        { "/garden/0f7ad251-39da-44f7-af28-34ag", "" },
        { "/garden/0f7ad251039da-44f7-af28-34a0", "" },
        { "/garden/0f7ad25-139da-44f7-af28-34a0", "" },
        { "/garden/" POD, "" },
        /* a runtime's prefix, and something else behind it */
        { "/system.slice/system-docker\\x2dcompose.slice/docker-compose@myapplication.service",
          "" },
        { "/system.slice/libpod-volume-cleanup@nightly-and-more.service", "" },
        { "/system.slice/crio-wipe-but-with-a-longer-name.service", "" },
        { "/system.slice/cri-containerd-of-somebody-else.scope", "" },
        { "/system.slice/docker-\033[31m\033[31m\033[31m\033[31m\033[31m.scope", "" },
        { "/docker-" ID_A "0.scope", "" },
        { "/a:cri-containerd:0123456789012345678901234567", "" },
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

/* Who makes the name: the host's root, whoever is in a container, or a user. */
static void container_name_within_another_is_a_claim(void **state)
{
    static const struct {
        const char *path, *id, *outer;
        bool is_claim, confirmed;
    } cases[] = {
        { "/docker/" ID_A, ID_A, "", false, true },
        { "/docker/" ID_A "/init.scope", ID_A, "", false, true },
        { "/kubepods.slice/pod.slice/cri-containerd-" ID_A ".scope/system.slice", ID_A, "", false,
          true },
        { "/kubepods/pod" POD "/" ID_A, ID_A, "", false, true },
        { "/garden/" GARDEN, GARDEN, "", false, true },
        /* no shape of a runtime that Tracee knows */
        { "/ecs/task/" ID_A, ID_A, "", false, false },
        { "/dockers/" ID_A, ID_A, "", false, false },
        /* of a shape that a runtime within would give */
        { "/docker/" ID_A "/docker/" ID_B, ID_B, ID_A, true, false },
        { "/docker/" ID_A "/x/docker-" ID_B ".scope/docker/" POD, ID_B, ID_A, true, false },
        { "/docker/" ID_A "/docker/" ID_B "/docker/" ID_A, ID_A, ID_A, true, false },
        /* just a name */
        { "/docker/" ID_A "/" ID_B, ID_A, "", false, true },
        { "/docker/" ID_A "/a/" ID_B "/b", ID_A, "", false, true },
        /* a user's own */
        { "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID_A ".scope", ID_A,
          "", true, false },
        { "/docker/" ID_A "/user.slice/user@1000.service/app", ID_A, "", false, true },
        { "/system.slice/sshd.service", "", "", false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct mrl_container_path found = mrl_container_path__parse(cases[i].path);

        if (found.id.size != strlen(cases[i].id) ||
            memcmp(found.id.bytes, cases[i].id, found.id.size) != 0 ||
            found.outer.size != strlen(cases[i].outer) ||
            memcmp(found.outer.bytes, cases[i].outer, found.outer.size) != 0 ||
            found.is_claim != cases[i].is_claim || found.confirmed != cases[i].confirmed)
            fail_case("%s: '%.*s' in '%.*s', claim %d, confirmed %d", cases[i].path,
                      (int)found.id.size, found.id.bytes, (int)found.outer.size, found.outer.bytes,
                      found.is_claim, found.confirmed);
    }
}

static void container_text_is_borrowed_from_the_path(void **state)
{
    static const char path[] = "/system.slice/docker-" ID_A ".scope";

    (void)state;
    assert_ptr_equal(mrl_container_path__parse(path).id.bytes, strstr(path, ID_A));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_is_found_in_the_paths_of_runtimes),
        cmocka_unit_test(container_is_the_innermost),
        cmocka_unit_test(container_monitors_are_skipped),
        cmocka_unit_test(container_is_empty_on_the_host),
        cmocka_unit_test(container_name_within_another_is_a_claim),
        cmocka_unit_test(container_text_is_borrowed_from_the_path),
    };

    return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
