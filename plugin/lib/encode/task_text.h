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

enum mrl_task_word {
    MRL_TASK_PROCESS,
    MRL_TASK_HOST,
    MRL_TASK_CONTAINER,
    MRL_TASK_EXECUTABLE,
    MRL_TASK_WORDS
};

enum {
    MRL_TASK_PIECES = 3, /* other keys stand between them */
    MRL_TASK_SETS = 64,  /* a power of two */
    MRL_TASK_WAYS = 4,
    MRL_TASK_ROOM = 1024, /* a longer text is made each time */
    MRL_EXE_TEXT_BYTES = MRL_EXE_BYTES + 3,
    /* Keys and numbers of a text, whatever the dialect; its words come on top. */
    MRL_TASK_FIXED_BYTES = 640,
    /* Words with six bytes a byte at worst, and a container's id twice. */
    MRL_TASK_TEXT_BYTES = MRL_TASK_FIXED_BYTES +
                          6 * (2 * MRL_NAME_BYTES + 2 * MRL_CONTAINER_BYTES + MRL_EXE_TEXT_BYTES),
};

/** What a text is made of. Words are cut to what the buffers hold. */
struct mrl_task {
    const struct mrl_event *event;
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
    (offsetof(struct mrl_event, pid_namespace) + sizeof(uint32_t) - MRL_TASK_NUMBERS_START)

struct mrl_task_slot {
    unsigned char numbers[MRL_TASK_NUMBERS_BYTES];
    bool used;
    uint16_t word_sizes[MRL_TASK_WORDS];
    uint16_t piece_sizes[MRL_TASK_PIECES];
    char room[MRL_TASK_ROOM]; /* the words, then the pieces */
};

/** Zeroed but for the first three members is empty. Only what is used is ever touched. */
struct mrl_task_texts {
    mrl_task_put put;
    void *context;        /* borrowed */
    bool with_executable; /* else the text does not depend on it */
    unsigned char next[MRL_TASK_SETS];
    struct mrl_task_slot slots[MRL_TASK_SETS][MRL_TASK_WAYS];
    char scratch[MRL_TASK_TEXT_BYTES];
};

/** A text: its pieces, one behind the other. */
struct mrl_task_text {
    const char *bytes;
    const uint16_t *piece_sizes;
};

/** The text of the event's task, as put() makes it. Valid until the next call. */
struct mrl_task_text mrl_task_texts__get(struct mrl_task_texts *texts,
                                         const struct mrl_event *event);

#endif
