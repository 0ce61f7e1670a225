// SPDX-License-Identifier: Apache-2.0
/* containerd's own interface: for containers that Kubernetes does not know ("ctr", nerdctl). */
#include <containerd.pb-c.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side/names/call.h"

#define SERVICE(name) "/containerd.services." name

enum { NAMESPACES_MAX = 16, NAMESPACE_BYTES = 77 /* with its NUL: containerd allows no more */ };

struct native {
    struct mrl_line *line;
};

static int ask(struct mrl_asker *asker,
               const char *method,
               const char *name_space,
               const ProtobufCMessage *request,
               const ProtobufCMessageDescriptor *answer,
               ProtobufCMessage **ret_answer)
{
    const struct native *native = asker->state;
    const struct mrl_call call = { method, name_space, request, answer, MRL_ASK_MS };

    return mrl_line__call(native->line, asker, &call, ret_answer);
}

/* Docker's are found by Docker, with their names, and Kubernetes' by CRI. As a header, a name must
 * be plain. */
static bool is_asked(const char *name_space)
{
    const size_t size = strlen(name_space);

    return size && size < NAMESPACE_BYTES && strcmp(name_space, "moby") != 0 &&
           strspn(name_space,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == size;
}

static int list_namespaces(struct mrl_asker *asker, ProtobufCMessage **ret_answer)
{
    Containerd__Services__ListNamespacesRequest request =
        CONTAINERD__SERVICES__LIST_NAMESPACES_REQUEST__INIT;

    return ask(asker, SERVICE("namespaces.v1.Namespaces/List"), NULL, &request.base,
               &containerd__services__list_namespaces_response__descriptor, ret_answer);
}

/* An image may be gone, and its digest with it. */
static void set_digest(struct mrl_asker *asker, const char *name_space, struct mrl_naming *naming)
{
    Containerd__Services__GetImageRequest request = CONTAINERD__SERVICES__GET_IMAGE_REQUEST__INIT;
    const Containerd__Services__GetImageResponse *image;
    char name[MRL_NAMING_TEXT_MAX + 1];
    ProtobufCMessage *answer;

    snprintf(name, sizeof(name), "%.*s", (int)naming->names.texts[MRL_NAME_IMAGE].size,
             naming->names.texts[MRL_NAME_IMAGE].bytes);
    request.name = name;
    if (ask(asker, SERVICE("images.v1.Images/Get"), name_space, &request.base,
            &containerd__services__get_image_response__descriptor, &answer))
        return;
    image = (const Containerd__Services__GetImageResponse *)answer;
    if (image->image && image->image->target)
        mrl_naming__set(naming, MRL_NAME_IMAGE_DIGEST, image->image->target->digest);
    mrl_answer__free(answer);
}

static int read_container(struct mrl_asker *asker,
                          const ProtobufCMessage *answer,
                          const char *id,
                          struct mrl_naming *naming)
{
    const Containerd__Services__Container *container =
        ((const Containerd__Services__GetContainerResponse *)answer)->container;

    if (!container || strcmp(container->id, id) != 0 ||
        !mrl_naming__begin(naming, asker->runtime, id))
        return mrl_asker__fail(asker, -EBADMSG, "it tells of another container");
    mrl_naming__set(naming, MRL_NAME_IMAGE, container->image);
    for (size_t i = 0; i < container->n_labels; i++) {
        const char *value = container->labels[i]->value;

        mrl_naming__set_label(naming, container->labels[i]->key, value);
        if (!strcmp(container->labels[i]->key, "io.cri-containerd.kind"))
            naming->names.is_sandbox = !strcmp(value, "sandbox");
        if (!strcmp(container->labels[i]->key, "nerdctl/name"))
            mrl_naming__set(naming, MRL_NAME_CONTAINER, value);
    }
    return 0;
}

static int find_in(struct mrl_asker *asker,
                   const char *name_space,
                   const char *id,
                   struct mrl_naming *ret_naming)
{
    Containerd__Services__GetContainerRequest request =
        CONTAINERD__SERVICES__GET_CONTAINER_REQUEST__INIT;
    ProtobufCMessage *answer;
    int err;

    request.id = (char *)(uintptr_t)id;
    err = ask(asker, SERVICE("containers.v1.Containers/Get"), name_space, &request.base,
              &containerd__services__get_container_response__descriptor, &answer);
    if (err)
        return err;
    err = read_container(asker, answer, id, ret_naming);
    mrl_answer__free(answer);
    if (!err && ret_naming->names.texts[MRL_NAME_IMAGE].size)
        set_digest(asker, name_space, ret_naming);
    return err;
}

/* -- the asker -------------------------------------------------------------------------------- */

static void native_close(struct mrl_asker *asker)
{
    struct native *native = asker->state;

    if (native)
        mrl_line__close(native->line);
    free(native);
    asker->state = NULL;
}

static int native_open(struct mrl_asker *asker)
{
    struct native *native = calloc(1, sizeof(*native));
    ProtobufCMessage *answer = NULL;
    int err = native ? 0 : -ENOMEM;

    asker->state = native;
    if (!err)
        err = mrl_line__open(asker->path, &native->line);
    if (!err)
        err = list_namespaces(asker, &answer);
    mrl_answer__free(answer);
    if (err)
        native_close(asker);
    else
        snprintf(asker->version, sizeof(asker->version), "containerd's own interface");
    return err;
}

/* Which are there is asked each time: they come and go, and few containers come so far. */
static int native_find(struct mrl_asker *asker, const char *id, struct mrl_naming *ret_naming)
{
    const Containerd__Services__ListNamespacesResponse *list;
    ProtobufCMessage *answer;
    int err = list_namespaces(asker, &answer), result = -ENOENT;

    if (err)
        return err;
    list = (const Containerd__Services__ListNamespacesResponse *)answer;
    for (size_t i = 0; result == -ENOENT && i < list->n_namespaces && i < NAMESPACES_MAX; i++)
        if (is_asked(list->namespaces[i]->name))
            result = find_in(asker, list->namespaces[i]->name, id, ret_naming);
    mrl_answer__free(answer);
    return result;
}

/* What runs is looked up when it makes its first call. */
static int native_list(struct mrl_asker *asker,
                       struct mrl_naming *room,
                       void (*take)(void *context, const struct mrl_naming *naming),
                       void *context)
{
    (void)asker;
    (void)room;
    (void)take;
    (void)context;
    return 0;
}

const struct mrl_asker_ops mrl_asker_containerd = {
    .name = "containerd",
    .interface = MRL_INTERFACE_CONTAINERD,
    .open = native_open,
    .close = native_close,
    .list = native_list,
    .find = native_find,
};
