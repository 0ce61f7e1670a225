/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Names of containers: what a runtime (containerd, CRI-O, Docker, Podman) says of an id. Who asks
 * the runtimes is the side program "names"; whoever embeds the library may be it himself.
 */
#ifndef MRELEASE_NAMES_H
#define MRELEASE_NAMES_H

#include <mrelease/declare.h>
#include <mrelease/event.h>
#include <stdbool.h>
#include <stdint.h>

MRL_BEGIN_DECLARATIONS

/** Why there are names, or none. */
enum mrl_names_result {
    MRL_NAMES_OFF,          /**< nobody is asked */
    MRL_NAMES_PENDING,      /**< a runtime is asked */
    MRL_NAMES_KNOWN,        /**< they are known */
    MRL_NAMES_NOT_FOUND,    /**< no runtime knows the container */
    MRL_NAMES_RUNTIME_DOWN, /**< a runtime, or the side program, cannot be reached */
    MRL_NAMES_TIMEOUT,      /**< a runtime did not answer in time */
    MRL_NAMES_QUEUE_FULL,   /**< too many wait */
    MRL_NAMES_RESULTS
};

/** Who knows a container. Of a question: who would, as the path of its cgroup says. */
enum mrl_runtime {
    MRL_RUNTIME_UNKNOWN,
    MRL_RUNTIME_CONTAINERD,
    MRL_RUNTIME_CRIO,
    MRL_RUNTIME_DOCKER,
    MRL_RUNTIME_PODMAN,
    MRL_RUNTIME_CRI_DOCKERD,
    MRL_RUNTIME_CRI, /**< of a question alone: any that serves Kubernetes */
    MRL_RUNTIMES
};

/** The texts of a container. */
enum mrl_name {
    MRL_NAME_CONTAINER,
    MRL_NAME_IMAGE,
    MRL_NAME_IMAGE_DIGEST, /**< "sha256:…" or "NAME@sha256:…", by runtime */
    MRL_NAME_POD,
    MRL_NAME_POD_NAMESPACE,
    MRL_NAME_POD_UID,
    MRL_NAMES
};

/** What is known of a container. All texts are borrowed; without control characters, valid UTF-8,
 * and no longer than mrl_name__bytes_max(). */
struct mrl_container_names {
    struct mrl_text id; /**< as the cgroup's path has it: up to 64 bytes */
    enum mrl_names_result result;
    enum mrl_runtime runtime; /**< whose answer it is; MRL_RUNTIME_UNKNOWN: nobody's */
    bool is_sandbox;          /**< it is what holds a pod together, and no container of it */
    uint32_t cut;             /**< bit i: text i was longer, and was cut */
    struct mrl_text texts[MRL_NAMES]; /**< empty: there is none */
};

/** The longest that text is. */
uint32_t mrl_name__bytes_max(enum mrl_name name);

/** "known", "pending", "not_found", "runtime_down", "timeout", "queue_full", "off". Static. */
const char *mrl_names_result__word(enum mrl_names_result result);

/** "containerd", "crio", "docker", "podman", "cri-dockerd"; "": unknown. Static. */
const char *mrl_runtime__name(enum mrl_runtime runtime);

MRL_END_DECLARATIONS

#endif
