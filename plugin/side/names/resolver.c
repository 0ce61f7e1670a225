// SPDX-License-Identifier: Apache-2.0
#include "side/names/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "side/common/program.h"

enum {
    AGAIN_MS = 1000,            /* between two attempts to reach a runtime, */
    LACKS_AGAIN_MS = 10 * 1000, /* and where it has no such interface */
    SAID_AGAIN_MS = 10 * 1000,  /* between two words about one that comes and goes */
/* JSON as deep as jansson follows it takes 192 KiB. */
#ifdef MRL_SANITIZED /* which keeps more there than we do */
    STACK_BYTES = 4 * 1024 * 1024,
#else
    STACK_BYTES = 512 * 1024,
#endif
};

/* A thread's. */
struct worker {
    unsigned int index;
    struct mrl_asker asker;
    struct mrl_naming naming;
    struct mrl_namings listed;
    bool is_told; /* that it is of no use: it says so once */
    bool is_owed; /* to be said that it is up */
    int64_t said_up_ms;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct mrl_table table;
    struct mrl_namings told;
    bool has_listed;
    struct mrl_names_options options;
    struct worker workers[MRL_ASKERS_MAX];
} self = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* -- saying ----------------------------------------------------------------------------------- */

static void send_named(void *context, uint32_t count, const char *bytes, size_t size)
{
    (void)context;
    mrl_side__send(MRL_SIDE_NAMED, count, bytes, size);
}

static void tell(void *context, uint32_t ask, const struct mrl_container_names *names)
{
    (void)context;
    mrl_namings__add(&self.told, ask, names);
}

static void take_listed(void *context, const struct mrl_naming *naming)
{
    mrl_namings__add(context, 0, &naming->names);
}

/* With the lock held, after each change. */
static void say_what_changed(void)
{
    mrl_namings__flush(&self.told);
    if (!self.has_listed && mrl_table__is_settled(&self.table)) {
        self.has_listed = true;
        mrl_side__send(MRL_SIDE_LISTED, 0, "", 0);
    }
    pthread_cond_broadcast(&self.changed);
}

static void say_state(struct worker *worker, enum mrl_asker_state state)
{
    const struct mrl_asker *asker = &worker->asker;
    const char *runtime = mrl_runtime__name(asker->runtime);
    char line[MRL_SIDE_TEXT_MAX];

    if (state == MRL_ASKER_UP)
        snprintf(line, sizeof(line), "names: %s at %s: %s%s%s", runtime, asker->path,
                 *asker->version ? asker->version : "it names no version", *asker->why ? "; " : "",
                 asker->why);
    else if (state == MRL_ASKER_ABSENT && !asker->is_named)
        return;
    else
        snprintf(line, sizeof(line), "names: %s at %s, %s: %s", runtime, asker->path,
                 asker->ops->name, asker->why);
    if (state == MRL_ASKER_UP || !worker->is_told)
        mrl_side__log(*asker->why ? MRL_LOG_WARNING : MRL_LOG_INFO, line);
    worker->is_told = state != MRL_ASKER_UP;
}

/* Of one that is up, and gone at the next question, it is said every SAID_AGAIN_MS. */
static bool may_say_up(struct worker *worker)
{
    const int64_t now_ms = mrl_clock__ms();

    worker->is_owed = worker->said_up_ms && now_ms - worker->said_up_ms < SAID_AGAIN_MS;
    if (!worker->is_owed)
        worker->said_up_ms = now_ms;
    return !worker->is_owed;
}

/* -- reaching --------------------------------------------------------------------------------- */

const struct mrl_names_socket *mrl_resolver__sockets(const struct mrl_names_options *options,
                                                     size_t *ret_count,
                                                     bool *ret_named)
{
    size_t count = 0;

    while (count < MRL_NAMES_SOCKETS_MAX && options->sockets[count].runtime != MRL_RUNTIME_UNKNOWN)
        count++;
    *ret_named = count;
    *ret_count = count;
    return count ? options->sockets : mrl_names__usual_sockets(ret_count);
}

static enum mrl_asker_state state_of(const struct mrl_asker *asker, int err)
{
    if (err == -ENOENT && !asker->is_named)
        return MRL_ASKER_ABSENT;
    if (err == -EOPNOTSUPP)
        return MRL_ASKER_ABSENT;
    return err == -ETIMEDOUT || err == -EAGAIN ? MRL_ASKER_HUNG
           : err                               ? MRL_ASKER_DOWN
                                               : MRL_ASKER_UP;
}

/* One whose list is of no use, or endless, may still know single containers, if it said who it is:
 * `why` tells what is wrong with the list. */
static int read_list(struct mrl_asker *asker,
                     struct mrl_naming *room,
                     void (*take)(void *context, const struct mrl_naming *naming),
                     void *context)
{
    int err = asker->ops->list(asker, room, take, context);
    char why[sizeof(asker->why)];

    memcpy(why, asker->why, sizeof(why));
    if (!err)
        *asker->why = '\0';
    if (err == -EBADMSG && *asker->version)
        err = mrl_asker__fail(asker, 0, "its list: %s", why);
    return err == -E2BIG ? 0 : err;
}

enum mrl_asker_state mrl_resolver__reach(struct mrl_asker *asker,
                                         struct mrl_naming *room,
                                         void (*take)(void *context,
                                                      const struct mrl_naming *naming),
                                         void *context,
                                         bool *ret_lacks)
{
    int err = mrl_asker__look(asker);

    *asker->why = *asker->version = '\0';
    if (err)
        mrl_asker__fail(asker, err, "%s", strerror(-err));
    else
        err = asker->ops->open(asker);
    if (!err) {
        err = read_list(asker, room, take, context);
        if (err)
            asker->ops->close(asker);
    }
    *ret_lacks = err == -EOPNOTSUPP;
    return state_of(asker, err);
}

/* -- a thread --------------------------------------------------------------------------------- */

/* With the lock held. */
static void await(int64_t until_ms)
{
    const int64_t left = until_ms - mrl_clock__ms();
    const struct timespec end = mrl_clock__in_ms(left < 1          ? 1
                                                 : left < AGAIN_MS ? (int)left
                                                                   : AGAIN_MS);

    pthread_cond_clockwait(&self.changed, &self.lock, CLOCK_MONOTONIC, &end);
}

/* With the lock held, which is given up meanwhile. */
static void run_errand(struct worker *worker, const struct mrl_errand *errand)
{
    char line[MRL_SIDE_TEXT_MAX];
    int err;

    pthread_mutex_unlock(&self.lock);
    err = worker->asker.ops->find(&worker->asker, errand->id, &worker->naming);
    if (err == -EBADMSG) {
        snprintf(line, sizeof(line), "names: %s at %s: %s",
                 mrl_runtime__name(worker->asker.runtime), worker->asker.path, worker->asker.why);
        if (!worker->is_told)
            mrl_side__log(MRL_LOG_WARNING, line);
        worker->is_told = true;
    }
    pthread_mutex_lock(&self.lock);
    if (!err)
        mrl_namings__add(&self.told, errand->ask, &worker->naming.names);
    mrl_table__done(&self.table, worker->index, errand, err, mrl_clock__ms());
    say_what_changed();
    if (!err || err == -ENOENT)
        *worker->asker.why = '\0'; /* another of its socket may lose it: then this is not why */
}

/* Until it cannot be reached, or does not answer. */
static void serve(struct worker *worker)
{
    struct mrl_errand errand;
    enum mrl_asker_state state;
    int64_t due_ms;

    pthread_mutex_lock(&self.lock);
    while (self.table.askers[worker->index].state == MRL_ASKER_UP) {
        if (mrl_table__next(&self.table, worker->index, mrl_clock__ms(), &errand, &due_ms)) {
            run_errand(worker, &errand);
        } else {
            mrl_namings__flush(&self.told);
            if (worker->is_owed && may_say_up(worker))
                say_state(worker, MRL_ASKER_UP);
            await(due_ms);
        }
    }
    state = self.table.askers[worker->index].state;
    pthread_mutex_unlock(&self.lock);
    if (*worker->asker.why)
        say_state(worker, state);
    worker->asker.ops->close(&worker->asker);
}

static void rest(int64_t until_ms)
{
    const int64_t left_ms = until_ms - mrl_clock__ms();

    if (left_ms > 0)
        mrl_clock__pause_ms(left_ms);
}

static void *work(void *context)
{
    struct worker *worker = context;

    for (;;) {
        const int64_t begun_ms = mrl_clock__ms();
        enum mrl_asker_state state;
        bool lacks;

        state = mrl_resolver__reach(&worker->asker, &worker->naming, take_listed, &worker->listed,
                                    &lacks);
        mrl_namings__flush(&worker->listed);
        if (state != MRL_ASKER_UP || may_say_up(worker))
            say_state(worker, state);
        pthread_mutex_lock(&self.lock);
        mrl_table__set_state(&self.table, worker->index, state, mrl_clock__ms());
        say_what_changed();
        pthread_mutex_unlock(&self.lock);
        if (state == MRL_ASKER_UP) {
            *worker->asker.why = '\0'; /* it was said */
            serve(worker);
        }
        rest(begun_ms + (lacks ? LACKS_AGAIN_MS : AGAIN_MS));
    }
    return NULL;
}

/* -- life ------------------------------------------------------------------------------------- */

static int start_thread(struct worker *worker)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int err;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    err = -pthread_create(&thread, &attributes, work, worker);
    pthread_attr_destroy(&attributes);
    return err;
}

static void add_askers(const struct mrl_names_socket *socket, bool is_named, unsigned int place)
{
    struct mrl_asker askers[MRL_ASKERS_MAX];
    struct mrl_table *table = &self.table;
    const unsigned int count =
        mrl_askers__of(socket, is_named, askers, MRL_ASKERS_MAX - table->asker_count);

    for (unsigned int i = 0; i < count; i++) {
        const unsigned int at = table->asker_count++;

        table->askers[at] = (struct mrl_asker_row){ askers[i].runtime, askers[i].ops->interface,
                                                    MRL_ASKER_NEW, place };
        self.workers[at].index = at;
        self.workers[at].asker = askers[i];
        self.workers[at].listed.send = send_named;
    }
}

int mrl_resolver__start(const struct mrl_names_options *options, struct mrl_error *error)
{
    const struct mrl_names_socket *sockets;
    size_t count;
    bool is_named;
    int err = 0;

    self.options = *options;
    self.table.tell = tell;
    self.told.send = send_named;
    sockets = mrl_resolver__sockets(&self.options, &count, &is_named);
    for (size_t i = 0; i < count; i++)
        add_askers(&sockets[i], is_named, (unsigned int)i);
    for (unsigned int i = 0; !err && i < self.table.asker_count; i++)
        err = start_thread(&self.workers[i]);
    return err ? mrl_error__set(error, err, "names: a thread: %s", strerror(-err)) : 0;
}

int mrl_resolver__take(const struct mrl_side_message *message)
{
    struct mrl_side_lookup lookup;
    char id[MRL_NAMING_ID_BYTES + 1];
    int err = 0;

    pthread_mutex_lock(&self.lock);
    for (uint32_t i = 0; !err && i < message->head.count; i++) {
        err = mrl_side_lookup__read(message, i, &lookup, id);
        if (!err)
            mrl_table__add(&self.table, &lookup, id, mrl_clock__ms());
    }
    say_what_changed();
    pthread_mutex_unlock(&self.lock);
    return err;
}
