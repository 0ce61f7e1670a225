// SPDX-License-Identifier: Apache-2.0
/*
 * The Elastic Common Schema: which of its fields says what. It has no place for the target of a
 * call, nor for memory: these are below "mrelease".
 */
#include <stddef.h>

#include "event/about.h"
#include "shape/mapped.h"

#define WORD(path, column)                                                   \
    {                                                                        \
        path, NULL, MRL_FORM_TEXT, offsetof(struct mrl_about, column), false \
    }
#define LIST(path, column)                                                  \
    {                                                                       \
        path, NULL, MRL_FORM_TEXT, offsetof(struct mrl_about, column), true \
    }
#define TOLD(path, from)                   \
    {                                      \
        path, from, MRL_FORM_OWN, 0, false \
    }
#define FORM(path, from, form)                \
    {                                         \
        path, from, MRL_FORM_##form, 0, false \
    }

static const struct mrl_mapping_row rows[] = {
    FORM("@timestamp", "timestamp", DATE),
    TOLD("ecs.version", "=9.4.0"),
    TOLD("message", "message"),
    TOLD("event.kind", "=event"),
    LIST("event.category", ecs_category),
    LIST("event.type", ecs_type),
    TOLD("event.action", "eventName"),
    FORM("event.code", "eventId", TEXT),
    TOLD("event.module", "=mrelease"),
    TOLD("event.dataset", "dataset"),
    TOLD("event.provider", "=mrelease"),
    TOLD("event.outcome", "result"),
    TOLD("event.id", "id"),
    TOLD("event.sequence", "seq"),
    TOLD("event.duration", "duration"),
    FORM("event.start", "startTime", DATE),
    FORM("event.start", "from_ns", DATE),
    FORM("event.end", "endTime", DATE),
    FORM("event.end", "to_ns", DATE),
    TOLD("event.reason", "outcome"),
    TOLD("event.reason", "cause"),
    TOLD("event.reason", "what"),
    TOLD("host.name", "host.name"),
    TOLD("host.hostname", "host.name"),
    TOLD("host.architecture", "host.architecture"),
    TOLD("host.id", "host.machineId"),
    TOLD("host.boot.id", "host.bootId"),
    TOLD("host.os.type", "=linux"),
    TOLD("host.os.kernel", "host.kernel"),
    TOLD("host.os.name", "host.osName"),
    TOLD("host.os.version", "host.osVersion"),
    TOLD("observer.vendor", "=mrelease"),
    TOLD("observer.product", "=mrelease"),
    TOLD("observer.type", "=sensor"),
    TOLD("observer.version", "version"),
    TOLD("process.pid", "hostProcessId"),
    TOLD("process.vpid", "processId"),
    FORM("process.entity_id", "processEntityId", TEXT),
    TOLD("process.name", "processName"),
    TOLD("process.executable", "executable"),
    FORM("process.start", "processStartTime", DATE),
    TOLD("process.thread.id", "hostThreadId"),
    TOLD("process.parent.pid", "hostParentProcessId"),
    FORM("process.parent.entity_id", "parentEntityId", TEXT),
    FORM("process.real_user.id", "realUserId", TEXT),
    FORM("user.id", "userId", TEXT),
    FORM("user.target.id", "target_uid", TEXT),
    TOLD("container.id", "containerId"),
    TOLD("error.code", "error"),
    TOLD("error.type", "cause"),
    TOLD("mrelease.lane", "lane"),
    TOLD("mrelease.cpu", "processorId"),
    TOLD("mrelease.return_value", "returnValue"),
    FORM("mrelease.compat", "isCompat", TRUTH),
    FORM("mrelease.cgroup_id", "cgroupId", TEXT),
    TOLD("mrelease.outcome", "outcome"),
    TOLD("mrelease.target.pid", "target_host_pid"),
    TOLD("mrelease.target.vpid", "target_pid"),
    TOLD("mrelease.target.name", "target_name"),
    TOLD("mrelease.target.executable", "target_exe"),
    FORM("mrelease.target.user_id", "target_uid", TEXT),
    FORM("mrelease.target.start", "target_start_time", DATE),
    FORM("mrelease.target.entity_id", "target_entity_id", TEXT),
    FORM("mrelease.target.cgroup_id", "target_cgroup_id", TEXT),
    TOLD("mrelease.target.container_id", "target_container_id"),
    TOLD("mrelease.lost.cause", "cause"),
    FORM("mrelease.lost.by_cgroup", "by_cgroup", TEXT),
};

/* What is a name or a time is text, whatever it is made of; an amount is a number. */
static enum mrl_form form_of(const struct mrl_kind *kind)
{
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
    .says_unknown = true,
    .form_of = form_of,
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
};
