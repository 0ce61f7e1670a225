// SPDX-License-Identifier: Apache-2.0
/* Kubernetes' Container Runtime Interface, v1: containerd, CRI-O, cri-dockerd. */
#include "side/names/cri.h"

#include <cri.pb-c.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/tame.h"
#include "side/names/call.h"

#define METHOD(name) "/runtime.v1.RuntimeService/" name

/* -- answers ---------------------------------------------------------------------------------- */

static void set_image(struct mrl_naming *naming, const Runtime__V1__ImageSpec *image)
{
    mrl_naming__set(naming, MRL_NAME_IMAGE, image ? image->image : NULL);
}

static void set_name(struct mrl_naming *naming, const Runtime__V1__ContainerMetadata *metadata)
{
    mrl_naming__set(naming, MRL_NAME_CONTAINER, metadata ? metadata->name : NULL);
}

/* An id may be cut in a question, and must not be in an answer. */
static bool begin(struct mrl_naming *naming,
                  enum mrl_runtime runtime,
                  const char *wanted,
                  const char *id)
{
    return (!wanted || !strcmp(wanted, id)) && mrl_naming__begin(naming, runtime, id);
}

bool mrl_cri__read_status(const ProtobufCMessage *answer,
                          enum mrl_runtime runtime,
                          const char *id,
                          struct mrl_naming *ret_naming)
{
    const Runtime__V1__ContainerStatus *status =
        ((const Runtime__V1__ContainerStatusResponse *)answer)->status;

    if (!status || !begin(ret_naming, runtime, id, status->id))
        return false;
    for (size_t i = 0; i < status->n_labels; i++)
        mrl_naming__set_label(ret_naming, status->labels[i]->key, status->labels[i]->value);
    set_name(ret_naming, status->metadata);
    set_image(ret_naming, status->image);
    mrl_naming__set(ret_naming, MRL_NAME_IMAGE_DIGEST, status->image_ref);
    return true;
}

static void set_pod(struct mrl_naming *naming, const Runtime__V1__PodSandboxMetadata *metadata)
{
    naming->names.is_sandbox = true;
    if (!metadata)
        return;
    mrl_naming__set(naming, MRL_NAME_POD, metadata->name);
    mrl_naming__set(naming, MRL_NAME_POD_NAMESPACE, metadata->namespace_);
    mrl_naming__set(naming, MRL_NAME_POD_UID, metadata->uid);
}

bool mrl_cri__read_sandbox(const ProtobufCMessage *answer,
                           enum mrl_runtime runtime,
                           const char *id,
                           struct mrl_naming *ret_naming)
{
    const Runtime__V1__PodSandboxStatus *status =
        ((const Runtime__V1__PodSandboxStatusResponse *)answer)->status;

    if (!status || !begin(ret_naming, runtime, id, status->id))
        return false;
    set_pod(ret_naming, status->metadata);
    return true;
}

bool mrl_cri__is_image_id(const struct mrl_naming *naming)
{
    const struct mrl_text image = naming->names.texts[MRL_NAME_IMAGE];

    return image.size == 64 || (image.size >= 7 && !memcmp(image.bytes, "sha256:", 7));
}

/* -- calls ------------------------------------------------------------------------------------ */

static int ask(struct mrl_asker *asker,
               const char *method,
               const ProtobufCMessage *request,
               const ProtobufCMessageDescriptor *answer,
               unsigned int timeout_ms,
               ProtobufCMessage **ret_answer)
{
    const struct mrl_call call = { method, NULL, request, answer, timeout_ms };

    return mrl_line__call(asker->state, asker, &call, ret_answer);
}

static void cri_close(struct mrl_asker *asker)
{
    mrl_line__close(asker->state);
    asker->state = NULL;
}

static int ask_version(struct mrl_asker *asker)
{
    Runtime__V1__VersionRequest request = RUNTIME__V1__VERSION_REQUEST__INIT;
    Runtime__V1__VersionResponse *version;
    ProtobufCMessage *answer;
    int err;

    request.version = (char *)(uintptr_t) "v1";
    err = ask(asker, METHOD("Version"), &request.base, &runtime__v1__version_response__descriptor,
              MRL_ASK_MS, &answer);
    if (err)
        return err;
    version = (Runtime__V1__VersionResponse *)answer;
    if (!*version->runtime_name)
        err = mrl_asker__fail(asker, -EBADMSG, "it does not say what it is");
    snprintf(asker->version, sizeof(asker->version), "%.32s %.32s, CRI %.16s",
             version->runtime_name, version->runtime_version, version->runtime_api_version);
    mrl_tame(asker->version);
    mrl_answer__free(answer);
    return err;
}

static int cri_open(struct mrl_asker *asker)
{
    struct mrl_line *line;
    int err = mrl_line__open(asker->path, &line);

    if (err)
        return err;
    asker->state = line;
    err = ask_version(asker);
    if (err)
        cri_close(asker);
    return err;
}

static int find_container(struct mrl_asker *asker, const char *id, struct mrl_naming *ret_naming)
{
    Runtime__V1__ContainerStatusRequest request = RUNTIME__V1__CONTAINER_STATUS_REQUEST__INIT;
    ProtobufCMessage *answer;
    int err;

    request.container_id = (char *)(uintptr_t)id;
    err = ask(asker, METHOD("ContainerStatus"), &request.base,
              &runtime__v1__container_status_response__descriptor, MRL_ASK_MS, &answer);
    if (err)
        return err;
    if (!mrl_cri__read_status(answer, asker->runtime, id, ret_naming))
        err = mrl_asker__fail(asker, -EBADMSG, "it tells of another container");
    mrl_answer__free(answer);
    return err;
}

static int find_sandbox(struct mrl_asker *asker, const char *id, struct mrl_naming *ret_naming)
{
    Runtime__V1__PodSandboxStatusRequest request = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;
    ProtobufCMessage *answer;
    int err;

    request.pod_sandbox_id = (char *)(uintptr_t)id;
    err = ask(asker, METHOD("PodSandboxStatus"), &request.base,
              &runtime__v1__pod_sandbox_status_response__descriptor, MRL_ASK_MS, &answer);
    if (err)
        return err;
    if (!mrl_cri__read_sandbox(answer, asker->runtime, id, ret_naming))
        err = mrl_asker__fail(asker, -EBADMSG, "it tells of another pod");
    mrl_answer__free(answer);
    return err;
}

static int cri_find(struct mrl_asker *asker, const char *id, struct mrl_naming *ret_naming)
{
    const int err = find_container(asker, id, ret_naming);

    return err == -ENOENT ? find_sandbox(asker, id, ret_naming) : err;
}

/* -- lists ------------------------------------------------------------------------------------ */

/* What a list says of a container. Under a kubelet the image is only its id there. */
static bool read_container(struct mrl_asker *asker,
                           const Runtime__V1__Container *container,
                           struct mrl_naming *room)
{
    if (!mrl_naming__begin(room, asker->runtime, container->id))
        return false;
    set_name(room, container->metadata);
    set_image(room, container->image);
    mrl_naming__set(room, MRL_NAME_IMAGE_DIGEST, container->image_ref);
    for (size_t i = 0; i < container->n_labels; i++)
        if (strcmp(container->labels[i]->key, "io.kubernetes.container.name") != 0)
            mrl_naming__set_label(room, container->labels[i]->key, container->labels[i]->value);
    return true;
}

/* A list, while it is read. */
struct listing {
    struct mrl_asker *asker;
    struct mrl_naming *room;
    void (*take)(void *context, const struct mrl_naming *naming);
    void *context;
    unsigned int count;
};

/* Each is counted, so that a list ends where none of it is of use. */
static int count_one(struct listing *listing, const char *what)
{
    if (listing->count++ < MRL_LISTED_MAX)
        return 0;
    return mrl_asker__fail(listing->asker, -E2BIG, "it lists more than %d %s: no more are taken",
                           MRL_LISTED_MAX, what);
}

/* One that has gone meanwhile is no matter. */
static int take_container(void *context, const ProtobufCMessage *item)
{
    const Runtime__V1__Container *container = (const Runtime__V1__Container *)item;
    struct listing *listing = context;
    int err = count_one(listing, "containers");

    if (err || !read_container(listing->asker, container, listing->room))
        return err;
    if (mrl_cri__is_image_id(listing->room))
        err = find_container(listing->asker, container->id, listing->room);
    if (!err)
        listing->take(listing->context, listing->room);
    return err == -ETIMEDOUT ? err : 0;
}

static int take_sandbox(void *context, const ProtobufCMessage *item)
{
    const Runtime__V1__PodSandbox *sandbox = (const Runtime__V1__PodSandbox *)item;
    struct listing *listing = context;
    int err = count_one(listing, "pods");

    if (err || !mrl_naming__begin(listing->room, listing->asker->runtime, sandbox->id))
        return err;
    set_pod(listing->room, sandbox->metadata);
    listing->take(listing->context, listing->room);
    return 0;
}

static int list_containers(struct listing *listing)
{
    Runtime__V1__ListContainersRequest request = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    const struct mrl_call call = { METHOD("ListContainers"), NULL, &request.base,
                                   &runtime__v1__container__descriptor, MRL_LIST_MS };

    return mrl_line__list(listing->asker->state, listing->asker, &call, take_container, listing);
}

static int list_sandboxes(struct listing *listing)
{
    Runtime__V1__ListPodSandboxRequest request = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    const struct mrl_call call = { METHOD("ListPodSandbox"), NULL, &request.base,
                                   &runtime__v1__pod_sandbox__descriptor, MRL_LIST_MS };

    return mrl_line__list(listing->asker->state, listing->asker, &call, take_sandbox, listing);
}

/* Where a list of containers was not taken whole, that of pods still is: the first reason counts.
 */
static int cri_list(struct mrl_asker *asker,
                    struct mrl_naming *room,
                    void (*take)(void *context, const struct mrl_naming *naming),
                    void *context)
{
    struct listing containers = { asker, room, take, context, 0 }, pods = containers;
    const int err = list_containers(&containers);
    char why[sizeof(asker->why)];
    int other;

    if (err && err != -EBADMSG && err != -E2BIG)
        return err;
    memcpy(why, asker->why, sizeof(why));
    other = list_sandboxes(&pods);
    return err && (!other || other == -EBADMSG || other == -E2BIG)
               ? mrl_asker__fail(asker, err, "%s", why)
               : other;
}

const struct mrl_asker_ops mrl_asker_cri = {
    .name = "CRI",
    .interface = MRL_INTERFACE_CRI,
    .open = cri_open,
    .close = cri_close,
    .list = cri_list,
    .find = cri_find,
};
