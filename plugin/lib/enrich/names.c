// SPDX-License-Identifier: Apache-2.0
/* The words of names. */
#include <mrelease/names.h>
#include <stddef.h>

static const uint32_t longest[MRL_NAMES] = {
    [MRL_NAME_CONTAINER] = 256, [MRL_NAME_IMAGE] = 512,         [MRL_NAME_IMAGE_DIGEST] = 512,
    [MRL_NAME_POD] = 256,       [MRL_NAME_POD_NAMESPACE] = 256, [MRL_NAME_POD_UID] = 64,
};

static const char *const words[MRL_NAMES_RESULTS] = {
    [MRL_NAMES_OFF] = "off",
    [MRL_NAMES_PENDING] = "pending",
    [MRL_NAMES_KNOWN] = "known",
    [MRL_NAMES_NOT_FOUND] = "not_found",
    [MRL_NAMES_RUNTIME_DOWN] = "runtime_down",
    [MRL_NAMES_TIMEOUT] = "timeout",
    [MRL_NAMES_QUEUE_FULL] = "queue_full",
};

static const char *const runtimes[MRL_RUNTIMES] = {
    [MRL_RUNTIME_UNKNOWN] = "",      [MRL_RUNTIME_CONTAINERD] = "containerd",
    [MRL_RUNTIME_CRIO] = "crio",     [MRL_RUNTIME_DOCKER] = "docker",
    [MRL_RUNTIME_PODMAN] = "podman", [MRL_RUNTIME_CRI_DOCKERD] = "cri-dockerd",
    [MRL_RUNTIME_CRI] = "cri",
};

uint32_t mrl_name__bytes_max(enum mrl_name name)
{
    return longest[name];
}

const char *mrl_names_result__word(enum mrl_names_result result)
{
    return words[result];
}

const char *mrl_runtime__name(enum mrl_runtime runtime)
{
    return runtimes[runtime];
}
