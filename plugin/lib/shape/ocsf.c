// SPDX-License-Identifier: Apache-2.0
/*
 * The Open Cybersecurity Schema Framework. A call is Kernel Activity, memory that is locked or
 * released is Memory Activity, and what the sensor says of itself is Event Log Activity; class and
 * activity are columns of event/about.def. What the classes have no attribute for is below
 * "unmapped", where numbers of 64 bits are text.
 */
#include <stddef.h>

#include "shape/mapped.h"

/* Whose process the event's own is; a call alone has none. */
#define CALLS    (1U << MRL_ABOUT_CALL | 1U << MRL_ABOUT_REQUEST)
#define LOCKS    (1U << MRL_ABOUT_LOCK | 1U << MRL_ABOUT_UNLOCK)
#define RELEASES (1U << MRL_ABOUT_RELEASE)
#define LOGS     (1U << MRL_ABOUT_LOSS | 1U << MRL_ABOUT_SENSOR)

#define COLUMN(path_, member)                                                                  \
    {                                                                                          \
        .path = (path_), .column = offsetof(struct mrl_about, member), .form = MRL_FORM_NUMBER \
    }
#define WORD(path_, from_, only_)                         \
    {                                                     \
        .path = (path_), .from = (from_), .only = (only_) \
    }
#define NUMBER(path_, from_, only_)                                                \
    {                                                                              \
        .path = (path_), .from = (from_), .only = (only_), .form = MRL_FORM_NUMBER \
    }
#define AS(form_, path_, from_, only_)                                              \
    {                                                                               \
        .path = (path_), .from = (from_), .only = (only_), .form = MRL_FORM_##form_ \
    }

static const struct mrl_mapping_row rows[] = {
    COLUMN("class_uid", ocsf_class),
    MRL_ROW_OF_ABOUT("class_name", ocsf_class_name),
    NUMBER("category_uid", "=1", 0),
    MRL_ROW("category_name", "=System Activity"),
    COLUMN("activity_id", ocsf_activity),
    MRL_ROW_OF_ABOUT("activity_name", ocsf_activity_name),
    COLUMN("type_uid", ocsf_type),
    MRL_ROW_AS(SEVERITY, "severity_id", "severity"),
    MRL_ROW_AS(MS, "time", "timestamp"),
    MRL_ROW_AS(MS, "start_time", "startTime"),
    MRL_ROW_AS(MS, "start_time", "from_ns"),
    MRL_ROW_AS(MS, "end_time", "endTime"),
    MRL_ROW_AS(MS, "end_time", "to_ns"),
    MRL_ROW_AS(MS, "duration", "duration"),
    MRL_ROW("message", "message"),
    MRL_ROW("status_id", "result.id"),
    MRL_ROW("status", "result.caption"),
    MRL_ROW("status_code", "error.code"),
    MRL_ROW("status_code", "cause"),
    MRL_ROW("status_detail", "outcome"),
    MRL_ROW("status_detail", "what"),
    MRL_ROW("metadata.version", "=1.8.0"),
    MRL_ROW("metadata.product.name", "=mrelease"),
    MRL_ROW("metadata.product.vendor_name", "=mrelease"),
    MRL_ROW("metadata.product.version", "version"),
    MRL_ROW("metadata.uid", "id"),
    MRL_ROW("metadata.event_code", "eventName"),
    MRL_ROW("metadata.log_name", "=mrelease"),
    { .path = "metadata.profiles", .from = "=container,host", .in_list = true },
    MRL_ROW("metadata.sequence", "seq"),
    NUMBER("device.type_id", "=0", 0),
    { .path = "device.hostname", .from = "host.name", .otherwise = "unknown" },
    MRL_ROW("device.uid", "host.machineId"),
    MRL_ROW("device.boot_uid", "host.bootId"),
    MRL_ROW("device.os.name", "=Linux"),
    NUMBER("device.os.type_id", "=200", 0),
    MRL_ROW("device.os.kernel_release", "host.kernel"),
    WORD("kernel.name", "eventName", CALLS),
    NUMBER("kernel.type_id", "=2", CALLS),
    WORD("kernel.system_call", "syscall", CALLS),
    MRL_ROW("actor.process.pid", "hostProcessId"),
    MRL_ROW("actor.process.namespace_pid", "processId"),
    MRL_ROW_AS(TEXT, "actor.process.uid", "processEntityId"),
    MRL_ROW("actor.process.name", "processName"),
    MRL_ROW("actor.process.path", "executable"),
    MRL_ROW_AS(MS, "actor.process.created_time", "processStartTime"),
    MRL_ROW("actor.process.tid", "hostThreadId"),
    MRL_ROW_AS(TEXT, "actor.process.user.uid", "realUserId"),
    MRL_ROW("actor.process.container.uid", "containerId"),
    MRL_ROW("actor.process.container.name", "container.name"),
    MRL_ROW("actor.process.container.runtime", "container.runtime"),
    MRL_ROW("actor.process.container.orchestrator", "kubernetes"),
    MRL_ROW("actor.process.container.pod_uuid", "kubernetes.podUID"),
    MRL_ROW("actor.process.parent_process.pid", "hostParentProcessId"),
    MRL_ROW_AS(TEXT, "actor.process.parent_process.uid", "parentEntityId"),
    MRL_ROW_AS(TEXT, "actor.user.uid", "userId"),
    WORD("process.pid", "hostProcessId", LOCKS),
    WORD("process.namespace_pid", "processId", LOCKS),
    AS(TEXT, "process.uid", "processEntityId", LOCKS),
    WORD("process.name", "processName", LOCKS),
    WORD("process.path", "executable", LOCKS),
    WORD("process.pid", "target_host_pid", RELEASES),
    WORD("process.namespace_pid", "target_pid", RELEASES),
    { .path = "process.uid",
      .from = "target_entity_id",
      .form = MRL_FORM_TEXT,
      .only = RELEASES,
      .otherwise = "unknown" },
    WORD("process.name", "target_name", RELEASES),
    WORD("process.path", "target_exe", RELEASES),
    AS(MS, "process.created_time", "target_start_time", RELEASES),
    AS(TEXT, "process.user.uid", "target_uid", RELEASES),
    { .path = "process.container.uid",
      .from = "target_container_id",
      .only = RELEASES,
      .drops_empty = true },
    AS(TEXT, "base_address", "addr", LOCKS),
    AS(LONG, "size", "len", LOCKS),
    AS(LONG, "size", "released_bytes", RELEASES),
    WORD("log_name", "=mrelease", LOGS),
    WORD("log_provider", "=mrelease", LOGS),
    AS(LONG, "count", "count", LOGS),
    MRL_ROW_AS(TEXT, "unmapped.time_ns", "timestamp"),
    MRL_ROW_AS(TEXT, "unmapped.duration_ns", "duration"),
    MRL_ROW_AS(TEXT, "unmapped.return_value", "returnValue"),
    MRL_ROW("unmapped.cpu", "processorId"),
    MRL_ROW("unmapped.lane", "lane"),
    MRL_ROW_AS(LIST, "unmapped.policies", "matchedPolicies"),
    MRL_ROW_AS(TRUTH, "unmapped.compat", "isCompat"),
    MRL_ROW_AS(TEXT, "unmapped.cgroup_id", "cgroupId"),
    MRL_ROW("unmapped.outcome", "outcome"),
    AS(TEXT, "unmapped.len", "len", LOCKS),
    AS(TEXT, "unmapped.released_bytes", "released_bytes", RELEASES),
    WORD("unmapped.target.pid", "target_host_pid", CALLS),
    WORD("unmapped.target.namespace_pid", "target_pid", CALLS),
    WORD("unmapped.target.name", "target_name", CALLS),
    WORD("unmapped.target.path", "target_exe", CALLS),
    AS(TEXT, "unmapped.target.user_uid", "target_uid", CALLS),
    AS(TEXT, "unmapped.target.uid", "target_entity_id", CALLS),
    MRL_ROW_AS(TEXT, "unmapped.target.start_ns", "target_start_time"),
    MRL_ROW_AS(TEXT, "unmapped.target.cgroup_id", "target_cgroup_id"),
    { .path = "unmapped.target.container_uid",
      .from = "target_container_id",
      .only = CALLS,
      .drops_empty = true },
    MRL_ROW("unmapped.container.image", "container.image"),
    MRL_ROW("unmapped.container.image_digest", "container.imageDigest"),
    MRL_ROW("unmapped.pod.name", "kubernetes.podName"),
    MRL_ROW("unmapped.pod.namespace", "kubernetes.podNamespace"),
    MRL_ROW("unmapped.lost.cause", "cause"),
    AS(TEXT, "unmapped.lost.count", "count", LOGS),
    AS(TEXT, "unmapped.lost.from_ns", "from_ns", 1U << MRL_ABOUT_LOSS),
    AS(TEXT, "unmapped.lost.to_ns", "to_ns", 1U << MRL_ABOUT_LOSS),
    AS(TEXT, "unmapped.sensor.from_ns", "from_ns", 1U << MRL_ABOUT_SENSOR),
    AS(TEXT, "unmapped.sensor.to_ns", "to_ns", 1U << MRL_ABOUT_SENSOR),
};

/* No reader is sure to keep 64 bits of a number. */
static enum mrl_form form_of(const struct mrl_kind *kind, const char *path)
{
    bool is_unmapped = mrl_path__is_within(path, "unmapped");

    return kind->storage == MRL_STORAGE_TEXT || (is_unmapped && kind->bits == 64) ? MRL_FORM_TEXT
                                                                                  : MRL_FORM_NUMBER;
}

static const struct mrl_mapping mapping = {
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .rest = "unmapped",
    .hides = "duration_ns", /* it is told of every call */
    .of_task = "actor",
    .nulls = "unmapped",
    .form_of = form_of,
    .put_text = mrl_put_json_string,
    .severities = { 3, 2, 1, 1 }, /* medium, low, informational */
};

const struct mrl_encoder_ops mrl_ocsf_encoder = {
    .name = "ocsf",
    .mapping = &mapping,
    MRL_MAPPED_OPS,
};
