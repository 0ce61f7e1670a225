// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a request of any method: a message, or a status that says why not. The first byte
 * chooses the method. */
#include <errno.h>

#include "fuzz.h"
#include "grpc/requests.h"

typedef void (*answer_fn)(const uint8_t *bytes, size_t size, struct mrl_reply *reply);

/* What the module has of the program that loaded it; here, one before its probes are there. */
static int counts_before_probes(void *context,
                                unsigned int event,
                                struct mrl_event_counts *ret_counts)
{
    (void)context;
    (void)event;
    (void)ret_counts;
    return -ENODEV;
}

static void set_level(void *context, enum mrl_log_level level)
{
    (void)context;
    must(level <= MRL_LOG_DEBUG);
}

static const struct mrl_grpc_program program = { .version = "0",
                                                 .set_log_level = set_level,
                                                 .counts = counts_before_probes };
const struct mrl_grpc_program *mrl_grpc_program = &program;
atomic_bool mrl_grpc_ready;

static void stream(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    struct mrl_mask *mask = NULL;
    bool right = mrl_request__stream(bytes, size, &mask, reply);

    must(right == (reply->status == GRPC_STATUS_OK));
    must(right || !mask);
    mrl_mask__free(mask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const answer_fn answers[] = {
        stream,
        mrl_answer__definitions,
        mrl_answer__enable,
        mrl_answer__version,
        mrl_answer__metrics,
        mrl_answer__log_level,
        mrl_answer__health,
        mrl_answer__reflection,
    };
    struct mrl_reply reply = { .status = GRPC_STATUS_OK };

    if (!size)
        return 0;
    answers[data[0] % (sizeof(answers) / sizeof(answers[0]))](data + 1, size - 1, &reply);
    must(reply.status == GRPC_STATUS_OK || (reply.text[0] && !reply.bytes));
    free(reply.bytes);
    return 0;
}
