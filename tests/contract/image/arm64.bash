#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Image and packages for arm64, made here: arm64.bash BUILD_DIRECTORY. They are looked into, and run in a guest.
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
needs buildah umoci readelf jq aarch64-linux-gnu-gcc
trap 'rm -rf "$room"' EXIT
layout=$room/layout root=$room/bundle/rootfs
mkdir "$layout"

ci/package oci --arch arm64 --output "$room" >"$room/said" 2>&1 && tar -xf "$room"/mrelease-*-arm64.oci.tar -C "$layout"
ok "it is made"
blob() { cat "$layout/blobs/${1/://}"; }
manifest=$(jq -r '.manifests[0].digest' "$layout/index.json")
blob "$(blob "$manifest" | jq -r .config.digest)" >"$room/said"
jq -e '.architecture == "arm64" and .os == "linux" and .config.Entrypoint == ["/usr/bin/mrelease"]' "$room/said" >"$room/is"
ok "it says that it is for arm64"
unpack
find "$root/usr" -type f \( -perm -u+x -o -name '*.so*' \) -exec readelf --file-header {} + 2>/dev/null | sed -n 's/^ *Machine: *//p' |
    sort | uniq -c >"$room/said"
[[ $(wc -l <"$room/said") == 1 && $(cat "$room/said") == *AArch64 ]]
ok "all that runs in it is for arm64"
find "$root/usr" -type f \( -perm -u+x -o -name '*.so*' \) -exec readelf --dynamic --wide {} + 2>/dev/null |
    sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u | while IFS= read -r name; do
    [[ -e $root/usr/lib/aarch64-linux-gnu/$name || -e $root/usr/lib/$name ]] || echo "$name"
done >"$room/said"
[[ ! -s $room/said && -x $root/usr/lib/ld-linux-aarch64.so.1 && -x $root/usr/libexec/mrelease/grpc ]]
ok "it has all that its programs need"
for file in "$root"/var/lib/dpkg/status.d/*; do
    grep -qE '^Architecture: (arm64|all)' "$file" && [[ -s $root/usr/share/doc/${file##*/}/copyright ]] || echo "${file##*/}"
done >"$room/said"
[[ ! -s $room/said && -s $root/var/lib/dpkg/status.d/libc6 ]]
ok "each package in it is arm64's, and has a licence"

# run WHAT: boots a guest with what is in the root, and checks that its programs work there. Where no guest is to be had,
# the check is skipped.
run() {
    local status=0 skipped=""
    ci/vm --root "$root" 6.12-arm64 >"$room/said" 2>&1 || status=$?
    ((status != 77)) || skipped=" # SKIP $(tail -n 1 "$room/said")" status=0
    ((!status))
    ok "$1$skipped"
}

run "in a guest its programs see a release, and a client of gRPC gets it"
ci/package deb --arch arm64 >"$room/said" 2>&1
ok "Debian's packages are made"
rm -r "${root:?}/usr/bin" "${root:?}/usr/libexec" && find "$root" -name 'libmrelease*' -delete
for file in build/package/deb-arm64/*_arm64.deb; do
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$root" --keep-directory-symlink --exclude='./usr/lib/debug/*'
done
run "in a guest their programs do so as well"

end
