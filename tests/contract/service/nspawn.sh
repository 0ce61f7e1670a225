# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# systemd booted in a container, for the tests of this folder, which source it and have a directory $room.

. tests/contract/tap.sh
machine='' init=''

inside() { nsenter -a -t "$init" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root "$@"; }

# machine_start ROOT: systemd, with what loads BPF; its console in $room/console. Returns when it answers.
machine_start() {
    systemd-nspawn -q --register=no --keep-unit --private-network --capability=all --directory="$1" \
        --system-call-filter="bpf perf_event_open process_mrelease seccomp landlock_create_ruleset landlock_add_rule \
        landlock_restrict_self" --bind-ro=/sys/kernel/tracing --boot >"$room/console" 2>&1 &
    machine=$!
    await 20 pgrep -P "$machine"
    init=$(pgrep -P "$machine" | head -n 1)
    await 60 inside systemctl is-system-running --wait || true
}

machine_stop() {
    [[ -n $machine ]] || return 0
    kill -TERM "$machine" 2>/dev/null && wait "$machine"
    machine=''
}

# minimal_root DIRECTORY PACKAGE…: a Debian 12 with these packages; made once, and kept beside the kernels of ci/vm.
minimal_root() {
    local directory=$1 kept
    shift
    kept=${XDG_CACHE_HOME:-$HOME/.cache}/mrelease/root-$(echo "$*" | sha256sum | cut -c 1-12).tar
    if [[ ! -e $kept ]]; then
        mkdir -p "${kept%/*}"
        apt-config dump --format '%f "%v";%n' Acquire |
            grep -iE '::(proxy|proxy-auto-detect|cainfo|verify-[a-z]*|retries)( |::)' >"$room/apt.conf" || true
        mmdebstrap --quiet --variant=minbase --format=tar --aptopt="$room/apt.conf" --include="$(tr ' ' , <<<"$*")" bookworm "$kept.new" \
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_archive) bookworm main"
        mv "$kept.new" "$kept"
    fi
    mkdir -p "$directory"
    tar -C "$directory" -xf "$kept"
}

# Where this host has Debian's own packages from.
debian_archive() {
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(LABEL) $(REPO_URI)' |
        awk '$1 == "Packages" && $2 == "Debian" && $3 == "Debian" { print $4; exit }'
}
