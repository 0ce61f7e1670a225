# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Guests with other kernels, for ci/vm, ci/fresh and ci/test, which source common.sh before: which
# there are, where their kernels come from, and what runs in them.

# name | architecture | suite of Debian | rungs that must work there, or "none" | seconds
# A name that ends with -x32 is the kernel of the name before, booted with its x32 numbers; what is tested there is the ways
# into the kernel.
kernels() {
    cat <<'TABLE'
debian13   | x86_64  | trixie             | fentry kprobe tp_btf tracepoint raw_tp | 9000
debian13-x32 | x86_64 | trixie            | fentry kprobe tp_btf tracepoint raw_tp | 9000
6.12       | x86_64  | bookworm-backports | fentry kprobe tp_btf tracepoint raw_tp | 9000
6.1        | x86_64  | bookworm           | fentry kprobe tp_btf tracepoint raw_tp | 9000
5.10       | x86_64  | bullseye           | none                                   | 900
6.12-arm64 | aarch64 | bookworm-backports | fentry kprobe tp_btf tracepoint raw_tp | 9000
6.1-arm64  | aarch64 | bookworm           | kprobe tp_btf tracepoint raw_tp        | 9000
TABLE
}

# kernel_column NAME NUMBER
kernel_column() {
    kernels | awk -F ' *[|] *' -v name="$1" -v column="$2" '$1 == name { print $column }'
}

# Kernels and foreign libraries stay here; deleting it only costs the download.
vm_cache=${XDG_CACHE_HOME:-$HOME/.cache}/mrelease/kernels

debian_architecture() {
    case $1 in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    esac
}

# -- Debian's packages ------------------------------------------------------------------------------

# Where this machine has Debian's own packages from.
debian_uri() {
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(LABEL) $(REPO_URI)' |
        awk '$1 == "Packages" && $2 == "Debian" && $3 == "Debian" { print $4; exit }'
}

# vm_apt SUITE ARCHITECTURE COMMAND…: apt in a world of its own, with one suite of one architecture in
# which nothing is installed. The machine's own lists and packages stay as they are.
vm_apt() {
    local suite=$1 arch=$2 root=$vm_cache/apt/$1-$2
    shift 2
    "$1" -qq -o Dir::Etc::SourceList="$root/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$root/lists" -o Dir::State::status="$root/status" \
        -o Dir::Cache="$root/cache" -o APT::Architecture="$arch" -o APT::Architectures::="$arch" \
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root "${@:2}"
}

# vm_apt_update SUITE ARCHITECTURE
vm_apt_update() {
    local root=$vm_cache/apt/$1-$2 uri
    uri=$(debian_uri)
    [[ -n $uri ]] || {
        echo "apt's lists name no Debian archive: run 'apt-get update'"
        return 1
    }
    mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
    : >"$root/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $1 main" \
        >"$root/sources.list"
    vm_apt "$1" "$2" apt-get update
}

# fetch_kernel NAME: $vm_cache/NAME/vmlinuz, downloaded unless it is there.
fetch_kernel() {
    local name=$1 arch suite package directory=$vm_cache/${1%-x32}
    [[ ! -s $directory/vmlinuz ]] || return 0
    arch=$(debian_architecture "$(kernel_column "$name" 2)")
    suite=$(kernel_column "$name" 3)
    vm_apt_update "$suite" "$arch"
    package=$(vm_apt "$suite" "$arch" apt-cache depends "linux-image-$arch" |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [[ -n $package ]] || {
        echo "$suite has no linux-image-$arch"
        return 1
    }
    rm -rf "$directory"
    mkdir -p "$directory/unpacked"
    (cd "$directory" && vm_apt "$suite" "$arch" apt-get download "$package")
    dpkg-deb --fsys-tarfile "$directory"/*.deb | tar -x -C "$directory/unpacked" ./boot
    mv "$directory"/unpacked/boot/vmlinuz-* "$directory/vmlinuz"
    rm -rf "$directory"/*.deb "$directory/unpacked"
}

# The libraries that ci/deps names, for linking and for running, and what the guest needs beside.
sysroot_packages() {
    ci/deps --list | cut -f 1 | grep -E '^(lib.*|uthash|rapidjson|zlib1g)-dev$' | grep -vE '^lib(clang|valijson)-'
    echo busybox-static
}

# note_package FILE ROOT: in a database as dpkg's, by which dpkg-shlibdeps finds whose a library below ROOT is.
note_package() {
    local database=$2/var/lib/dpkg name part
    name=$(dpkg-deb --field "$1" Package):$(dpkg-deb --field "$1" Architecture)
    mkdir -p "$database/info"
    echo 1 >"$database/info/format" # names of files have the architecture
    { dpkg-deb --field "$1" && printf 'Status: install ok installed\n\n'; } >>"$database/status"
    dpkg-deb --contents "$1" | awk -v root="$2" '{ sub(/^\./, "", $6); print root $6 }' >"$database/info/$name.list"
    for part in symbols shlibs; do
        dpkg-deb --info "$1" "$part" >"$database/info/$name.$part" 2>/dev/null || rm "$database/info/$name.$part"
    done
}

# fetch_sysroot: $vm_cache/sysroot-arm64, a root of arm64's Debian 12 with the packages above.
fetch_sysroot() {
    local root=$vm_cache/sysroot-arm64 packages archives file
    mapfile -t packages < <(sysroot_packages)
    [[ $(cat "$root/packages" 2>/dev/null) != "${packages[*]}" || ! -e $root/var/lib/dpkg/status ]] || return 0
    vm_apt_update bookworm arm64
    archives=$vm_cache/apt/bookworm-arm64/cache/archives
    vm_apt bookworm arm64 apt-get --yes --download-only install "${packages[@]}"
    (cd "$archives" && vm_apt bookworm arm64 apt-get download libvalijson-dev) # its headers only, as in ci/deps
    rm -rf "$root"
    mkdir -p "$root"
    for file in "$archives"/*.deb; do
        dpkg-deb --extract "$file" "$root"
        note_package "$file" "$root"
    done
    # What a link says from the top on is meant from the top of this root: the linker would take the archive beside it.
    find "$root" -type l -lname '/*' | while IFS= read -r file; do
        ln -snrf "$root$(readlink "$file")" "$file"
    done
    rm -f "$archives"/*.deb
    echo "${packages[*]}" >"$root/packages"
}

# -- the guest --------------------------------------------------------------------------------------

# library NAME SYSROOT: the file, below the build or below SYSROOT.
library() {
    local directory triplet
    for triplet in x86_64-linux-gnu aarch64-linux-gnu; do
        [[ -z $2 && $triplet != "$(uname -m)"-* ]] && continue
        for directory in "$2/lib/$triplet" "$2/usr/lib/$triplet" "$2/lib" "$2/lib64"; do
            [[ ! -e $directory/$1 ]] || {
                echo "$directory/$1"
                return
            }
        done
    done
}

# add_file ROOT FILE [AS]: copies it, and the libraries it needs, to the places where they are looked
# for. $sysroot and $build say where these come from.
add_file() {
    local root=$1 file=$2 as=${3:-$2} name found
    [[ ! -e $root$as ]] || return 0
    mkdir -p "$root$(dirname "$as")"
    cp -L "$file" "$root$as"
    while IFS= read -r name; do
        found=$build/lib/$name
        if [[ -e $found ]]; then
            add_file "$root" "$found"
        else
            found=$(library "$name" "$sysroot")
            [[ -n $found ]] || {
                echo "no $name, which $file needs"
                return 1
            }
            add_file "$root" "$found" "${found#"$sysroot"}"
        fi
    done < <(readelf --dynamic --wide --program-headers "$file" 2>/dev/null |
        sed -n -e 's/.*(NEEDED).*\[\(.*\)\]/\1/p' -e 's/.*interpreter: .*\/\(.*\)\]/\1/p')
}

# The loader is looked for where the program says, not where its package has it.
add_loader() {
    local loader
    loader=$(readelf --program-headers --wide "$2" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
    mkdir -p "$1$(dirname "$loader")"
    cp -L "$sysroot$loader" "$1$loader"
}

# What is asked of every rung, forced in turn; the other live tests are about what comes behind the
# probes, and run once. The core tries each rung by itself.
readonly rung_topics='abi fields flood namespaces options outcomes rungs signals target ways'
readonly core_topics='abi fields rungs target'
# A brief run: that each rung sees the calls, by whichever way they come, and what the chosen one says of them.
readonly brief_topics='abi:three_ways* ways:every_way* fields:fields_are* target options:two_cap* containers:*private*'

# guest_sections NAME: "RUNG PROGRAM PATTERN" for each that runs in the guest. $vm_topics, words
# like TOPIC or TOPIC:PATTERN, and $vm_rungs say which; or $vm_quick that it is the core, $vm_brief
# that it is that and a little of each rung. "auto" forces no rung; without a pattern all tests run.
guest_sections() {
    local rungs rung topic topics on_rungs=$rung_topics
    if [[ -n ${vm_root:-} ]]; then
        echo "auto /test_root"
        return
    fi
    rungs=$(kernel_column "$1" 4)
    if [[ $rungs == none ]]; then
        echo "none /test_refusal"
        return
    fi
    rungs=${vm_rungs:-$rungs}
    topics=$(find "$build/tests/live" -maxdepth 1 -name 'test_live_*' -printf '%f\n' |
        sed 's/^test_live_//' | sort)
    [[ -z ${vm_brief:-} ]] || topics=$brief_topics on_rungs="abi ways"
    [[ -z ${vm_quick:-} ]] || topics=$core_topics on_rungs=""
    [[ $1 != *-x32 ]] || topics="abi seccomp ways"
    for topic in $(tr ' ' '\n' <<<"${vm_topics:-$topics}" | awk '!seen[$0]++ && $0 != "tax"'); do
        for rung in $([[ " $on_rungs " == *" ${topic%%:*} "* ]] && echo "$rungs" || echo auto); do
            echo "$rung $build/tests/live/test_live_${topic%%:*}$([[ $topic != *:* ]] || echo " ${topic#*:}")"
        done
    done
}

# wants_tax: whether the benchmark is run as well.
wants_tax() {
    case "${vm_topics:-}" in
    '') [[ -z ${vm_quick:-}${vm_brief:-} ]] ;;
    *tax*) true ;;
    *) false ;;
    esac
}

# guest_conf NAME: the environment of what runs there.
guest_conf() {
    cat <<CONF
LIMIT_S=1200
MRELEASE_TEST_EMULATED=1
MRELEASE_PROGRAM=$build/bin/mrelease
MRELEASE_BENCH_ROUNDS=5
MRELEASE_TEST_RUNGS="$(kernel_column "$1" 4)"
MRELEASE_TEST_MAY_SET_CLOCK=1
$([[ $(kernel_column "$1" 2) != x86_64 ]] || echo MRELEASE_TEST_MAY_SUSPEND=1)
CONF
}

# make_guest NAME ROOT: the tree of the guest's initramfs.
make_guest() {
    local root=$2 file rung
    mkdir -p "$root"/{bin,dev,proc,sys,tmp,etc}
    printf '%s\n' 'root:x:0:0:root:/:/bin/sh' 'nobody:x:65534:65534:nobody:/:/bin/sh' >"$root/etc/passwd"
    printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$root/etc/group"
    install tests/vm/init tests/vm/test_refusal "$root/"
    install "${sysroot:-}/bin/busybox" "$root/bin/busybox"
    ln -s busybox "$root/bin/sh"
    guest_sections "$1" >"$root/sections"
    guest_conf "$1" >"$root/guest.conf"
    if [[ -n ${vm_root:-} ]]; then
        install tests/vm/test_root "$root/"
        cp -a "$vm_root" "$root/root"
        return
    fi
    add_file "$root" "$build/bin/mrelease"
    add_loader "$root" "$build/bin/mrelease"
    while IFS= read -r file; do
        add_file "$root" "$file"
    done < <(find "$build/lib/mrelease" "$build/tests/preload" "$build/tests/examples" -type f -perm -u+x 2>/dev/null)
    while read -r rung file _; do
        add_file "$root" "$file"
    done < <(grep -v '^none ' "$root/sections")
    ! grep -q '/test_live_sandbox' "$root/sections" || while IFS= read -r file; do
        add_file "$root" "$file"
    done < <(find "$build/libexec/mrelease" -type f -perm -u+x)
    ! grep -q '/test_live_containers' "$root/sections" || [[ -n $sysroot || -z $(type -P runc) ]] ||
        add_file "$root" "$(type -P runc)" /bin/runc
    if [[ $(kernel_column "$1" 4) != none && $1 != *-x32 ]] && wants_tax; then
        echo "TAX=$build/bench/mrelease-bench" >>"$root/guest.conf"
        add_file "$root" "$build/bench/mrelease-bench"
    fi
    mkdir -p "$root$PWD/tests"
    cp -r tests/live tests/CMakeLists.txt "$root$PWD/tests/"
}

# boot NAME INITRAMFS CONSOLE: runs the guest to its end, in software emulation, which works wherever
# this runs, with or without KVM.
# The root is a ramfs and no tmpfs: the pages of its files are to count as those of files.
boot() {
    # One thread for both CPUs: with two, one of them ran into the breakpoint that a patch of the
    # kernel's code had left there and taken back ("Oops: int3"), which no real machine does.
    local options=(-accel "tcg,thread=single" -m 1536 -smp 2 -nographic -no-reboot -nic none
        -kernel "$vm_cache/${1%-x32}/vmlinuz" -initrd "$2") machine console parameters=""
    machine=$(kernel_column "$1" 2)
    if [[ $machine == aarch64 ]]; then
        options+=(-machine virt -cpu cortex-a72)
        console=ttyAMA0
    else
        options+=(-cpu max)
        console=ttyS0
    fi
    # A busy machine is no broken timer.
    [[ $machine != x86_64 ]] || parameters=no_timer_check
    [[ $1 != *-x32 ]] || parameters+=" syscall.x32=y"
    options+=(-append "console=$console quiet loglevel=3 panic=1 rootfstype=ramfs $parameters")
    timeout -k 5 "$(kernel_column "$1" 5)" nice "qemu-system-$machine" "${options[@]}" \
        </dev/null >"$3" 2>&1
}

# note_missing NAME CONSOLE: adds a section that failed in place of each that never began.
note_missing() {
    local rung program
    while read -r rung program _; do
        grep -q "^@@ begin $rung ${program##*/}" "$2" ||
            printf '@@ begin %s %s\nthe guest did not come to this\n@@ end 99\n' "$rung" "${program##*/}" >>"$2"
    done < <(guest_sections "$1")
}

# vm_needs COMMAND PACKAGE
vm_needs() {
    [[ -n $(type -P "$1") ]] || {
        echo "needs $1 (package $2)"
        exit 77
    }
}

# build_for NAME: $build and $sysroot of the guest's programs.
build_for() {
    if [[ $(kernel_column "$1" 2) == "$(uname -m)" ]]; then
        build=$PWD/build/release sysroot=""
        [[ -n ${vm_root:-} ]] || ci/build >"$vm_log"
    else
        vm_needs aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
        vm_needs aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
        build=$PWD/build/arm64 sysroot=$vm_cache/sysroot-arm64
        fetch_sysroot || exit 77
        [[ -n ${vm_root:-} ]] || MRELEASE_SYSROOT=$sysroot ci/build arm64 >"$vm_log"
    fi
}

# run_guest NAME DIRECTORY: leaves the console in DIRECTORY, with a section of each program. Exit status 77: it cannot be
# had here, and the last line says why.
run_guest() {
    local name=$1 directory=$2 build sysroot vm_log=$2/build.log status=0 one_at_a_time
    mkdir -p "$directory"
    vm_needs "qemu-system-$(kernel_column "$name" 2)" \
        "qemu-system-$([[ $name == *arm64 ]] && echo arm || echo x86)"
    vm_needs busybox busybox-static
    vm_needs cpio cpio
    # Guests that start together share kernels, foreign libraries and builds.
    mkdir -p "$vm_cache"
    exec {one_at_a_time}>"$vm_cache/lock"
    flock "$one_at_a_time"
    fetch_kernel "$name" || {
        echo "the kernel cannot be downloaded"
        exit 77
    }
    build_for "$name" || {
        cat "$vm_log"
        return 1
    }
    make_guest "$name" "$directory/root"
    exec {one_at_a_time}>&-
    (cd "$directory/root" && find . | cpio --quiet -o -H newc | gzip -1) >"$directory/initramfs"
    rm -rf "$directory/root"
    boot "$name" "$directory/initramfs" "$directory/console" || status=$?
    sed -i 's/\r$//' "$directory/console"
    note_missing "$name" "$directory/console"
    if ((status)) || ! grep -q '^@@ done' "$directory/console"; then
        echo "the guest did not end by itself (status $status); its last lines:"
        tail -n 30 "$directory/console"
        return 1
    fi
}

# show_tax NAME CONSOLE: getppid() with each rung's probes over getppid() without any. All is slow in
# emulation, but in like measure.
show_tax() {
    awk -v name="$1" '$1 ~ /^tax\..*\.ratio_to_none$/ {
        split($1, part, ".")
        printf "        tax on getppid, %s, %-10s %5.2f times (spread %.2f)\n", name, part[2], $2, $3
    }' "$2"
}
export vm_cache rung_topics core_topics
