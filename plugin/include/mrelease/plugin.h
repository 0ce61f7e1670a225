/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The plugin: probes that are loaded and proven, and the events that they see.
 */
#ifndef MRELEASE_PLUGIN_H
#define MRELEASE_PLUGIN_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <mrelease/event.h>
#include <mrelease/names.h>
#include <mrelease/option.h>
#include <stdbool.h>
#include <stdint.h>

MRL_BEGIN_DECLARATIONS

struct mrl_plugin;

enum mrl_log_level { MRL_LOG_ERROR, MRL_LOG_WARNING, MRL_LOG_INFO, MRL_LOG_DEBUG };

/** How often --events and --scope may be given. */
#define MRL_FILTERS_MAX 64

/** One of several policies: events, under scopes, and the name by which outputs tell it. All texts
 * may be gone when the function that was given them returns. */
struct mrl_policy_texts {
    /** As Kubernetes names objects: a-z, 0-9, '-' and '.', a letter or digit at both ends. */
    const char *name;
    /** Lists and conditions, each as mrl_events__parse() takes it. None: the default set. */
    const char *const *events;
    unsigned int event_count;
    /** As mrl_plugin_options.scopes: all must hold. None: everywhere. */
    const char *const *scopes;
    unsigned int scope_count;
};

/** What to watch, and how. Start from MRL_PLUGIN_OPTIONS; zero or NULL members mean the default. */
struct mrl_plugin_options {
    /** sizeof(struct mrl_plugin_options): lets the struct grow. */
    size_t size;
    /** As mrl_events__parse() takes it; NULL: the default set. */
    const char *events;
    /** "auto" or a rung of the probe ladder. */
    const char *rung;
    /** "compat" (32-bit calls must be seen), "native" (they need not), "all" (blocked calls as
     * well). */
    const char *coverage;
    /** Ring buffers in bytes, rounded up to a power of two of pages; 0: 8 MiB and 4 MiB. */
    uint64_t rare_ring_bytes, busy_ring_bytes;
    /** Called on the plugin's thread with one line, without a newline; NULL: nothing is logged. */
    void (*log)(void *log_context, enum mrl_log_level level, const char *text);
    void *log_context;
    /** A capture to replay in place of the live probes, "-": standard input; NULL: live. Rung,
     * coverage and rings then mean nothing, and the default is all recorded events. */
    const char *replay;
    /** The probes read the path of the caller's executable: mrl_event.executable, which is empty
     * otherwise. Formats that print it (mrl_format.shows_executable) and extras that do
     * (mrl_extra.fills_executable) want it. A replay shows what was recorded. */
    bool caller_exe;
    /** Further lists and conditions, each as mrl_events__parse() takes it: `events` and these add
     * up. --events goes here. */
    const char *more_events[MRL_FILTERS_MAX];
    unsigned int more_event_count;
    /** Tracee's --scope: "uid=0,1000", "pid!=1", "comm=oomd", "container", "not-container",
     * "container=ID", "mntns=…", "pidns=…", "uts=…". A call is an event only when all hold
     * (docs/filters.md). What the kernel can decide of all this is decided there. */
    const char *scopes[MRL_FILTERS_MAX];
    unsigned int scope_count;
    /** Set of extras (mrelease/extra.h) that will be asked of the events: the probes then look for
     * what these need. Without, they are null. */
    uint32_t extras;
    /** mrl_plugin__enable() may be called with any event, and mrl_plugin__reconfigure() with any
     * filter: the programs of all are loaded, those of `events` are attached. Costs a little time
     * and memory at the start, and nothing later. */
    bool switchable;
    /** The batches of a live plugin also hold sensor_state: `started` first, `alive` once a minute,
     * `stopped` last, and what mrl_plugin__tell() says. So they do where `events` names it. A
     * replay hands out those that were recorded. */
    bool states;
    /** Calls that are marked as proofs of other sensors, or as trials (mrelease doctor), are events
     * as well. For who makes such calls to see what is seen of them. */
    bool trials;
    /** Several policies in place of `events`, `more_events` and `scopes`, at most MRL_POLICIES_MAX.
     * A call is an event when any of them wants it: mrl_event__policies() says which. An event that
     * is enabled later, and that none of them names, is of all. */
    const struct mrl_policy_texts *policies;
    unsigned int policy_count;
    /** Containers have names (mrelease/names.h): those that mrl_plugin__tell_names() tells. A
     * replay shows what was recorded. */
    bool names;
    /** Asks for the names of a container: `hint` is whose it looks like. The answer comes by
     * mrl_plugin__tell_names(), at any time or never. Called when a container's cgroup is made, on
     * a thread of the library's that begins with next_batch() and ends with stop(); and for the
     * first event of one that is not known, on that of next_batch(), which it must not block; again
     * after a while where the answer was none. Returns 0; -EAGAIN: too many wait.
     * NULL: nobody is asked. */
    int (*ask_names)(void *names_context, const char *id, enum mrl_runtime hint);
    void *names_context;
    /** How long an event waits for an answer about its container, in ns; 0: not at all. Other
     * containers' events and those of the host go on meanwhile; 1024 or 1 MiB of them wait at
     * most. */
    uint64_t names_wait_ns;
};

#define MRL_PLUGIN_OPTIONS                                                             \
    {                                                                                  \
        .size = sizeof(struct mrl_plugin_options), .names_wait_ns = UINT64_C(50000000) \
    }

/** The rows that describe struct mrl_plugin_options. Static. */
const struct mrl_option *mrl_plugin_options__rows(unsigned int *ret_count);

/** The events that `options` choose, a bit per table index. Errors: -EINVAL a filter, with the
 * nearest word; -EDOM one that is well formed and never holds; -ENOMEM. */
int mrl_plugin_options__events(const struct mrl_plugin_options *options,
                               uint32_t *ret_events,
                               struct mrl_error *error);

/**
 * Loads, attaches and proves the probes of the chosen events. `options` may be NULL; its texts must
 * live as long as the plugin. `*ret_plugin` is new. Blocks for 50–300 ms. While it runs, libbpf's
 * process-wide print function is replaced, so do not load other BPF objects meanwhile.
 * Errors: -EINVAL an option, with the nearest word; -EDOM a filter that never holds; -EPERM CAP_BPF
 * or CAP_PERFMON is missing; -ENOSYS the kernel lacks the system call or BTF; -EOPNOTSUPP no rung
 * works; -ENOMEM. Of a replay: as open(2); -EINTR by a signal, before it began; -EBADMSG it is no
 * capture; -EOPNOTSUPP another version or machine wrote it.
 */
int mrl_plugin__open(const struct mrl_plugin_options *options,
                     struct mrl_error *error,
                     struct mrl_plugin **ret_plugin);

/**
 * Waits up to `timeout_ms` (-1: for ever) for events. Returns their number and a new reference to a
 * batch, or 0 (time-out, or interrupted) and leaves `*ret_batch` alone. Batches may be kept, but
 * the pool is bounded: -EAGAIN when MRL_BATCHES_MAX are out, or there is no memory for one more.
 * Other errors: -errno of the ring buffers. A replay ends, after its last event, with -ENODATA
 * (the capture is over, which is no failure) or -EBADMSG (it is damaged from there on).
 * mrl_plugin__error() says more.
 */
int mrl_plugin__next_batch(struct mrl_plugin *plugin, int timeout_ms, struct mrl_batch **ret_batch);

/** Batches that may be out at once. */
#define MRL_BATCHES_MAX 64

/** Ends the wait of next_batch(), now or at its next call. Any thread, and signal handlers. */
void mrl_plugin__interrupt(struct mrl_plugin *plugin);

/**
 * Detaches the probes. What the rings hold can still be read: call next_batch() until it returns 0.
 * Blocks until no probe runs any more (tens of ms). Twice is harmless.
 */
void mrl_plugin__stop(struct mrl_plugin *plugin);

/** Stops, and frees all. Batches that are still out stay valid until they are released. NULL is
 * allowed. */
void mrl_plugin__close(struct mrl_plugin *plugin);

/** Names the run: BOOT-RUN, the first half of the boot id and CLOCK_BOOTTIME in ns when the probes
 * were attached, each as 16 hex digits. "" of a replay. */
const char *mrl_plugin__run(const struct mrl_plugin *plugin);

/** mrl_plugin__tell(): nobody brought it about. */
#define MRL_NOBODY (-1)

/**
 * Has the next batch say, by a sensor_state, what became of the sensor: `detail` ("key=value; …",
 * copied, cut at 256 bytes; NULL: nothing), who brought it about (MRL_NOBODY where nobody did), and
 * the interval that it is about, in ns since the epoch (0 and 0: none). Where no batch holds
 * sensor_state, it is a line of the log only; of a replay it is nothing. Wakes next_batch(). Any
 * thread, not from signal handlers. Error: -EAGAIN, 16 wait already; then nothing will be said.
 */
int mrl_plugin__tell(struct mrl_plugin *plugin,
                     enum mrl_what what,
                     const char *detail,
                     int64_t by_uid,
                     int64_t by_pid,
                     uint64_t from_ns,
                     uint64_t to_ns);

/**
 * Tells what is known of a container (copies), whether it was asked for or not: all its names, or
 * why there are none. Names that are known are not forgotten for an answer without. Wakes
 * next_batch() where events wait. Any thread, not from signal handlers. Errors: -EOPNOTSUPP without
 * mrl_plugin_options.names, or of a replay; -EINVAL an id that is empty or longer than 64 bytes;
 * -EAGAIN 512 KiB were told since next_batch() was called; -ENOMEM.
 */
int mrl_plugin__tell_names(struct mrl_plugin *plugin, const struct mrl_container_names *names);

/** The last error as one line; "" when there was none. */
const char *mrl_plugin__error(const struct mrl_plugin *plugin);

/** The rung in use: "tp_btf", … */
const char *mrl_plugin__rung(const struct mrl_plugin *plugin);

/** How full a ring buffer of the probes is. */
struct mrl_ring_fill {
    uint64_t bytes;
    uint64_t used; /**< not read yet, or not given back */
};

/** What a plugin is like just now. */
struct mrl_plugin_status {
    uint64_t started_ns; /**< when it was opened, since the epoch */
    char coverage[16];   /**< as asked for; "" of a replay */
    uint32_t unseen;     /**< events (bits) whose calls the last mrl_plugin__prove() made in vain */
    unsigned int ring_count;       /**< 2; 0 of a replay */
    struct mrl_ring_fill rings[2]; /**< of the rare events, of the mlock family */
};

/**
 * Proves the probes anew: makes each watched system call, so that no kernel does anything, and
 * looks whether it is seen. What was not is in mrl_plugin_status.unseen. A call that a seccomp
 * filter refuses to this process proves nothing. Blocks for some ms. Any thread; nothing of a
 * replay.
 */
void mrl_plugin__prove(struct mrl_plugin *plugin);

/** Any thread. */
void mrl_plugin__status(const struct mrl_plugin *plugin, struct mrl_plugin_status *ret_status);

/** How long events waited for names: up to 1, 2, 5, 10, 20 and 50 ms, and longer. */
enum { MRL_NAMES_WAITS = 7 };

/** What became of the names of containers. */
struct mrl_names_status {
    uint64_t asked;                                    /**< by mrl_plugin_options.ask_names */
    uint64_t answers[MRL_NAMES_RESULTS][MRL_RUNTIMES]; /**< by mrl_plugin__tell_names() */
    uint64_t events[MRL_NAMES_RESULTS];                /**< in containers, by what was known */
    uint64_t waits[MRL_NAMES_WAITS];                   /**< events that waited, by how long */
    uint64_t waited_ns;                                /**< these together */
    uint64_t waiting;                                  /**< just now */
};

/** False: names are off. Any thread. */
bool mrl_plugin__names(const struct mrl_plugin *plugin, struct mrl_names_status *ret_status);

/** The ways into the kernel, of "native", "compat" (32-bit) and "x32", by which the probes could
 * not be proven when they were opened, because a seccomp filter refuses such calls to this process;
 * separated by commas. "": none. Borrowed. */
const char *mrl_plugin__unproven(const struct mrl_plugin *plugin);

/** How far the replay of a file is, in ten thousandths; 0 for what has no end. The thread that
 * reads. */
unsigned int mrl_plugin__progress(const struct mrl_plugin *plugin);

/** The chosen events, those that were enabled later among them, also when they are disabled again:
 * a bit per table index. Any thread. */
uint32_t mrl_plugin__events(const struct mrl_plugin *plugin);

/** Those that are watched now. Any thread. */
uint32_t mrl_plugin__watched(struct mrl_plugin *plugin);

/**
 * Watches the event at table index `event` from now on: its probes are attached and proven. When it
 * is watched already, nothing happens. The filters that the plugin was opened with hold for it.
 * Blocks for some ms. Any thread. Errors: -EINVAL no such event; -EOPNOTSUPP the event is not of
 * the probes, the plugin is not switchable, or it replays; -ESHUTDOWN the probes are gone; as
 * open().
 */
int mrl_plugin__enable(struct mrl_plugin *plugin, unsigned int event, struct mrl_error *error);

/** Watches it no more: its probes are detached, unless another event needs them. What was seen
 * before may still be read. Threads and errors as mrl_plugin__enable(). */
int mrl_plugin__disable(struct mrl_plugin *plugin, unsigned int event, struct mrl_error *error);

/**
 * Watches the events that `options` choose, under its filters, in place of those of now: `events`,
 * `more_events` and `scopes`, or `policies`, are read, and nothing else; their texts are needed no
 * longer than the call. No probe is loaded, and none is detached that is still needed, so nothing
 * is lost. Each call is judged by one of the two configurations, whole: at its exit in the kernel,
 * and then by the reader, which knows by mrl_event.generation whose filter to ask. When this
 * returns all calls are judged by the new one; what was read before and what is still in the rings
 * is of the old one. The next batch tells a sensor_state `reloaded` with the filters (see
 * mrl_plugin__tell()). What mrl_plugin__enable() and disable() did is forgotten; "pid=new" means
 * what it did at open(). Blocks for some ms, and for tens of ms on a busy host. Any thread, not
 * from signal handlers. On failure nothing has changed. Errors: -EINVAL a filter, with the nearest
 * word; -EOPNOTSUPP an event whose program was not loaded at open(), or "executable" where the
 * probes cannot read it (see `switchable`), or a replay; -EAGAIN so many changes were made while
 * next_batch() was not called that 16 wait for it; -ESHUTDOWN the probes are gone; -ENOMEM; as
 * open().
 */
int mrl_plugin__reconfigure(struct mrl_plugin *plugin,
                            const struct mrl_plugin_options *options,
                            struct mrl_error *error);

/** What became of one event so far, summed over CPUs. seen = submitted + refused + suppressed +
 * no_memory + exit_missed + self + filtered, and, once all was read, submitted = decoded +
 * malformed + filtered_late. */
struct mrl_event_counts {
    uint64_t seen;        /**< calls that the probes saw: their exits, and exit_missed */
    uint64_t submitted;   /**< handed to user space */
    uint64_t refused;     /**< lost: the ring buffer was full */
    uint64_t no_memory;   /**< lost: no place for the state of the call, nor for its report */
    uint64_t self;        /**< calls that prove probes, ours and other sensors'; never delivered */
    uint64_t decoded;     /**< read from the ring and delivered in a batch */
    uint64_t malformed;   /**< lost: read from the ring, but not a valid record */
    uint64_t missed;      /**< of all events together: runs of probes that the kernel left out */
    uint64_t filtered;    /**< refused by a filter in the kernel: no record was made */
    uint64_t exit_missed; /**< lost: entered, but the kernel did not show the call's exit */
    uint64_t suppressed;  /**< lost: the ring was crowded, and its owner's share was spent */
    uint64_t filtered_late; /**< read from the ring, and refused by a filter of user space */
    uint64_t unidentified;  /**< read, and the caller's container could not be learnt: of these a
                                 filter for containers, or for none, refuses all */
    uint64_t unnamed; /**< read, in a container whose names are not known, though they are wanted:
                           of these a filter on names refuses all */
};

/** Counts of the event at table index `event`. Any thread. Errors: -EINVAL, -ENOMEM, -errno of
 * bpf(). */
int mrl_plugin__counts(struct mrl_plugin *plugin,
                       unsigned int event,
                       struct mrl_event_counts *ret_counts);

/** A policy of now, and how many of the events that were delivered it wanted, since it came. An
 * event that several policies want counts for each. */
struct mrl_policy_count {
    char name[MRL_POLICY_NAME_MAX + 1];
    uint64_t matched;
};

/** The policy at `index`, in the order in which they were given. Any thread. Error: -ENOENT, there
 * are no more, or none that have names. */
int mrl_plugin__policy(struct mrl_plugin *plugin,
                       unsigned int index,
                       struct mrl_policy_count *ret_count);

/** A rung of the probe ladder. Static. */
struct mrl_rung {
    const char *name;
    const char *doc;
    /** 32-bit calls are seen. */
    bool sees_compat;
    /** Calls blocked by seccomp are seen. */
    bool sees_blocked;
    /** Each chosen system call is probed on its own; else all calls pass the same two probes. */
    bool per_syscall;
    /** The rung whose exit probe stands beside when coverage is "all", so that blocked calls are
     * seen; its tax comes with it. NULL: none. */
    const char *beside;
    /** Its probes are perf events: to attach one takes CAP_PERFMON, and tracefs. */
    bool by_perf_events;
};

/** The rungs that this version knows, the one with the lowest tax on other system calls first. */
const struct mrl_rung *mrl_rung__all(unsigned int *ret_count);

MRL_END_DECLARATIONS

#endif
