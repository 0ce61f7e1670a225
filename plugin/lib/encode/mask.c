// SPDX-License-Identifier: Apache-2.0
/* Field masks over bytes: an encoded event is walked along a tree of the paths, never decoded. */
#include "encode/mask.h"

#include <errno.h>
#include <stdlib.h>

#include "encode/protobuf_reader.h"
#include "encode/varint.h"

/* -- the messages of an event ----------------------------------------------------------------- */

struct message;

struct member {
    const char *name;
    unsigned int number;
    const struct message *message; /* NULL: a number or a text */
};

struct message {
    const struct member *members; /* up to one without a name */
};

#define MESSAGE(symbol, ...)                                                   \
    static const struct message symbol = { .members = (const struct member[]){ \
                                               __VA_ARGS__, { NULL, 0, NULL } } }

/* A process holds processes, and a source its parent. */
static const struct message process, detected_from;

MESSAGE(wrapper, { "value", 1, NULL });
MESSAGE(timestamp, { "seconds", 1, NULL }, { "nanos", 2, NULL });
MESSAGE(policies, { "matched", 1, NULL });
MESSAGE(executable, { "path", 1, NULL });
MESSAGE(user, { "id", 1, &wrapper });
MESSAGE(address, { "address", 1, NULL }, { "symbol", 2, NULL });
MESSAGE(stack_trace, { "addresses", 1, &address });
MESSAGE(thread,
        { "start_time", 1, &timestamp },
        { "name", 2, NULL },
        { "unique_id", 3, &wrapper },
        { "host_tid", 4, &wrapper },
        { "tid", 5, &wrapper },
        { "syscall", 6, NULL },
        { "compat", 7, NULL },
        { "user_stack_trace", 8, &stack_trace });
MESSAGE(process,
        { "executable", 1, &executable },
        { "unique_id", 2, &wrapper },
        { "host_pid", 3, &wrapper },
        { "pid", 4, &wrapper },
        { "real_user", 5, &user },
        { "thread", 6, &thread },
        { "ancestors", 7, &process });
MESSAGE(image, { "id", 1, NULL }, { "repo_digests", 2, NULL }, { "name", 3, NULL });
MESSAGE(container,
        { "id", 1, NULL },
        { "name", 2, NULL },
        { "image", 3, &image },
        { "started", 4, NULL });
MESSAGE(pod, { "name", 1, NULL }, { "uid", 2, NULL }, { "labels", 3, NULL });
MESSAGE(k8s_namespace, { "name", 1, NULL });
MESSAGE(k8s, { "pod", 1, &pod }, { "namespace", 2, &k8s_namespace });
MESSAGE(workload, { "process", 1, &process }, { "container", 2, &container }, { "k8s", 3, &k8s });
MESSAGE(value,
        { "name", 1, NULL },
        { "int32", 2, NULL },
        { "int64", 3, NULL },
        { "u_int32", 4, NULL },
        { "u_int64", 5, NULL },
        { "str", 6, NULL },
        { "bytes", 7, NULL },
        { "bool", 8, NULL },
        { "pointer", 31, NULL });
MESSAGE(detected_from,
        { "id", 1, NULL },
        { "name", 2, NULL },
        { "data", 3, &value },
        { "parent", 4, &detected_from });
MESSAGE(event,
        { "timestamp", 1, &timestamp },
        { "id", 2, NULL },
        { "name", 3, NULL },
        { "policies", 4, &policies },
        { "workload", 5, &workload },
        { "data", 6, &value },
        { "threat", 7, NULL },
        { "detected_from", 8, &detected_from });

static const struct member *find_member(const struct message *message, struct mrl_text name)
{
    for (const struct member *member = message->members; member->name; member++)
        if (strlen(member->name) == name.size && !memcmp(member->name, name.bytes, name.size))
            return member;
    return NULL;
}

/* -- the tree of the paths -------------------------------------------------------------------- */

enum { ROOT = 0, NODES_MAX = 65536 };

/* Nodes refer to each other by index; 0, the root's, is nobody's child. */
struct node {
    const struct message *message; /* of what it stands for; NULL: a leaf of the schema */
    unsigned int number;
    unsigned int child, sibling;
    bool whole; /* a path ends here */
};

struct mrl_mask {
    struct node *nodes;
    unsigned int count, room;
    bool filters; /* there was a path */
};

static unsigned int find_child(const struct mrl_mask *mask, unsigned int node, unsigned int number)
{
    unsigned int child = mask->nodes[node].child;

    while (child && mask->nodes[child].number != number)
        child = mask->nodes[child].sibling;
    return child;
}

static int add_node(struct mrl_mask *mask, const struct message *message, unsigned int number)
{
    if (mask->count == NODES_MAX)
        return -E2BIG;
    if (mask->count == mask->room) {
        unsigned int room = mask->room ? 2 * mask->room : 16;
        struct node *nodes = reallocarray(mask->nodes, room, sizeof(*nodes));

        if (!nodes)
            return -ENOMEM;
        mask->nodes = nodes;
        mask->room = room;
    }
    mask->nodes[mask->count] = (struct node){ .message = message, .number = number };
    return (int)mask->count++;
}

/* The child of that name, made where it is not yet; 0: there is no such field. */
static int enter(struct mrl_mask *mask, unsigned int node, struct mrl_text name)
{
    const struct member *member = find_member(mask->nodes[node].message, name);
    int child;

    if (!member)
        return 0;
    child = (int)find_child(mask, node, member->number);
    if (child)
        return child;
    child = add_node(mask, member->message, member->number);
    if (child < 0)
        return child;
    mask->nodes[child].sibling = mask->nodes[node].child;
    mask->nodes[node].child = (unsigned int)child;
    return child;
}

/*
 * Words after that of a scalar say nothing more. A path that ends in an unknown word still names
 * the messages on its way; they stay, empty.
 */
static int add_path(struct mrl_mask *mask, struct mrl_text path)
{
    unsigned int node = ROOT;
    const char *at = path.bytes, *end = path.bytes + path.size;

    while (mask->nodes[node].message) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        int child = enter(mask, node, (struct mrl_text){ at, (size_t)((dot ? dot : end) - at) });

        if (child <= 0)
            return child;
        node = (unsigned int)child;
        if (!dot)
            break;
        at = dot + 1;
    }
    mask->nodes[node].whole = true;
    return 0;
}

int mrl_mask__new(const struct mrl_text *paths, size_t count, struct mrl_mask **ret_mask)
{
    struct mrl_mask *mask = calloc(1, sizeof(*mask));
    int error = mask ? add_node(mask, &event, 0) : -ENOMEM;

    for (size_t i = 0; i < count && error >= 0; i++)
        error = add_path(mask, paths[i]);
    if (error < 0) {
        mrl_mask__free(mask);
        return error;
    }
    mask->filters = count;
    *ret_mask = mask;
    return 0;
}

void mrl_mask__free(struct mrl_mask *mask)
{
    if (!mask)
        return;
    free(mask->nodes);
    free(mask);
}

/* -- applying it ------------------------------------------------------------------------------ */

static bool filter(const struct mrl_mask *mask,
                   unsigned int node,
                   struct mrl_text message,
                   struct mrl_writer *writer);

/* As deep as messages lie in each other, and as the paths say: whichever ends first. */
static bool filter_message(const struct mrl_mask *mask,
                           unsigned int node,
                           const struct mrl_protobuf_field *field,
                           struct mrl_writer *writer)
{
    char *start = writer->at;

    if (!filter(mask, node, field->content, writer))
        return false;
    mrl_wrap(writer, start, field->number);
    return true;
}

static bool filter(const struct mrl_mask *mask,
                   unsigned int node,
                   struct mrl_text message,
                   struct mrl_writer *writer)
{
    struct mrl_protobuf_reader reader = { message.bytes, message.bytes + message.size };
    struct mrl_protobuf_field field;

    while (reader.at < reader.end) {
        unsigned int child;

        if (!mrl_protobuf_reader__next(&reader, &field))
            return false;
        child = find_child(mask, node, field.number);
        if (!child)
            continue;
        if (mask->nodes[child].whole || !mask->nodes[child].message ||
            field.wire_type != MRL_PB_BYTES)
            mrl_put_bytes(writer, field.start, (size_t)(reader.at - field.start));
        else if (!filter_message(mask, child, &field, writer))
            return false;
    }
    return true;
}

ssize_t mrl_mask__apply(const struct mrl_mask *mask, struct mrl_text message, char *target)
{
    struct mrl_protobuf_reader reader = { message.bytes, message.bytes + message.size };
    struct mrl_writer writer = { target };
    struct mrl_protobuf_field field;

    while (reader.at < reader.end) {
        if (!mrl_protobuf_reader__next(&reader, &field))
            return -EBADMSG;
        if (!mask->filters)
            mrl_put_bytes(&writer, field.start, (size_t)(reader.at - field.start));
        else if (field.wire_type != MRL_PB_BYTES || !filter_message(mask, ROOT, &field, &writer))
            return -EBADMSG;
    }
    return writer.at - target;
}
