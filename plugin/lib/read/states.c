// SPDX-License-Identifier: Apache-2.0
/* What the plugin says of itself: when it is due, and what others told it. */
#include "read/states.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

enum { HALF_ID = 16, ID_BYTES = 36 };

void mrl_states__init(struct mrl_states *states, const struct mrl_states_log *log)
{
    *states = (struct mrl_states){ .alive_ns = MRL_ALIVE_NS, .log = *log };
    pthread_mutex_init(&states->lock, NULL);
}

void mrl_states__done(struct mrl_states *states)
{
    pthread_mutex_destroy(&states->lock);
}

/* -- the run ---------------------------------------------------------------------------------- */

/* The first half of the boot id without its dashes; zeros where it cannot be read. */
static void read_boot(char boot[HALF_ID + 1])
{
    char id[ID_BYTES];
    int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC), used = 0;
    ssize_t size = fd < 0 ? 0 : read(fd, id, sizeof(id));

    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < size && used < HALF_ID; i++)
        if (strchr("0123456789abcdef", id[i]))
            boot[used++] = id[i];
    memset(boot + used, '0', (size_t)(HALF_ID - used));
    boot[HALF_ID] = '\0';
}

void mrl_states__start(struct mrl_states *states, bool in_batches, const char *detail)
{
    char boot[HALF_ID + 1];

    read_boot(boot);
    snprintf(states->run, sizeof(states->run), "%s-%016" PRIx64, boot,
             (uint64_t)mrl_clock__boot_ns());
    states->in_batches = in_batches;
    snprintf(states->started, sizeof(states->started), "%s", detail);
}

void mrl_states__want(struct mrl_states *states, bool in_batches)
{
    states->in_batches = in_batches;
}

/* -- telling ---------------------------------------------------------------------------------- */

int mrl_states__tell(struct mrl_states *states, const struct mrl_state *state)
{
    struct mrl_told *told;
    int err = 0;

    if (!*states->run)
        return 0;
    pthread_mutex_lock(&states->lock);
    if (states->told_count == MRL_TOLD_MAX) {
        err = -EAGAIN;
    } else {
        told = &states->told[states->told_count++];
        told->state = *state;
        told->state.time_ns = (uint64_t)mrl_clock__ns(CLOCK_REALTIME);
        snprintf(told->detail, sizeof(told->detail), "%.*s", (int)state->detail.size,
                 state->detail.bytes);
    }
    pthread_mutex_unlock(&states->lock);
    return err;
}

/* -- saying ----------------------------------------------------------------------------------- */

static int say(struct mrl_states *states,
               struct mrl_state state,
               const char *detail,
               struct mrl_batch *batch)
{
    char text[MRL_STATE_DETAIL_MAX];

    if (!states->in_batches)
        return 0;
    state.detail = (struct mrl_text){ text, mrl_state__put_detail(states->run, detail, text) };
    state.events_so_far = states->so_far;
    if (!state.time_ns)
        state.time_ns = (uint64_t)mrl_clock__ns(CLOCK_REALTIME);
    mrl_state__append(&state, batch);
    return 1;
}

static struct mrl_state by_nobody(enum mrl_what what)
{
    return (struct mrl_state){ .what = what, .by_uid = MRL_NOBODY, .by_pid = MRL_NOBODY };
}

/* Who tells has a line of its own about what it did; what was noticed here is news. */
static enum mrl_log_level level_of(enum mrl_what what)
{
    return what == MRL_WHAT_CLOCK_SET ? MRL_LOG_INFO : MRL_LOG_DEBUG;
}

static void log_told(const struct mrl_states *states, const struct mrl_told *told)
{
    const char *word = mrl_what_name(told->state.what);
    char by[64] = "", line[MRL_TOLD_BYTES + 128];

    if (!states->log.line)
        return;
    if (told->state.by_uid != MRL_NOBODY)
        snprintf(by, sizeof(by), ", by uid %" PRId64 ", pid %" PRId64, told->state.by_uid,
                 told->state.by_pid);
    snprintf(line, sizeof(line), "%s%s%s%s", word, *told->detail ? ": " : "", told->detail, by);
    states->log.line(states->log.context, level_of(told->state.what), line);
}

/* Without the lock while the log is written to: whoever tells waits for no terminal. */
static int say_told(struct mrl_states *states, struct mrl_batch *batch)
{
    struct mrl_told told;
    int count = 0;

    for (;;) {
        pthread_mutex_lock(&states->lock);
        if (!states->told_count) {
            pthread_mutex_unlock(&states->lock);
            return count;
        }
        told = states->told[0];
        memmove(states->told, states->told + 1, --states->told_count * sizeof(told));
        pthread_mutex_unlock(&states->lock);
        log_told(states, &told);
        count += say(states, told.state, told.detail, batch);
    }
}

int mrl_states__take(struct mrl_states *states, int64_t now_ns, struct mrl_batch *batch)
{
    int count = 0;

    if (!*states->run || states->stopped)
        return 0;
    if (!states->next_alive_ns) {
        count += say(states, by_nobody(MRL_WHAT_STARTED), states->started, batch);
        states->next_alive_ns = now_ns + states->alive_ns;
    }
    count += say_told(states, batch);
    if (now_ns >= states->next_alive_ns) {
        count += say(states, by_nobody(MRL_WHAT_ALIVE), NULL, batch);
        states->next_alive_ns = now_ns + states->alive_ns;
    }
    return count;
}

int mrl_states__stop(struct mrl_states *states, struct mrl_batch *batch)
{
    if (!*states->run || states->stopped)
        return 0;
    states->stopped = true;
    return say(states, by_nobody(MRL_WHAT_STOPPED), NULL, batch);
}

void mrl_states__count(struct mrl_states *states, const struct mrl_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        states->so_far += batch->events[i].raw != NULL;
}

int mrl_states__wait_ms(const struct mrl_states *states, int64_t now_ns, int timeout_ms)
{
    int64_t left_ms = (states->next_alive_ns - now_ns + 999999) / 1000000;

    if (!states->in_batches || states->stopped)
        return timeout_ms;
    left_ms = left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : left_ms;
    return timeout_ms < 0 || left_ms < timeout_ms ? (int)left_ms : timeout_ms;
}
