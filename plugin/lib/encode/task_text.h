/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a JSON object that a task repeats in each of its events, kept ready. Most events come
 * from few tasks, and four fifths of a line are the same each time. What the text is, the dialect
 * knows; here it is only remembered.
 */
#ifndef MRL_ENCODE_TASK_TEXT_H
#define MRL_ENCODE_TASK_TEXT_H

#include <abi/record.h>
#include <mrelease/event.h>
#include <stddef.h>

#include "encode/writer.h"
#include "enrich/cgroups.h"
#include "event/host.h"

enum mrl_task_word {
    MRL_TASK_PROCESS,
    MRL_TASK_HOST,
    MRL_TASK_CONTAINER,
    MRL_TASK_EXECUTABLE,
    MRL_TASK_PLAIN_WORDS,
    MRL_TASK_NAMES = MRL_TASK_PLAIN_WORDS, /* the first, in the order of enum mrl_name */
    MRL_TASK_WORDS = MRL_TASK_NAMES + MRL_NAMES
};

enum {
    MRL_TASK_PIECES = 3, /* other keys stand between them */
    MRL_TASK_SETS = 64,  /* a power of two */
    MRL_TASK_WAYS = 4,
    MRL_TASK_ROOM = 1024,       /* a longer text is made each time */
    MRL_TASK_NAMED_ROOM = 2048, /* of one with names */
    MRL_EXE_TEXT_BYTES = MRL_EXE_BYTES + 3,
    /* Keys and numbers of a text, whatever the dialect; its words come on top. */
    MRL_TASK_FIXED_BYTES = 768,
    /* Words with six bytes a byte at worst, and a container's id twice. */
    MRL_TASK_TEXT_BYTES = MRL_TASK_FIXED_BYTES + 6 * (2 * MRL_NAME_BYTES + 2 * MRL_CONTAINER_BYTES +
                                                      MRL_EXE_TEXT_BYTES + MRL_NAMES_BYTES_MAX),
};

/** What a text is made of. Words are cut to what the buffers hold. */
struct mrl_task {
    const struct mrl_event *event;
    unsigned int
        word_count; /* MRL_TASK_PLAIN_WORDS where no names are known: the others are empty */
    struct mrl_text words[MRL_TASK_WORDS];
};

/** Whether the thread is its process's first, and both have the same entity id. */
static inline bool mrl_task__leads(const struct mrl_event *event)
{
    return event->host_thread_id == event->host_process_id &&
           event->thread_start_ns == event->process_start_ns;
}

/** Writes one of the pieces of a task's text. */
typedef void (*mrl_task_put)(void *context,
                             const struct mrl_task *task,
                             unsigned int piece,
                             struct mrl_writer *writer);

/** The members of an event that a text may depend on lie together, from the cgroup's id on. */
#define MRL_TASK_NUMBERS_START offsetof(struct mrl_event, cgroup_id)
#define MRL_TASK_NUMBERS_BYTES \
    (offsetof(struct mrl_event, container_starting) + sizeof(uint32_t) - MRL_TASK_NUMBERS_START)

struct mrl_task_slot {
    unsigned char numbers[MRL_TASK_NUMBERS_BYTES];
    bool used, is_sandbox;
    unsigned char word_count;
    uint16_t word_sizes[MRL_TASK_WORDS];
    uint16_t piece_sizes[MRL_TASK_PIECES];
    char room[]; /* the words, then the pieces */
};

enum { MRL_TASK_SLOTS = MRL_TASK_SETS * MRL_TASK_WAYS };

/** Zeroed but for the first four members is empty. Only what is used is ever touched. */
struct mrl_task_texts {
    mrl_task_put put;
    void *context;        /* borrowed */
    bool with_executable; /* else the text does not depend on it */
    bool with_names;      /* likewise */
    unsigned char next[MRL_TASK_SETS];
    char *named; /* slots of those with names; made for the first one */
    _Alignas(8) char plain[MRL_TASK_SLOTS * (sizeof(struct mrl_task_slot) + MRL_TASK_ROOM)];
    char scratch[MRL_TASK_TEXT_BYTES];
};

/** Frees what it took. */
void mrl_task_texts__done(struct mrl_task_texts *texts);

/** A text: its pieces, one behind the other. */
struct mrl_task_text {
    const char *bytes;
    const uint16_t *piece_sizes;
};

/** The text of the event's task, as put() makes it. Valid until the next call. */
struct mrl_task_text mrl_task_texts__get(struct mrl_task_texts *texts,
                                         const struct mrl_event *event);

#endif
