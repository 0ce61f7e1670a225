// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "side/names/asker.h"
#include "side/names/docker.h"

/* -- memory ----------------------------------------------------------------------------------- */

/* A byte of JSON can cost fifty of memory. One answer is read at a time, per runtime. */
static atomic_size_t used;

union block {
    size_t size;
    max_align_t align;
};

static void *take(size_t size)
{
    union block *block;

    if (atomic_fetch_add(&used, size) + size > MRL_UNPACKED_BYTES ||
        !(block = malloc(sizeof(*block) + size))) {
        atomic_fetch_sub(&used, size);
        return NULL;
    }
    block->size = size;
    return block + 1;
}

static void give(void *bytes)
{
    union block *block = bytes;

    if (!block)
        return;
    atomic_fetch_sub(&used, block[-1].size);
    free(block - 1);
}

void mrl_docker__bound_memory(void)
{
    json_set_alloc_funcs(take, give);
}

/* -- answers ---------------------------------------------------------------------------------- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n", *at) && *at)
        at++;
    return at;
}

int mrl_docker__each(const char *bytes,
                     size_t size,
                     int (*take_one)(void *context, const json_t *container),
                     void *context)
{
    const char *end = bytes + size, *at = skip_blanks(bytes, end);
    char before = '[';
    int err = 0;

    while (!err && at < end && *at == before) {
        json_error_t error;
        json_t *one;

        at = skip_blanks(at + 1, end);
        if (before == '[' && at < end && *at == ']')
            return 0;
        one = json_loadb(at, (size_t)(end - at), JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &error);
        if (!one)
            return -EBADMSG;
        err = take_one(context, one);
        json_decref(one);
        at = skip_blanks(at + error.position, end); /* where the next thing begins */
        before = ',';
    }
    return err || (before == ',' && at < end && *at == ']') ? err : -EBADMSG;
}

/* "/NAME": others are "/OTHER/NAME", for those that Docker links. */
static const char *find_name(const json_t *names)
{
    const json_t *name;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)names, i, name)
    {
        const char *text = json_string_value(name);

        if (text && *text == '/' && !strchr(text + 1, '/'))
            return text + 1;
        if (text && *text != '/')
            return text;
    }
    return NULL;
}

/* Of dockershim and cri-dockerd, whose pods have a container as well. */
static bool is_sandbox(const json_t *labels)
{
    const char *type = json_string_value(json_object_get(labels, "io.kubernetes.docker.type"));

    if (!type)
        type = json_string_value(json_object_get(labels, "com.docker.type"));
    return type && (!strcmp(type, "sandbox") || !strcmp(type, "podsandbox"));
}

bool mrl_docker__read_container(const json_t *container,
                                enum mrl_runtime runtime,
                                struct mrl_naming *ret_naming,
                                const char **ret_image)
{
    json_t *labels = json_object_get(container, "Labels"), *value;
    const char *key;

    if (!mrl_naming__begin(ret_naming, runtime,
                           json_string_value(json_object_get(container, "Id"))))
        return false;
    mrl_naming__set(ret_naming, MRL_NAME_CONTAINER, find_name(json_object_get(container, "Names")));
    mrl_naming__set(ret_naming, MRL_NAME_IMAGE,
                    json_string_value(json_object_get(container, "Image")));
    json_object_foreach(labels, key, value) if (strcmp(key, "io.kubernetes.container.name") != 0)
        mrl_naming__set_label(ret_naming, key, json_string_value(value));
    ret_naming->names.is_sandbox = is_sandbox(labels);
    *ret_image = json_string_value(json_object_get(container, "ImageID"));
    return true;
}

void mrl_docker__read_digest(const char *bytes, size_t size, struct mrl_naming *naming)
{
    json_t *image = json_loadb(bytes, size, 0, NULL);

    mrl_naming__set(naming, MRL_NAME_IMAGE_DIGEST,
                    json_string_value(json_array_get(json_object_get(image, "RepoDigests"), 0)));
    json_decref(image);
}
