#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The image is the same each time, and what is in it is said: made.bash BUILD_DIRECTORY. It leaves the image for run.bash.
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
needs buildah umoci
trap 'rm -rf "$room"' EXIT

# make DIRECTORY: prints the digest of the layer.
make() {
    mkdir -p "$1" && ci/package oci --build "$build" --output "$1" 2>"$room/said" && sed -n 's/.*\(sha256:.*\)/\1/p' "$room/said"
}
first=$(make "$room/first") && second=$(make "$room/second") && [[ $first && $first == "$second" ]]
ok "made twice it has one layer"
rm -rf "$layout" && mkdir -p "$layout"
tar -xf "$room"/first/*.oci.tar -C "$layout"
root=$room/bundle/rootfs
unpack
ok "it is unpacked by its version"
[[ $(find "$root" -perm /6022 ! -type l ! -path '*/tmp') == "" && ! -e $root/bin/sh ]]
ok "nobody but root may write, no file gives rights, and there is no shell"
for file in "$root"/var/lib/dpkg/status.d/*; do
    grep -q '^Version: ' "$file" && [[ -s $root/usr/share/doc/${file##*/}/copyright ]] || echo "${file##*/}"
done >"$room/said"
[[ ! -s $room/said && -s $root/var/lib/dpkg/status.d/libc6 && -s $root/usr/share/doc/mrelease/LICENSES/Apache-2.0.txt ]]
ok "each package in it has a version and a licence"

end
