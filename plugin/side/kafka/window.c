// SPDX-License-Identifier: Apache-2.0
#include "side/kafka/window.h"

#include <string.h>

void mrl_kafka_window__restart(struct mrl_kafka_window *window)
{
    size_t kept = 0;

    window->waiting = 0;
    for (size_t i = 0; i < MRL_KAFKA_MESSAGES; i++)
        window->pool[i].is_ahead = false;
    for (size_t i = 0; i < window->ahead_count; i++) {
        struct mrl_kafka_message *message = window->ahead[i];

        message->is_ahead = message->is_reported && !message->code;
        if (message->is_ahead)
            window->ahead[kept++] = message;
    }
    window->ahead_count = kept;
    window->unused_count = 0;
    for (size_t i = 0; i < MRL_KAFKA_MESSAGES; i++)
        if (!window->pool[i].is_ahead)
            window->unused[window->unused_count++] = &window->pool[i];
}

void mrl_kafka_window__report(struct mrl_kafka_window *window,
                              struct mrl_kafka_message *message,
                              rd_kafka_resp_err_t code)
{
    message->code = code;
    message->is_reported = true;
    window->unreported -= !message->is_ahead;
}

/* -- finding ---------------------------------------------------------------------------------- */

static bool is_of(const struct mrl_kafka_message *message, const struct mrl_item *item)
{
    return !memcmp(&message->head, &item->head, sizeof(item->head));
}

/* Of the messages from `*at` to `count`, the next, if it is this item's; otherwise NULL. */
static struct mrl_kafka_message *next_of(struct mrl_kafka_message *const *messages,
                                         size_t count,
                                         size_t *at,
                                         const struct mrl_item *item)
{
    return *at < count && is_of(messages[*at], item) ? messages[(*at)++] : NULL;
}

/* In advance: it may have been spoilt by one that it was sent with, and is sent again. */
static bool has_failed(const struct mrl_kafka_message *message)
{
    return message->is_reported && message->code != RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool mrl_kafka_window__find(struct mrl_kafka_window *window, const struct mrl_items *items)
{
    struct mrl_kafka_message **found = window->found;
    size_t old = 0, ahead = 0;

    for (size_t i = 0; i < items->count; i++) {
        found[i] = next_of(window->messages, window->waiting, &old, &items->items[i]);
        if (!found[i])
            found[i] = next_of(window->ahead, window->ahead_count, &ahead, &items->items[i]);
    }
    if (old < window->waiting)
        return false;
    for (size_t i = 0; i < items->count; i++)
        if (found[i] && has_failed(found[i])) {
            window->unused[window->unused_count++] = found[i];
            found[i] = NULL;
        }
    window->ahead_count -= ahead;
    memmove(window->ahead, window->ahead + ahead,
            window->ahead_count * sizeof(struct mrl_kafka_message *));
    memcpy(window->messages, found, items->count * sizeof(struct mrl_kafka_message *));
    return true;
}

/* -- sending ---------------------------------------------------------------------------------- */

static struct mrl_kafka_message *put_new(struct mrl_kafka_window *window,
                                         const struct mrl_kafka_way *way,
                                         const struct mrl_item *item,
                                         bool is_ahead)
{
    struct mrl_kafka_message *message = window->unused[--window->unused_count];

    *message = (struct mrl_kafka_message){ .head = item->head, .is_ahead = is_ahead };
    message->code = mrl_producer__put(way->producer, item, way->key, message);
    message->is_reported = message->code != RD_KAFKA_RESP_ERR_NO_ERROR;
    return message;
}

void mrl_kafka_window__put(struct mrl_kafka_window *window,
                           const struct mrl_kafka_way *way,
                           const struct mrl_items *items)
{
    window->unreported = 0;
    for (size_t i = 0; i < items->count; i++) {
        if (!window->messages[i])
            window->messages[i] = put_new(window, way, &items->items[i], false);
        window->messages[i]->is_ahead = false;
        window->unreported += !window->messages[i]->is_reported;
    }
    window->waiting = items->count;
}

void mrl_kafka_window__put_ahead(struct mrl_kafka_window *window,
                                 const struct mrl_kafka_way *way,
                                 const struct mrl_items *items)
{
    if (window->ahead_count)
        return;
    for (size_t i = 0; i < items->ahead_count && window->unused_count; i++) {
        struct mrl_kafka_message *message = put_new(window, way, &items->ahead[i], true);

        if (message->is_reported) {
            window->unused[window->unused_count++] = message;
            return;
        }
        window->ahead[window->ahead_count++] = message;
    }
}

bool mrl_kafka_window__is_shared(const struct mrl_kafka_window *window)
{
    for (size_t i = 0; i < window->ahead_count; i++)
        if (!window->ahead[i]->is_reported)
            return true;
    return false;
}

void mrl_kafka_window__end(struct mrl_kafka_window *window, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        struct mrl_kafka_message *message = window->messages[i];

        if (message->is_reported)
            window->unused[window->unused_count++] = message;
        else
            window->messages[left++] = message;
    }
    window->waiting = left;
}
