/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between produce() and their verdict: those of one delivery, and those of what comes
 * behind it, which are sent in advance. What is with librdkafka is known again by the head of its
 * item, so that nothing is sent twice. One thread.
 */
#ifndef MRL_SIDE_KAFKA_WINDOW_H
#define MRL_SIDE_KAFKA_WINDOW_H

#include <stdbool.h>

#include "side/kafka/producer.h"
#include "side/ship/shipper.h"

enum { MRL_KAFKA_MESSAGES = 2 * MRL_SHIP_ITEMS /* of two deliveries */ };

struct mrl_kafka_message {
    struct mrl_item_head head;
    rd_kafka_resp_err_t code;
    bool is_reported;
    bool is_ahead;
};

/** A zeroed one begins with mrl_kafka_window__restart(). */
struct mrl_kafka_window {
    struct mrl_kafka_message pool[MRL_KAFKA_MESSAGES];
    struct mrl_kafka_message *unused[MRL_KAFKA_MESSAGES];
    /** Of the items of a delivery; between two, of what is on its way. */
    struct mrl_kafka_message *messages[MRL_SHIP_ITEMS];
    /** Of what comes behind them, from the front. */
    struct mrl_kafka_message *ahead[MRL_SHIP_ITEMS];
    struct mrl_kafka_message *found[MRL_SHIP_ITEMS]; /**< while they are looked for */
    size_t unused_count, waiting, ahead_count;
    size_t unreported; /**< of those of a delivery */
};

/** Where messages go: borrowed. */
struct mrl_kafka_way {
    const struct mrl_producer *producer;
    const char *key; /**< "": they have none */
};

/** The producer is a new one: what is on its way is given up, and sent again. Of what comes next,
 * only what was taken is kept. */
void mrl_kafka_window__restart(struct mrl_kafka_window *window);

/** What became of a message, which is one of the window. */
void mrl_kafka_window__report(struct mrl_kafka_window *window,
                              struct mrl_kafka_message *message,
                              rd_kafka_resp_err_t code);

/** Finds the messages of those items that are on their way. Returns false, and has changed nothing,
 * where some are on their way that nobody asks for any more. */
bool mrl_kafka_window__find(struct mrl_kafka_window *window, const struct mrl_items *items);

/** Sends those items that were not found; `messages` are then those of the items. */
void mrl_kafka_window__put(struct mrl_kafka_window *window,
                           const struct mrl_kafka_way *way,
                           const struct mrl_items *items);

/** Sends what comes next, if nothing of it was sent yet. What there is no room for waits for its
 * turn. */
void mrl_kafka_window__put_ahead(struct mrl_kafka_window *window,
                                 const struct mrl_kafka_way *way,
                                 const struct mrl_items *items);

/** Whether a broker may get what is delivered together with what comes next. */
bool mrl_kafka_window__is_shared(const struct mrl_kafka_window *window);

/** Ends a delivery of `count` items: of those without a report the messages stay, in their order.
 */
void mrl_kafka_window__end(struct mrl_kafka_window *window, size_t count);

#endif
