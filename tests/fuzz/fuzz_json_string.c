// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a JSON string of either kind: another parser takes it, and it has no byte more than
 * it may. */
#include <jansson.h>

#include "encode/writer.h"
#include "fuzz.h"

static void check(void (*put)(struct mrl_writer *writer, struct mrl_text text),
                  const uint8_t *data,
                  size_t size)
{
    size_t room = 6 * size + 2;
    char *json = malloc(room);
    struct mrl_writer writer = { json };
    json_t *parsed;

    must(json);
    put(&writer, (struct mrl_text){ (const char *)data, size });
    must(writer.at <= json + room);
    parsed = json_loadb(json, (size_t)(writer.at - json), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    must(json_is_string(parsed));
    json_decref(parsed);
    free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(mrl_put_json_string, data, size);
    check(mrl_put_valid_json_string, data, size);
    return 0;
}
