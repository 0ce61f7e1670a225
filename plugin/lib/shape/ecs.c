// SPDX-License-Identifier: Apache-2.0
/*
 * The Elastic Common Schema: which of its fields says what. It has no place for the target of a
 * call, nor for memory: these are below "mrelease".
 */
#include <stddef.h>

#include "shape/mapped.h"

static const struct mrl_mapping_row rows[] = {
    MRL_ROW_AS(DATE, "@timestamp", "timestamp"),
    MRL_ROW("ecs.version", "=9.4.0"),
    MRL_ROW("message", "message"),
    MRL_ROW("event.kind", "=event"),
    MRL_LIST_OF_ABOUT("event.category", ecs_category),
    MRL_LIST_OF_ABOUT("event.type", ecs_type),
    MRL_ROW("event.action", "eventName"),
    MRL_ROW_AS(TEXT, "event.code", "eventId"),
    MRL_ROW("event.module", "=mrelease"),
    MRL_ROW("event.dataset", "dataset"),
    MRL_ROW("event.provider", "=mrelease"),
    MRL_ROW("event.outcome", "result"),
    MRL_ROW("event.id", "id"),
    MRL_ROW("event.sequence", "seq"),
    MRL_ROW("event.duration", "duration"),
    MRL_ROW_AS(DATE, "event.start", "startTime"),
    MRL_ROW_AS(DATE, "event.start", "from_ns"),
    MRL_ROW_AS(DATE, "event.end", "endTime"),
    MRL_ROW_AS(DATE, "event.end", "to_ns"),
    MRL_ROW("event.reason", "outcome"),
    MRL_ROW("event.reason", "cause"),
    MRL_ROW("event.reason", "what"),
    MRL_ROW_AS(LIST, "rule.ruleset", "matchedPolicies"),
    MRL_ROW("host.name", "host.name"),
    MRL_ROW("host.hostname", "host.name"),
    MRL_ROW("host.architecture", "host.architecture"),
    MRL_ROW("host.id", "host.machineId"),
    MRL_ROW("host.boot.id", "host.bootId"),
    MRL_ROW("host.os.type", "=linux"),
    MRL_ROW("host.os.kernel", "host.kernel"),
    MRL_ROW("host.os.name", "host.osName"),
    MRL_ROW("host.os.version", "host.osVersion"),
    MRL_ROW("observer.vendor", "=mrelease"),
    MRL_ROW("observer.product", "=mrelease"),
    MRL_ROW("observer.type", "=sensor"),
    MRL_ROW("observer.version", "version"),
    MRL_ROW("process.pid", "hostProcessId"),
    MRL_ROW("process.vpid", "processId"),
    MRL_ROW_AS(TEXT, "process.entity_id", "processEntityId"),
    MRL_ROW("process.name", "processName"),
    MRL_ROW("process.executable", "executable"),
    MRL_ROW_AS(DATE, "process.start", "processStartTime"),
    MRL_ROW("process.thread.id", "hostThreadId"),
    MRL_ROW("process.parent.pid", "hostParentProcessId"),
    MRL_ROW_AS(TEXT, "process.parent.entity_id", "parentEntityId"),
    MRL_ROW_AS(TEXT, "process.real_user.id", "realUserId"),
    MRL_ROW_AS(TEXT, "user.id", "userId"),
    MRL_ROW_AS(TEXT, "user.target.id", "target_uid"),
    MRL_ROW("container.id", "containerId"),
    MRL_ROW("container.name", "container.name"),
    MRL_ROW("container.runtime", "container.runtime"),
    MRL_ROW("container.image.name", "container.image"),
    MRL_ROW("container.image.hash.all", "container.imageDigest"),
    MRL_ROW("orchestrator.type", "kubernetes"),
    MRL_ROW("orchestrator.namespace", "kubernetes.podNamespace"),
    MRL_ROW("orchestrator.resource.type", "kubernetes.resource"),
    MRL_ROW("orchestrator.resource.name", "kubernetes.podName"),
    MRL_ROW("orchestrator.resource.id", "kubernetes.podUID"),
    MRL_ROW("error.code", "error"),
    MRL_ROW("error.type", "cause"),
    MRL_ROW("mrelease.lane", "lane"),
    MRL_ROW("mrelease.cpu", "processorId"),
    MRL_ROW("mrelease.return_value", "returnValue"),
    MRL_ROW_AS(TRUTH, "mrelease.compat", "isCompat"),
    MRL_ROW_AS(TEXT, "mrelease.cgroup_id", "cgroupId"),
    MRL_ROW("mrelease.outcome", "outcome"),
    MRL_ROW("mrelease.target.pid", "target_host_pid"),
    MRL_ROW("mrelease.target.vpid", "target_pid"),
    MRL_ROW("mrelease.target.name", "target_name"),
    MRL_ROW("mrelease.target.executable", "target_exe"),
    MRL_ROW_AS(TEXT, "mrelease.target.user_id", "target_uid"),
    MRL_ROW_AS(DATE, "mrelease.target.start", "target_start_time"),
    MRL_ROW_AS(TEXT, "mrelease.target.entity_id", "target_entity_id"),
    MRL_ROW_AS(TEXT, "mrelease.target.cgroup_id", "target_cgroup_id"),
    { .path = "mrelease.target.container_id", .from = "target_container_id", .drops_empty = true },
    MRL_ROW("mrelease.lost.cause", "cause"),
    MRL_ROW_AS(TEXT, "mrelease.lost.by_cgroup", "by_cgroup"),
};

/* What is a name or a time is text, whatever it is made of; an amount is a number. */
static enum mrl_form form_of(const struct mrl_kind *kind, const char *path)
{
    (void)path;
    if (kind->unit == MRL_UNIT_TIME)
        return MRL_FORM_DATE;
    return kind->storage == MRL_STORAGE_TEXT || kind->storage == MRL_STORAGE_ENTITY ||
                   kind->unit == MRL_UNIT_ADDRESS
               ? MRL_FORM_TEXT
               : MRL_FORM_NUMBER;
}

static const struct mrl_mapping mapping = {
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .rest = "mrelease",
    .of_task = "process",
    .nulls = "",
    .form_of = form_of,
    .put_text = mrl_put_json_string,
};

static int ecs_make(const struct mrl_encoder_options *options, struct mrl_encoder **ret_encoder)
{
    return mrl_mapped__make(&mapping, options, ret_encoder);
}

const struct mrl_encoder_ops mrl_ecs_encoder = {
    .name = "ecs",
    .make = ecs_make,
    .put = mrl_mapped__put,
    .destroy = mrl_mapped__destroy,
    .mapping = &mapping,
};
