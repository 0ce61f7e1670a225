/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Items: encoded events that know which event they are of, for destinations that take, keep and
 * number events rather than bytes. An item is its head and the bytes of one format behind it.
 */
#ifndef MRELEASE_ITEM_H
#define MRELEASE_ITEM_H

#include <mrelease/declare.h>
#include <mrelease/event.h>
#include <stddef.h>
#include <stdint.h>

MRL_BEGIN_DECLARATIONS

/** What numbers an item; of the events of a record, their lane. */
enum mrl_series { MRL_SERIES_RARE, MRL_SERIES_BUSY, MRL_SERIES_LOST, MRL_SERIES_STATE };

/** As syslog numbers them. */
enum mrl_severity {
    MRL_SEVERITY_ERROR = 3,
    MRL_SEVERITY_WARNING,
    MRL_SEVERITY_NOTICE,
    MRL_SEVERITY_INFO,
};

/** Before the bytes of an item, little-endian; part of the format of spools. */
struct mrl_item_head {
    uint64_t time_ns; /**< of the event, since the epoch */
    uint64_t boot;    /**< BOOT and RUN of its id; both 0: not known */
    uint64_t run;
    uint64_t number;   /**< SEQ, or N */
    uint16_t source;   /**< CPU, or OUTPUT */
    uint16_t event;    /**< table index */
    uint8_t series;    /**< enum mrl_series */
    uint8_t severity;  /**< enum mrl_severity */
    uint16_t reserved; /**< 0 */
};

/** An item in memory; `bytes` is borrowed. */
struct mrl_item {
    struct mrl_item_head head;
    const char *bytes;
    uint32_t size;
};

/** The head of an event. */
void mrl_item__head(const struct mrl_event *event, struct mrl_item_head *ret_head);

/** The id that mrl_event__id() gives. Returns its size; 0 and "" where the run is not known. */
size_t mrl_item__id(const struct mrl_item_head *head, char text[MRL_EVENT_ID_BYTES]);

/** How grave an event is: a call of process_mrelease that failed is a warning, a release a notice,
 * events_lost an error. */
enum mrl_severity mrl_event__severity(const struct mrl_event *event);

MRL_END_DECLARATIONS

#endif
