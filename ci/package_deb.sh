# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Debian's packages, in build/package/deb (of another architecture: deb-ARCH): a source package, and a binary package of
# each part.
#
#   ci/package deb                    of the version in packaging/debian/changelog
#   ci/package deb --version VERSION  as this version, with an entry of its own in the changelog
#   ci/package deb --again VERSION    the binary packages of the last build once more, as VERSION; compiles nothing
#   ci/package deb --arch arm64       built here for another architecture, with the libraries that ci/vm has for it
#   ci/package deb --lint             and has lintian judge them
#

deb_room=$PWD/build/package/deb

# deb_sides: packaging/debian/sides, as PROGRAM<TAB>ADDRESS<TAB>SPEAKS. Each side program has a line there.
deb_sides() {
    local main name
    for main in plugin/side/*/main.c; do
        name=$(basename "$(dirname "$main")")
        grep -q "^$name *|" packaging/debian/sides || die "packaging/debian/sides has no line for '$name'"
    done
    sed -n 's/^\([a-z]*\) *| *\([^ ]*\) *| */\1\t\2\t/p' packaging/debian/sides
}

# deb_network ADDRESS: what a unit may have of the network.
deb_network() {
    case $1 in
    -) echo 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK' ;;
    *) printf '%s\\n' RestrictAddressFamilies=AF_UNIX PrivateNetwork=yes IPAddressDeny=any ;;
    esac
}

# deb_user ADDRESS: who it is.
deb_user() {
    case $1 in
    root) echo 'User=root' ;;
    *) echo 'DynamicUser=yes' ;;
    esac
}

# deb_nice ADDRESS: for what it does at the wish of strangers nobody waits: what the starter gives it. For an answer about a
# container the sensor does: the sensor's own.
deb_nice() {
    local found
    case $1 in
    root) found=$(sed -n 's/^Nice=//p' packaging/systemd/mrelease.service) ;;
    *) found=$(sed -n 's/^enum { NICER = \([0-9]*\) };$/\1/p' plugin/side/common/starter.c) ;;
    esac
    [[ $found =~ ^-?[0-9]+$ ]] || die "no niceness for '$1'"
    echo "$found"
}

# deb_make_debian TREE: its debian/, with a package for each side program.
deb_make_debian() {
    local debian=$1/debian name address speaks nice fill
    cp -r packaging/debian "$debian"
    rm "$debian/sides" "$debian"/*.in
    while IFS=$'\t' read -r name address speaks; do
        nice=$(deb_nice "$address")
        fill=(sed -e "s|@NAME@|$name|g" -e "s|@SPEAKS@|$speaks|g" -e "s|@ADDRESS@|$address|"
            -e "s|@NETWORK@|$(deb_network "$address")|" -e "s|@USER@|$(deb_user "$address")|"
            -e "s|@NICE@|$nice|")
        "${fill[@]}" packaging/debian/side.in >>"$debian/control"
        "${fill[@]}" packaging/systemd/mrelease-side.socket.in >"$debian/mrelease-$name.socket"
        "${fill[@]}" packaging/systemd/mrelease-side@.service.in >"$debian/mrelease-$name@.service"
        if [[ $address != - && $address != root ]]; then
            "${fill[@]}" packaging/systemd/mrelease-listen.socket.in >"$debian/mrelease-$name.mrelease-listen-$name.socket"
            "${fill[@]}" packaging/debian/listen.prerm.in >"$debian/mrelease-$name.prerm"
        fi
        echo "usr/libexec/mrelease/$name" >"$debian/mrelease-$name.install"
    done < <(deb_sides)
    cp packaging/systemd/mrelease.service "$debian/"
    cp packaging/systemd/mrelease.sysusers.conf "$debian/mrelease.sysusers"
    cp packaging/systemd/mrelease.tmpfiles.conf "$debian/mrelease.tmpfiles"
    cp packaging/logrotate/mrelease "$debian/mrelease.logrotate"
}

# deb_add_entry TREE VERSION: on top of its changelog.
deb_add_entry() {
    local changelog=$1/debian/changelog maintainer
    maintainer=$(sed -n 's/^Maintainer: //p' "$1/debian/control")
    {
        printf 'mrelease (%s) UNRELEASED; urgency=medium\n\n  * Build of %s.\n\n -- %s  %s\n\n' "$2" \
            "$(git describe --always 2>/dev/null || echo 'a tree without a commit')" "$maintainer" \
            "$(date --utc --rfc-email --date "@$(source_epoch)")"
        cat "$changelog"
    } >"$changelog.new"
    mv "$changelog.new" "$changelog"
}

# deb_unmet TREE: what it is built from and is not here. The headers of libvalijson-dev may be those that ci/deps unpacked.
deb_unmet() {
    (cd "$1" && dpkg-checkbuilddeps 2>&1 || true) | sed 's/.*dependencies: //' | tr ' ' '\n' |
        if compgen -G 'build/deps/libvalijson-dev_*.deb' >/dev/null; then grep -v '^libvalijson-dev$'; else cat; fi || true
}

# deb_build TREE OPTION…: as dpkg-buildpackage. Its output is shown when it fails.
deb_build() {
    local tree=$1 log=$deb_room/build.log
    shift
    (cd "$tree" && CMAKE_INCLUDE_PATH=$OLDPWD/build/deps/usr/include SOURCE_DATE_EPOCH=$(source_epoch) \
        dpkg-buildpackage --no-sign --no-check-builddeps "$@") >"$log" 2>&1 || {
        tail -n 50 "$log"
        die "the packages cannot be built: $log"
    }
}

# deb_cross ARCH: what debian/rules needs to build for it.
deb_cross() {
    [[ $1 == arm64 ]] || die "no cross build for '$1': only arm64"
    package_needs aarch64-linux-gnu-gcc aarch64-linux-gnu-g++
    . ci/vm.sh
    fetch_sysroot >&2
    export MRELEASE_SYSROOT=$vm_cache/sysroot-arm64
}

deb_lint() {
    lintian --info --fail-on error,warning "$deb_room"/*.changes
}

package_deb() {
    local tree version unmet lint="" again="" build=(--build=full)
    version=$(sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)
    while (($#)); do
        case $1 in
        --lint) lint=1 ;;
        --version | --again | --arch)
            (($# > 1)) || die "$1 needs a value"
            case $1 in
            --version) version=$2 ;;
            --again) again=1 version=$2 ;;
            --arch) [[ $2 == "$(dpkg --print-architecture)" ]] || build=(--build=any --host-arch "$2") deb_room+=-$2 ;;
            esac
            shift
            ;;
        *) die "unknown option '$1': --version, --again, --arch or --lint" ;;
        esac
        shift
    done
    tree=$deb_room/mrelease-$(version)
    package_needs dpkg-buildpackage dh
    [[ -z $lint ]] || package_needs lintian
    if [[ $again ]]; then
        [[ -e $tree/debian/debhelper-build-stamp ]] || die "nothing was built yet: 'ci/package deb'"
        rm -f "$deb_room"/*.{deb,changes,buildinfo}
        deb_add_entry "$tree" "$version"
        deb_build "$tree" --build=binary --no-pre-clean
    else
        rm -rf "$deb_room"
        export_tree "$tree"
        tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(source_epoch)" -C "$deb_room" -c "${tree##*/}" |
            gzip -n9 >"$deb_room/mrelease_$(version).orig.tar.gz"
        deb_make_debian "$tree"
        [[ $(sed -n '1s/.*(\(.*\)).*/\1/p' "$tree/debian/changelog") == "$version" ]] || deb_add_entry "$tree" "$version"
        unmet=$(deb_unmet "$tree")
        [[ ${build[*]} != *--host-arch* ]] || deb_cross "${build[-1]}"
        [[ -z $unmet ]] || die "not installed: ${unmet//$'\n'/ }: 'ci/deps --packaging' installs it"
        deb_build "$tree" "${build[@]}"
    fi
    [[ -z $lint ]] || deb_lint
    (cd "$deb_room" && ls -s --block-size=K -- *.deb) >&2
}
