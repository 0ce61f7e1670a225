// SPDX-License-Identifier: Apache-2.0
#include "side/common/program.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "side/common/allowance.h"
#include "side/common/sandbox.h"

enum { ANSWER_S = 2, STEP_MS = 100 };

/* The one conversation of this process. */
static struct {
    const struct mrl_side_program *program;
    const struct mrl_sink_ops *ops; /* of the sink */
    struct mrl_sink *sink;          /* NULL: not open */
    char options[MRL_SINK_OPTIONS_MAX] __attribute__((aligned(16)));
    uint32_t sizes[MRL_SIDE_ITEMS_MAX];
    char buffer[MRL_SIDE_MESSAGE_MAX];
    int ending; /* atomic */
    bool owes_pong;
} self;

/* The request that waits. */
static struct {
    pthread_mutex_t turn; /* of who asks */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    uint32_t id;
    bool waits, is_answered, is_over;
    int err;
    struct mrl_side_answer answer;
} asked = { .turn = PTHREAD_MUTEX_INITIALIZER,
            .lock = PTHREAD_MUTEX_INITIALIZER,
            .changed = PTHREAD_COND_INITIALIZER,
            .answer = { NULL, 0, -1 } };

/* What it says on the log. */
static struct {
    pthread_mutex_t lock;
    struct mrl_allowance allowance;
} lines = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* -- saying ----------------------------------------------------------------------------------- */

/* Waits for room: the main process always reads. */
static int say(const struct mrl_side_head *head, const char *bytes, size_t size, int fd)
{
    const struct iovec part = { (void *)(uintptr_t)bytes, size };
    struct pollfd room = { .fd = MRL_SIDE_SOCKET, .events = POLLOUT };
    int err;

    while ((err = mrl_side_message__send(MRL_SIDE_SOCKET, *head, &part, 1, &fd, fd >= 0)) ==
           -EAGAIN)
        poll(&room, 1, STEP_MS);
    return err;
}

static void report(enum mrl_side_type type, int err, const char *text)
{
    const struct mrl_side_head head = { .type = (uint16_t)type, .err = err };

    say(&head, text, strnlen(text, MRL_SIDE_TEXT_MAX), -1);
}

/* Clients can make it want to say a lot. What is left out is counted with the next line. */
void mrl_side__log(enum mrl_log_level level, const char *text)
{
    struct mrl_side_head head = { .type = MRL_SIDE_LOG, .err = (int32_t)level };

    pthread_mutex_lock(&lines.lock);
    if (mrl_allowance__take(&lines.allowance, MRL_SIDE_LINES_MAX)) {
        head.count = lines.allowance.refused < MRL_SIDE_LEFT_OUT_MAX ? lines.allowance.refused
                                                                     : MRL_SIDE_LEFT_OUT_MAX;
        if (mrl_side_message__say(MRL_SIDE_SOCKET, head, text))
            lines.allowance.refused++;
        else
            lines.allowance.refused = 0;
    }
    pthread_mutex_unlock(&lines.lock);
}

/* -- asking ----------------------------------------------------------------------------------- */

/* With the lock held. */
static void forget_answer(void)
{
    free(asked.answer.bytes);
    if (asked.answer.fd >= 0)
        close(asked.answer.fd);
}

static int await_answer(struct mrl_side_answer *ret_answer, struct mrl_error *error)
{
    const struct timespec end = mrl_clock__in_ms(ANSWER_S * 1000);
    int err = 0;

    pthread_mutex_lock(&asked.lock);
    while (!asked.is_answered && !asked.is_over && err != ETIMEDOUT)
        err = pthread_cond_clockwait(&asked.changed, &asked.lock, CLOCK_MONOTONIC, &end);
    asked.waits = false;
    if (!asked.is_answered)
        err = mrl_error__set(error, asked.is_over ? -ESHUTDOWN : -ETIMEDOUT, "%s",
                             asked.is_over ? "the sensor ends" : "the sensor does not answer");
    else if (asked.err)
        err = mrl_error__set(error, asked.err, "%.*s", (int)asked.answer.size, asked.answer.bytes);
    else
        err = 0;
    if (!err && ret_answer)
        *ret_answer = asked.answer;
    else
        forget_answer();
    asked.answer = (struct mrl_side_answer){ NULL, 0, -1 };
    pthread_mutex_unlock(&asked.lock);
    return err;
}

int mrl_side__ask(const struct mrl_side_request *request,
                  int connection,
                  struct mrl_side_answer *ret_answer,
                  struct mrl_error *error)
{
    struct mrl_side_head head = { .type = MRL_SIDE_REQUEST };
    int err;

    pthread_mutex_lock(&asked.turn);
    pthread_mutex_lock(&asked.lock);
    head.id = ++asked.id;
    asked.waits = true;
    asked.is_answered = false;
    pthread_mutex_unlock(&asked.lock);
    err = say(&head, (const char *)request, sizeof(*request), connection);
    if (err)
        mrl_error__set(error, err, "the sensor is gone");
    else
        err = await_answer(ret_answer, error);
    pthread_mutex_unlock(&asked.turn);
    return err;
}

/* One that nobody waits for any more is dropped. */
static int take_answer(struct mrl_side_message *message)
{
    pthread_mutex_lock(&asked.lock);
    if (asked.waits && !asked.is_answered && message->head.id == asked.id) {
        asked.answer.bytes = malloc(message->head.size + 1U);
        asked.answer.size = asked.answer.bytes ? message->head.size : 0;
        if (asked.answer.bytes)
            memcpy(asked.answer.bytes, message->bytes, message->head.size);
        if (message->fd_count)
            asked.answer.fd = message->fds[--message->fd_count];
        asked.err = message->head.err;
        asked.is_answered = asked.answer.bytes;
        pthread_cond_signal(&asked.changed);
    }
    pthread_mutex_unlock(&asked.lock);
    return 0;
}

static void ask_no_more(void)
{
    __atomic_store_n(&self.ending, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&asked.lock);
    asked.is_over = true;
    pthread_cond_broadcast(&asked.changed);
    pthread_mutex_unlock(&asked.lock);
}

/* -- doing ------------------------------------------------------------------------------------ */

static int open_sink(struct mrl_side_message *message)
{
    const struct mrl_sink_ops *sink = self.program->sink;
    struct mrl_side_target target;
    struct mrl_error error = { "" };
    int err = self.sink ? -EPROTO : mrl_side_target__read(message, &target);

    if (!err && !sink)
        sink = self.program->row(target.sink);
    if (err || !sink || target.option_bytes != sink->option_bytes)
        return -EPROTO;
    self.ops = sink;
    memcpy(self.options, target.options, target.option_bytes);
    message->fd_count = 0; /* they are the sink's */
    err = sink->open(&(struct mrl_sink_target){ .destination = target.destination,
                                                .format = target.format,
                                                .options = self.options,
                                                .fds = target.fds,
                                                .ops = sink },
                     &error, &self.sink);
    report(MRL_SIDE_OPENED, err, error.text);
    /* Only now may it ask for something. */
    if (!err && self.program->opened)
        err = self.program->opened(sink, self.sink, &target, &error);
    return err ? -ECANCELED : 0;
}

static int write_chunk(const struct mrl_side_message *message)
{
    struct mrl_side_chunk chunk;
    struct mrl_side_verdict verdicts[2] = { { 0, 0 } };
    struct mrl_side_head head = { .type = MRL_SIDE_VERDICT, .id = message->head.id, .count = 1 };
    size_t taken = 0;
    int err = mrl_side_chunk__read(message, &chunk);

    if (err)
        return err;
    memcpy(self.sizes, chunk.sizes, chunk.count * sizeof(*self.sizes));
    err = self.ops->write(
        self.sink,
        &(struct mrl_chunk){ chunk.bytes, chunk.size, chunk.count, &self.ending, self.sizes, NULL },
        &taken);
    verdicts[0].count = err ? (uint32_t)taken : chunk.count;
    if (err) {
        verdicts[1] = (struct mrl_side_verdict){ chunk.count - verdicts[0].count, err };
        head.count = 2;
    }
    say(&head, (const char *)verdicts, head.count * sizeof(verdicts[0]), -1);
    return 0;
}

void mrl_side__judge(uint32_t id, const struct mrl_side_verdict *verdicts, uint32_t count)
{
    const struct mrl_side_head head = { .type = MRL_SIDE_VERDICT, .id = id, .count = count };

    say(&head, (const char *)verdicts, count * sizeof(*verdicts), -1);
}

int mrl_side__send(enum mrl_side_type type, uint32_t count, const char *bytes, size_t size)
{
    const struct mrl_side_head head = { .type = (uint16_t)type, .count = count };

    return say(&head, bytes, size, -1);
}

static int reopen_sink(const struct mrl_side_message *message)
{
    struct mrl_side_target target;
    struct mrl_error error = { "" };
    int err = mrl_side_target__read(message, &target);

    if (err)
        return err;
    err = self.program->reopen ? self.program->reopen(self.sink, target.fds, &error) : 0;
    report(MRL_SIDE_REOPENED, err, error.text);
    return 0;
}

/* One whose threads hang owes the answer until they go on. */
static int pong(void)
{
    const struct mrl_side_head head = { .type = MRL_SIDE_PONG };
    struct mrl_sent sent = { 0 };

    self.owes_pong = self.program->lives && !self.program->lives();
    if (self.owes_pong)
        return 0;
    if (self.program->sent)
        self.program->sent(&sent);
    say(&head, (const char *)&sent, self.program->sent ? sizeof(sent) : 0, -1);
    return 0;
}

/* 0, or why it is over. */
static int take(struct mrl_side_message *message)
{
    if (message->head.type == MRL_SIDE_OPEN)
        return open_sink(message);
    if (!self.sink)
        return -EPROTO;
    switch (message->head.type) {
    case MRL_SIDE_READY:
        if (self.program->ready)
            self.program->ready(!message->head.err);
        return 0;
    case MRL_SIDE_GROWN:
        return self.program->take ? self.program->take(message) : -EPROTO;
    case MRL_SIDE_CHUNK:
        return self.program->take ? self.program->take(message) : write_chunk(message);
    case MRL_SIDE_REOPEN:
        return reopen_sink(message);
    case MRL_SIDE_LOOKUP:
        return self.program->hear ? self.program->hear(message) : -EPROTO;
    case MRL_SIDE_PING:
        return pong();
    case MRL_SIDE_ANSWER:
        return take_answer(message);
    case MRL_SIDE_END:
        return -ESHUTDOWN;
    default:
        return -EPROTO;
    }
}

static int hear(void)
{
    struct pollfd input = { .fd = MRL_SIDE_SOCKET, .events = POLLIN };
    struct mrl_side_message message;
    int err;

    do {
        err = mrl_side_message__receive(MRL_SIDE_SOCKET, self.buffer, MRL_SINK_FDS_MAX, &message);
        if (err == -EAGAIN && !poll(&input, 1, self.owes_pong ? STEP_MS : -1))
            pong();
    } while (err == -EAGAIN || err == -EINTR);
    if (err != 1)
        return err ? err : -EPIPE;
    err = take(&message);
    mrl_side_message__close(&message);
    return err;
}

int mrl_side__enter(const struct mrl_sandbox *keeps, const char *word)
{
    struct mrl_error missing = { "" };
    int err = strcmp(word, "off") ? mrl_sandbox__enter(keeps, &missing) : 0;
    bool is_enough = !err || (err > 0 && strcmp(word, "require") != 0);
    char line[MRL_SIDE_TEXT_MAX];

    snprintf(line, sizeof(line), "a side program's sandbox: %.400s", missing.text);
    if (err)
        mrl_side__log(is_enough ? MRL_LOG_WARNING : MRL_LOG_ERROR, line);
    return is_enough ? 0 : err < 0 ? err : -EOPNOTSUPP;
}

int mrl_side__serve(const struct mrl_side_program *program)
{
    int err;

    /* Signals of a terminal go to all of a group: the main process says what they mean. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    self.program = program;
    self.sink = NULL;
    self.ending = 0;
    self.owes_pong = asked.is_over = false;
    do
        err = hear();
    while (!err);
    if (err == -ESHUTDOWN && program->end)
        program->end();
    ask_no_more();
    if (err == -ESHUTDOWN)
        report(MRL_SIDE_ENDED, self.ops->close(self.sink), "");
    return err == -ESHUTDOWN ? EXIT_SUCCESS : EXIT_FAILURE;
}
