# SPDX-License-Identifier: Apache-2.0
# What umoci made of the image, as the chart's pod has it: two capabilities, nothing to write to, the host's cgroups to
# read, and the configuration in $etc. Arguments: those of the program.
["CAP_BPF", "CAP_PERFMON"] as $caps
| .process.args |= [.[0]] + $ARGS.positional
| .process.terminal = false
| .process.noNewPrivileges = true
| .process.rlimits = []
| .process.capabilities = { bounding: $caps, effective: $caps, permitted: $caps, inheritable: [], ambient: [] }
| .root.readonly = true
| .linux.seccomp = $seccomp[0]
| .mounts |= map(select(.destination != "/sys/fs/cgroup")) + [
    { destination: "/sys/fs/cgroup", type: "bind", source: "/sys/fs/cgroup", options: ["rbind", "ro", "nosuid", "noexec", "nodev"] },
    { destination: "/etc/mrelease", type: "bind", source: $etc, options: ["rbind", "ro"] }
]
