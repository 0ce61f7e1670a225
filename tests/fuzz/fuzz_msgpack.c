// SPDX-License-Identifier: Apache-2.0
/* Any bytes as what a server of Fluent Forward answers, and as an event of JSON: what becomes of
 * that is one value of MessagePack. */
#include "fuzz.h"
#include "side/stream/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mrl_msgpack from = { data, data + size }, copy = from;
    struct mrl_msgpack_value value;
    struct mrl_body body = { .size = 0 };

    if (!mrl_msgpack__read(&copy, &value) && value.type == MRL_MSGPACK_BYTES)
        must((const uint8_t *)value.bytes + value.size <= data + size);
    must(mrl_msgpack__skip(&from) || (from.at > data && from.at <= data + size));
    if (!mrl_msgpack__json(&body, (const char *)data, size)) {
        from = (struct mrl_msgpack){ (const unsigned char *)body.bytes,
                                     (const unsigned char *)body.bytes + body.size };
        must(!mrl_msgpack__skip(&from) && from.at == from.end);
    } else {
        must(!body.size);
    }
    mrl_body__done(&body);
    return 0;
}
