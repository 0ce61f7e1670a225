# SPDX-License-Identifier: Apache-2.0
# A profile of containers-common, as podman and CRI-O read it, for a container that holds $caps, as runc reads it.
# With $runtime == "containerd", bpf() and perf_event_open() are open to CAP_BPF and CAP_PERFMON, as containerd (from
# 1.6.9) and Docker (from 23) have it; without, only to CAP_SYS_ADMIN.
def for_caps($caps): map(select(
    ((.includes.caps // []) - $caps == [])
    and ((.excludes.caps // []) - $caps == (.excludes.caps // []))
    and ((.includes.arches // []) | length == 0 or index("amd64"))
    and ((.excludes.arches // []) | index("amd64") | not)));

(if $runtime == "containerd" then ["bpf", "perf_event_open"] else [] end) as $open
| {
    defaultAction, defaultErrnoRet,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls: (.syscalls | for_caps($caps) | map({ names: (.names - $open), action, args, errnoRet })
        + [{ names: $open, action: "SCMP_ACT_ALLOW" }]
        | map(select(.names != []) | with_entries(select(.value != null))))
  }
| with_entries(select(.value != null))
