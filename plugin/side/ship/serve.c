// SPDX-License-Identifier: Apache-2.0
#include "side/ship/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "side/common/sandbox.h"
#include "side/ship/rights.h"
#include "side/ship/ship.h"

static struct mrl_ship ship = { .lock = PTHREAD_MUTEX_INITIALIZER,
                                .changed = PTHREAD_COND_INITIALIZER,
                                .cursor_fd = -1,
                                .refused_fd = -1 };

/* -- the thread ------------------------------------------------------------------------------- */

static void *run(void *unused)
{
    (void)unused;
    mrl_shipper__look(&ship.shipper);
    if (ship.cursor_fd < 0)
        mrl_ship__from_memory(&ship);
    else
        mrl_ship__from_spool(&ship);
    return NULL;
}

void mrl_ship__await(struct mrl_ship *it, unsigned int timeout_ms)
{
    const struct timespec end = mrl_clock__in_ms((int)timeout_ms);

    pthread_mutex_lock(&it->lock);
    it->idle = true;
    pthread_cond_broadcast(&it->changed);
    if (!it->grown && !it->used && !__atomic_load_n(&it->stop, __ATOMIC_RELAXED))
        pthread_cond_clockwait(&it->changed, &it->lock, CLOCK_MONOTONIC, &end);
    it->idle = it->grown = false;
    pthread_mutex_unlock(&it->lock);
}

bool mrl_ship__is_over(struct mrl_ship *it)
{
    return __atomic_load_n(&it->stop, __ATOMIC_RELAXED);
}

/* Whoever refuses one event often refuses many: a line a second says how many. */
static void say_refused(void *context, const struct mrl_item *item, const char *reason)
{
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    char id[MRL_EVENT_ID_BYTES], line[MRL_SIDE_TEXT_MAX];

    bool is_kept = ship.refused_fd >= 0 && mrl_ship__keep_refused(&ship, item, reason);

    (void)context;
    ship.untold++;
    if (ship.told_ns && now_ns - ship.told_ns < 1000000000)
        return;
    mrl_item__id(&item->head, id);
    snprintf(line, sizeof(line), "%s: %u refused for good, the last one %s: %.300s%s",
             ship.shipper.ops->name, ship.untold, *id ? id : "without an id", reason,
             ship.refused_fd < 0 || is_kept ? "" : "; refused.ndjson is full, it is not kept");
    mrl_side__log(MRL_LOG_WARNING, line);
    ship.told_ns = now_ns;
    ship.untold = 0;
}

/* -- files of the options --------------------------------------------------------------------- */

/* A sink that is in the middle of a request cannot take them: the thread that ships does, before
 * the next one. */
static int note_files(struct mrl_sink *sink, const int *fds, struct mrl_error *error)
{
    (void)sink;
    (void)error;
    pthread_mutex_lock(&ship.lock);
    for (int i = 0; i < MRL_SPOOL_FDS; i++) {
        if (ship.is_renewed && ship.files[i] >= 0)
            close(ship.files[i]);
        ship.files[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
    }
    ship.is_renewed = true;
    pthread_mutex_unlock(&ship.lock);
    __atomic_store_n(&ship.shipper.hurries, 1, __ATOMIC_RELAXED);
    return 0;
}

/* What the main process has sent, or is asked for. Returns whether there is something. */
static bool find_files(bool failing, int fds[MRL_SINK_FDS_MAX])
{
    const struct mrl_side_request request = { .asked = MRL_SIDE_FILES };
    struct mrl_side_answer answer = { .fd = -1 };
    struct mrl_error error = { "" };
    bool is_renewed;
    int err;

    for (int i = 0; i < MRL_SINK_FDS_MAX; i++)
        fds[i] = -1;
    pthread_mutex_lock(&ship.lock);
    is_renewed = ship.is_renewed;
    if (is_renewed)
        memcpy(fds, ship.files, sizeof(ship.files));
    ship.is_renewed = false;
    pthread_mutex_unlock(&ship.lock);
    if (is_renewed || !failing)
        return is_renewed;
    err = mrl_side__ask(&request, -1, &answer, &error);
    if (err && err != -ESHUTDOWN && *error.text)
        mrl_side__log(MRL_LOG_WARNING, error.text);
    free(answer.bytes);
    fds[0] = answer.fd;
    return answer.fd >= 0;
}

static void renew(void *context, bool failing)
{
    struct mrl_error error = { "" };
    int fds[MRL_SINK_FDS_MAX];

    (void)context;
    if (!find_files(failing, fds))
        return;
    if (ship.program->reopen(ship.shipper.sink, fds, &error))
        mrl_side__log(MRL_LOG_WARNING, error.text);
    for (int i = 0; i < MRL_SINK_FDS_MAX; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* -- what is heard ---------------------------------------------------------------------------- */

static int opened(const struct mrl_sink_ops *ops,
                  struct mrl_sink *sink,
                  const struct mrl_side_target *target,
                  struct mrl_error *error)
{
    int err;

    ship.shipper.ops = ops;
    ship.shipper.sink = sink;
    ship.shipper.stop = &ship.stop;
    ship.shipper.log = mrl_side__log;
    ship.shipper.refused = say_refused;
    ship.shipper.renew = ops->renew && ship.program->reopen ? renew : NULL;
    ship.shipper.give_up_ns = target->give_up_ns;
    ship.cursor_fd = target->fds[MRL_SPOOL_FDS];
    ship.refused_fd = target->fds[MRL_SPOOL_FDS + 1];
    err = -pthread_create(&ship.thread, NULL, run, NULL);
    ship.has_thread = !err;
    return err ? mrl_error__set(error, err, "a thread: %s", strerror(-err)) : 0;
}

/* The main process sends no more than there is room for, unless it breaks the rules. */
static int take(const struct mrl_side_message *message)
{
    struct mrl_ship_chunk chunk = { message->head.id, message->head.count, NULL,
                                    message->head.size };
    int err = 0;

    if (message->head.type == MRL_SIDE_GROWN) {
        pthread_mutex_lock(&ship.lock);
        ship.grown = true;
        pthread_cond_broadcast(&ship.changed);
        pthread_mutex_unlock(&ship.lock);
        return 0;
    }
    chunk.bytes = malloc(chunk.size + 1);
    if (!chunk.bytes)
        return -ENOMEM;
    memcpy(chunk.bytes, message->bytes, chunk.size);
    pthread_mutex_lock(&ship.lock);
    if (ship.used == MRL_SHIP_CHUNKS || ship.cursor_fd >= 0)
        err = -EPROTO;
    else
        ship.chunks[(ship.first + ship.used++) % MRL_SHIP_CHUNKS] = chunk;
    pthread_cond_broadcast(&ship.changed);
    pthread_mutex_unlock(&ship.lock);
    if (err)
        free(chunk.bytes);
    return err;
}

static void sent(struct mrl_sent *ret_sent)
{
    mrl_shipper__sent(&ship.shipper, ret_sent);
}

/* What is on its way gets a moment. */
static void end(void)
{
    bool idle = false;

    for (int waited = 0; ship.has_thread && !idle && waited < MRL_SHIP_END_MS; waited += 10) {
        pthread_mutex_lock(&ship.lock);
        idle = ship.idle && !ship.used && !ship.grown;
        pthread_mutex_unlock(&ship.lock);
        if (!idle)
            mrl_clock__pause_ms(10);
    }
    __atomic_store_n(&ship.stop, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&ship.lock);
    pthread_cond_broadcast(&ship.changed);
    pthread_mutex_unlock(&ship.lock);
    if (ship.has_thread)
        pthread_join(ship.thread, NULL);
}

static int serve(const struct mrl_ship_program *program)
{
    const struct mrl_side_program served = {
        .row = program->row,
        .reopen = note_files,
        .opened = opened,
        .take = take,
        .end = end,
        .sent = sent,
    };

    ship.program = program;
    return mrl_side__serve(&served);
}

void mrl_ship__main(int argc, char **argv, const struct mrl_ship_program *program)
{
    struct mrl_sandbox keeps = { .calls = 0 };
    int err = -EINVAL;

    if (argc == 3 && !strcmp(argv[1], MRL_SIDE_SERVE))
        err = mrl_ship__keep_rights(&keeps);
    err = err ? err : mrl_side__enter(&keeps, argv[2]);
    mrl_sandbox__done(&keeps);
    /* The thread that ships may be within a library: nothing is taken away under it. */
    _exit(err ? EXIT_FAILURE : serve(program));
}
