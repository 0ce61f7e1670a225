// SPDX-License-Identifier: Apache-2.0
/*
 * The Log Event Extended Format 2.0: a header, and key=value pairs with tabs between them. It has
 * no escapes. Keys that it does not define are allowed: those of fields are their names.
 */
#include <stddef.h>

#include "shape/flat.h"
#include "shape/mapped.h"

static const struct mrl_mapping_row rows[] = {
    MRL_ROW("", "=LEEF:2.0"),
    MRL_ROW("", "=mrelease"),
    MRL_ROW("", "=mrelease"),
    MRL_ROW("", "version"),
    MRL_ROW("", "eventName"),
    MRL_ROW("", "=x09"),
    MRL_ROW_AS(MS, "devTime", "timestamp"),
    MRL_ROW("identHostName", "host.name"),
    MRL_ROW("cat", "=mrelease"),
    MRL_ROW_AS(SEVERITY, "sev", "severity"),
    MRL_ROW("usrName", "realUserId"),
    MRL_ROW("pid", "hostProcessId"),
    MRL_ROW("proc", "executable"),
    MRL_ROW("processName", "processName"),
    MRL_ROW("thread", "hostThreadId"),
    MRL_ROW("parent", "hostParentProcessId"),
    MRL_ROW("cpu", "processorId"),
    MRL_ROW("cgroupId", "cgroupId"),
    MRL_ROW("containerId", "containerId"),
    MRL_ROW("containerName", "container.name"),
    MRL_ROW("containerImage", "container.image"),
    MRL_ROW("podName", "kubernetes.podName"),
    MRL_ROW("podNamespace", "kubernetes.podNamespace"),
    MRL_ROW("targetPid", "target_host_pid"),
    MRL_ROW("targetProc", "target_exe"),
    { .path = "targetContainerId", .from = "target_container_id", .drops_empty = true },
    MRL_ROW_AS(LIST, "policy", "matchedPolicies"),
    MRL_ROW("result", "result"),
    MRL_ROW("outcome", "outcome"),
    MRL_ROW("returnValue", "returnValue"),
    MRL_ROW("errno", "error"),
    MRL_ROW("durationNs", "duration"),
    MRL_ROW("lostEvent", "event"),
    MRL_ROW("timeNs", "timestamp"),
    MRL_ROW("eventId", "id"),
    MRL_ROW("msg", "message"),
    MRL_ROW("targetNamespacePid", "target_pid"),
};

/* What would end a pair or the line becomes a blank. */
static void put_special(struct mrl_writer *writer, char byte)
{
    mrl_put_char(writer, byte == '\\' || byte == '=' ? byte : ' ');
}

static void put_text(struct mrl_writer *writer, struct mrl_text text)
{
    mrl_put_flat_text(writer, text, put_special);
}

static const struct mrl_mapping mapping = {
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .separator = '\t',
    .rest = "",
    .hides = "duration_ns", /* it is told of every call */
    .form_of = mrl_form__by_storage,
    .put_text = put_text,
    .severities = { 7, 5, 3, 1 },
};

const struct mrl_encoder_ops mrl_leef_encoder = {
    .name = "leef",
    .mapping = &mapping,
    MRL_MAPPED_OPS,
};
