// SPDX-License-Identifier: Apache-2.0
#include "falco/call_fields.h"

#include <mrelease/encode.h>
#include <stddef.h>
#include <string.h>

#include "event/layout.h"
#include "falco/json_pointer.h"

/* -- how they are answered -------------------------------------------------------------------- */

static void find_event(const struct mrl_question *question, struct mrl_answer *answer)
{
    mrl_answer__text(answer, question->event->def->name, strlen(question->event->def->name));
}

static void find_retval(const struct mrl_question *question, struct mrl_answer *answer)
{
    mrl_answer__signed(answer, question->event->return_value);
}

static void find_failed(const struct mrl_question *question, struct mrl_answer *answer)
{
    mrl_answer__truth(answer, question->event->return_value < 0);
}

static void find_errno(const struct mrl_question *question, struct mrl_answer *answer)
{
    int64_t value = question->event->return_value;
    const char *name;

    if (value >= 0 || value < -4095)
        return;
    name = strerrorname_np((int)-value);
    if (name)
        mrl_answer__text(answer, name, strlen(name));
    else
        mrl_answer__signed(answer, -value);
}

static void find_compat(const struct mrl_question *question, struct mrl_answer *answer)
{
    mrl_answer__truth(answer, question->event->flags & MRL_EVENT_IS_COMPAT);
}

static void find_failures(const struct mrl_question *question, struct mrl_answer *answer)
{
    mrl_answer__number(answer, question->failures);
}

/* Of the members of struct mrl_event, by their place in it. */
static void find_text(const struct mrl_question *question, struct mrl_answer *answer)
{
    struct mrl_text text;

    memcpy(&text, (const char *)question->event + question->field->offset, sizeof(text));
    if (text.size)
        mrl_answer__text(answer, text.bytes, text.size);
}

static void find_u32(const struct mrl_question *question, struct mrl_answer *answer)
{
    uint32_t number;

    memcpy(&number, (const char *)question->event + question->field->offset, sizeof(number));
    mrl_answer__number(answer, number);
}

static void find_u64(const struct mrl_question *question, struct mrl_answer *answer)
{
    uint64_t number;

    memcpy(&number, (const char *)question->event + question->field->offset, sizeof(number));
    mrl_answer__number(answer, number);
}

static void find_argument(const struct mrl_question *question, struct mrl_answer *answer)
{
    struct mrl_layout_field place;
    struct mrl_value value;

    if (!question->key || !mrl_layout__find(question->event->def, question->key, &place))
        return;
    value = mrl_layout_value(&place, question->event);
    if (!value.absent)
        mrl_answer__value_as_text(answer, place.field->kind, &value);
}

/* Writes "name=" first; the value follows it as a text of its own, and then both become one. */
static void find_arguments(const struct mrl_question *question, struct mrl_answer *answer)
{
    const struct mrl_event_def *def = question->event->def;

    for (unsigned int i = 0; i < def->field_count; i++) {
        const size_t size = strlen(def->fields[i].name) + 1, used = answer->used;
        const unsigned int count = answer->text_count;
        struct mrl_question one = *question;
        char *text = mrl_answer__room(answer, size);

        if (!text)
            return;
        memcpy(text, def->fields[i].name, size);
        text[size - 1] = '=';
        answer->used += size;
        one.key = def->fields[i].name;
        find_argument(&one, answer);
        if (answer->text_count > count)
            answer->texts[count] = text;
        else
            answer->used = used;
    }
}

static void find_json(const struct mrl_question *question, struct mrl_answer *answer)
{
    char line[MRL_EVENT_TEXT_MAX], plain[MRL_EVENT_TEXT_MAX];
    ssize_t size = mrl_encoder__put(question->json, question->event, line, sizeof(line));
    struct mrl_text text;

    if (size <= 0 || !question->key)
        return;
    line[size - 1] = '\0'; /* in place of the newline */
    text = mrl_json_pointer__find(line, question->key);
    if (!text.size || *text.bytes == 'n') /* null */
        return;
    if (*text.bytes == '"')
        mrl_answer__text(answer, plain, mrl_json_pointer__unquote(text, plain));
    else
        mrl_answer__json(answer, text);
}

/* -- the table -------------------------------------------------------------------------------- */

#define NAME(rest) .name = MRL_FIELD_PREFIX rest

/* A member of struct mrl_event as it is. */
#define TEXT(member) \
    .find = find_text, .offset = offsetof(struct mrl_event, member), .of_gaps = true
#define U32(member) .find = find_u32, .offset = offsetof(struct mrl_event, member)
#define U64(member) .find = find_u64, .offset = offsetof(struct mrl_event, member)

const struct mrl_falco_field mrl_call_fields[] = {
    { NAME("event"), .type = FALCO_STRING, .find = find_event, .of_gaps = true,
      .doc = "Name of the event: process_mrelease, mlock, …" },
    { NAME("retval"), .type = FALCO_STRING, .find = find_retval,
      .doc = "Return value as text: 0, or minus the error number." },
    { NAME("failed"), .type = FALCO_BOOL, .find = find_failed,
      .doc = "The call returned an error." },
    { NAME("errno"), .type = FALCO_STRING, .find = find_errno,
      .doc = "Name of the error that the call returned, as EBADF; absent for success." },
    { NAME("compat"), .type = FALCO_BOOL, .find = find_compat,
      .doc = "The call came through the 32-bit entry." },
    { NAME("caller.name"), .type = FALCO_STRING, TEXT(process_name),
      .doc = "Name (comm) of the calling thread." },
    { NAME("caller.exe"), .type = FALCO_STRING, TEXT(executable),
      .doc = "Path of the caller's executable, in its mount namespace." },
    { NAME("caller.pid"), .type = FALCO_UINT64, U32(host_process_id),
      .doc = "Process id of the caller, on the host." },
    { NAME("caller.tid"), .type = FALCO_UINT64, U32(host_thread_id),
      .doc = "Thread id of the caller, on the host." },
    { NAME("caller.ppid"), .type = FALCO_UINT64, U32(host_parent_process_id),
      .doc = "Its parent's process id, on the host." },
    { NAME("caller.vpid"), .type = FALCO_UINT64, U32(process_id),
      .doc = "Process id of the caller, in its PID namespace." },
    { NAME("caller.vtid"), .type = FALCO_UINT64, U32(thread_id),
      .doc = "Thread id of the caller, in its PID namespace." },
    { NAME("caller.uid"), .type = FALCO_UINT64, U32(user_id),
      .doc = "Real user id of the caller, on the host." },
    { NAME("caller.container"), .type = FALCO_STRING, TEXT(container_id),
      .doc = "Container of the caller; absent on the host." },
    { NAME("caller.container.name"), .type = FALCO_STRING, TEXT(container_name),
      .doc = "What its runtime calls that container; absent where that is not known." },
    { NAME("caller.container.image"), .type = FALCO_STRING, TEXT(container_image),
      .doc = "Its image." },
    { NAME("caller.container.digest"), .type = FALCO_STRING, TEXT(container_image_digest),
      .doc = "The digest of its image, as the runtime gives it." },
    { NAME("caller.pod.name"), .type = FALCO_STRING, TEXT(pod_name),
      .doc = "The pod that it is of; absent where it is of none, or that is not known." },
    { NAME("caller.pod.namespace"), .type = FALCO_STRING, TEXT(pod_namespace),
      .doc = "The namespace of the pod." },
    { NAME("caller.pod.uid"), .type = FALCO_STRING, TEXT(pod_uid), .doc = "The pod's uid." },
    { NAME("caller.cgroup"), .type = FALCO_UINT64, U64(cgroup_id),
      .doc = "Id of the caller's cgroup." },
    { NAME("caller.start_time"), .type = FALCO_ABSTIME, U64(process_start_ns),
      .doc = "When the caller's process started." },
    { NAME("caller.pidns"), .type = FALCO_UINT64, U32(pid_namespace),
      .doc = "The caller's PID namespace." },
    { NAME("caller.mntns"), .type = FALCO_UINT64, U32(mount_namespace),
      .doc = "The caller's mount namespace." },
    { NAME("caller.hostname"), .type = FALCO_STRING, TEXT(host_name),
      .doc = "The host name that the caller sees." },
    { NAME("caller.failures"), .type = FALCO_UINT64, .find = find_failures,
      .doc =
          "How many such calls of the caller's process failed within a second, this one included; 0: this one did not." },
    { NAME("args"), .type = FALCO_STRING, .find = find_arguments, .is_list = true, .of_gaps = true,
      .doc = "The arguments of the event, each as name=value." },
    { NAME("arg"), .type = FALCO_STRING, .find = find_argument, .takes_key = true, .of_gaps = true,
      .doc = "Any argument or extra by its name, as text: mrelease.arg[len]." },
    { NAME("json"), .type = FALCO_STRING, .find = find_json, .takes_key = true, .of_gaps = true,
      .doc =
          "What a JSON pointer names in the event's json-v0.24 line: mrelease.json[/processorId]." },
};

const unsigned int mrl_call_field_count = sizeof(mrl_call_fields) / sizeof(mrl_call_fields[0]);
