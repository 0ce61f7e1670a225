// SPDX-License-Identifier: Apache-2.0
/* Extraction: what rules ask of an event, and its line for people. */
#include <mrelease/encode.h>
#include <string.h>

#include "falco/state.h"

/* A host asks for several fields of an event in as many calls, and the event is decoded only once.
 * It is known by its address and its number: a buffer is used again for other events, and each of
 * several inspectors counts from 0. */
static const struct mrl_event *read_event(struct falco_state *state,
                                          const struct falco_event_input *input)
{
    struct falco_plugin_event head;

    if (!input || !input->evt)
        return NULL;
    if (state->asked == input->evt && state->asked_number == input->evtnum && state->event)
        return state->event;
    memcpy(&head, input->evt, sizeof(head.head));
    state->asked = input->evt;
    state->asked_number = input->evtnum;
    state->event = NULL;
    if (head.head.type != FALCO_PLUGIN_EVENT || head.head.nparams != FALCO_PARAMETERS ||
        head.head.len < sizeof(head))
        return NULL;
    memcpy(&head, input->evt, sizeof(head));
    if (head.payload_size != head.head.len - sizeof(head))
        return NULL;
    state->event = mrl_reader__read(&state->reader, (const char *)input->evt + sizeof(head),
                                    head.payload_size, &state->error);
    return state->event;
}

static int extract_one(struct falco_state *state,
                       const struct mrl_event *event,
                       struct falco_extract_field *asked)
{
    unsigned int count;
    const struct mrl_falco_field *fields = mrl_falco_fields__all(&count);
    struct mrl_answer *answer = &state->answer;
    const unsigned int texts = answer->text_count, numbers = answer->number_count,
                       truths = answer->truth_count;
    struct mrl_question question = { .event = event,
                                     .failures = state->reader.failures,
                                     .key = asked->arg_present ? asked->arg_key : NULL,
                                     .json = state->json };

    if (asked->field_id >= count)
        return mrl_error__set(&state->error, FALCO_FAILURE, "field %u: there are %u",
                              asked->field_id, count);
    question.field = &fields[asked->field_id];
    mrl_falco_field__answer(&question, answer);
    if (question.field->type == FALCO_STRING) {
        asked->res.str = answer->texts + texts;
        asked->res_len = answer->text_count - texts;
    } else if (question.field->type == FALCO_BOOL) {
        asked->res.boolean = answer->truths + truths;
        asked->res_len = answer->truth_count - truths;
    } else {
        asked->res.u64 = answer->numbers + numbers;
        asked->res_len = answer->number_count - numbers;
    }
    return FALCO_SUCCESS;
}

int plugin_extract_fields(struct falco_state *state,
                          const struct falco_event_input *input,
                          const struct falco_extract_input *wanted)
{
    const struct mrl_event *event;
    int rc = FALCO_SUCCESS;

    for (uint32_t i = 0; i < wanted->num_fields; i++)
        wanted->fields[i].res_len = 0;
    event = read_event(state, input);
    if (!event)
        return FALCO_FAILURE;
    state->answer.text_count = state->answer.number_count = state->answer.truth_count = 0;
    state->answer.used = 0;
    for (uint32_t i = 0; i < wanted->num_fields && rc == FALCO_SUCCESS; i++)
        rc = extract_one(state, event, &wanted->fields[i]);
    return rc;
}

const char *plugin_event_to_string(struct falco_state *state, const struct falco_event_input *input)
{
    const struct mrl_event *event = read_event(state, input);
    char line[MRL_EVENT_TEXT_MAX];
    ssize_t size;

    if (!event)
        return "";
    size = mrl_encoder__put(state->json, event, line, sizeof(line));
    /* In place of the newline. Room was reckoned with six bytes for each: it fits. */
    size = size > 0
               ? (ssize_t)mrl_show((struct mrl_text){ line, (size_t)size - 1 }, true, state->line)
               : 0;
    state->line[size] = '\0';
    return state->line;
}
