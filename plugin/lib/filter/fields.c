// SPDX-License-Identifier: Apache-2.0
/* What a filter can ask for: Tracee's names of the context, and the data of the event table. */
#include <errno.h>
#include <string.h>

#include "event/raw.h"
#include "filter/filter.h"

enum { NAMES_MAX = 64 };

#define AT(member)   .offset = (int)offsetof(struct mrl_event, member)
#define SIZE(member) .size = sizeof(((struct mrl_event *)0)->member)
#define NOT_EITHER   .other_offset = MRL_FILTER_NOWHERE, .value = MRL_FILTER_NOWHERE

#define NUMBER(name_, other, member, flags_, subject_, doc_)                                  \
    {                                                                                         \
        .name = name_, .other_name = other, .type = MRL_FILTER_NUMBER, .flags = flags_,       \
        AT(member), SIZE(member), NOT_EITHER, .subject = MRL_SUBJECT_##subject_, .doc = doc_, \
    }
#define TEXT(name_, other, member, flags_, max, subject_, doc_)                                   \
    {                                                                                             \
        .name = name_, .other_name = other, .type = MRL_FILTER_TEXT, .flags = flags_, AT(member), \
        .size = max, NOT_EITHER, .subject = MRL_SUBJECT_##subject_, .doc = doc_,                  \
    }
/* What a runtime tells of a container. */
#define NAMED(name_, member, doc_) \
    TEXT(name_, NULL, member, EVENT | MRL_FILTER_IN_CONTAINER, 0, NONE, doc_)
#define PRESENCE(name_, flags_, doc_)                                                              \
    {                                                                                              \
        .name = name_, .type = MRL_FILTER_PRESENCE, .flags = flags_, AT(container_id), NOT_EITHER, \
        .subject = MRL_SUBJECT_NONE, .doc = doc_,                                                  \
    }
#define UNKNOWN(name_, other, flags_, doc_)                                              \
    {                                                                                    \
        .name = name_, .other_name = other, .type = MRL_FILTER_UNKNOWN, .flags = flags_, \
        NOT_EITHER, .subject = MRL_SUBJECT_NONE, .doc = doc_,                            \
    }

#define EVENT MRL_FILTER_IN_EVENT
#define SCOPE MRL_FILTER_IN_SCOPE
#define ORDER MRL_FILTER_ORDERED
#define U32   MRL_FILTER_NARROW

enum {
    NAME_MAX_BYTES = MRL_NAME_BYTES - 1,
    CONTAINER = MRL_FILTER_NONEMPTY | MRL_FILTER_CONTAINER_ID,
};

static const struct mrl_filter_field fields[] = {
    NUMBER(
        "timestamp", NULL, entry_ns, EVENT | ORDER, NONE, "Entry of the call, ns since the epoch."),
    NUMBER("processorId", NULL, cpu, EVENT | ORDER, NONE, "CPU at the exit of the call."),
    NUMBER("p", NULL, process_id, EVENT | ORDER | U32, NONE, "Short for processId."),
    NUMBER("processId",
           "pid",
           process_id,
           EVENT | ORDER | U32,
           NONE,
           "Process, in its own PID namespace."),
    NUMBER("threadId",
           "tid",
           thread_id,
           EVENT | ORDER | U32,
           NONE,
           "Thread, in its own PID namespace."),
    NUMBER("parentProcessId",
           "ppid",
           parent_process_id,
           EVENT | ORDER | U32,
           NONE,
           "Parent, in the same PID namespace; else 0."),
    NUMBER("hostThreadId",
           "hostTid",
           host_thread_id,
           EVENT | ORDER | U32,
           HOST_TID,
           "Thread, as the host numbers it."),
    NUMBER("hostProcessId",
           "hostPid",
           host_process_id,
           EVENT | ORDER | U32,
           HOST_PID,
           "Process, as the host numbers it."),
    NUMBER("hostParentProcessId",
           NULL,
           host_parent_process_id,
           EVENT | ORDER | U32,
           NONE,
           "Parent, as the host numbers it."),
    NUMBER("userId", "uid", user_id, EVENT | ORDER | U32, UID, "Real uid, as the host numbers it."),
    NUMBER("mountNamespace",
           "mntns",
           mount_namespace,
           EVENT | ORDER | U32,
           NONE,
           "Inode of the mount namespace."),
    NUMBER("pidNamespace",
           "pidns",
           pid_namespace,
           EVENT | ORDER | U32,
           NONE,
           "Inode of the PID namespace."),
    NUMBER("cgroupId", NULL, cgroup_id, EVENT | ORDER, NONE, "Inode of the cgroup."),
    TEXT("processName", "comm", process_name, EVENT, NAME_MAX_BYTES, NAME, "Name of the thread."),
    TEXT("hostName", NULL, host_name, EVENT, NAME_MAX_BYTES, NONE, "Name of the host."),
    TEXT("syscall", NULL, def, EVENT, 0, NONE, "System call that the task is in."),
    PRESENCE("container", EVENT, "In a container."),
    PRESENCE("host", EVENT | MRL_FILTER_ABSENT, "In no container."),
    TEXT("containerId",
         NULL,
         container_id,
         EVENT | CONTAINER,
         MRL_FILTER_ID_BYTES,
         NONE,
         "Id of the container; implies container."),
    NAMED("containerImage", container_image, "Its image, as its runtime names it."),
    NAMED("containerImageDigest", container_image_digest, "The digest of its image."),
    NAMED("containerName", container_name, "What its runtime calls the container."),
    NAMED("podName", pod_name, "The pod that it is of."),
    NAMED("podNamespace", pod_namespace, "The namespace of its pod."),
    NAMED("podUid", pod_uid, "The uid of its pod."),
    NUMBER("podSandbox",
           NULL,
           pod_sandbox,
           EVENT | U32 | MRL_FILTER_BOOLEAN | MRL_FILTER_IN_CONTAINER,
           NONE,
           "Whether the container holds a pod together: true or false."),

    NUMBER("uid", NULL, user_id, SCOPE | ORDER | U32, UID, "Real uid, as the host numbers it."),
    { .name = "pid",
      .type = MRL_FILTER_NUMBER,
      .flags = SCOPE | ORDER | U32,
      AT(host_process_id),
      SIZE(host_process_id),
      .other_offset = offsetof(struct mrl_event, host_thread_id),
      .value = MRL_FILTER_NOWHERE,
      .subject = MRL_SUBJECT_HOST_TASK,
      .doc = "Process or thread, as the host numbers them; new: begun after the sensor." },
    NUMBER("mntns", NULL, mount_namespace, SCOPE | U32, NONE, "Inode of the mount namespace."),
    NUMBER("pidns", NULL, pid_namespace, SCOPE | U32, NONE, "Inode of the PID namespace."),
    TEXT("comm", NULL, process_name, SCOPE, NAME_MAX_BYTES, NAME, "Name of the thread."),
    TEXT("uts", NULL, host_name, SCOPE, NAME_MAX_BYTES, NONE, "Name of the host."),
    PRESENCE("container", SCOPE, "In a container."),
    PRESENCE("not-container", SCOPE | MRL_FILTER_ABSENT, "In no container."),
    TEXT("executable",
         "exec",
         executable,
         SCOPE | MRL_FILTER_EXECUTABLE,
         0,
         NONE,
         "Path of the caller's program; host:/PATH and MNTNS:/PATH: in that mount namespace."),
    TEXT("binary", "bin", executable, SCOPE | MRL_FILTER_EXECUTABLE, 0, NONE, "The same."),
    UNKNOWN("tree", NULL, SCOPE, "each fork of the host would have to be watched for it"),
    UNKNOWN("follow", NULL, SCOPE, "each fork of the host would have to be watched for it"),
    /* Spellings of Tracee's older versions and of its policies. */
    UNKNOWN("!container", NULL, SCOPE, "use not-container"),
    UNKNOWN("host", NULL, SCOPE, "use not-container"),
    UNKNOWN("u", NULL, SCOPE, "use uid"),
    UNKNOWN("p", NULL, SCOPE, "use pid"),
    UNKNOWN("global", NULL, SCOPE, "leave it out, what no scope limits is global"),
};

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

_Static_assert(2 * FIELD_COUNT <= 2 * NAMES_MAX, "the names fit");

const struct mrl_filter_field mrl_filter_retval =
    NUMBER("retval", NULL, return_value, ORDER | MRL_FILTER_SIGNED, RET, "Result of the call.");

const struct mrl_filter_field *mrl_filter_fields__all(unsigned int *ret_count)
{
    *ret_count = FIELD_COUNT;
    return fields;
}

static bool is_called(const struct mrl_filter_field *field, const char *name)
{
    /* What is not known here is so in whatever case it was written. */
    int (*compare)(const char *, const char *) =
        field->type == MRL_FILTER_UNKNOWN ? strcasecmp : strcmp;

    return !compare(field->name, name) || (field->other_name && !compare(field->other_name, name));
}

const struct mrl_filter_field *mrl_filter_fields__find(unsigned int flag,
                                                       const char *name,
                                                       struct mrl_error *error)
{
    const char *what = flag == SCOPE ? "scope" : "field of the context", *names[2 * FIELD_COUNT];
    unsigned int count = 0;

    for (unsigned int i = 0; i < FIELD_COUNT; i++) {
        const struct mrl_filter_field *field = &fields[i];

        if (!(field->flags & flag))
            continue;
        if (is_called(field, name) && field->type != MRL_FILTER_UNKNOWN)
            return field;
        if (is_called(field, name)) {
            mrl_error__set(error, -EINVAL, "%s '%s' is not known here: %s", what, name, field->doc);
            return NULL;
        }
        if (field->type == MRL_FILTER_UNKNOWN)
            continue;
        names[count++] = field->name;
        if (field->other_name)
            names[count++] = field->other_name;
    }
    mrl_error__unknown(error, what, name, names, count);
    return NULL;
}

/* -- the data of an event --------------------------------------------------------------------- */

static unsigned int flags_of_kind(const struct mrl_kind *kind)
{
    return MRL_FILTER_ORDERED | MRL_FILTER_PATTERNS |
           (kind->storage == MRL_STORAGE_SIGNED ? MRL_FILTER_SIGNED : 0U) |
           (kind->bits == 32 ? MRL_FILTER_NARROW : 0U);
}

/* What the texts of an event can hold, where that is not anything. */
static const char *const outcomes[] = { "reaped", "already_reaped", "unknown" };
static const char *const accuracies[] = { "exact", "approx" };

#define WORDS(list) .words = list, .word_count = sizeof(list) / sizeof((list)[0])

static const struct mrl_filter_field texts[] = {
    { .name = "outcome", WORDS(outcomes) }, /* of a call that succeeded */
    { .name = "accuracy", WORDS(accuracies) },
    { .name = "target_name", .size = NAME_MAX_BYTES },
    { .name = "target_exe", .flags = MRL_FILTER_PATH },
    { .name = "target_container_id",
      .flags = MRL_FILTER_CONTAINER_ID,
      .size = MRL_FILTER_ID_BYTES },
};

static void limit_text(struct mrl_filter_field *field)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(texts[i].name, field->name) != 0)
            continue;
        field->words = texts[i].words;
        field->word_count = texts[i].word_count;
        field->flags = texts[i].flags;
        field->size = texts[i].size;
    }
}

static struct mrl_filter_field field_of(const struct mrl_event_def *def, unsigned int index)
{
    const struct mrl_field *field = &def->fields[index];
    const struct mrl_from *from = &mrl_event_def__from(def->index)[index];
    bool is_text = field->kind->storage == MRL_STORAGE_TEXT;

    return (struct mrl_filter_field){
        .name = field->name,
        .type = is_text ? MRL_FILTER_TEXT : MRL_FILTER_NUMBER,
        .flags = is_text ? 0 : flags_of_kind(field->kind),
        .offset = MRL_FILTER_NOWHERE,
        .other_offset = MRL_FILTER_NOWHERE,
        .value = (int)index,
        .subject = from->where == MRL_FROM_ARG ? (enum mrl_subject)from->offset : MRL_SUBJECT_NONE,
        .doc = field->doc,
    };
}

int mrl_filter_fields__of_data(const struct mrl_event_def *def,
                               const char *name,
                               struct mrl_filter_field *ret_field,
                               struct mrl_error *error)
{
    const char *names[NAMES_MAX];
    unsigned int count = 0;

    if (!strcmp(name, "returnValue")) {
        *ret_field = mrl_filter_retval;
        return 0;
    }
    for (unsigned int i = 0; i < def->field_count && count < NAMES_MAX - 1; i++) {
        bool is_hash =
            def->fields[i].kind->storage == MRL_STORAGE_ENTITY; /* each dialect has its own */

        if (!strcmp(def->fields[i].name, name) && is_hash)
            return mrl_error__set(error, -EINVAL,
                                  "'%s' differs between formats and cannot be filtered", name);
        if (!strcmp(def->fields[i].name, name)) {
            *ret_field = field_of(def, i);
            if (ret_field->type == MRL_FILTER_TEXT)
                limit_text(ret_field);
            return 0;
        }
        if (!is_hash)
            names[count++] = def->fields[i].name;
    }
    names[count++] = "returnValue";
    return mrl_error__unknown(error, "field", name, names, count);
}
