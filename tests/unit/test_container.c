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
        struct mrl_text id = mrl_container_of_path(cases[i].path);

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
    };

    (void)state;
    check_cases(cases, COUNT_OF(cases));
}

static void container_text_is_borrowed_from_the_path(void **state)
{
    static const char path[] = "/system.slice/docker-" ID_A ".scope";

    (void)state;
    assert_ptr_equal(mrl_container_of_path(path).bytes, strstr(path, ID_A));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_is_found_in_the_paths_of_runtimes),
        cmocka_unit_test(container_is_the_innermost),
        cmocka_unit_test(container_monitors_are_skipped),
        cmocka_unit_test(container_is_empty_on_the_host),
        cmocka_unit_test(container_text_is_borrowed_from_the_path),
    };

    return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
