// SPDX-License-Identifier: Apache-2.0
/* The event table in words: derived from its rows, whatever they are. */
#include "command/verbs/definitions.h"

#include <jansson.h>
#include <mrelease/extra.h>
#include <stdio.h>
#include <string.h>

#include "base/append.h"

enum { LIST_BYTES = 64 };

/* The names of the bits of a set, joined by ','. */
static const char *list_bits(unsigned int bits,
                             const char *(*name_of)(unsigned int bit),
                             char list[LIST_BYTES])
{
    size_t used = 0;

    list[0] = '\0';
    for (unsigned int bit = 0; name_of(bit); bit++)
        if (bits & (1U << bit))
            mrl_append(list, LIST_BYTES, &used, "%s%s", used ? "," : "", name_of(bit));
    return list;
}

static bool is_meant(const struct mrl_event_def *event, const struct mrl_event_def *only)
{
    return !only || event == only;
}

/* -- table ------------------------------------------------------------------------------------ */

static void print_field(const struct mrl_field *field)
{
    char list[LIST_BYTES];

    printf("%-20s %-14s %-14s %-18s %s\n", field->name, field->kind->type_v0_23,
           field->kind->type_v0_24, list_bits(field->tags, mrl_tag_name, list), field->doc);
}

static bool any_may_change(const struct mrl_field *fields, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        if (fields[i].tags & MRL_TAG_TOCTOU)
            return true;
    return false;
}

/* Of a call, not of a rung: even where the function that reaps is probed, a call that fails before
 * has only its descriptor. */
static void print_truth_of_tags(const struct mrl_event_def *event)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);
    bool may_change = any_may_change(event->fields, event->field_count);

    for (unsigned int i = 0; i < count; i++)
        may_change |= mrl_extra__fits(&extras[i], event) &&
                      any_may_change(extras[i].fields, extras[i].field_count);
    if (may_change)
        puts("\nTOCTOU does not apply to a call with " MRL_TOCTOU_UNLESS " (--extra target).");
}

static void print_extras(const struct mrl_event_def *event)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    for (unsigned int i = 0; i < count; i++) {
        if (!mrl_extra__fits(&extras[i], event))
            continue;
        printf("\nwith --extra %s: %s\n", extras[i].name, extras[i].doc);
        for (unsigned int j = 0; j < extras[i].field_count; j++)
            print_field(&extras[i].fields[j]);
    }
}

static void print_details(const struct mrl_event_def *event)
{
    char list[LIST_BYTES];

    printf("%s (version %s)\n%s\n\n", event->name, event->version, event->doc);
    printf("id         %d (x86-64 %d, arm64 %d)\n", event->id, event->id_x86_64, event->id_arm64);
    if (event->is_syscall)
        printf("32-bit nr  %d (i386), %d (arm)\n", event->nr_i386, event->nr_arm);
    printf("protobuf   %d\nsets       %s\n\n", event->protobuf_id,
           list_bits(event->sets, mrl_set_name, list));
    printf("%-20s %-14s %-14s %-18s %s\n", "FIELD", "TYPE", "TYPE v0.24", "TAGS", "MEANING");
    for (unsigned int i = 0; i < event->field_count; i++)
        print_field(&event->fields[i]);
    print_extras(event);
    print_truth_of_tags(event);
}

void mrl_definitions__table(const struct mrl_event_def *only)
{
    char list[LIST_BYTES];

    if (only) {
        print_details(only);
        return;
    }
    printf("%-18s %-6s %-9s %-24s %s\n", "EVENT", "ID", "PROTOBUF", "SETS", "MEANING");
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        const struct mrl_event_def *event = mrl_event_def__at(i);

        printf("%-18s %-6d %-9d %-24s %s\n", event->name, event->id, event->protobuf_id,
               list_bits(event->sets, mrl_set_name, list), event->doc);
    }
}

/* -- json ------------------------------------------------------------------------------------- */

static json_t *json_bits(unsigned int bits, const char *(*name_of)(unsigned int bit))
{
    json_t *names = json_array();

    for (unsigned int bit = 0; name_of(bit); bit++)
        if (bits & (1U << bit))
            json_array_append_new(names, json_string(name_of(bit)));
    return names;
}

static json_t *json_field(const struct mrl_field *field)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "name", field->name, "type",
                               field->kind->type_v0_23, "typeV024", field->kind->type_v0_24,
                               "protobuf", field->kind->protobuf, "tags",
                               json_bits(field->tags, mrl_tag_name), "doc", field->doc);

    if (field->tags & MRL_TAG_TOCTOU)
        json_object_set_new(object, "toctouUnless", json_string(MRL_TOCTOU_UNLESS));
    return object;
}

static json_t *json_fields(const struct mrl_field *fields, unsigned int count)
{
    json_t *array = json_array();

    for (unsigned int i = 0; i < count; i++)
        json_array_append_new(array, json_field(&fields[i]));
    return array;
}

static json_t *json_extras(const struct mrl_event_def *event)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);
    json_t *array = json_array();

    for (unsigned int i = 0; i < count; i++)
        if (mrl_extra__fits(&extras[i], event))
            json_array_append_new(
                array, json_pack("{s:s, s:s, s:o}", "name", extras[i].name, "doc", extras[i].doc,
                                 "fields", json_fields(extras[i].fields, extras[i].field_count)));
    return array;
}

static json_t *json_event(const struct mrl_event_def *event)
{
    json_t *fields = json_fields(event->fields, event->field_count), *object;

    object = json_pack("{s:s, s:i, s:{s:i, s:i}, s:i, s:s, s:b, s:s, s:o, s:s, s:o, s:o}", "name",
                       event->name, "id", event->id, "ids", "x86_64", event->id_x86_64, "arm64",
                       event->id_arm64, "protobufId", event->protobuf_id, "version", event->version,
                       "syscall", event->is_syscall, "within", event->syscall, "sets",
                       json_bits(event->sets, mrl_set_name), "doc", event->doc, "fields", fields,
                       "extras", json_extras(event));
    if (event->is_syscall)
        json_object_set_new(object, "compatNumbers",
                            json_pack("{s:i, s:i}", "i386", event->nr_i386, "arm", event->nr_arm));
    return object;
}

void mrl_definitions__json(const struct mrl_event_def *only)
{
    json_t *events = json_array();

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (is_meant(mrl_event_def__at(i), only))
            json_array_append_new(events, json_event(mrl_event_def__at(i)));
    json_dumpf(events, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(events);
}

/* -- markdown --------------------------------------------------------------------------------- */

/* What the page that this project started from says, and what is so. */
static const char honest_note[] =
    "## What is hooked, plainly\n"
    "\n"
    "An old Tracee page of `process_mrelease` names two hooks: `sys_process_mrelease` (kprobe, entry and\n"
    "exit) and `do_mrelease` (tracepoint, on success). The first exists, as `__x64_sys_process_mrelease`,\n"
    "`__ia32_sys_process_mrelease` and `__arm64_sys_process_mrelease`. The second exists in no kernel:\n"
    "here `do_mrelease` is this project's own event, raised when a `process_mrelease` call returns 0.\n"
    "That page is wrong on more:\n"
    "\n"
    "- `pidfd` is a file descriptor that refers to a process (`pidfd_open`), not a process id.\n"
    "- The call does not free a process's memory at will. It hastens the release of the memory of a\n"
    "  process that is *dying* already; for any other it fails with `EINVAL`. It kills nobody.\n"
    "- It has nothing to do with undoing `mlock`, nor with memory being homogeneous. Whether pages that\n"
    "  were mlocked are released depends on the kernel: 5.15 skips locked areas and still returns 0,\n"
    "  later kernels release them.\n"
    "- 0 does not prove that this call freed anything: it is also returned when the memory had been\n"
    "  reaped before. `do_mrelease` tells the two apart in `outcome`.\n"
    "\n"
    "`do_mrelease` compares the target's memory at entry and at exit of the call, whoever freed it (the\n"
    "dying process unmaps its memory too). The kernel keeps parts of its counters per CPU, or per thread\n"
    "before 6.2; they are added up, and where they cannot be, `accuracy` and `error_bound_bytes` say how\n"
    "far the sums can be off. The target is read from the caller's descriptor table just before the\n"
    "kernel reads it: a thread that swaps the descriptor in between can mislead it, hence the tag TOCTOU.\n"
    "Where the function that reaps can be probed, the target and the amounts are those of the very memory\n"
    "that it is handed, and TOCTOU does not apply: `target_from` (`--extra target`) says so per call.\n"
    "What each outcome rests on: [outcomes](outcomes.md).\n"
    "\n"
    "`timestamp` is the entry of the call, as in Tracee, in both events: they can be joined on it and\n"
    "`hostThreadId`. A call that seccomp refuses reaches no function of the kernel, and is seen at exit\n"
    "only: its `timestamp` is then the exit, and `returnValue` what the filter says (usually -1, EPERM).\n"
    "\n"
    "`contextFlags.containerStarted` (v1beta1: `started`) is false while the runtime sets a container up,\n"
    "until the first process of its PID namespace has executed its program; from then on it is true for\n"
    "every event with a `containerId`. Tracee's means the same, but differs for\n"
    "\n"
    "- a container that was made before the sensor began and has not started yet: false here, true there;\n"
    "- a process of the runtime that is in the container's cgroup and not yet in its PID namespace: true\n"
    "  here, false there;\n"
    "- a container that is set up in the PID namespace of the host or of a pod, or within another\n"
    "  container: true here, false there.\n";

static void markdown_fields(const struct mrl_field *fields, unsigned int count)
{
    char list[LIST_BYTES];

    printf(
        "\n| field | type (v0.23) | type (v0.24) | protobuf | tags | meaning |\n|---|---|---|---|---|---|\n");
    for (unsigned int i = 0; i < count; i++)
        printf("| `%s` | `%s` | `%s` | `%s` | %s | %s |\n", fields[i].name,
               fields[i].kind->type_v0_23, fields[i].kind->type_v0_24, fields[i].kind->protobuf,
               list_bits(fields[i].tags, mrl_tag_name, list), fields[i].doc);
}

static void markdown_event(const struct mrl_event_def *event)
{
    char list[LIST_BYTES];

    printf("\n## %s\n\n%s Version %s.\n\n", event->name, event->doc, event->version);
    printf(
        "| id x86-64 | id arm64 | nr i386 | nr arm | protobuf | sets |\n|---|---|---|---|---|---|\n");
    if (event->is_syscall)
        printf("| %d | %d | %d | %d | %d | %s |\n", event->id_x86_64, event->id_arm64,
               event->nr_i386, event->nr_arm, event->protobuf_id,
               list_bits(event->sets, mrl_set_name, list));
    else
        printf("| %d | %d | | | %d | %s |\n", event->id_x86_64, event->id_arm64, event->protobuf_id,
               list_bits(event->sets, mrl_set_name, list));
    if (!event->field_count) {
        printf("\nNo fields.\n");
        return;
    }
    markdown_fields(event->fields, event->field_count);
}

/* Extras are described once, for all events that they are for. */
static void markdown_extra(const struct mrl_extra *extra)
{
    const char *before = "";

    printf("\n### %s\n\n%s", extra->name, extra->doc);
    printf(extra->field_count ? " Behind the arguments of " : "\n");
    if (!extra->field_count)
        return;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (mrl_extra__fits(extra, mrl_event_def__at(i))) {
            printf("%s`%s`", before, mrl_event_def__at(i)->name);
            before = ", ";
        }
    printf(".\n");
    markdown_fields(extra->fields, extra->field_count);
}

static void markdown_extras(void)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    printf(
        "\n## Extras\n\n"
        "Further arguments, after the event's own, where `--extra LIST` asks for them: what Tracee's event cannot\n"
        "say. TOCTOU stands wherever it may apply: `target_from` says of each call whether it does.\n");
    for (unsigned int i = 0; i < count; i++)
        markdown_extra(&extras[i]);
}

void mrl_definitions__markdown(const struct mrl_event_def *only)
{
    if (!only)
        printf(
            "<!-- Generated by 'mrelease events --format markdown'. Do not edit. -->\n# Events\n\n"
            "Tags: K, the value comes from kernel space. U, it came through a user-space pointer. TOCTOU, it may have\n"
            "changed between our reading and the kernel's use. OPT, it may be absent, then `null`.\n\n%s",
            honest_note);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (is_meant(mrl_event_def__at(i), only))
            markdown_event(mrl_event_def__at(i));
    if (!only)
        markdown_extras();
}
