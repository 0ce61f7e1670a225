// SPDX-License-Identifier: Apache-2.0
#include "side/ship/shipper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum {
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 60 * 1000,
    ASKED_MAX_MS = 10 * 60 * 1000,
    MISCONFIGURED_FAILURES = 10, /* as after so many failures: a minute at most */
    STEP_MS = 20,
};

/* -- pauses ----------------------------------------------------------------------------------- */

/* xorshift: sensors that lost their destination together must not come back together. */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t number = *seed ? *seed : (uint64_t)mrl_clock__ns(CLOCK_REALTIME) | 1;

    number ^= number << 13;
    number ^= number >> 7;
    number ^= number << 17;
    *seed = number;
    return number;
}

uint64_t mrl_shipper__pause_ms(unsigned int failures, uint32_t asked_ms, uint64_t *seed)
{
    uint64_t scale_ms = PAUSE_MAX_MS, pause_ms;

    if (failures < MISCONFIGURED_FAILURES && (uint64_t)PAUSE_MIN_MS << failures < PAUSE_MAX_MS)
        scale_ms = (uint64_t)PAUSE_MIN_MS << failures;
    pause_ms = next_random(seed) % (scale_ms + 1);
    if (asked_ms > ASKED_MAX_MS)
        asked_ms = ASKED_MAX_MS;
    return pause_ms < asked_ms ? asked_ms : pause_ms;
}

static bool is_stopped(const struct mrl_shipper *shipper)
{
    return shipper->stop && __atomic_load_n(shipper->stop, __ATOMIC_RELAXED);
}

static void pause_for(struct mrl_shipper *shipper, uint64_t pause_ms)
{
    for (uint64_t waited = 0; waited < pause_ms && !is_stopped(shipper); waited += STEP_MS) {
        if (__atomic_exchange_n(&shipper->hurries, 0, __ATOMIC_RELAXED))
            return;
        mrl_clock__pause_ms(STEP_MS);
    }
}

/* -- saying ----------------------------------------------------------------------------------- */

static void say(const struct mrl_shipper *shipper, enum mrl_log_level level, const char *text)
{
    char line[512];

    snprintf(line, sizeof(line), "%s: %.400s", shipper->ops->name, text);
    if (shipper->log)
        shipper->log(level, line);
}

static const char *reason_of(const struct mrl_delivery *delivery, const struct mrl_judged *judged)
{
    return judged->reason && judged->reason <= delivery->reason_count
               ? delivery->reasons[judged->reason - 1].text
               : "no reason was given";
}

static bool is_misconfigured(const struct mrl_shipper *shipper)
{
    return shipper->failing == MRL_VERDICT_MISCONFIGURED + 1U;
}

/* Once, until it works again, or fails in another way. */
static void note_failure(struct mrl_shipper *shipper,
                         const struct mrl_delivery *delivery,
                         const struct mrl_judged *judged)
{
    char text[400];

    snprintf(shipper->why, sizeof(shipper->why), "%s", reason_of(delivery, judged));
    if (shipper->failing == judged->verdict + 1U)
        return;
    shipper->failing = judged->verdict + 1U;
    snprintf(text, sizeof(text), "%.300s: %s", reason_of(delivery, judged),
             judged->verdict == MRL_VERDICT_MISCONFIGURED
                 ? "somebody has to mend that; tried again within a minute"
                 : "tried again until it works");
    say(shipper, MRL_LOG_WARNING, text);
}

static void note_success(struct mrl_shipper *shipper)
{
    if (shipper->failing)
        say(shipper, MRL_LOG_INFO, "works again");
    shipper->failing = 0;
    shipper->failures = 0;
}

void mrl_shipper__look(struct mrl_shipper *shipper)
{
    struct mrl_error error = { "" };
    char text[400];

    if (!shipper->ops->look || !shipper->ops->look(shipper->sink, shipper->stop, &error) ||
        is_stopped(shipper))
        return;
    shipper->failing = MRL_VERDICT_AGAIN + 1U; /* said: the first event says it no more */
    snprintf(text, sizeof(text),
             "%.300s: nothing can be delivered there; tried again until it works", error.text);
    say(shipper, MRL_LOG_WARNING, text);
}

/* -- counting --------------------------------------------------------------------------------- */

/* In this order: a reader never sees more retries than items that were sent again. */
static void note_request(struct mrl_shipper *shipper, size_t sent)
{
    const size_t again = sent < shipper->tried ? sent : shipper->tried;

    if (!shipper->tried)
        shipper->tried_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    __atomic_fetch_add(&shipper->sent.resent, again, __ATOMIC_RELAXED);
    __atomic_fetch_add(&shipper->sent.retries, again > 0, __ATOMIC_RELEASE);
}

void mrl_shipper__sent(const struct mrl_shipper *shipper, struct mrl_sent *ret_sent)
{
    ret_sent->retries = __atomic_load_n(&shipper->sent.retries, __ATOMIC_ACQUIRE);
    ret_sent->resent = __atomic_load_n(&shipper->sent.resent, __ATOMIC_RELAXED);
    ret_sent->last_success_ns = __atomic_load_n(&shipper->sent.last_success_ns, __ATOMIC_RELAXED);
}

static void note_taken(struct mrl_shipper *shipper, size_t sent)
{
    for (size_t i = 0; i < sent; i++)
        if (shipper->judged[i].verdict == MRL_VERDICT_TAKEN) {
            __atomic_store_n(&shipper->sent.last_success_ns,
                             (uint64_t)mrl_clock__ns(CLOCK_REALTIME), __ATOMIC_RELAXED);
            return;
        }
}

/* -- requests --------------------------------------------------------------------------------- */

static size_t most_items(const struct mrl_shipper *shipper)
{
    size_t most = shipper->ops->request_items ? shipper->ops->request_items : MRL_SHIP_ITEMS;

    return shipper->limit && shipper->limit < most ? shipper->limit : most;
}

/* How many of `count` pending items the next request holds: one at least. */
static size_t fill(const struct mrl_shipper *shipper, size_t count, size_t *ret_size)
{
    const size_t bytes = shipper->ops->request_bytes ? shipper->ops->request_bytes : MRL_SHIP_BYTES;
    const size_t most = most_items(shipper);
    size_t taken = 0;

    *ret_size = 0;
    while (taken < count && taken < most &&
           (!taken || *ret_size + shipper->pending[taken].size <= bytes))
        *ret_size += shipper->pending[taken++].size;
    return taken;
}

/* What the request behind this one begins with: the rest of what is pending, or what comes then.
 * Nothing where it may be another: what is sent in halves, or failed, holds up what is behind it.
 */
static void look_ahead(const struct mrl_shipper *shipper, size_t count, struct mrl_items *items)
{
    const bool is_whole = items->count == count;

    if (shipper->limit || shipper->failures || shipper->tried)
        return;
    items->ahead = is_whole ? shipper->ahead : shipper->pending + items->count;
    items->ahead_count = is_whole ? shipper->ahead_count : count - items->count;
}

static void refuse(struct mrl_shipper *shipper, size_t at, const char *reason, uint8_t *refused)
{
    refused[shipper->numbers[at]] = 1;
    if (shipper->refused)
        shipper->refused(shipper->context, &shipper->pending[at], reason);
}

/* What is dealt with leaves the pending ones, which stay in order. Returns how many are left of
 * `count`, the first `sent` of which have a verdict; `*ret_first` of the first that was not taken.
 */
static size_t settle(struct mrl_shipper *shipper,
                     const struct mrl_delivery *delivery,
                     size_t sent,
                     size_t count,
                     uint8_t *dealt,
                     uint8_t *refused)
{
    const size_t tried = shipper->tried > sent ? shipper->tried : sent;
    size_t left = 0;

    shipper->tried = 0;
    for (size_t i = 0; i < count; i++) {
        const struct mrl_judged *judged = &shipper->judged[i];
        bool is_refused = i < sent && judged->verdict == MRL_VERDICT_REFUSED;

        if (is_refused)
            refuse(shipper, i, reason_of(delivery, judged), refused);
        if (is_refused || (i < sent && judged->verdict == MRL_VERDICT_TAKEN)) {
            dealt[shipper->numbers[i]] = 1;
            continue;
        }
        if (i < sent && !left && !delivery->halve)
            note_failure(shipper, delivery, judged);
        shipper->tried += i < tried;
        shipper->pending[left] = shipper->pending[i];
        shipper->numbers[left++] = shipper->numbers[i];
    }
    return left;
}

/* One request. Returns how many are left of `count`; `*ret_wait_ms`: until the next one. */
static size_t request(struct mrl_shipper *shipper,
                      size_t count,
                      uint8_t *dealt,
                      uint8_t *refused,
                      uint64_t *ret_wait_ms)
{
    struct mrl_delivery delivery = { .judged = shipper->judged };
    struct mrl_items items = { .items = shipper->pending, .stop = shipper->stop };
    const bool was_misconfigured = is_misconfigured(shipper);
    size_t left, sent = items.count = fill(shipper, count, &items.size);

    look_ahead(shipper, count, &items);
    memset(shipper->judged, 0, sent * sizeof(*shipper->judged));
    note_request(shipper, sent);
    shipper->ops->deliver(shipper->sink, &items, &delivery);
    note_taken(shipper, sent);
    if (delivery.halve && sent == 1 && shipper->judged[0].verdict == MRL_VERDICT_AGAIN)
        mrl_delivery__judge(&delivery, 0, MRL_VERDICT_REFUSED, "alone, it is too large");
    *ret_wait_ms = 0;
    left = settle(shipper, &delivery, sent, count, dealt, refused);
    if (delivery.halve && sent > 1) {
        shipper->limit = (sent + 1) / 2;
        return left;
    }
    if (left == count - sent) {
        shipper->limit = 2 * shipper->limit < MRL_SHIP_ITEMS ? 2 * shipper->limit : 0;
        note_success(shipper);
        return left;
    }
    if (left < count && !delivery.wait_ms)
        shipper->failures = 0; /* it gets on */
    else if (is_misconfigured(shipper) && shipper->failures < MISCONFIGURED_FAILURES)
        shipper->failures = MISCONFIGURED_FAILURES;
    *ret_wait_ms = mrl_shipper__pause_ms(shipper->failures++, delivery.wait_ms, &shipper->seed);
    /* Files that were replaced are read first: with them, it may work at once. */
    if (shipper->renew && is_misconfigured(shipper) && !was_misconfigured)
        *ret_wait_ms = delivery.wait_ms;
    return left;
}

/* -- giving up -------------------------------------------------------------------------------- */

/* Until the items that were tried have had their time; UINT64_MAX: it has no end. */
static uint64_t patience_ms(const struct mrl_shipper *shipper)
{
    const int64_t tried_ns = mrl_clock__ns(CLOCK_MONOTONIC) - shipper->tried_ns;

    if (!shipper->give_up_ns || !shipper->tried)
        return UINT64_MAX;
    return (uint64_t)tried_ns < shipper->give_up_ns
               ? (shipper->give_up_ns - (uint64_t)tried_ns) / 1000000
               : 0;
}

/* Refuses those that were tried. Returns how many are left of `count`. */
static size_t give_up(struct mrl_shipper *shipper, size_t count, uint8_t *dealt, uint8_t *refused)
{
    const size_t tried = shipper->tried;
    char reason[300];

    snprintf(reason, sizeof(reason), "given up after %llu s: %.200s",
             (unsigned long long)(shipper->give_up_ns / 1000000000), shipper->why);
    for (size_t i = 0; i < tried; i++) {
        refuse(shipper, i, reason, refused);
        dealt[shipper->numbers[i]] = 1;
    }
    shipper->tried = 0;
    memmove(shipper->pending, shipper->pending + tried,
            (count - tried) * sizeof(*shipper->pending));
    memmove(shipper->numbers, shipper->numbers + tried,
            (count - tried) * sizeof(*shipper->numbers));
    return count - tried;
}

int mrl_shipper__deliver(struct mrl_shipper *shipper,
                         const struct mrl_item *items,
                         size_t count,
                         uint8_t *dealt,
                         uint8_t *refused)
{
    uint64_t wait_ms = 0;
    size_t left = count;

    memcpy(shipper->pending, items, count * sizeof(*items));
    memset(dealt, 0, count);
    memset(refused, 0, count);
    for (uint32_t i = 0; i < count; i++)
        shipper->numbers[i] = i;
    shipper->tried = 0;
    while (left) {
        const uint64_t most_ms = patience_ms(shipper);

        pause_for(shipper, wait_ms < most_ms ? wait_ms : most_ms);
        if (is_stopped(shipper))
            return -ECANCELED;
        if (!patience_ms(shipper)) {
            left = give_up(shipper, left, dealt, refused);
            continue;
        }
        if (shipper->renew)
            shipper->renew(shipper->context, is_misconfigured(shipper));
        left = request(shipper, left, dealt, refused, &wait_ms);
    }
    return 0;
}
