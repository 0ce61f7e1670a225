// SPDX-License-Identifier: Apache-2.0
/* Any bytes as the payload of an event, and every question about it; any text as a pointer, and as
 * a configuration. */
#include "falco/abi.h"
#include "falco/payload.h"
#include "fuzz.h"

enum { QUESTIONS = 200 };

static void ask(struct falco_state *state, const struct falco_event *event, const char *key)
{
    static uint64_t number;
    const struct falco_event_input input = { event, ++number, "mrelease" };
    struct falco_extract_field fields[QUESTIONS] = { 0 };
    const struct falco_extract_input wanted = { .num_fields = QUESTIONS, .fields = fields };

    for (uint32_t i = 0; i < QUESTIONS; i++)
        fields[i] = (struct falco_extract_field){
            .field_id = i, .arg_key = key, .arg_present = 1, .res_len = 99
        };
    plugin_extract_fields(state, &input, &wanted); /* ends at the first id that there is not */
    for (uint32_t i = 0; i < QUESTIONS; i++)
        must(fields[i].res_len < 99);
    must(plugin_event_to_string(state, &input) != NULL);
}

static void configure(const char *text)
{
    const struct falco_init_input input = { .config = text };
    int rc = 77;
    struct falco_state *state = plugin_init(&input, &rc);

    must(state && (rc == FALCO_SUCCESS || rc == FALCO_FAILURE));
    must(rc == FALCO_SUCCESS || *plugin_get_last_error(state));
    plugin_destroy(state);
}

/* The text up to the first NUL is a key and a configuration, what follows is a payload. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct falco_state *state;
    const struct falco_init_input input = { .config = NULL };
    size_t text_size = strnlen((const char *)data, size),
           at = text_size < size ? text_size + 1 : size;
    struct falco_plugin_event head = {
        .head = { .ts = 1,
                  .len = (uint32_t)(sizeof(head) + size - at),
                  .type = FALCO_PLUGIN_EVENT,
                  .nparams = FALCO_PARAMETERS },
        .id_size = 4,
        .payload_size = (uint32_t)(size - at),
    };
    char *text = strndup((const char *)data, text_size), *event = malloc(head.head.len);
    int rc = 0;

    must(text && event);
    if (!state)
        state = plugin_init(&input, &rc);
    memcpy(event, &head, sizeof(head));
    memcpy(event + sizeof(head), data + at, size - at);
    ask(state, (void *)event, text);
    configure(text);
    free(event);
    free(text);
    return 0;
}
