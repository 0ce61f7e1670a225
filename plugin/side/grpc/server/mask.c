// SPDX-License-Identifier: Apache-2.0
/*
 * An encoded event is walked along a tree of the paths, and never decoded: a masked stream must not
 * cost more than one that is not. The descriptors of protobuf-c are asked only when a mask is made.
 */
#include "side/grpc/server/mask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/event.pb-c.h>

#include "encode/protobuf_reader.h"
#include "encode/varint.h"

/* -- the tree of the paths -------------------------------------------------------------------- */

enum { ROOT = 0, NODES_MAX = 65536 };

/* Nodes refer to each other by index. The root has index 0, so that 0 also means "no child". */
struct node {
    const ProtobufCMessageDescriptor *message; /* NULL: paths do not go deeper than this field */
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

static int add_node(struct mrl_mask *mask,
                    const ProtobufCMessageDescriptor *message,
                    unsigned int number)
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

/* The field of that name; NULL: there is none. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *message,
                                                  struct mrl_text name)
{
    char word[64];

    if (name.size >= sizeof(word))
        return NULL;
    memcpy(word, name.bytes, name.size);
    word[name.size] = '\0';
    return protobuf_c_message_descriptor_get_field_by_name(message, word);
}

/* The message that a field holds; NULL: a scalar, or a map, which has keys and no fields. */
static const ProtobufCMessageDescriptor *message_of(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *message = field->descriptor;

    if (field->type != PROTOBUF_C_TYPE_MESSAGE || strstr(message->short_name, "Entry"))
        return NULL;
    return message;
}

/* The child of that name, made where it is not yet; 0: there is no such field. */
static int enter(struct mrl_mask *mask, unsigned int node, struct mrl_text name)
{
    const ProtobufCFieldDescriptor *field = find_field(mask->nodes[node].message, name);
    int child;

    if (!field)
        return 0;
    child = (int)find_child(mask, node, field->id);
    if (child)
        return child;
    child = add_node(mask, message_of(field), field->id);
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
    int error = mask ? add_node(mask, &tracee__v1beta1__event__descriptor, 0) : -ENOMEM;

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
