/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Events: what they are (definitions, from the event table) and what happened (events, in batches).
 */
#ifndef MRELEASE_EVENT_H
#define MRELEASE_EVENT_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

MRL_BEGIN_DECLARATIONS

/** Bytes that need not be UTF-8 nor end with a NUL. `bytes` is never NULL. */
struct mrl_text {
    const char *bytes;
    size_t size;
};

/* -- definitions ------------------------------------------------------------------------------ */

/** How a value is held in struct mrl_value; the one thing that an encoder asks of a kind to print
 * it. */
enum mrl_storage {
    MRL_STORAGE_SIGNED,
    MRL_STORAGE_UNSIGNED,
    MRL_STORAGE_TEXT,
    MRL_STORAGE_ENTITY,
    MRL_STORAGE_COUNT
};

/** What an unsigned number counts; for people's eyes only, machine formats ignore it. */
enum mrl_unit { MRL_UNIT_NONE, MRL_UNIT_ADDRESS, MRL_UNIT_BYTES, MRL_UNIT_TIME, MRL_UNIT_DURATION };

/** A type of value: one row of the kinds table. All texts are static. */
struct mrl_kind {
    /** Its symbol in the event table: "S32", "TEXT", … */
    const char *name;
    enum mrl_storage storage;
    enum mrl_unit unit;
    /** Bits that the value is truncated to; 0 for text. */
    unsigned int bits;
    /** Type string in Tracee's JSON up to v0.23, and in v0.24. */
    const char *type_v0_23;
    const char *type_v0_24;
    /** Member of the oneof in tracee.v1beta1.EventValue. */
    const char *protobuf;
    /** Type of a Falco field: "uint64", "string", "abstime", "reltime". */
    const char *falco;
};

/** Tags of a field: where its value comes from, and how far it can be trusted. A set of bits. */
enum mrl_tag {
    MRL_TAG_K = 1 << 0,      /**< from kernel space */
    MRL_TAG_U = 1 << 1,      /**< through a user-space pointer */
    MRL_TAG_TOCTOU = 1 << 2, /**< may have changed between our reading and the kernel's use */
    MRL_TAG_OPT = 1 << 3,    /**< may be absent: then null */
};

/**
 * Where MRL_TAG_TOCTOU of a field does not apply: to an event whose argument of this name (of
 * --extra target) has this value, because the field is then of the memory that was reaped itself.
 */
#define MRL_TOCTOU_UNLESS "target_from=reaped_mm"

/** Sets that events belong to, as Tracee names them ("default", "syscalls", …). A set of bits. */
enum mrl_set {
    MRL_SET_DEFAULT = 1 << 0,
    MRL_SET_SYSCALLS = 1 << 1,
    MRL_SET_PROC = 1 << 2,
    MRL_SET_PROC_MEM = 1 << 3,
};

/** What an event is to the extras: those of one bit fit the events that have it. A set of bits. */
enum mrl_of {
    MRL_OF_NOTHING = 0,
    MRL_OF_RECORD = 1 << 0, /**< it has a record, and so a number */
    MRL_OF_TARGET = 1 << 1, /**< of the record, a target may be part */
    MRL_OF_LOCKS = 1 << 2,  /**< of the record, what the caller has locked may be part */
    MRL_OF_EVERY = 1 << 3,  /**< all events have it */
};

/** One field of an event. Static. */
struct mrl_field {
    const char *name;
    const struct mrl_kind *kind;
    /** Set of enum mrl_tag. */
    unsigned int tags;
    /** One sentence. */
    const char *doc;
};

/** One event of the table. Static. */
struct mrl_event_def {
    /** Position in the table; also the index into counters. */
    unsigned int index;
    const char *name;
    /** The system call the task is in, "" where there is none. */
    const char *syscall;
    bool is_syscall;
    /** Id in the JSON dialects on this architecture, and on both. */
    int id, id_x86_64, id_arm64;
    /** Numbers of the 32-bit entry points; -1 where the event is no system call. */
    int nr_i386, nr_arm;
    /** External id of Tracee's protobuf API. */
    int protobuf_id;
    /** MAJOR.MINOR.PATCH of the definition. */
    const char *version;
    /** Set of enum mrl_set. */
    unsigned int sets;
    const char *doc;
    const struct mrl_field *fields;
    unsigned int field_count;
    /** Stream in which its events are numbered: 0 the rare ones, 1 the mlock family; 2 none. */
    unsigned int lane;
    /** Set of enum mrl_of: which extras fit it. */
    unsigned int is;
};

/** Number of events in the table. */
unsigned int mrl_event_def__count(void);

/** The event at `index` < mrl_event_def__count(). */
const struct mrl_event_def *mrl_event_def__at(unsigned int index);

/** The event called `name`, or NULL with a line in `error` that names the nearest. Any thread. */
const struct mrl_event_def *mrl_event_def__find(const char *name, struct mrl_error *error);

/** The text of one tag or set bit ("TOCTOU", "proc_mem"); NULL beyond the last. For walking a set.
 */
const char *mrl_tag_name(unsigned int bit);
const char *mrl_set_name(unsigned int bit);

/**
 * Checks a text as --events takes it, in Tracee's syntax. Either a list, separated by commas:
 * names, sets, prefixes ("mlock*"), and any of these after '-' to leave out; a list that only
 * leaves out starts from the default set. Or one condition, which chooses its event:
 * "mlock.data.len=4096,8192", "mlock.retval<0", "mlock.scope.uid!=0", "mlock.scope.container"
 * (docs/filters.md). `ret_events` has a bit per table index that is chosen. Errors: -EINVAL, with
 * the nearest word; -ENOMEM.
 */
int mrl_events__parse(const char *list, uint32_t *ret_events, struct mrl_error *error);

/* -- what happened ---------------------------------------------------------------------------- */

/** A process as the entity ids of Tracee know it; the dialect rounds and hashes. */
struct mrl_entity {
    uint32_t host_pid;
    /** ns since the epoch, not rounded. */
    uint64_t start_ns;
};

/** Value of one field. Which member holds it: field->kind->storage. */
struct mrl_value {
    union {
        int64_t number;
        uint64_t unsigned_number;
        struct mrl_text text;
        struct mrl_entity entity;
    };
    /** Nothing could be read: null, for fields tagged OPT. The members are zero. */
    bool absent;
};

/** What the fields of an event are computed with, beside its record. */
struct mrl_host_facts {
    /** Add to a CLOCK_BOOTTIME time to get ns since the epoch. */
    int64_t boot_ns;
    uint32_t page_bytes;
    uint32_t cpus;
    /** cgroup_id is that of the first v1 hierarchy. */
    bool cgroup_v1;
};

/** mrl_event.flags */
enum mrl_event_flag {
    MRL_EVENT_IS_COMPAT = 1 << 0, /**< the call came through a 32-bit entry point */
    MRL_EVENT_NO_ENTRY =
        1 << 1, /**< exit seen without entry: blocked by seccomp, or begun before us */
};

/** What became of the sensor, as sensor_state says it: mrl_what_name(). Append, never reorder. */
enum mrl_what {
    MRL_WHAT_STARTED,        /**< the probes are attached; the first event of a run */
    MRL_WHAT_ALIVE,          /**< nothing happened: it is there, and has written so many events */
    MRL_WHAT_STOPPED,        /**< an orderly end; the last event of a run */
    MRL_WHAT_EVENT_ENABLED,  /**< an event is watched from now on */
    MRL_WHAT_EVENT_DISABLED, /**< an event is watched no more */
    MRL_WHAT_RELOADED,       /**< the configuration was read again */
    MRL_WHAT_CLOCK_SET,      /**< the wall clock was set */
    MRL_WHAT_LOG_LEVEL,      /**< it says more or less than before */
    MRL_WHAT_SIDE_DIED,      /**< a side program died */
    MRL_WHAT_ADOPTED,        /**< the probes of another process were taken over */
    MRL_WHAT_BLIND,          /**< nobody watched in an interval */
    MRL_WHAT_LOW_SPACE,      /**< a file system is nearly full */
    MRL_WHAT_SEALED,         /**< a digest of what was written before */
};

/** Its word: "started", …; NULL beyond the last. */
const char *mrl_what_name(unsigned int what);

/** Whether the container of a task is known. Absent is not unknown. */
enum mrl_lookup {
    MRL_LOOKUP_HOST,       /**< the task is in none */
    MRL_LOOKUP_KNOWN,      /**< it is in the one that is named */
    MRL_LOOKUP_NOT_FOUND,  /**< its cgroup was gone before anybody looked */
    MRL_LOOKUP_UNREADABLE, /**< its cgroup could not be read */
    MRL_LOOKUP_COUNT
};

struct mrl_lost;
struct mrl_named;
struct mrl_policies;
struct mrl_state;

/**
 * One event: a view into its batch, valid until the batch is released. Sampled at exit of the call,
 * except for the entry time and the arguments. Times are ns since the epoch.
 */
struct mrl_event {
    const struct mrl_event_def *def;
    uint64_t entry_ns; /**< Tracee's timestamp; the exit time under MRL_EVENT_NO_ENTRY */
    uint64_t exit_ns;
    uint64_t seq; /**< counts per CPU and lane from 0; a missing number is a lost event. Of
                     events_lost and sensor_state, where an output writes them: N of their id */
    int64_t return_value;
    uint64_t cgroup_id;
    uint64_t thread_start_ns;
    uint64_t process_start_ns;
    uint64_t parent_start_ns;
    uint32_t thread_id, process_id, parent_process_id; /**< in the task's own PID namespace */
    uint32_t host_thread_id, host_process_id, host_parent_process_id;
    uint32_t user_id; /**< real, in the initial user namespace */
    uint32_t mount_namespace, pid_namespace;
    uint32_t container_starting; /**< 1: its container was being set up: the program that it is made
                                    for had not begun */
    uint16_t cpu;
    uint16_t lane;
    uint32_t flags; /**< set of enum mrl_event_flag */
    struct mrl_text process_name;
    struct mrl_text host_name;
    struct mrl_text container_id; /**< empty on the host, and where it is not known */
    /** Path of the caller's executable, in its mount namespace; begins with "..." where it is too
     * deep to be read whole. Empty unless asked for (mrl_plugin_options), and where unknown. */
    struct mrl_text executable;
    /** One per def->fields, in that order. */
    const struct mrl_value *values;
    /** What the record tells beyond its fields, for the extras; NULL where nobody asked for more.
     */
    const struct mrl_value *extra_values;
    /** The record as the kernel wrote it (bpf/abi/record.h), and the facts of its host; NULL and 0
     * for events_lost and sensor_state, which have none. */
    const void *raw;
    size_t raw_size;
    const struct mrl_host_facts *host;
    /** The gap that an events_lost tells of; NULL for every other event. Of the library alone. */
    const struct mrl_lost *lost;
    /** What a sensor_state tells of; NULL for every other event. Of the library alone. */
    const struct mrl_state *state;
    /** Whether container_id is known, and that in words. */
    enum mrl_lookup lookup;
    struct mrl_text container_lookup;
    /** 1: the id stands in a name that only the host's root gives. */
    uint32_t container_confirmed;
    /** The same of the container of the record's target, where there is one. */
    uint32_t target_confirmed;
    enum mrl_lookup target_lookup;
    /** Of the configuration that alone judged the call: 1 is that of mrl_plugin__open(), each
     * change is one more. 0: not recorded. */
    uint32_t generation;
    /** The policies that want the event, a bit each, in the order in which they were given;
     * mrl_event__policies() has their names. 0: not recorded, or the event is of no policy. */
    uint64_t policies;
    /** The run that it is of, as mrl_plugin__run() names it; "" where that is not known. */
    const char *run;
    /** Of events_lost and sensor_state: the index of the output that tells it. */
    unsigned int output;
    /** What --extra id prints. Only encoders fill it in, where they are asked for it: see
     * mrl_event__id(). */
    struct mrl_text id;
    /** The policies that there were; NULL: one, without a name. Of the library alone. */
    const struct mrl_policies *all_policies;
    /** What its runtime calls the container, and the pod that it is of: each empty where there is
     * none, and where it is not known. Whether it is: `names_result` (enum mrl_names_result). */
    struct mrl_text container_name, container_image, container_image_digest;
    struct mrl_text pod_name, pod_namespace, pod_uid;
    struct mrl_text container_runtime; /**< who told them; no bytes (NULL): nobody did */
    unsigned int names_result;
    uint32_t pod_sandbox; /**< 1: the container holds a pod together */
    /** Some of the same of the container of the record's target; no bytes (NULL): not known. */
    struct mrl_text target_container_name, target_container_image;
    struct mrl_text target_pod_name, target_pod_namespace;
    /** What is known of both; NULL: names are off, or there is none. Of the library alone. */
    const struct mrl_named *named, *target_named;
};

enum {
    MRL_POLICIES_MAX = 64,      /**< at once */
    MRL_POLICY_NAME_MAX = 253,  /**< bytes of a name */
    MRL_POLICY_NAMES_MAX = 4096 /**< bytes of all names together */
};

/** The names of the policies that want an event, in the order in which they were given, with a
 * NUL behind each; valid as the event. Returns how many: always one at least. The one policy of
 * --events and --scope has the empty name, and so has what is of no policy. */
unsigned int mrl_event__policies(const struct mrl_event *event,
                                 struct mrl_text names[MRL_POLICIES_MAX]);

/** How an event is told from every other one of all hosts and runs: BOOT-RUN-LANE.CPU.SEQ, with
 * BOOT and RUN of 16 hex digits. events_lost and sensor_state have no record: theirs are
 * BOOT-RUN-L.OUTPUT.N and BOOT-RUN-S.OUTPUT.N, N counting what that output told. */
enum { MRL_EVENT_ID_BYTES = 80 };

/** Writes the id of an event, with a NUL. Returns its size; 0 and "" where its run is not known. */
size_t mrl_event__id(const struct mrl_event *event, char text[MRL_EVENT_ID_BYTES]);

/** Events that were read together. */
struct mrl_batch;

/** Number of events in a batch. */
size_t mrl_batch__count(const struct mrl_batch *batch);

/** The event at `index` < mrl_batch__count(batch). */
const struct mrl_event *mrl_batch__at(const struct mrl_batch *batch, size_t index);

/** Gives the batch back; NULL is allowed. Its events end here. Any thread. */
void mrl_batch__unref(struct mrl_batch *batch);

MRL_END_DECLARATIONS

#endif
