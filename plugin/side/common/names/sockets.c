// SPDX-License-Identifier: Apache-2.0
/* Where runtimes listen. No public function: the program has a copy of its own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "side/common/names/service.h"

/* Each is looked for at every start, and later again: a runtime may come. */
static const struct mrl_names_socket usual[] = {
    { MRL_RUNTIME_CONTAINERD, "/run/containerd/containerd.sock" },
    { MRL_RUNTIME_CONTAINERD, "/run/k3s/containerd/containerd.sock" },
    { MRL_RUNTIME_CONTAINERD, "/var/snap/microk8s/common/run/containerd.sock" },
    { MRL_RUNTIME_CONTAINERD, "/run/host-containerd/containerd.sock" },
    { MRL_RUNTIME_CRIO, "/run/crio/crio.sock" },
    { MRL_RUNTIME_CRI_DOCKERD, "/run/cri-dockerd.sock" },
    { MRL_RUNTIME_DOCKER, "/run/docker.sock" },
    { MRL_RUNTIME_PODMAN, "/run/podman/podman.sock" },
};

const struct mrl_names_socket *mrl_names__usual_sockets(size_t *ret_count)
{
    *ret_count = sizeof(usual) / sizeof(usual[0]);
    return usual;
}

/* The words of people, and Tracee's second one for CRI-O. */
static const struct {
    const char *word;
    enum mrl_runtime runtime;
} words[] = {
    { "containerd", MRL_RUNTIME_CONTAINERD },
    { "crio", MRL_RUNTIME_CRIO },
    { "cri-o", MRL_RUNTIME_CRIO },
    { "docker", MRL_RUNTIME_DOCKER },
    { "podman", MRL_RUNTIME_PODMAN },
    { "cri-dockerd", MRL_RUNTIME_CRI_DOCKERD },
};

static enum mrl_runtime find_runtime(const char *word, size_t size)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i].word) == size && !memcmp(words[i].word, word, size))
            return words[i].runtime;
    return MRL_RUNTIME_UNKNOWN;
}

static int say_unknown(const char *text, size_t size, struct mrl_error *error)
{
    const char *known[sizeof(words) / sizeof(words[0])];
    char word[32];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        known[i] = words[i].word;
    snprintf(word, sizeof(word), "%.*s", (int)(size < sizeof(word) ? size : sizeof(word)), text);
    return mrl_error__unknown(error, "runtime", word, known, sizeof(known) / sizeof(known[0]));
}

int mrl_names_socket__read(const char *text,
                           struct mrl_names_socket *ret_socket,
                           struct mrl_error *error)
{
    const char *equals = strchr(text, '=');
    const size_t size = equals ? (size_t)(equals - text) : strlen(text);
    const enum mrl_runtime runtime = find_runtime(text, size);

    if (runtime == MRL_RUNTIME_UNKNOWN)
        return say_unknown(text, size, error);
    if (!equals || equals[1] != '/')
        return mrl_error__set(error, -EINVAL, "'%.128s': it is RUNTIME=PATH, of a socket", text);
    if (strlen(equals + 1) >= MRL_NAMES_PATH_BYTES)
        return mrl_error__set(error, -EINVAL, "'%.40s...': no path of a socket is longer than %d",
                              text, MRL_NAMES_PATH_BYTES - 1);
    *ret_socket = (struct mrl_names_socket){ .runtime = runtime };
    memcpy(ret_socket->path, equals + 1, strlen(equals + 1));
    return 0;
}

int mrl_names_options__add(void *member, const char *text, struct mrl_error *error)
{
    struct mrl_names_options *options = member;
    struct mrl_names_socket socket;
    size_t i = 0;
    int err = mrl_names_socket__read(text, &socket, error);

    while (i < MRL_NAMES_SOCKETS_MAX && options->sockets[i].runtime != MRL_RUNTIME_UNKNOWN)
        i++;
    if (err || i == MRL_NAMES_SOCKETS_MAX)
        return err ? err : mrl_error__set(error, -E2BIG, "no more than %zu sockets", i);
    options->sockets[i] = socket;
    return 0;
}
