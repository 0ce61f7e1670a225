// SPDX-License-Identifier: Apache-2.0
/* Any bytes from a runtime, by protobuf and as Docker's JSON: what comes out is short, may be
 * shown, and is of the container that was asked for. */
#include <cri.pb-c.h>
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "side/names/call.h"
#include "side/names/cri.h"
#include "side/names/docker.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char message[8192];

/* As the main process reads it: it refuses what must not be shown. */
static void check(const struct mrl_naming *naming)
{
    const ssize_t size = mrl_side_named__put(message, sizeof(message), 1, &naming->names);
    const struct mrl_side_message sent = { .head = { .size = (uint32_t)size, .count = 1 },
                                           .bytes = message };
    struct mrl_container_names names;
    uint32_t ask;
    size_t at = 0;

    must(size > 0);
    must(mrl_side_named__next(&sent, &at, &ask, &names) == 1);
    must(at == (size_t)size);
}

static void read_cri(const uint8_t *data, size_t size, bool of_sandbox)
{
    static struct mrl_naming naming;
    ProtobufCMessage *answer =
        mrl_answer__unpack(of_sandbox ? &runtime__v1__pod_sandbox_status_response__descriptor
                                      : &runtime__v1__container_status_response__descriptor,
                           data, size);

    if (answer && (of_sandbox ? mrl_cri__read_sandbox : mrl_cri__read_status)(
                      answer, MRL_RUNTIME_CONTAINERD, ID, &naming)) {
        check(&naming);
        must(naming.names.id.size == sizeof(ID) - 1 && !memcmp(naming.id, ID, sizeof(ID) - 1));
    }
    mrl_answer__free(answer);
}

static int read_item(void *context, const ProtobufCMessage *item)
{
    unsigned int *left = context;

    (void)item;
    must(*left > 0);
    return --*left ? 0 : -E2BIG;
}

static void read_cri_list(const uint8_t *data, size_t size)
{
    unsigned int left = 100;

    mrl_answer__each(&runtime__v1__container__descriptor, data, size, read_item, &left);
}

static int read_container(void *context, const json_t *container)
{
    static struct mrl_naming naming;
    const char *image;

    (void)context;
    if (mrl_docker__read_container(container, MRL_RUNTIME_DOCKER, &naming, &image))
        check(&naming);
    return 0;
}

static void read_docker(const uint8_t *data, size_t size)
{
    static struct mrl_naming naming;

    mrl_docker__each((const char *)data, size, read_container, NULL);
    must(mrl_naming__begin(&naming, MRL_RUNTIME_DOCKER, ID));
    mrl_docker__read_digest((const char *)data, size, &naming);
    check(&naming);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_bound;

    if (!is_bound)
        mrl_docker__bound_memory();
    is_bound = true;
    if (!size)
        return 0;
    if (data[0] == '[' || data[0] == '{')
        read_docker(data, size);
    else if (data[0] & 2)
        read_cri_list(data + 1, size - 1);
    else
        read_cri(data + 1, size - 1, data[0] & 1);
    return 0;
}
