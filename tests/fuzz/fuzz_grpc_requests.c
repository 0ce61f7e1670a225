// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a request of each method, and any text as the settings of a server: an answer or a
 * status, and the mask of a stream can be used. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "side/grpc/common/program.h"
#include "side/grpc/server/reflection.h"
#include "side/grpc/server/requests.h"
#include "sinks/grpc_options.h"

static int metrics(struct mrl_metrics **ret_metrics)
{
    return mrl_metrics__collect(NULL, NULL, ret_metrics);
}

static int set_log_level(enum mrl_log_level level, int connection, struct mrl_error *error)
{
    must(level <= MRL_LOG_DEBUG && connection < 0 && error);
    return 0;
}

static int watch(unsigned int event, bool on, int connection, struct mrl_error *error)
{
    must(event < mrl_event_def__count() && connection < 0);
    return on ? 0 : mrl_error__set(error, -EOPNOTSUPP, "not here");
}

static void log_text(enum mrl_log_level level, const char *text)
{
    (void)level;
    must(*text);
}

static const struct mrl_grpc_program program = {
    .log = log_text,
    .set_log_level = set_log_level,
    .metrics = metrics,
    .watch = watch,
};

static void answer(void (*method)(const uint8_t *bytes, size_t size, struct mrl_reply *reply),
                   const uint8_t *data,
                   size_t size)
{
    struct mrl_reply reply = { .status = GRPC_STATUS_OK };

    method(data, size, &reply);
    must(reply.status == GRPC_STATUS_OK ? reply.bytes || !reply.size : *reply.text);
    free(reply.bytes);
}

static void subscribe(const uint8_t *data, size_t size)
{
    static const char message[] = "\x0a\x02\x18\x00";
    struct mrl_reply reply = { .status = GRPC_STATUS_OK };
    struct mrl_wanted wanted;
    char target[sizeof(message)];

    if (!mrl_request__stream(data, size, &wanted, &reply)) {
        must(reply.status != GRPC_STATUS_OK && *reply.text);
        return;
    }
    must(wanted.wants);
    must(!wanted.chosen || wanted.chosen->count);
    if (wanted.mask)
        must(mrl_mask__apply(wanted.mask, (struct mrl_text){ message, 4 }, target) <= 4);
    mrl_wanted__done(&wanted);
}

static void configure(const uint8_t *data, size_t size)
{
    struct mrl_server_options options = { .mode = 0 };
    const struct mrl_option_group group = { mrl_sink_grpc.options, mrl_sink_grpc.option_count,
                                            &options };
    char *text = fuzz_string(data, size);
    struct mrl_error error = { "" };
    int err = mrl_options__read(&group, 1, "setting", text, strlen(text), &error);

    if (!err)
        err = mrl_server_options__complete(&options, &error);
    must(!err || *error.text);
    must(!(options.mode & ~0666U));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mrl_grpc_program = &program;
    answer(mrl_answer__definitions, data, size);
    answer(mrl_answer__enable, data, size);
    answer(mrl_answer__disable, data, size);
    answer(mrl_answer__detectors, data, size);
    answer(mrl_answer__metrics, data, size);
    answer(mrl_answer__all_metrics, data, size);
    answer(mrl_answer__log_level, data, size);
    answer(mrl_answer__health, data, size);
    answer(mrl_reflection__answer, data, size);
    subscribe(data, size);
    configure(data, size);
    return 0;
}
