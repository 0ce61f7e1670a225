// SPDX-License-Identifier: Apache-2.0
#include "command/verify/fileset.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

enum { LOOK_BYTES = 1 << 20 }; /* how far a file is searched for its first sensor_state */

struct collector {
    struct mrl_fileset *set;
    const struct mrl_report *report;
    struct mrl_proof *proof;
};

static void ignore(const struct collector *collector, const char *path, const char *why)
{
    struct mrl_finding found = { .kind = MRL_FOUND_IGNORED, .file = path, .text = why };

    mrl_report__finding(collector->report, &found);
}

/* -- the beginning of a file ------------------------------------------------------------------ */

/* The first line of a file, cut off: no other line could tell that the file is of a stream. */
static bool is_torn(const struct mrl_span *span)
{
    static const char start[] = "{\"timestamp\":";

    return span->size >= sizeof(start) - 1 && !memcmp(span->bytes, start, sizeof(start) - 1);
}

/* Looks for the first sensor_state. Returns whether any line is one of a stream. */
static bool look(struct mrl_member *member, struct mrl_reader *reader)
{
    struct mrl_span span;
    struct mrl_line line;
    bool any = false;
    size_t seen = 0;

    while (seen < LOOK_BYTES && mrl_reader__next(reader, &span)) {
        seen += span.size + 1;
        if (span.fault) {
            any |= is_torn(&span);
            continue;
        }
        mrl_line__read(span.bytes, span.size, &line);
        any |= line.kind != MRL_LINE_BAD;
        if (line.kind != MRL_LINE_STATE)
            continue;
        memcpy(member->run, line.run, sizeof(member->run));
        member->so_far = line.so_far;
        break;
    }
    return any;
}

/* Returns 1 when the file belongs to the set, 0 when not, -ENOMEM. */
static int inspect(const struct collector *collector, struct mrl_member *member)
{
    struct mrl_reader *reader;
    int err = mrl_reader__open(member->path, &reader);
    bool belongs;

    if (err == -ENOMEM)
        return err;
    if (err) {
        mrl_proof__unreadable(collector->proof, member->path, strerror(-err));
        return 0;
    }
    /* Nobody knows what is in a file that cannot be unpacked: then it is read, and that is told. */
    belongs = look(member, reader) || mrl_reader__fault(reader) || member->named;
    mrl_reader__close(reader);
    if (!belongs)
        ignore(collector, member->path,
               member->size ? "no line of its first mebibyte is an event with a number" : "empty");
    return belongs;
}

/* -- members ---------------------------------------------------------------------------------- */

static int grow(struct mrl_fileset *set)
{
    uint32_t room = set->room ? 2 * set->room : 16;
    struct mrl_member *members;

    if (set->count < set->room)
        return 0;
    members = reallocarray(set->members, room, sizeof(*members));
    if (!members)
        return -ENOMEM;
    set->members = members;
    set->room = room;
    return 0;
}

static int add(const struct collector *collector,
               const char *path,
               const struct stat *status,
               bool named)
{
    struct mrl_fileset *set = collector->set;
    char *copy = strdup(path);

    if (!copy || grow(set)) {
        free(copy);
        return -ENOMEM;
    }
    set->members[set->count] = (struct mrl_member){
        .path = copy,
        .size = S_ISREG(status->st_mode) ? (uint64_t)status->st_size : 0,
        .device = status->st_dev,
        .inode = status->st_ino,
        .regular = S_ISREG(status->st_mode),
        .named = named,
        .index = set->count,
    };
    set->count++;
    return 0;
}

/* -- directories ------------------------------------------------------------------------------ */

static int take_entry(const struct collector *collector, const char *directory, const char *name)
{
    char path[PATH_MAX];
    struct stat status;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path)) {
        mrl_proof__unreadable(collector->proof, name, strerror(ENAMETOOLONG));
        return 0;
    }
    if (stat(path, &status)) {
        mrl_proof__unreadable(collector->proof, path, strerror(errno));
        return 0;
    }
    if (!S_ISREG(status.st_mode)) {
        ignore(collector, path, S_ISDIR(status.st_mode) ? "a directory" : "not a regular file");
        return 0;
    }
    return add(collector, path, &status, false);
}

static int take_directory(const struct collector *collector, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, versionsort), err = 0;

    if (count < 0 && errno == ENOMEM)
        return -ENOMEM;
    if (count < 0)
        mrl_proof__unreadable(collector->proof, path, strerror(errno));
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        if (!err && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            err = take_entry(collector, path, name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return err;
}

static int take_operand(const struct collector *collector, const char *path)
{
    struct stat status = { 0 };

    if (!strcmp(path, "-") ? fstat(0, &status) : stat(path, &status)) {
        mrl_proof__unreadable(collector->proof, path, strerror(errno));
        return 0;
    }
    return S_ISDIR(status.st_mode) ? take_directory(collector, path)
                                   : add(collector, path, &status, true);
}

/* -- the set ---------------------------------------------------------------------------------- */

static int compare_inodes(const void *a, const void *b)
{
    const struct mrl_member *one = a, *two = b;

    if (one->device != two->device)
        return one->device < two->device ? -1 : 1;
    if (one->inode != two->inode)
        return one->inode < two->inode ? -1 : 1;
    return one->index < two->index ? -1 : 1;
}

/* Whether it is the file that was kept before it, by another name or named again. */
static bool is_again(const struct collector *collector, const struct mrl_member *member)
{
    const struct mrl_member *same = member - 1;
    char why[256];

    if (same->device != member->device || same->inode != member->inode)
        return false;
    snprintf(why, sizeof(why), "the same file as %.200s", same->path);
    ignore(collector, member->path, why);
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct mrl_member *one = a, *two = b;
    int order = strcmp(one->run, two->run);

    if (!*one->run != !*two->run)
        return *one->run ? -1 : 1; /* what is not known comes last */
    if (order)
        return order;
    if (one->so_far != two->so_far)
        return one->so_far < two->so_far ? -1 : 1;
    return one->index < two->index ? -1 : 1;
}

/* A pipe can be read only once: it is not looked at. One file alone needs no order. */
static int wanted(const struct collector *collector, struct mrl_member *member)
{
    if (!member->regular || (member->named && collector->set->count == 1))
        return 1;
    return inspect(collector, member);
}

/* Leaves out what is there twice, and what belongs to no stream. */
static int sift(const struct collector *collector)
{
    struct mrl_fileset *set = collector->set;
    uint32_t kept = 0;
    int keep = 0;

    qsort(set->members, set->count, sizeof(*set->members), compare_inodes);
    for (uint32_t i = 0; i < set->count; i++) {
        struct mrl_member *member = &set->members[i];

        if (keep >= 0)
            keep = i && is_again(collector, member) ? 0 : wanted(collector, member);
        member->left_out = keep <= 0;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        struct mrl_member *member = &set->members[i];

        if (member->left_out)
            free(member->path);
        else
            set->members[kept++] = *member;
    }
    set->count = kept;
    return keep < 0 ? keep : 0;
}

int mrl_fileset__collect(struct mrl_fileset *set,
                         char *const *operands,
                         const struct mrl_report *report,
                         struct mrl_proof *proof)
{
    struct collector collector = { set, report, proof };
    int err = 0;

    for (; !err && *operands; operands++)
        err = take_operand(&collector, *operands);
    if (err || !set->count)
        return err;
    err = sift(&collector);
    if (!err)
        qsort(set->members, set->count, sizeof(*set->members), compare);
    for (uint32_t i = 0; i < set->count; i++)
        set->bytes += set->members[i].size;
    return err;
}

void mrl_fileset__done(struct mrl_fileset *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        free(set->members[i].path);
    free(set->members);
}
