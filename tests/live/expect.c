// SPDX-License-Identifier: Apache-2.0
/* Lines against calls. */
#include "expect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "murmur.h"

enum { CLOCK_TRIES = 16 };

#define SLACK_NS 50000U /* two estimates of the boot time differ by a little */

static const char *const keys[] = {
    "timestamp",      "threadStartTime", "processorId",    "processId",       "cgroupId",
    "threadId",       "parentProcessId", "hostProcessId",  "hostThreadId",    "hostParentProcessId",
    "userId",         "mountNamespace",  "pidNamespace",   "processName",     "executable",
    "hostName",       "containerId",     "container",      "kubernetes",      "eventId",
    "eventName",      "matchedPolicies", "argsNum",        "returnValue",     "syscall",
    "stackAddresses", "contextFlags",    "threadEntityId", "processEntityId", "parentEntityId",
    "args",
};

/* -- times ------------------------------------------------------------------------------------ */

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t expect__boot_ns(void)
{
    uint64_t best = 0, shortest = UINT64_MAX;

    for (int i = 0; i < CLOCK_TRIES; i++) {
        uint64_t before = clock_ns(CLOCK_BOOTTIME), wall = clock_ns(CLOCK_REALTIME);
        uint64_t distance = clock_ns(CLOCK_BOOTTIME) - before;

        if (distance < shortest) {
            shortest = distance;
            best = wall - before - distance / 2;
        }
    }
    return best;
}

static uint64_t tick_ns(void)
{
    return 1000000000U / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* /proc cuts a start time down to a tick, so the exact one is up to a tick later. */
static void assert_started_at(uint64_t start_ns, uint64_t ticks)
{
    uint64_t earliest = expect__boot_ns() + ticks * tick_ns();

    assert_in_range(start_ns, earliest - SLACK_NS, earliest + tick_ns() + SLACK_NS);
}

/* The exact start time is not known, only its tick: each rounding that it may have is tried. */
static void assert_entity(uint64_t entity, const char *whose, uint32_t host_id, uint64_t ticks)
{
    uint64_t earliest = expect__boot_ns() + ticks * tick_ns() - SLACK_NS;
    uint64_t latest = earliest + tick_ns() + 2 * SLACK_NS;

    for (uint64_t start = earliest; start < latest + tick_ns(); start += tick_ns())
        if (murmur__entity(host_id, start < latest ? start : latest) == entity)
            return;
    fail_msg("%s %" PRIu64 " is no hash of task %" PRIu32 " and its start time", whose, entity,
             host_id);
}

/* -- parts of a line -------------------------------------------------------------------------- */

static void assert_keys(json_t *object, const char *const *names, size_t count)
{
    const char *key;
    size_t i = 0;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        assert_true(i < count);
        assert_string_equal(key, names[i]);
        i++;
    }
    assert_int_equal(i, count);
}

static void assert_times(json_t *json, const struct call *call)
{
    uint64_t timestamp = json__number(json, "timestamp");

    assert_in_range(timestamp, call->before_ns - SLACK_NS, call->after_ns + SLACK_NS);
    assert_started_at(json__number(json, "threadStartTime"), call->caller.thread_ticks);
}

static void assert_task(json_t *json, const struct call *call)
{
    const struct caller *caller = &call->caller;

    assert_int_equal(json__number(json, "processorId"), call->cpu);
    assert_int_equal(json__number(json, "processId"), caller->pid);
    assert_int_equal(json__number(json, "cgroupId"), caller->cgroup_id);
    assert_int_equal(json__number(json, "threadId"), caller->tid);
    assert_int_equal(json__number(json, "parentProcessId"), caller->ppid);
    assert_int_equal(json__number(json, "hostProcessId"), caller->host_pid);
    assert_int_equal(json__number(json, "hostThreadId"), caller->host_tid);
    assert_int_equal(json__number(json, "hostParentProcessId"), caller->host_ppid);
    assert_int_equal(json__number(json, "userId"), caller->uid);
    assert_int_equal(json__number(json, "mountNamespace"), caller->mount_namespace);
    assert_int_equal(json__number(json, "pidNamespace"), caller->pid_namespace);
    assert_string_equal(json__text(json, "processName"), caller->name);
    assert_string_equal(json__text(json, "hostName"), caller->host_name);
}

static void assert_container(json_t *json, const struct caller *caller)
{
    json_t *executable = json_object_get(json, "executable");
    json_t *container = json_object_get(json, "container");
    bool contained = caller->container_id[0];

    assert_keys(executable, (const char *const[]){ "path" }, 1);
    assert_string_equal(json__text(executable, "path"), "");
    assert_string_equal(json__text(json, "containerId"), caller->container_id);
    assert_true(json_is_object(container));
    assert_keys(container, (const char *const[]){ "id" }, contained);
    if (contained)
        assert_string_equal(json__text(container, "id"), caller->container_id);
    assert_true(json_is_object(json_object_get(json, "kubernetes")));
    assert_int_equal(json_object_size(json_object_get(json, "kubernetes")), 0);
}

static void assert_flags(json_t *json, const struct call *call)
{
    json_t *flags = json_object_get(json, "contextFlags");
    json_t *policies = json_object_get(json, "matchedPolicies");

    assert_true(json_is_array(policies));
    assert_int_equal(json_array_size(policies), 1);
    assert_string_equal(json_string_value(json_array_get(policies, 0)), "");
    assert_true(json_is_null(json_object_get(json, "stackAddresses")));
    assert_keys(flags, (const char *const[]){ "containerStarted", "isCompat" }, 2);
    assert_int_equal(json__truth(flags, "containerStarted"), call->caller.container_id[0] != 0);
    assert_int_equal(json__truth(flags, "isCompat"), call->compat);
}

static void assert_entities(json_t *json, const struct caller *caller)
{
    uint64_t thread = json__number(json, "threadEntityId");
    uint64_t process = json__number(json, "processEntityId");

    assert_int_equal(thread,
                     murmur__entity(caller->host_tid, json__number(json, "threadStartTime")));
    if (caller->host_tid == caller->host_pid)
        assert_int_equal(process, thread);
    assert_entity(process, "processEntityId", caller->host_pid, caller->process_ticks);
    assert_entity(json__number(json, "parentEntityId"), "parentEntityId", caller->host_ppid,
                  caller->parent_ticks);
}

json_t *assert_argument(json_t *args, unsigned int index, const char *name, const char *type)
{
    json_t *argument = json_array_get(args, index);

    assert_non_null(argument);
    assert_keys(argument, (const char *const[]){ "name", "type", "value" }, 3);
    assert_string_equal(json__text(argument, "name"), name);
    assert_string_equal(json__text(argument, "type"), type);
    return json_object_get(argument, "value");
}

/* -- whole lines ------------------------------------------------------------------------------ */

void assert_common(const struct line *line,
                   const struct call *call,
                   const char *event,
                   const char *id,
                   unsigned int arg_count)
{
    json_t *json = line->json;

    assert_keys(json, keys, COUNT_OF(keys));
    assert_times(json, call);
    assert_task(json, call);
    assert_container(json, &call->caller);
    assert_string_equal(json__text(json, "eventId"), id);
    assert_string_equal(json__text(json, "eventName"), event);
    assert_int_equal(json__number(json, "argsNum"), arg_count);
    assert_int_equal(json__signed(json, "returnValue"), call->result);
    assert_string_equal(json__text(json, "syscall"), call->event->name);
    assert_flags(json, call);
    assert_entities(json, &call->caller);
    assert_true(json_is_array(json_object_get(json, "args")));
    assert_int_equal(json_array_size(json_object_get(json, "args")), arg_count);
}

static void number_text(const json_t *value, char text[ARG_TEXT_BYTES])
{
    if (json_is_string(value) && !strncmp(json_string_value(value), BIG, strlen(BIG)))
        snprintf(text, ARG_TEXT_BYTES, "%s", json_string_value(value) + strlen(BIG));
    else if (json_is_integer(value))
        snprintf(text, ARG_TEXT_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        fail_msg("an argument is not an integer");
}

void assert_event(const struct line *line, const struct call *call)
{
    json_t *args = json_object_get(line->json, "args");
    const struct event_row *event = call->event;

    assert_common(line, call, event->name, event->id, event->arg_count);
    for (unsigned int i = 0; i < event->arg_count; i++) {
        const struct arg_row *row = &event->args[i];
        char expected[ARG_TEXT_BYTES], seen[ARG_TEXT_BYTES];

        number_text(assert_argument(args, i, row->name, row->type), seen);
        event__arg_text(row->width, call->args[i], expected);
        assert_string_equal(seen, expected);
    }
}

static bool same_kind(const struct call *a, const struct call *b)
{
    return !a->unseen && !b->unseen && a->event == b->event &&
           a->caller.host_tid == b->caller.host_tid;
}

const struct line *line_of_call(const struct lines *lines,
                                const struct script *script,
                                const struct call *call)
{
    size_t earlier = 0;

    for (const struct call *other = script->calls; other < call; other++)
        earlier += same_kind(other, call);
    return lines__find(lines, call->event->name, call->caller.host_tid, earlier);
}

void assert_script(const struct lines *lines, const struct script *script)
{
    size_t expected = 0, releases = 0;

    for (unsigned int i = 0; i < script->count; i++) {
        const struct call *call = &script->calls[i];

        if (call->unseen)
            continue;
        assert_event(line_of_call(lines, script, call), call);
        expected++;
    }
    for (size_t i = 0; i < lines->count; i++)
        for (unsigned int j = 0; j < script->count; j++)
            if (!strcmp(json__text(lines->at[i].json, "eventName"), "do_mrelease") &&
                json__number(lines->at[i].json, "hostThreadId") ==
                    script->calls[j].caller.host_tid) {
                releases++;
                break;
            }
    assert_int_equal(lines__of_script(lines, script), expected + releases);
}
