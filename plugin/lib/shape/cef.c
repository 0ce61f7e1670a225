// SPDX-License-Identifier: Apache-2.0
/*
 * The Common Event Format: a header of seven parts, and key=value pairs. Keys are those of its
 * dictionary; for what has none there, they begin with "mrelease".
 */
#include <stddef.h>

#include "shape/flat.h"
#include "shape/mapped.h"

#define LABELLED(path_, from_, label_)                      \
    {                                                       \
        .path = (path_), .from = (from_), .label = (label_) \
    }
#define LONG(path_, from_, label_)                                                 \
    {                                                                              \
        .path = (path_), .from = (from_), .label = (label_), .form = MRL_FORM_LONG \
    }

static const struct mrl_mapping_row rows[] = {
    MRL_ROW("", "=CEF:0"),
    MRL_ROW("", "=mrelease"),
    MRL_ROW("", "=mrelease"),
    MRL_ROW("", "version"),
    MRL_ROW("", "eventName"),
    MRL_ROW_OF_ABOUT("", title),
    MRL_ROW_AS(SEVERITY, "", "severity"),
    MRL_ROW("externalId", "id"),
    MRL_ROW_AS(MS, "rt", "timestamp"),
    MRL_ROW_AS(MS, "start", "startTime"),
    MRL_ROW_AS(MS, "start", "from_ns"),
    MRL_ROW_AS(MS, "end", "endTime"),
    MRL_ROW_AS(MS, "end", "to_ns"),
    MRL_ROW("dvchost", "host.name"),
    MRL_ROW("cat", "=mrelease"),
    MRL_ROW("act", "eventName"),
    MRL_ROW("outcome", "result"),
    MRL_ROW("reason", "outcome"),
    MRL_ROW("reason", "cause"),
    MRL_ROW("reason", "what"),
    MRL_ROW("spid", "hostProcessId"),
    MRL_ROW("sproc", "executable"),
    MRL_ROW("suid", "realUserId"),
    MRL_ROW("dpid", "target_host_pid"),
    MRL_ROW("dproc", "target_exe"),
    MRL_ROW("duid", "target_uid"),
    LONG("cnt", "count", NULL),
    LONG("cn1", "returnValue", "returnValue"),
    LONG("cn2", "released_bytes", "releasedBytes"),
    LONG("cn3", "duration", "durationNs"),
    LABELLED("cs1", "containerId", "containerId"),
    LABELLED("cs1", "event", "lostEvent"),
    LABELLED("cs2", "target_cgroup_id", "targetCgroupId"),
    LABELLED("cs3", "timestamp", "timeNs"),
    LABELLED("cs4", "error", "errno"),
    { .path = "cs5",
      .from = "target_container_id",
      .label = "targetContainerId",
      .drops_empty = true },
    LABELLED("cs6", "cgroupId", "cgroupId"),
    { .path = "msg", .from = "message", .most = 1023 },
    MRL_ROW("mreleaseProcessName", "processName"),
    MRL_ROW_AS(LIST, "mreleasePolicies", "matchedPolicies"),
    MRL_ROW("mreleaseCpu", "processorId"),
    MRL_ROW("mreleaseThread", "hostThreadId"),
    MRL_ROW("mreleaseParent", "hostParentProcessId"),
    MRL_ROW("mreleaseContainerName", "container.name"),
    MRL_ROW("mreleaseContainerImage", "container.image"),
    MRL_ROW("mreleasePodName", "kubernetes.podName"),
    MRL_ROW("mreleasePodNamespace", "kubernetes.podNamespace"),
    MRL_ROW("mreleaseCount", "count"),
};

/* A newline would end the event; what else does not show becomes a blank. */
static void put_special(struct mrl_writer *writer, char byte)
{
    if (byte == '\n')
        mrl_put_literal(writer, "\\n");
    else if (byte == '\r')
        mrl_put_literal(writer, "\\r");
    else if (byte == '\\')
        mrl_put_literal(writer, "\\\\");
    else if (byte == '=')
        mrl_put_literal(writer, "\\=");
    else
        mrl_put_char(writer, ' ');
}

static void put_text(struct mrl_writer *writer, struct mrl_text text)
{
    mrl_put_flat_text(writer, text, put_special);
}

static const struct mrl_mapping mapping = {
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .separator = ' ',
    .rest = "mrelease",
    .hides = "duration_ns", /* it is told of every call */
    .form_of = mrl_form__by_storage,
    .put_text = put_text,
    .severities = { 7, 5, 3, 1 },
};

const struct mrl_encoder_ops mrl_cef_encoder = {
    .name = "cef",
    .mapping = &mapping,
    MRL_MAPPED_OPS,
};
