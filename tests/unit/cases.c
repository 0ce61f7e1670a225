// SPDX-License-Identifier: Apache-2.0
/* Descriptions of calls: see tests/golden/encoder.py. Numbers are decimal, texts hexadecimal. */
#include "unit/cases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/lines.h"
#include "unit/unit.h"

static const char *member(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (!text)
        fail_case("the description has no '%s'", name);
    return text;
}

/* Both signs: the bits are what counts. */
static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t number;

    errno = 0;
    number = *text == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
    if (errno || !*text || *end)
        fail_case("'%s' is no number", text);
    return number;
}

static uint64_t number(json_t *object, const char *name)
{
    return number_of(member(object, name));
}

static size_t bytes_of(const char *hex, char *bytes, size_t room)
{
    size_t size = strlen(hex) / 2;

    assert_in_range(size, 0, room);
    for (size_t i = 0; i < size; i++) {
        const char pair[] = { hex[2 * i], hex[2 * i + 1], '\0' };

        bytes[i] = (char)strtoul(pair, NULL, 16);
    }
    return size;
}

static void read_call(struct mrl_record *call, json_t *record)
{
    json_t *args = json_object_get(record, "args");

    call->flags = (__u8)number(record, "flags");
    call->cpu = (__u16)number(record, "cpu");
    call->entry_ns = number(record, "entry_ns");
    call->exit_ns = number(record, "exit_ns");
    call->ret = (__s64)number(record, "ret");
    for (size_t i = 0; i < MRL_ARGS_MAX; i++)
        call->args[i] = number_of(json_string_value(json_array_get(args, i)));
    call->cgroup_id = number(record, "cgroup_id");
    call->thread_start_ns = number(record, "thread_start_ns");
    call->leader_start_ns = number(record, "leader_start_ns");
    call->parent_start_ns = number(record, "parent_start_ns");
    call->tid = (__u32)number(record, "tid");
    call->pid = (__u32)number(record, "pid");
    call->ppid = (__u32)number(record, "ppid");
    call->host_tid = (__u32)number(record, "host_tid");
    call->host_pid = (__u32)number(record, "host_pid");
    call->host_ppid = (__u32)number(record, "host_ppid");
    call->uid = (__u32)number(record, "uid");
    call->mount_ns = (__u32)number(record, "mount_ns");
    call->pid_ns = (__u32)number(record, "pid_ns");
    bytes_of(member(record, "comm"), call->comm, sizeof(call->comm));
    bytes_of(member(record, "host_name"), call->host_name, sizeof(call->host_name));
}

static void read_pages(struct mrl_pages *pages, json_t *array)
{
    __s64 *const counters[] = { &pages->file, &pages->anon, &pages->swap, &pages->shmem };

    for (size_t i = 0; i < COUNT_OF(counters); i++)
        *counters[i] = (__s64)number_of(json_string_value(json_array_get(array, i)));
}

static size_t read_steps(json_t *steps, char bytes[MRL_EXE_BYTES])
{
    json_t *step;
    size_t i, used = 0;

    json_array_foreach(steps, i, step)
    {
        used += bytes_of(json_string_value(step), bytes + used, MRL_EXE_BYTES - used - 1);
        bytes[used++] = '\0';
    }
    return used;
}

static void read_target(struct test_record *record, json_t *description)
{
    struct mrl_target *target = &record->target;
    char steps[MRL_EXE_BYTES];

    target->flags = (__u32)number(description, "flags");
    target->host_pid = (__s32)number(description, "host_pid");
    target->pid = (__s32)number(description, "pid");
    target->uid = (__u32)number(description, "uid");
    target->start_ns = number(description, "start_ns");
    target->cgroup_id = number(description, "cgroup_id");
    target->threads = (__u32)number(description, "threads");
    read_pages(&target->before, json_object_get(description, "before"));
    read_pages(&target->after, json_object_get(description, "after"));
    target->locked_pages = number(description, "locked_pages");
    target->pagetable_bytes = number(description, "pagetable_bytes");
    bytes_of(member(description, "comm"), target->comm, sizeof(target->comm));
    record->call.flags |= MRL_RECORD_TARGET;
    test_record__set_path(record, steps, read_steps(json_object_get(description, "exe"), steps));
}

void test_case__read(struct test_case *test_case, json_t *description)
{
    const struct mrl_event_def *event = mrl_event_def__find(member(description, "event"), NULL);
    json_t *target = json_object_get(description, "target"),
           *record = json_object_get(description, "record");
    char steps[MRL_EXE_BYTES];

    assert_non_null(event);
    memset(test_case, 0, sizeof(*test_case));
    test_case->host =
        (struct mrl_host){ .facts = {
                               .boot_ns = (int64_t)number(description, "boot_ns"),
                               .page_bytes = (uint32_t)number(description, "page_bytes"),
                               .cpus = (uint32_t)number(description, "cpus"),
                           } };
    test_case->container_size = bytes_of(member(description, "container_id"), test_case->container,
                                         sizeof(test_case->container));
    test_case->record.call.event = (__u8)event->index;
    test_case->record.call.size = sizeof(test_case->record.call);
    read_call(&test_case->record.call, record);
    if (json_is_object(target))
        read_target(&test_case->record, target);
    test_record__set_caller_path(&test_case->record, steps,
                                 read_steps(json_object_get(record, "exe"), steps));
}

char *test_case__line(struct mrl_encoder *encoder, json_t *description)
{
    struct test_decoder decoder;
    struct test_case test_case;
    struct mrl_event event;
    char *line;

    test_case__read(&test_case, description);
    test_decoder__init(&decoder);
    decoder.host = test_case.host;
    event = *test_decoder__event(&decoder, &test_case.record);
    event.container_id = (struct mrl_text){ test_case.container, test_case.container_size };
    line = test_line(encoder, &event);
    test_decoder__done(&decoder);
    return line;
}

FILE *test_python(const char *arguments)
{
    char command[4096];
    FILE *output;

    snprintf(command, sizeof(command), TEST_PYTHON " -B %s/golden/%s", MRL_TEST_DIR, arguments);
    output = popen(command, "re");
    assert_non_null(output);
    return output;
}
