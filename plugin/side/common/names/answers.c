// SPDX-License-Identifier: Apache-2.0
/* The main process's end of the side program "names": what is asked of it, and what it says. */
#include <errno.h>
#include <string.h>

#include "side/common/keeper.h"
#include "side/common/names/frames.h"
#include "side/common/names/service.h"

/* -- asking ----------------------------------------------------------------------------------- */

/* Error: -EINVAL. */
static int read_question(const struct mrl_names_question *question,
                         struct mrl_side_lookup *ret_lookup)
{
    const size_t size = strnlen(question->id, MRL_NAMING_ID_BYTES + 1);

    if (!mrl_naming__is_id(question->id, size))
        return -EINVAL;
    *ret_lookup =
        (struct mrl_side_lookup){ .ask = question->ask, .hint = (uint32_t)question->hint };
    memcpy(ret_lookup->id, question->id, size);
    return 0;
}

int mrl_sides__ask_names(struct mrl_sink *sink,
                         const struct mrl_names_question *questions,
                         unsigned int count)
{
    struct mrl_side_lookup lookups[MRL_LOOKUPS_MAX];
    const struct mrl_side_head head = { .type = MRL_SIDE_LOOKUP, .count = count };
    const struct iovec part = { lookups, count * sizeof(*lookups) };
    int err = count > MRL_LOOKUPS_MAX ? -EINVAL : 0;

    for (unsigned int i = 0; !err && i < count; i++)
        err = read_question(&questions[i], &lookups[i]);
    if (err)
        return err;
    pthread_mutex_lock(&sink->lock);
    err = sink->state == MRL_SIDE_UP ? mrl_side_message__send(sink->socket, head, &part, 1, NULL, 0)
                                     : -ENOLINK;
    pthread_mutex_unlock(&sink->lock);
    return err == -EAGAIN || err == -EINVAL ? err : err ? -ENOLINK : 0;
}

/* -- hearing ---------------------------------------------------------------------------------- */

int mrl_keeper__named(struct mrl_sink *sink, const struct mrl_side_message *message)
{
    const struct mrl_sides_options *options = &sink->sides->options;
    struct mrl_container_names names;
    uint32_t ask, count = 0;
    size_t at = 0;
    int more;

    if (sink->row != &mrl_service_names)
        return -EPROTO;
    /* All that ran is named: nobody here has to know when. */
    if (message->head.type == MRL_SIDE_LISTED)
        return message->head.size ? -EPROTO : 0;
    while ((more = mrl_side_named__next(message, &at, &ask, &names)) == 1) {
        count++;
        if (options->named)
            options->named(options->context, ask, &names);
    }
    return more || count != message->head.count ? -EPROTO : 0;
}
