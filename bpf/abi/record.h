/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the probes and user space say to each other: the record of a call, the settings that user
 * space fixes before a load, and the counters that the probes keep. Compiled by both sides;
 * naturally aligned, explicit padding, host byte order. Nothing here knows how a record is made or
 * shown.
 */
#ifndef MRL_ABI_RECORD_H
#define MRL_ABI_RECORD_H

#include <linux/types.h>

#include "share.h"

/** Increment when the layout or meaning of a record changes; and the oldest that is still read. */
#define MRL_RECORD_VERSION        5
#define MRL_RECORD_VERSION_OLDEST 3

/** Index of each event, in the order of events.def; also the value of mrl_record.event. */
enum mrl_event_index {
#define MRL_SYSCALL_EVENT(symbol, ...) MRL_EVENT_##symbol,
#define MRL_OWN_EVENT(symbol, ...)     MRL_EVENT_##symbol,
#include "events.def"
    MRL_EVENT_COUNT,
    MRL_EVENTS_MAX = 32 /* bits of a set of events */
};

/** Ring buffers: the rare events have one of their own, so that an mlock storm cannot push them
 * out. */
enum mrl_lane { MRL_LANE_RARE, MRL_LANE_BUSY, MRL_LANE_COUNT, MRL_LANE_NONE = MRL_LANE_COUNT };

/** What the probes can read of a call beside its arguments: a column of events.def. */
enum mrl_reads { MRL_READS_NOTHING, MRL_READS_TARGET, MRL_READS_LOCKS };

enum {
    MRL_ARGS_MAX = 6,
    MRL_NAME_BYTES = 16, /* comm and host name: 15 bytes and a NUL, as Tracee has it */
    MRL_EXE_BYTES = 1024,
    MRL_STEP_BYTES = 256, /* a path component: NAME_MAX and its NUL */
    MRL_EXE_STEPS = 32,   /* components and mount points; the verifier of 6.1 does not follow 64 */
    MRL_CPUS_MAX = 256,   /* of which per-CPU counters are summed exactly */
    MRL_THREADS_MAX = 32, /* threads searched for the mm of a target whose leader is gone */
};

/** The first bit of the flags of process_mrelease: kill the target as well. Proposed in 2026. */
#define MRL_PROCESS_MRELEASE_REAP_KILL 1

/** mrl_record.flags */
enum {
    MRL_RECORD_COMPAT = 1 << 0, /* through a 32-bit entry point */
    MRL_RECORD_NO_ENTRY =
        1 << 1, /* exit seen without entry: blocked by seccomp, or begun before attach */
    MRL_RECORD_TARGET = 1 << 2,  /* a struct mrl_target follows */
    MRL_RECORD_LOCKS = 1 << 3,   /* a struct mrl_locks follows; never together with a target */
    MRL_RECORD_BLOCKED = 1 << 4, /* without entry, and begun after the attach: it was blocked */
    MRL_RECORD_EXE_CUT = 1 << 5, /* outer components of the caller's path are missing */
    MRL_RECORD_SHARE = 1 << 6,   /* `share` is there, in place of an argument that the call lacks */
    MRL_RECORD_JUDGED = 1 << 7,  /* a struct mrl_judgement follows, before all else that does */
};

/** mrl_record.container. Since version 5 of the records. */
enum {
    MRL_CONTAINER_STARTING = 1 << 0, /* its first process has not executed its program yet */
};

/**
 * mrl_target.flags: what was seen of the target at entry, and again at exit (…_AFTER). Some say
 * only that something is so; where the bit is clear it was not so, or could not be read.
 */
enum {
    MRL_TARGET_FOUND = 1 << 0,    /* the descriptor led to a process */
    MRL_TARGET_MM = 1 << 1,       /* that process still had its memory */
    MRL_TARGET_OOM_SKIP = 1 << 2, /* MMF_OOM_SKIP was set already: nothing left to reap */
    MRL_TARGET_EXE_CUT = 1 << 3,  /* outer components of the path are missing */
    MRL_TARGET_AFTER = 1 << 4, /* the same process was found again at exit, or known to be gone */
    MRL_TARGET_EXACT_RSS = 1 << 5, /* the counters are sums that nothing is missing from */
    MRL_TARGET_UNSTABLE = 1 << 6,  /* MMF_UNSTABLE was set: a reaper has been here before */
    MRL_TARGET_DYING = 1 << 7,     /* as __task_will_free_mem() decides, but for core dumps */
    MRL_TARGET_DUMPING = 1 << 8,   /* a core dump was in progress */
    MRL_TARGET_SHARED = 1 << 9,    /* its memory had more users than its own threads */
    MRL_TARGET_KERNEL = 1 << 10,   /* a kernel thread: it never has memory */
    MRL_TARGET_THREAD = 1 << 11,   /* the descriptor named a thread that leads no process */
    MRL_TARGET_GONE = 1 << 12,     /* the descriptor named a process that exists no more */
    MRL_TARGET_DYING_AFTER = 1 << 13,
    MRL_TARGET_DUMPING_AFTER = 1 << 14,
    MRL_TARGET_MM_AFTER = 1 << 15, /* the flags of the very mm of entry were read again */
    MRL_TARGET_SKIP_AFTER = 1 << 16,
    MRL_TARGET_UNSTABLE_AFTER = 1 << 17,
    MRL_TARGET_WATCHED = 1 << 18,   /* the function that reaps was probed during the call */
    MRL_TARGET_REAPED = 1 << 19,    /* and it ran */
    MRL_TARGET_PROVEN = 1 << 20,    /* the target is the process of the mm being reaped */
    MRL_TARGET_STATE = 1 << 21,     /* threads, sharing and kill_ns were looked at */
    MRL_TARGET_PER_TASK = 1 << 22,  /* before 6.2: threads keep parts of the counters, not CPUs */
    MRL_TARGET_COUNTED = 1 << 23,   /* `after` is of the end of the reaping, not of the call */
    MRL_TARGET_REAP_KILL = 1 << 24, /* this kernel knows the flag PROCESS_MRELEASE_REAP_KILL */
};

/** Resident and swapped pages of an mm, as its counters say; may be slightly negative when
 * approximate. */
struct mrl_pages {
    __s64 file;
    __s64 anon;
    __s64 swap;
    __s64 shmem;
};

/** One call, sampled at its exit (entry time and arguments are those of entry). 192 bytes. */
struct mrl_record {
    __u16 size;     /* bytes of the whole record, target and path included */
    __u8 event;     /* enum mrl_event_index */
    __u8 flags;     /* MRL_RECORD_… */
    __u16 cpu;      /* at exit */
    __u8 lane;      /* enum mrl_lane: seq counts per CPU and lane */
    __u8 container; /* MRL_CONTAINER_…, of the caller's */
    __u64
        seq; /* 0, 1, 2, … per CPU and lane; a number that is missing was refused by a full ring */
    __u64 entry_ns; /* CLOCK_BOOTTIME; equals exit_ns under MRL_RECORD_NO_ENTRY */
    __u64 exit_ns;
    __s64 ret;
    union {
        __u64 args[MRL_ARGS_MAX]; /* raw registers; 32-bit ones zero-extended */
        struct {
            __u64 first_args[MRL_ARGS_MAX - 1];
            struct mrl_share share; /* under MRL_RECORD_SHARE */
        };
    };
    __u64 cgroup_id;
    __u64 thread_start_ns; /* CLOCK_BOOTTIME, this and the next two */
    __u64 leader_start_ns;
    __u64 parent_start_ns;
    __u32 tid; /* in the task's own PID namespace, this and the next two */
    __u32 pid;
    __u32 ppid; /* 0 when the parent lives in another PID namespace */
    __u32 host_tid;
    __u32 host_pid;
    __u32 host_ppid;
    __u32 uid; /* real, in the initial user namespace */
    __u32 mount_ns;
    __u32 pid_ns;
    __u32 exe_bytes; /* the caller's path: the last bytes of the record, as a target's; 0: none */
    char comm[MRL_NAME_BYTES];
    char host_name[MRL_NAME_BYTES];
};

/** By what the event was let through (abi/config.h). Since version 4 of the records. */
struct mrl_judgement {
    __u64 policies;   /* that want it: a bit each, never none */
    __u32 generation; /* of the configuration, which alone has judged the call */
    __u32 reserved;
};

/** The process that a descriptor pointed to: read at entry, looked at again at exit. */
struct mrl_target {
    __u32 flags; /* MRL_TARGET_… */
    __s32 host_pid;
    __s32 pid; /* in the caller's PID namespace, 0 when invisible there */
    __u32 uid;
    __u64 start_ns; /* CLOCK_BOOTTIME, of the leader */
    __u64 cgroup_id;
    struct mrl_pages before;
    struct mrl_pages after;
    __u64 locked_pages;
    __u64 pagetable_bytes;
    __u64 kill_ns;   /* CLOCK_BOOTTIME of the first SIGKILL that it was sent; 0: not seen */
    __u32 threads;   /* of the process, dying ones included */
    __u32 exit_code; /* of the process, as wait(2) has it: the low 7 bits are a signal */
    char comm[MRL_NAME_BYTES];
    __u32 exe_bytes; /* used bytes of what follows */
    __u32 reserved;
    /* then exe_bytes: the components of the path, innermost first, each ended by a NUL */
};

/** A value of struct mrl_locks that was not read; as a limit: none. */
#define MRL_LOCKS_UNKNOWN (~0ULL)

/** What the caller of the mlock family had locked. */
struct mrl_locks {
    __u64 before_pages;
    __u64 after_pages;
    __u64 limit_bytes; /* soft RLIMIT_MEMLOCK at exit */
};

enum {
    MRL_RECORD_CGROUP = 0xff, /* in place of an event: a struct mrl_cgroup_names */
    MRL_CGROUP_NODES = 8,
    MRL_CGROUP_NAME_BYTES = 160, /* with its NUL; the longest name with an id in it has 149 bytes */
};

/** mrl_cgroup_names.flags */
enum {
    MRL_CGROUP_WHOLE = 1 << 0,   /* the last node is the root, whose name is empty */
    MRL_CGROUP_MADE = 1 << 1,    /* just now: nobody has called from there yet */
    MRL_CGROUP_REMOVED = 1 << 2, /* just now */
};

/** The names of a cgroup and of those around it: before the first record of it in this ring; and,
 * where names of containers are wanted, when it is made and removed. */
struct mrl_cgroup_names {
    __u16 size;
    __u8 event;  /* MRL_RECORD_CGROUP */
    __u8 flags;  /* MRL_CGROUP_… */
    __u32 count; /* of nodes */
    __u64 cgroup_id;
    char nodes[MRL_CGROUP_NODES][MRL_CGROUP_NAME_BYTES]; /* innermost first, each with a NUL */
};

/** No record is larger than this. */
#define MRL_RECORD_BYTES_MAX                                                                \
    (sizeof(struct mrl_record) + sizeof(struct mrl_judgement) + sizeof(struct mrl_target) + \
     2 * MRL_EXE_BYTES)

/** What the extras in use want to know beside what every event tells. */
enum {
    MRL_NEED_TARGET = 1 << 0, /* process_mrelease carries its target, whatever the call returns */
    MRL_NEED_KILL = 1 << 1,   /* when the target was sent its SIGKILL */
    MRL_NEED_LOCKS = 1 << 2,  /* the mlock family carries a struct mrl_locks */
};

/**
 * How the proof calls of any sensor are marked: the fifth argument, "mrelease"; of a 32-bit call
 * the lower half in the fourth. And the first argument of a 32-bit one.
 */
#define MRL_PROOF_MARK    0x6d72656c65617365ULL
#define MRL_PROOF_ADDRESS 0xfffff000U

/** What user space fixes before the load; .rodata of the object, so the verifier drops what is off.
 * What may change later is in abi/config.h. */
struct mrl_settings {
    __u64 self_cookie;  /* sixth argument of our own proof calls (the fifth and sixth of 32-bit
                           ones): counted as self, never submitted */
    __u64 crowded;      /* bytes in the rare ring from which on room is by shares */
    __u64 nearly_full;  /* and from which on only first releases have room */
    __u32 events;       /* bit per enum mrl_event_index: those that may be watched */
    __u32 cgroup_v1;    /* cgroupId is that of the first v1 hierarchy, as Tracee's on such hosts */
    __u32 needs;        /* set of MRL_NEED_…: what nobody asked for is not read */
    __u32 x32;          /* this kernel takes x32 numbers, or a filter hides whether it does */
    __u32 beside;       /* a tracepoint sees once more the exits that functions show */
    __u32 target_calls; /* slots of that table, a power of two; 0: none */
    __u32 small_calls;  /* the same of the other */
    __u32 firsts;       /* releases that are remembered, a power of two */
    __u32 owners;       /* shares, a power of two */
    __u32 trials;       /* proofs of other sensors, and what doctor tries, are events */
    __u64 seed;         /* of hashes: nobody outside can choose what meets */
    __u32 reap_kill;    /* this kernel knows PROCESS_MRELEASE_REAP_KILL */
    __u32 caller_exe;   /* a configuration may want the path of the caller's executable */
    __u32 cpus;         /* used entries of the next; 0: per-CPU parts cannot be read */
    __u64 cpu_offsets[MRL_CPUS_MAX]; /* from a per-CPU address to that of each possible CPU */
};

enum {
    MRL_CULPRITS_MAX = 256,
    MRL_SPARES_PER_CPU = 2, /* places of each table of calls that only exits take */
};

/** Whose calls were lost, in which lane. The uid is the owner's: programs/fair.h. */
struct mrl_culprit_key {
    __u32 uid;
    __u32 lane;
};

/** How many, and where the latest came from. */
struct mrl_culprit {
    __u64 count;
    __u64 cgroup_id;
    char comm[MRL_NAME_BYTES];
};

/** Per event and CPU. At a quiet moment seen = submitted + refused + suppressed + no_memory +
 * exit_missed + self + filtered.
 */
struct mrl_event_counters {
    __u64 seen; /* exits of the call, and those that are known to be missed */
    __u64 submitted;
    __u64 refused;     /* the ring was full */
    __u64 self;        /* proof calls, ours and those of other sensors */
    __u64 no_memory;   /* no place was free, not even for the report (lib/slots.h) */
    __u64 exit_missed; /* the call was entered, but its exit not shown to the probes */
    __u64 suppressed;  /* its owner's share of a crowded ring was spent */
    __u64 filtered;    /* a rule refused it: no record, no number, no room (abi/rule.h) */
};

#ifndef __cplusplus
_Static_assert(sizeof(struct mrl_record) == 192, "the record is an ABI");
_Static_assert(sizeof(struct mrl_judgement) == 16, "the judgement is an ABI");
_Static_assert(sizeof(struct mrl_target) == 152, "the target is an ABI");
_Static_assert(sizeof(struct mrl_cgroup_names) == 16 + 8 * 160, "the names are an ABI");
_Static_assert(sizeof(struct mrl_locks) == 24, "the locks are an ABI");
_Static_assert(sizeof(struct mrl_event_counters) == 64, "the counters are an ABI");
_Static_assert(MRL_EVENT_COUNT <= MRL_EVENTS_MAX, "settings.events has a bit per event");
#endif

#endif
