// SPDX-License-Identifier: Apache-2.0
/* What a task repeats in each of its events: made once, found by comparing all it depends on. */
#include "encode/task_text.h"

#include <stdlib.h>
#include <string.h>

#include "event/named.h"

_Static_assert(MRL_TASK_NUMBERS_BYTES == 4 * sizeof(uint64_t) + 10 * sizeof(uint32_t),
               "the members lie together, without a gap");

/* The numbers that tell tasks apart lie together in an event: one memcmp() compares them all. */
static const void *numbers_of(const struct mrl_event *event)
{
    return (const char *)event + MRL_TASK_NUMBERS_START;
}

static struct mrl_text cut(struct mrl_text text, size_t size)
{
    size = text.size < size ? text.size : size;
    return (struct mrl_text){ size ? text.bytes : "", size };
}

static bool same_words(const struct mrl_task_slot *slot, const struct mrl_task *task)
{
    const char *at = slot->room;

    for (unsigned int i = 0; i < task->word_count; i++) {
        size_t size = slot->word_sizes[i];

        if (size != task->words[i].size || (size && memcmp(at, task->words[i].bytes, size) != 0))
            return false;
        at += size;
    }
    return true;
}

static bool is_of(const struct mrl_task_slot *slot, const struct mrl_task *task)
{
    /* All is compared, and no hash of it: a wrong match would put the identity of one task into
     * the event of another. */
    return slot->used && slot->word_count == task->word_count &&
           slot->is_sandbox == task->event->pod_sandbox &&
           !memcmp(slot->numbers, numbers_of(task->event), MRL_TASK_NUMBERS_BYTES) &&
           same_words(slot, task);
}

static size_t words_size(const uint16_t sizes[MRL_TASK_WORDS])
{
    size_t size = 0;

    for (unsigned int i = 0; i < MRL_TASK_WORDS; i++)
        size += sizes[i];
    return size;
}

static struct mrl_task_text text_of(const struct mrl_task_slot *slot, const char *bytes)
{
    return (struct mrl_task_text){ bytes, slot->piece_sizes };
}

/* At its place where it is sure to fit, else beside it. */
static struct mrl_task_text make(struct mrl_task_texts *texts,
                                 const struct mrl_task *task,
                                 struct mrl_task_slot *slot,
                                 size_t room)
{
    struct mrl_writer writer = { slot->room };
    size_t words, most;
    char *start;

    memcpy(slot->numbers, numbers_of(task->event), MRL_TASK_NUMBERS_BYTES);
    slot->word_count = (unsigned char)task->word_count;
    slot->is_sandbox = task->event->pod_sandbox;
    for (unsigned int i = 0; i < MRL_TASK_WORDS; i++)
        slot->word_sizes[i] = (uint16_t)task->words[i].size;
    words = words_size(slot->word_sizes);
    /* Six bytes for each, as JSON escapes them at worst; a container's id may stand twice. */
    most = MRL_TASK_FIXED_BYTES + 6 * (words + slot->word_sizes[MRL_TASK_CONTAINER]);
    start = words + most <= room ? slot->room + words : texts->scratch;
    writer.at = start;
    for (unsigned int i = 0; i < MRL_TASK_PIECES; i++) {
        const char *piece = writer.at;

        texts->put(texts->context, task, i, &writer);
        slot->piece_sizes[i] = (uint16_t)(writer.at - piece);
    }
    /* Checked with its true size: `most` assumes that every byte is escaped. A text that does not
     * fit is used from where it is, and made again for the next event. */
    slot->used = words + (size_t)(writer.at - start) <= room;
    if (!slot->used)
        return text_of(slot, start);
    if (start == texts->scratch)
        memcpy(slot->room + words, start, (size_t)(writer.at - start));
    writer.at = slot->room;
    for (unsigned int i = 0; i < MRL_TASK_WORDS; i++)
        mrl_put_bytes(&writer, task->words[i].bytes, task->words[i].size);
    return text_of(slot, writer.at);
}

/* The bound holds of all together; whoever made the event by hand may have broken it. */
static void add_names(struct mrl_task *task)
{
    size_t room = MRL_NAMES_BYTES_MAX;

    task->word_count = MRL_TASK_WORDS;
    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        task->words[MRL_TASK_NAMES + i] = cut(*mrl_event__name(task->event, i), room);
        room -= task->words[MRL_TASK_NAMES + i].size;
    }
}

/* As in a cache of a CPU: few places to look at for each thread, and the oldest of these gives way.
 */
struct slots {
    char *first;
    size_t room;
};

/* Most events are of no container, or have no names: these keep to slots that are small. */
static struct slots slots_for(struct mrl_task_texts *texts, const struct mrl_task *task)
{
    if (task->word_count == MRL_TASK_WORDS && !texts->named)
        texts->named = calloc(MRL_TASK_SLOTS, sizeof(struct mrl_task_slot) + MRL_TASK_NAMED_ROOM);
    if (task->word_count == MRL_TASK_WORDS && texts->named)
        return (struct slots){ texts->named, MRL_TASK_NAMED_ROOM };
    return (struct slots){ texts->plain, MRL_TASK_ROOM };
}

static struct mrl_task_slot *slot_at(const struct slots *slots, unsigned int set, unsigned int way)
{
    size_t size = sizeof(struct mrl_task_slot) + slots->room;

    return (void *)(slots->first + (set * MRL_TASK_WAYS + way) * size);
}

struct mrl_task_text mrl_task_texts__get(struct mrl_task_texts *texts,
                                         const struct mrl_event *event)
{
    struct mrl_task task = {
        event,
        MRL_TASK_PLAIN_WORDS,
        { cut(event->process_name, MRL_NAME_BYTES), cut(event->host_name, MRL_NAME_BYTES),
          cut(event->container_id, MRL_CONTAINER_BYTES),
          cut(event->executable, texts->with_executable ? MRL_EXE_TEXT_BYTES : 0) }
    };
    const unsigned int set = event->host_thread_id % MRL_TASK_SETS;
    struct mrl_task_slot *slot;
    struct slots slots;

    if (texts->with_names && event->names_result == MRL_NAMES_KNOWN)
        add_names(&task);
    slots = slots_for(texts, &task);
    for (unsigned int way = 0; way < MRL_TASK_WAYS; way++) {
        slot = slot_at(&slots, set, way);
        if (is_of(slot, &task))
            return text_of(slot, slot->room + words_size(slot->word_sizes));
    }
    slot = slot_at(&slots, set, texts->next[set]++ % MRL_TASK_WAYS);
    return make(texts, &task, slot, slots.room);
}

void mrl_task_texts__done(struct mrl_task_texts *texts)
{
    free(texts->named);
    texts->named = NULL;
}
