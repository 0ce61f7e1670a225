// SPDX-License-Identifier: Apache-2.0
/* Trees of libyaml, and the bytes that they are made of. */
#include "command/options/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <mrelease/error.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "command/options/say.h"

int mrl_yaml__fail_at(const struct mrl_yaml *yaml, yaml_mark_t mark, const char *format, ...)
{
    va_list arguments;
    char text[384];

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return mrl_error__set(yaml->error, -EINVAL, "%.200s:%zu:%zu: %s", yaml->name, mark.line + 1,
                          mark.column + 1, text);
}

int mrl_yaml__out_of_memory(const struct mrl_yaml *yaml)
{
    return mrl_error__set(yaml->error, -ENOMEM, "out of memory");
}

yaml_node_t *mrl_yaml__node(struct mrl_yaml *yaml, int index)
{
    return yaml_document_get_node(&yaml->document, index);
}

bool mrl_yaml__is_clean(const yaml_node_t *node)
{
    for (size_t i = 0; i < node->data.scalar.length; i++)
        if (node->data.scalar.value[i] < 0x20 || node->data.scalar.value[i] == 0x7f)
            return false;
    return true;
}

enum mrl_scalar mrl_yaml__scalar(const yaml_node_t *node)
{
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
               ? mrl_scalar__of((const char *)node->data.scalar.value)
               : MRL_SCALAR_TEXT;
}

bool mrl_yaml__is_null(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           mrl_scalar__is_null((const char *)node->data.scalar.value);
}

/* -- trees ------------------------------------------------------------------------------------ */

/* What cannot be read at all has an offset, and no line yet. */
static yaml_mark_t mark_of_offset(const struct mrl_yaml *yaml, size_t offset)
{
    yaml_mark_t mark = { .index = offset };

    for (size_t i = 0; i < offset && i < yaml->size; i++) {
        mark.column = yaml->bytes[i] == '\n' ? 0 : mark.column + 1;
        mark.line += yaml->bytes[i] == '\n';
    }
    return mark;
}

static int report(struct mrl_yaml *yaml)
{
    const yaml_parser_t *parser = &yaml->parser;

    if (parser->error == YAML_MEMORY_ERROR)
        return mrl_yaml__out_of_memory(yaml);
    if (parser->error == YAML_READER_ERROR)
        return mrl_yaml__fail_at(yaml, mark_of_offset(yaml, parser->problem_offset),
                                 "no YAML text: %s", parser->problem);
    return mrl_yaml__fail_at(yaml, parser->problem_mark, "no YAML: %s%s%s",
                             parser->context ? parser->context : "", parser->context ? ", " : "",
                             parser->problem ? parser->problem : "it cannot be read");
}

/* What nobody needs here, and what makes it deeper. */
static const struct {
    const char *refused;
    int deeper;
} tokens[] = {
    [YAML_ANCHOR_TOKEN] = { "anchors and aliases are not taken", 0 },
    [YAML_ALIAS_TOKEN] = { "anchors and aliases are not taken", 0 },
    [YAML_TAG_TOKEN] = { "tags are not taken", 0 },
    [YAML_BLOCK_SEQUENCE_START_TOKEN] = { NULL, 1 },
    [YAML_BLOCK_MAPPING_START_TOKEN] = { NULL, 1 },
    [YAML_BLOCK_END_TOKEN] = { NULL, -1 },
    [YAML_FLOW_SEQUENCE_START_TOKEN] = { NULL, 1 },
    [YAML_FLOW_SEQUENCE_END_TOKEN] = { NULL, -1 },
    [YAML_FLOW_MAPPING_START_TOKEN] = { NULL, 1 },
    [YAML_FLOW_MAPPING_END_TOKEN] = { NULL, -1 },
    [YAML_SCALAR_TOKEN] = { NULL, 0 },
};

/* Looks at all tokens: the tree would not show what was an alias, nor stop at a depth. */
static int check_tokens(struct mrl_yaml *yaml)
{
    yaml_token_type_t type = YAML_NO_TOKEN;
    int depth = 0, err = 0;

    while (!err && type != YAML_STREAM_END_TOKEN) {
        yaml_token_t token;

        if (!yaml_parser_scan(&yaml->parser, &token))
            return report(yaml);
        type = token.type;
        depth += tokens[type].deeper;
        if (tokens[type].refused)
            err = mrl_yaml__fail_at(yaml, token.start_mark, "%s", tokens[type].refused);
        else if (depth > yaml->depth_max)
            err = mrl_yaml__fail_at(yaml, token.start_mark, "nested deeper than %d levels",
                                    yaml->depth_max);
        yaml_token_delete(&token);
    }
    return err;
}

static int load(struct mrl_yaml *yaml, mrl_yaml_take_fn take, void *context)
{
    yaml_node_t *root = NULL;
    int err = 0;

    for (unsigned int number = 0; !err && (!number || root); number++) {
        if (!yaml_parser_load(&yaml->parser, &yaml->document))
            return report(yaml);
        root = yaml_document_get_root_node(&yaml->document);
        if (root)
            err = take(context, root, number);
        yaml_document_delete(&yaml->document);
    }
    return err;
}

/* Each step reads the bytes from their start. */
static int begin(struct mrl_yaml *yaml)
{
    if (!yaml_parser_initialize(&yaml->parser))
        return mrl_yaml__out_of_memory(yaml);
    yaml_parser_set_input_string(&yaml->parser, (const unsigned char *)yaml->bytes, yaml->size);
    return 0;
}

int mrl_yaml__each(struct mrl_yaml *yaml, mrl_yaml_take_fn take, void *context)
{
    int err = begin(yaml);

    if (err)
        return err;
    err = check_tokens(yaml);
    yaml_parser_delete(&yaml->parser);
    if (err)
        return err;
    err = begin(yaml);
    if (err)
        return err;
    err = load(yaml, take, context);
    yaml_parser_delete(&yaml->parser);
    return err;
}

/* -- bytes ------------------------------------------------------------------------------------ */

enum { WRITER_MS = 1000 };

struct input {
    int fd;
    const char *name;
    bool has_begun; /* somebody has opened it to write, or it is no FIFO */
    bool has_waited, was_told;
};

/* Nothing is there to be read. 1: there may be now; 0: that was the end. Without a writer the end
 * of a FIFO is read at once, and one may be about to open it. */
static int await(struct input *input, bool is_end)
{
    struct pollfd what = { .fd = input->fd, .events = POLLIN };
    int ready;

    if (is_end && (input->has_begun || input->has_waited))
        return input->has_begun ? 0 : -ENXIO;
    ready = poll(&what, 1, input->was_told ? -1 : WRITER_MS);
    if (ready < 0)
        return errno == EINTR ? 1 : -errno;
    input->has_begun |= ready || !is_end;
    input->has_waited |= !ready;
    if (!ready && !is_end)
        mrl_say_at(MRL_LOG_WARNING, "%.200s: waiting until whoever writes this FIFO has closed it",
                   input->name);
    input->was_told |= !ready && !is_end;
    return 1;
}

/* Reads until the end, or one byte more than a file may have. */
static int read_bytes(struct input *input, size_t max, char *bytes, size_t *ret_size)
{
    size_t size = 0;
    ssize_t count;
    int more = 1;

    while (more > 0 && size <= max) {
        count = read(input->fd, bytes + size, max + 1 - size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno != EAGAIN)
            return -errno;
        if (count <= 0)
            more = await(input, !count);
        else
            size += (size_t)count;
        input->has_begun |= count > 0;
    }
    if (more < 0)
        return more;
    *ret_size = size;
    return size > max ? -EFBIG : 0;
}

static const struct {
    mode_t type;
    const char *what;
} kinds[] = {
    { S_IFDIR, "a directory" }, { S_IFIFO, "a FIFO" },    { S_IFCHR, "a device" },
    { S_IFBLK, "a device" },    { S_IFSOCK, "a socket" },
};

/* A FIFO may be what the operator named at the start, as <(command) of a shell. Elsewhere it would
 * be waited for in vain, and one that was read to its end would be an empty file; which /dev/null
 * is always. */
static int check_kind(const struct stat *file,
                      const char *path,
                      bool may_wait,
                      struct mrl_error *error)
{
    const mode_t type = file->st_mode & S_IFMT;
    size_t i = 0;

    if (type == S_IFREG || (may_wait && type == S_IFIFO) ||
        (may_wait && type == S_IFCHR && file->st_rdev == makedev(1, 3)))
        return 0;
    while (i < sizeof(kinds) / sizeof(kinds[0]) - 1 && kinds[i].type != type)
        i++;
    return mrl_error__set(error, -EINVAL, "%.200s: it is no regular file, but %s", path,
                          kinds[i].what);
}

/* Looked at first: to open a device may do something. */
static int open_file(const char *path, bool may_wait, struct mrl_error *error)
{
    struct stat file;
    int fd = -1, err = stat(path, &file) ? -errno : 0;

    if (!err && check_kind(&file, path, may_wait, error))
        return -EINVAL;
    if (!err) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        err = fd < 0 || fstat(fd, &file) ? -errno : 0;
    }
    if (err)
        err = mrl_error__set(error, err, "%.200s: %s", path, strerror(-err));
    else
        err = check_kind(&file, path, may_wait, error);
    if (err && fd >= 0)
        close(fd);
    return err ? err : fd;
}

static int fail(const char *name, int err, size_t max, struct mrl_error *error)
{
    if (err == -EFBIG)
        return mrl_error__set(error, -EINVAL, "%.200s:1:1: more than %zu KiB", name, max / 1024);
    if (err == -ENXIO)
        return mrl_error__set(error, err, "%.200s: a FIFO that nobody writes", name);
    return mrl_error__set(error, err, "%.200s: %s", name, strerror(-err));
}

int mrl_yaml__read_file(const char *path,
                        bool may_wait,
                        size_t max,
                        char **ret_bytes,
                        size_t *ret_size,
                        struct mrl_error *error)
{
    const bool is_stdin = !strcmp(path, "-");
    struct input input = { .name = is_stdin ? "standard input" : path, .has_begun = is_stdin };
    char *bytes;
    int err;

    input.fd = is_stdin ? STDIN_FILENO : open_file(path, may_wait, error);
    if (input.fd < 0)
        return input.fd;
    bytes = malloc(max + 1);
    err = bytes ? read_bytes(&input, max, bytes, ret_size) : -ENOMEM;
    if (!is_stdin)
        close(input.fd);
    if (err) {
        free(bytes);
        return fail(input.name, err, max, error);
    }
    *ret_bytes = bytes;
    return 0;
}
