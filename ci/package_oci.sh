# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# An image of OCI without a base, in build/package: the program, its side programs, what these need, and nothing to log in
# with. The same source and the same libraries give the same layer, byte for byte.
#
#   ci/package oci [--arch arm64] [--build DIRECTORY] [--output DIRECTORY]
#
#   --arch arm64         built here for another architecture, with the libraries that ci/vm has for it
#   --build DIRECTORY    a built tree, as build/release; without it one is made
#   --output DIRECTORY   where mrelease-VERSION-ARCH.oci.tar goes

# Of another architecture: the root of its libraries; and its name as the compiler has it.
oci_sysroot="" oci_triplet=$(gcc -print-multiarch)

# oci_cross ARCH
oci_cross() {
    [[ $1 == arm64 ]] || die "no image for '$1': only arm64"
    package_needs aarch64-linux-gnu-gcc aarch64-linux-gnu-g++ aarch64-linux-gnu-strip
    . ci/vm.sh
    fetch_sysroot >&2
    export MRELEASE_SYSROOT=$vm_cache/sysroot-arm64
    oci_sysroot=$MRELEASE_SYSROOT oci_triplet=aarch64-linux-gnu
}

# oci_build DIRECTORY PRESET: what is installed, for /usr.
oci_build() {
    {
        cmake --preset "$2" -B "$1" -DMRELEASE_TESTS=OFF -DMRELEASE_FALCO=OFF -DCMAKE_INSTALL_PREFIX=/usr \
            -DCMAKE_C_FLAGS="-ffile-prefix-map=$PWD/=" -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$PWD/=" &&
            nice cmake --build "$1"
    } >"$1.log" 2>&1 || {
        tail -n 30 "$1.log" >&2
        die "it cannot be built: see $1.log"
    }
}

# oci_programs BUILD ROOT: what runs, without what only serves those who build with it.
oci_programs() {
    local installed=$2.installed
    DESTDIR=$installed cmake --install "$1" --prefix /usr --strip >"$2.log"
    mkdir -p "$2"/usr/{share/doc,lib,lib64}
    ln -s usr/lib "$2/lib"
    ln -s usr/lib64 "$2/lib64"
    cp -R "$installed/usr/bin" "$installed/usr/libexec" "$2/usr/"
    (cd "$installed" && find usr/lib -name 'libmrelease.so.[0-9]*' -exec cp -P --parents -t "$2" {} +)
    cp -R "$installed/usr/share/doc/mrelease" "$2/usr/share/doc/"
}

# oci_needed ROOT: the names of the shared objects that the programs and libraries in ROOT need and that are not there.
oci_needed() {
    find "$1/usr" -type f \( -perm -u+x -o -name '*.so*' \) -exec readelf --dynamic --wide {} + 2>/dev/null |
        sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u |
        while IFS= read -r name; do
            compgen -G "$1/usr/lib*/$name" >/dev/null || compgen -G "$1/usr/lib/*/$name" >/dev/null || echo "$name"
        done
}

# oci_library NAME: the file. A root that was unpacked has some of them below /lib, as their packages do.
oci_library() {
    local directory
    for directory in "$oci_sysroot"/{usr/lib,lib}/"$oci_triplet" "$oci_sysroot"/{lib64,lib}; do
        [[ ! -e $directory/$1 ]] || { echo "$directory/$1" && return; }
    done
    die "no library $1 for $oci_triplet"
}

# oci_libraries ROOT: adds what is needed, and what that needs; and the loader, where the programs look for it.
oci_libraries() {
    local libraries loader name
    libraries=/usr/lib/$oci_triplet
    mkdir -p "$1$libraries"
    # The C library opens it when a thread is cancelled.
    cp -L "$(oci_library libgcc_s.so.1)" "$1$libraries/"
    while mapfile -t names < <(oci_needed "$1") && ((${#names[@]})); do
        for name in "${names[@]}"; do
            cp -L "$(oci_library "$name")" "$1$libraries/$name" || return 1
        done
    done
    loader=$(readelf --program-headers --wide "$1/usr/bin/mrelease" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
    cp -L "$(oci_library "${loader##*/}")" "$1$loader"
}

# oci_packages ROOT: Debian's packages that these are of.
oci_packages() {
    find "$1/usr/lib" -path '*-linux-gnu/*' -name '*.so*' ! -name 'libmrelease.*' -printf '*/%P\n' |
        xargs dpkg-query --admindir="$oci_sysroot/var/lib/dpkg" --search 2>/dev/null | sed -n 's/^\([^:,]*\).*-linux-gnu\/[^/]*$/\1/p' | sort -u
    echo ca-certificates
}

# oci_status PACKAGE
oci_status() {
    dpkg-query --admindir="$oci_sysroot/var/lib/dpkg" --status "$1" 2>/dev/null || dpkg-query --status "$1"
}

# oci_notes ROOT: of each package its licence, and the record that scanners of images look for.
oci_notes() {
    local package licence
    mkdir -p "$1"/{etc,usr/lib,var/lib/dpkg/status.d}
    cp /usr/lib/os-release "$1/usr/lib/os-release"
    ln -s ../usr/lib/os-release "$1/etc/os-release"
    while IFS= read -r package; do
        licence=usr/share/doc/$package/copyright
        [[ -e $oci_sysroot/$licence ]] || [[ -e /$licence ]] || return 1
        install -D -m 0644 "$([[ -e $oci_sysroot/$licence ]] && echo "$oci_sysroot")/$licence" "$1/$licence"
        oci_status "$package" >"$1/var/lib/dpkg/status.d/$package" || return 1
    done < <(oci_packages "$1")
}

# oci_settings ROOT: users, how names of hosts are found, places to mount to, and whom Debian trusts, which is not whom
# this machine trusts.
oci_settings() {
    mkdir -p "$1"/{etc/mrelease,etc/ssl/certs,usr/lib/ssl,var/lib/mrelease,files,run,tmp,proc,sys,dev}
    printf '%s\n' 'root:x:0:0:root:/:/' 'nobody:x:65534:65534:nobody:/:/' >"$1/etc/passwd"
    printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$1/etc/group"
    echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
    find /usr/share/ca-certificates/mozilla -name '*.crt' | LC_ALL=C sort | xargs cat >"$1/etc/ssl/certs/ca-certificates.crt"
    ln -s /etc/ssl/certs/ca-certificates.crt "$1/usr/lib/ssl/cert.pem"
}

# oci_image ROOT FILE ROOM ARCH
oci_image() {
    local buildah=(buildah --root "$3/storage" --runroot "$3/run" --storage-driver vfs) container revision
    revision=$(git rev-parse HEAD 2>/dev/null) || revision=unknown
    container=$("${buildah[@]}" from scratch)
    "${buildah[@]}" copy --quiet --chown 0:0 "$container" "$1" / >/dev/null
    "${buildah[@]}" config --os linux --arch "$4" --entrypoint '["/usr/bin/mrelease"]' --cmd run --user 0:0 --workingdir / \
        --env PATH=/usr/bin --stop-signal SIGTERM \
        --label org.opencontainers.image.title=mrelease \
        --label org.opencontainers.image.description="Watches process_mrelease and the memory-lock calls, as Tracee events" \
        --label org.opencontainers.image.version="$(version)" \
        --label org.opencontainers.image.revision="$revision" \
        --label org.opencontainers.image.licenses="Apache-2.0 AND GPL-2.0-only" \
        "$container"
    "${buildah[@]}" commit --quiet --disable-compression=false --timestamp "$(source_epoch)" "$container" "oci-archive:$2:mrelease:$(version)" >/dev/null
}

package_oci() {
    local build="" output=$PWD/build/package file room preset=release arch
    arch=$(dpkg --print-architecture)
    while (($#)); do
        case $1 in
        --arch) [[ ${2:?an architecture} == "$arch" ]] || preset=$2 arch=$2 ;;
        --build) build=${2:?a directory} ;;
        --output) output=${2:?a directory} ;;
        *) die "unknown option '$1': --arch, --build or --output" ;;
        esac
        shift 2
    done
    package_needs buildah readelf
    [[ $preset == release ]] || oci_cross "$arch"
    mkdir -p "$output"
    if [[ -z $build ]]; then
        build=$PWD/build/package/oci-$arch
        mkdir -p "$build"
        oci_build "$build" "$preset"
    fi
    file=$output/mrelease-$(version)-$arch.oci.tar
    room=$(mktemp -d "$output/oci.XXXXXX")
    # shellcheck disable=SC2064 # now
    trap "rm -rf '$room'" EXIT
    umask 022
    oci_programs "$build" "$room/root"
    oci_libraries "$room/root"
    oci_notes "$room/root"
    oci_settings "$room/root"
    rm -f "$file"
    oci_image "$room/root" "$file" "$room" "$arch"
    say "$file: $(du -h "$file" | cut -f 1), $(oci_layer "$file")"
}

# oci_layer FILE: the digest of its layer, which its manifest names last.
oci_layer() {
    local manifest
    manifest=$(tar -xOf "$1" index.json | grep -o 'sha256:[0-9a-f]*')
    tar -xOf "$1" "blobs/${manifest/://}" | grep -o 'sha256:[0-9a-f]*' | tail -n 1
}
