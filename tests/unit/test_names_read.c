// SPDX-License-Identifier: Apache-2.0
/* What runtimes say of one container: which of it becomes which name, and of whom it must be. */
#include <cri.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "side/names/cri.h"
#include "side/names/docker.h"
#include "unit/problems.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "0123456789ab"

/* "container image digest pod namespace uid", and whether it holds a pod together. */
static const char *joined(const struct mrl_naming *naming)
{
    static const enum mrl_name order[] = { MRL_NAME_CONTAINER,     MRL_NAME_IMAGE,
                                           MRL_NAME_IMAGE_DIGEST,  MRL_NAME_POD,
                                           MRL_NAME_POD_NAMESPACE, MRL_NAME_POD_UID };
    static char text[1024];
    size_t used = 0;

    for (size_t i = 0; i < COUNT_OF(order); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s ",
                                 (int)naming->names.texts[order[i]].size,
                                 naming->names.texts[order[i]].bytes);
    snprintf(text + used, sizeof(text) - used, "%d", naming->names.is_sandbox);
    return text;
}

/* -- Docker ----------------------------------------------------------------------------------- */

static void a_container_of_docker_has_its_own_name_and_the_labels_of_the_kubelet(void **state)
{
    static const struct {
        const char *text, *joined, *image;
    } cases[] = {
        { "{\"Id\":\"" ID "\",\"Names\":[\"/other/link\",\"/web\"],\"Image\":\"nginx\",\"ImageID\":"
          "\"sha256:1\"}",
          "web nginx     0", "sha256:1" },
        { "{\"Id\":\"" ID "\",\"Names\":[\"web\"],\"Labels\":{\"io.kubernetes.pod.name\":\"p\","
          "\"io.kubernetes.pod.namespace\":\"n\",\"io.kubernetes.pod.uid\":\"u\","
          "\"io.kubernetes.container.name\":\"c\",\"maintainer\":\"x\"}}",
          "web   p n u 0", NULL },
        { "{\"Id\":\"" ID "\",\"Labels\":{\"io.kubernetes.docker.type\":\"podsandbox\"}}",
          "      1", NULL },
        { "{\"Id\":\"" ID "\",\"Labels\":{\"com.docker.type\":\"sandbox\"}}", "      1", NULL },
        { "{\"Id\":\"" ID "\",\"Labels\":{\"com.docker.type\":\"container\"}}", "      0", NULL },
        { "{\"Id\":\"" ID "\",\"Names\":{},\"Labels\":[],\"Image\":7}", "      0", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *container = json_loads(cases[i].text, 0, NULL);
        const char *image = "";
        struct mrl_naming naming;

        assert_non_null(container);
        if (!mrl_docker__read_container(container, MRL_RUNTIME_DOCKER, &naming, &image) ||
            strcmp(joined(&naming), cases[i].joined) != 0 || !image != !cases[i].image ||
            (image && strcmp(image, cases[i].image) != 0))
            problem("case %zu: '%s', %s", i, joined(&naming), image ? image : "no image");
        json_decref(container);
    }
    assert_int_equal(problems, 0);
}

static void what_has_no_id_is_no_container(void **state)
{
    static const char *const cases[] = { "{}", "{\"Id\":7}", "{\"Id\":\"\"}", "{\"Id\":\"../x\"}",
                                         "[]" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *container = json_loads(cases[i], 0, NULL);
        struct mrl_naming naming;
        const char *image;

        assert_non_null(container);
        if (mrl_docker__read_container(container, MRL_RUNTIME_DOCKER, &naming, &image))
            problem("'%s' is taken", cases[i]);
        json_decref(container);
    }
    assert_int_equal(problems, 0);
}

static void the_first_digest_of_an_image_is_its_digest(void **state)
{
    static const char *const cases[][2] = {
        { "{\"RepoDigests\":[\"a@sha256:1\",\"b@sha256:2\"]}", "  a@sha256:1    0" },
        { "{\"RepoDigests\":[]}", "      0" },
        { "{\"RepoDigests\":null}", "      0" },
        { "[", "      0" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_naming naming;

        assert_true(mrl_naming__begin(&naming, MRL_RUNTIME_DOCKER, ID));
        mrl_docker__read_digest(cases[i][0], strlen(cases[i][0]), &naming);
        if (strcmp(joined(&naming), cases[i][1]) != 0)
            problem("case %zu: '%s'", i, joined(&naming));
    }
    assert_int_equal(problems, 0);
}

/* -- CRI -------------------------------------------------------------------------------------- */

static void a_status_of_cri_is_of_whom_was_asked_for(void **state)
{
    char id[] = ID, cut[] = OTHER, image[] = "nginx:1", ref[] = "sha256:1", web[] = "web";
    Runtime__V1__ContainerMetadata metadata = RUNTIME__V1__CONTAINER_METADATA__INIT;
    Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;
    Runtime__V1__ContainerStatus status = RUNTIME__V1__CONTAINER_STATUS__INIT;
    Runtime__V1__ContainerStatusResponse answer = RUNTIME__V1__CONTAINER_STATUS_RESPONSE__INIT;
    struct mrl_naming naming;

    (void)state;
    assert_false(mrl_cri__read_status(&answer.base, MRL_RUNTIME_CONTAINERD, ID, &naming));
    answer.status = &status;
    status.id = id;
    assert_true(mrl_cri__read_status(&answer.base, MRL_RUNTIME_CONTAINERD, ID, &naming));
    assert_string_equal(joined(&naming), "      0");
    status.metadata = &metadata;
    status.image = &spec;
    metadata.name = web;
    spec.image = image;
    status.image_ref = ref;
    assert_true(mrl_cri__read_status(&answer.base, MRL_RUNTIME_CONTAINERD, ID, &naming));
    assert_string_equal(joined(&naming), "web nginx:1 sha256:1    0");
    /* A question may have been cut, and then another has the answer. */
    status.id = cut;
    assert_false(mrl_cri__read_status(&answer.base, MRL_RUNTIME_CONTAINERD, ID, &naming));
}

static void a_pod_of_cri_is_one(void **state)
{
    char id[] = ID, cut[] = OTHER, name[] = "p", space[] = "n", uid[] = "u";
    Runtime__V1__PodSandboxMetadata metadata = RUNTIME__V1__POD_SANDBOX_METADATA__INIT;
    Runtime__V1__PodSandboxStatus status = RUNTIME__V1__POD_SANDBOX_STATUS__INIT;
    Runtime__V1__PodSandboxStatusResponse answer = RUNTIME__V1__POD_SANDBOX_STATUS_RESPONSE__INIT;
    struct mrl_naming naming;

    (void)state;
    answer.status = &status;
    status.id = id;
    assert_true(mrl_cri__read_sandbox(&answer.base, MRL_RUNTIME_CRIO, ID, &naming));
    assert_string_equal(joined(&naming), "      1");
    status.metadata = &metadata;
    metadata.name = name;
    metadata.namespace_ = space;
    metadata.uid = uid;
    assert_true(mrl_cri__read_sandbox(&answer.base, MRL_RUNTIME_CRIO, ID, &naming));
    assert_string_equal(joined(&naming), "   p n u 1");
    status.id = cut;
    assert_false(mrl_cri__read_sandbox(&answer.base, MRL_RUNTIME_CRIO, ID, &naming));
}

/* Under a kubelet a list says no more of an image, and who asks for the container learns it. */
static void an_image_that_is_an_id_is_known_for_one(void **state)
{
    static const struct {
        const char *image;
        bool is_id;
    } cases[] = { { ID, true },
                  { "sha256:" ID, true },
                  { "sha256:1", true },
                  { "nginx", false },
                  { "", false },
                  { "sha256", false },
                  { "docker.io/library/nginx:1.27", false } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_naming naming;

        assert_true(mrl_naming__begin(&naming, MRL_RUNTIME_CONTAINERD, ID));
        mrl_naming__set(&naming, MRL_NAME_IMAGE, cases[i].image);
        if (mrl_cri__is_image_id(&naming) != cases[i].is_id)
            problem("'%s'", cases[i].image);
    }
    assert_int_equal(problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_container_of_docker_has_its_own_name_and_the_labels_of_the_kubelet,
                               forget_problems),
        cmocka_unit_test_setup(what_has_no_id_is_no_container, forget_problems),
        cmocka_unit_test_setup(the_first_digest_of_an_image_is_its_digest, forget_problems),
        cmocka_unit_test(a_status_of_cri_is_of_whom_was_asked_for),
        cmocka_unit_test(a_pod_of_cri_is_one),
        cmocka_unit_test_setup(an_image_that_is_an_id_is_known_for_one, forget_problems),
    };

    mrl_docker__bound_memory();
    return cmocka_run_group_tests_name("names_read", tests, NULL, NULL);
}
