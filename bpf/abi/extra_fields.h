/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Groups of fields that an extra and do_mrelease have in common, and those that would make the rows
 * of extras.def too long. Rows of F() as in events.def, which explains them.
 */
#ifndef MRL_ABI_EXTRA_FIELDS_H
#define MRL_ABI_EXTRA_FIELDS_H

/* clang-format off */
#define MRL_TARGET_FIELDS \
    F(S32, "target_host_pid", TAG_K | TAG_TOCTOU | TAG_OPT, TARGET(host_pid), "Process being reaped, in the initial PID namespace.") \
    F(S32, "target_pid", TAG_K | TAG_TOCTOU | TAG_OPT, TARGET(pid), "The same in the caller's PID namespace; 0 when invisible there.") \
    F(TEXT, "target_name", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_name), "Name (comm) of the process being reaped.") \
    F(TEXT, "target_exe", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_exe), "Path of its executable, in its mount namespace; begins with ... where it is too deep to be read whole.") \
    F(U32, "target_uid", TAG_K | TAG_TOCTOU | TAG_OPT, TARGET(uid), "Its real uid, in the initial user namespace.") \
    F(TIME, "target_start_time", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_start_time), "When it started: ns since the epoch.") \
    F(ENTITY, "target_entity_id", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_entity), "Its processEntityId, as Tracee computes it.") \
    F(U64, "target_cgroup_id", TAG_K | TAG_TOCTOU | TAG_OPT, TARGET(cgroup_id), "Its cgroup, numbered as cgroupId.") \
    F(TEXT, "target_container_id", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_container), "Its container; empty on the host.")

#define MRL_OUTCOME_FIELDS \
    F(TEXT, "outcome", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(outcome), "What the call came to: see outcomes.md.")

#define MRL_BYTES_FIELDS \
    F(BYTES, "released_bytes", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(released_bytes), "Resident bytes (anonymous, file, shared) that went during the call, whoever freed them.") \
    F(BYTES, "anon_before", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(anon_before), "Anonymous resident bytes at entry.") \
    F(BYTES, "anon_after", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(anon_after), "Anonymous resident bytes at exit.") \
    F(BYTES, "file_before", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(file_before), "File-backed resident bytes at entry.") \
    F(BYTES, "file_after", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(file_after), "File-backed resident bytes at exit.") \
    F(BYTES, "shmem_before", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(shmem_before), "Shared-memory resident bytes at entry.") \
    F(BYTES, "shmem_after", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(shmem_after), "Shared-memory resident bytes at exit.") \
    F(BYTES, "swap_before", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(swap_before), "Swapped-out bytes at entry.") \
    F(BYTES, "swap_after", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(swap_after), "Swapped-out bytes at exit.") \
    F(BYTES, "locked_bytes", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(locked_bytes), "Bytes of mlocked areas at entry.") \
    F(BYTES, "pagetable_bytes", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(pagetable_bytes), "Bytes of page tables at entry.") \
    F(TEXT, "accuracy", TAG_K | TAG_OPT, VIA(accuracy), "exact, or approx where per-CPU parts of the counters were not read.") \
    F(BYTES, "error_bound_bytes", TAG_K | TAG_OPT, VIA(error_bound), "released_bytes is right to within this many bytes; 0 when exact.")

#define MRL_DURATION_FIELDS \
    F(DURATION, "duration_ns", TAG_K | TAG_OPT, VIA(duration), "From entry to exit of the call.")

#define MRL_STATE_FIELDS \
    F(TEXT, "target_from", TAG_K | TAG_OPT, VIA(target_from), "Where the target was read: reaped_mm, the memory that the kernel was releasing, and then TOCTOU does not apply; or descriptor.") \
    F(U32, "target_threads", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_threads), "Its threads at entry, dying ones included.") \
    F(U32, "target_dying", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_dying), "1: it was dying at entry; 0: it was not.") \
    F(U32, "target_exit_signal", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_exit_signal), "The signal that it was dying of at entry; 0: of none; null: it was not dying.") \
    F(U32, "target_core_dumping", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_core_dumping), "1: its core was being dumped at entry.") \
    F(U32, "target_mm_shared", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(target_mm_shared), "1: its memory had more users than its own threads: another process shares it, or something was reading it.")

#define MRL_TIME_FIELDS \
    F(DURATION, "since_kill_ns", TAG_K | TAG_TOCTOU | TAG_OPT, VIA(since_kill), "From the first SIGKILL that the target was sent to the entry of the call.")

#define MRL_LOCKS_FIELDS \
    F(BYTES, "locked_before_bytes", TAG_K | TAG_OPT, VIA(locked_before), "What the caller's process had locked at entry.") \
    F(BYTES, "locked_after_bytes", TAG_K | TAG_OPT, VIA(locked_after), "The same at exit: other threads may have locked and unlocked too.") \
    F(BYTES, "memlock_limit_bytes", TAG_K | TAG_OPT, VIA(memlock_limit), "Soft RLIMIT_MEMLOCK of the caller at exit; null: none.") \
    F(TEXT, "lock_flags", TAG_K | TAG_OPT, VIA(lock_flags), "The flags of mlock2 and mlockall by name, unknown bits in hexadecimal; null: the call has none.")
/* clang-format on */

#endif
