// SPDX-License-Identifier: Apache-2.0
#include "side/ship/files.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/tame.h"

enum { LINE_BYTES = 200, SHORTEST_SECRET = 4 };

static int read_sizes(int fd, struct mrl_file_sizes *head, size_t *ret_all)
{
    *head = (struct mrl_file_sizes){ { 0 } };
    *ret_all = 0;
    if (fd >= 0 && pread(fd, head, sizeof(*head), 0) != sizeof(*head))
        return -EINVAL;
    for (int i = 0; i < MRL_FILES; i++) {
        if (head->sizes[i] > MRL_FILE_BYTES)
            return -EINVAL;
        *ret_all += head->sizes[i];
    }
    return 0;
}

int mrl_files__read(int fd, struct mrl_files *ret_files)
{
    struct mrl_files files = { .bytes = NULL };
    struct mrl_file_sizes head;
    size_t all, from = sizeof(head);
    int err = read_sizes(fd, &head, &all);
    char *at;

    if (err)
        return err;
    files.size = all + MRL_FILES;
    at = files.bytes = calloc(1, files.size);
    if (!at)
        return -ENOMEM;
    for (int i = 0; !err && i < MRL_FILES; i++) {
        files.texts[i] = at;
        files.sizes[i] = head.sizes[i];
        if (head.sizes[i] && pread(fd, at, head.sizes[i], (off_t)from) != (ssize_t)head.sizes[i])
            err = -EINVAL;
        at += head.sizes[i] + 1;
        from += head.sizes[i];
    }
    if (err)
        mrl_files__done(&files);
    else
        *ret_files = files;
    return err;
}

void mrl_files__done(struct mrl_files *files)
{
    if (files->bytes)
        explicit_bzero(files->bytes, files->size);
    free(files->bytes);
    *files = (struct mrl_files){ .bytes = NULL };
}

/* -- what a server says ----------------------------------------------------------------------- */

/* Stars over each place where `text` holds the secret. */
static void hide(char *text, const char *secret, size_t size)
{
    for (char *at = text; size >= SHORTEST_SECRET && (at = memmem(at, strlen(at), secret, size));
         at += size)
        memset(at, '*', size);
}

/* Each word of the values: "Authorization: Bearer TOKEN". */
static void hide_values(char *text, const char *lines)
{
    while (*lines) {
        size_t size = strcspn(lines, "\r\n");
        const char *end = lines + size, *at = lines + strcspn(lines, ":\r\n");

        while (at < end) {
            size_t word;

            at += strspn(at, ": \t");
            word = strcspn(at, " \t\r\n");
            hide(text, at, word);
            at += word;
        }
        lines = end + strspn(end, "\r\n");
    }
}

const char *mrl_files__quote(const struct mrl_files *files,
                             const char *also,
                             const char *bytes,
                             size_t size,
                             char line[LINE_BYTES])
{
    static const enum mrl_file secrets[] = { MRL_FILE_TOKEN, MRL_FILE_PASSWORD,
                                             MRL_FILE_SIGNING_KEY };
    char text[4096];

    size = size < sizeof(text) ? size : sizeof(text) - 1;
    for (size_t i = 0; i < size; i++)
        text[i] = isspace((unsigned char)bytes[i]) || !bytes[i] ? ' ' : bytes[i];
    text[size] = '\0';
    for (unsigned int i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
        hide(text, files->texts[secrets[i]], files->sizes[secrets[i]]);
    hide(text, also, strlen(also));
    if (files->sizes[MRL_FILE_HEADERS])
        hide_values(text, files->texts[MRL_FILE_HEADERS]);
    while (size && text[size - 1] == ' ')
        text[--size] = '\0';
    snprintf(line, LINE_BYTES, "%.*s", LINE_BYTES - 1, mrl_tame(text));
    return mrl_tame(line); /* a letter may have been cut */
}
