// SPDX-License-Identifier: Apache-2.0
/* The event do_mrelease. */
#include "release.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "harness.h"
#include "murmur.h"

enum { FIELDS = 26 };

#define START_SLACK_NS                                                        \
    11000000U /* a clock tick, and what two estimates of the boot time differ \
               */

static const struct {
    const char *name, *type;
} fields[FIELDS] = {
    { "pidfd", "int" },
    { "flags", "unsigned int" },
    { "target_host_pid", "int" },
    { "target_pid", "int" },
    { "target_name", "const char*" },
    { "target_exe", "const char*" },
    { "target_uid", "unsigned int" },
    { "target_start_time", "unsigned long" },
    { "target_entity_id", "unsigned int" },
    { "target_cgroup_id", "unsigned long" },
    { "target_container_id", "const char*" },
    { "outcome", "const char*" },
    { "released_bytes", "unsigned long" },
    { "anon_before", "unsigned long" },
    { "anon_after", "unsigned long" },
    { "file_before", "unsigned long" },
    { "file_after", "unsigned long" },
    { "shmem_before", "unsigned long" },
    { "shmem_after", "unsigned long" },
    { "swap_before", "unsigned long" },
    { "swap_after", "unsigned long" },
    { "locked_bytes", "unsigned long" },
    { "pagetable_bytes", "unsigned long" },
    { "accuracy", "const char*" },
    { "error_bound_bytes", "unsigned long" },
    { "duration_ns", "unsigned long" },
};

const struct call *release__call(const struct script *script)
{
    for (unsigned int i = 0; i < script->count; i++)
        if (!strcmp(script->calls[i].event->name, "process_mrelease") && !script->calls[i].result)
            return &script->calls[i];
    fail_msg("no call of the script released anything");
    return NULL;
}

const struct line *release__find(const struct lines *lines,
                                 const struct script *script,
                                 const struct call *call)
{
    size_t earlier = 0;

    for (const struct call *other = script->calls; other < call; other++)
        earlier += other->event == call->event && !other->result &&
                   other->caller.host_tid == call->caller.host_tid;
    return lines__find(lines, "do_mrelease", call->caller.host_tid, earlier);
}

static json_t *argument_of(const struct line *line, const char *name)
{
    json_t *args = json_object_get(line->json, "args");

    for (size_t i = 0; i < json_array_size(args); i++)
        if (!strcmp(json__text(json_array_get(args, i), "name"), name))
            return json_array_get(args, i);
    fail_msg("no field '%s' in %s", name, line->text);
    return NULL;
}

uint64_t release__number(const struct line *line, const char *name)
{
    if (release__is_absent(line, name))
        fail_msg("'%s' is absent from %s", name, line->text);
    return json__number(argument_of(line, name), "value");
}

const char *release__text(const struct line *line, const char *name)
{
    if (release__is_absent(line, name))
        fail_msg("'%s' is absent from %s", name, line->text);
    return json__text(argument_of(line, name), "value");
}

bool release__is_absent(const struct line *line, const char *name)
{
    return json_is_null(json_object_get(argument_of(line, name), "value"));
}

void assert_release(const struct line *line, const struct call *call)
{
    json_t *args = json_object_get(line->json, "args");

    assert_common(line, call, "do_mrelease", "10448", FIELDS);
    for (unsigned int i = 0; i < FIELDS; i++)
        assert_argument(args, i, fields[i].name, fields[i].type);
    assert_int_equal(release__number(line, "pidfd"), (int32_t)call->args[0]);
    assert_int_equal(release__number(line, "flags"), 0);
    assert_in_range(release__number(line, "duration_ns"), 1, call->after_ns - call->before_ns);
}

void assert_release_target(const struct line *line, const struct victim *victim, uint32_t seen_pid)
{
    const struct caller *self = &victim->self;
    uint64_t earliest = expect__boot_ns() + self->process_ticks * 10000000U;
    uint64_t start = release__number(line, "target_start_time");

    assert_int_equal(release__number(line, "target_host_pid"), self->host_pid);
    assert_int_equal(release__number(line, "target_pid"), seen_pid);
    assert_string_equal(release__text(line, "target_name"), self->name);
    assert_string_equal(release__text(line, "target_exe"), victim->path);
    assert_int_equal(release__number(line, "target_uid"), victim->uid);
    assert_in_range(start, earliest - (START_SLACK_NS - 10000000U), earliest + START_SLACK_NS);
    assert_int_equal(release__number(line, "target_entity_id"),
                     murmur__entity(self->host_pid, start));
    assert_int_equal(release__number(line, "target_cgroup_id"), self->cgroup_id);
    assert_string_equal(release__text(line, "target_container_id"), self->container_id);
}

static uint64_t sum(const struct line *line, const char *anon, const char *file, const char *shmem)
{
    return release__number(line, anon) + release__number(line, file) + release__number(line, shmem);
}

void assert_release_bytes(const struct line *line, const struct victim *victim)
{
    uint64_t before = sum(line, "anon_before", "file_before", "shmem_before");
    uint64_t after = sum(line, "anon_after", "file_after", "shmem_after");
    uint64_t released = release__number(line, "released_bytes");
    uint64_t bound = release__number(line, "error_bound_bytes");

    /* Exact where the kernel keeps no parts per CPU, and approximate by more than nothing
     * elsewhere. */
    assert_string_equal(release__text(line, "accuracy"), bound ? "approx" : "exact");

    assert_string_equal(release__text(line, "outcome"), "reaped");
    /* No swap is in use where these tests run, or hardly any. */
    assert_in_range(release__number(line, "swap_before"), 0, bound);
    assert_in_range(release__number(line, "swap_after"), 0, bound);
    assert_in_range(release__number(line, "file_after"), 0, victim->file_bytes + bound);
    assert_in_range(release__number(line, "shmem_after"), 0,
                    victim->shmem_bytes + bound + RELEASE_SMALL_BYTES);
    assert_int_equal(released, before > after ? before - after : 0);
    assert_in_range(before + bound, victim->resident_bytes, victim->resident_bytes + 2 * bound);
    /* What is not shared goes for certain; what is shared may go with the dying process. */
    assert_in_range(released + bound, victim->anon_bytes, victim->resident_bytes + 2 * bound);
    assert_in_range(release__number(line, "anon_before") + bound, victim->anon_resident_bytes,
                    victim->anon_resident_bytes + 2 * bound);
    assert_in_range(release__number(line, "anon_after"), 0, bound);
    assert_in_range(release__number(line, "shmem_before") + bound, victim->shmem_bytes,
                    victim->shmem_bytes + 2 * bound + RELEASE_SMALL_BYTES);
    assert_in_range(release__number(line, "file_before") + bound, victim->file_bytes,
                    victim->file_bytes + 2 * bound + RELEASE_SMALL_BYTES);
    assert_int_equal(release__number(line, "locked_bytes"), victim->locked_kib << 10);
    assert_int_equal(release__number(line, "pagetable_bytes"), victim->pagetable_kib << 10);
}

/* -- a whole test ----------------------------------------------------------------------------- */

void release__act(struct script *script)
{
    victim__release(script);
    victim__bury(script);
}

static const struct lines *run(const char *const *arguments,
                               struct script *script,
                               void (*act)(struct script *script))
{
    struct sensor sensor;

    sensor__start(&sensor, arguments);
    script__run(script, act);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    return lines__load(live__path("events"));
}

const struct lines *release__run(const char *events,
                                 struct script *script,
                                 void (*act)(struct script *script))
{
    const char *const arguments[] = {
        "run", "--events", events, "--output", live__output("json", "events"), NULL
    };

    return run(arguments, script, act);
}

const struct lines *release__run_extra(const char *extras,
                                       const char *events,
                                       struct script *script,
                                       void (*act)(struct script *script))
{
    /* All, since some outcomes are of calls that never reach the function. */
    const char *const arguments[] = {
        "run",      "--coverage", "all",
        "--events", events,       "--extra",
        extras,     "--output",   live__output("json", "events"),
        NULL,
    };

    return run(arguments, script, act);
}

const struct line *assert_released(const struct lines *lines,
                                   const struct script *script,
                                   uint32_t seen_pid)
{
    const struct call *call = release__call(script);
    const struct line *line = release__find(lines, script, call);

    assert_script(lines, script);
    assert_release(line, call);
    assert_release_target(line, &script->victim, seen_pid);
    assert_int_equal(json__number(line->json, "timestamp"),
                     json__number(line_of_call(lines, script, call)->json, "timestamp"));
    return line;
}
