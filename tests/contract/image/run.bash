#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The image under runc, as the chart's pod runs it: run.bash BUILD_DIRECTORY
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
needs umoci runc jq nsenter
[[ -r /usr/share/containers/seccomp.json ]] || { echo "1..0 # SKIP no profile of containers-common" && exit 77; }
name=mrelease-image-$$ bundle=$room/bundle
runc() { command runc --root "$room/runc" "$@"; }

# shellcheck disable=SC2317
clean() {
    runc delete --force "$name" 2>/dev/null
    [[ -z ${server-} ]] || kill "$server"
    rm -rf "$room"
}
trap clean EXIT

# bundle PROFILE ARGUMENT…: what runc is told: that the container runs the arguments, under a profile as containerd or
# podman has it.
bundle() {
    local here=tests/contract/image
    jq --arg runtime "$1" --argjson caps '["CAP_BPF", "CAP_PERFMON"]' -f "$here/seccomp.jq" \
        /usr/share/containers/seccomp.json >"$room/seccomp.json"
    jq --slurpfile seccomp "$room/seccomp.json" --arg etc "$room/etc" -f "$here/bundle.jq" \
        "$room/config.json" --args -- "${@:2}" >"$bundle/config.json"
}

unpack
ok "the image of made.bash is unpacked"
cp "$bundle/config.json" "$room/"
mkdir "$room/etc"
# A destination in the network of the container.
cat >"$room/server.py" <<'PY'
import http.server, sys
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        open(sys.argv[1], "ab").write(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8080), Hook).serve_forever()
PY
cat >"$room/etc/mrelease.yaml" <<'YAML'
events: [process_mrelease]
scope: comm=image-test
http: insecure=true:0.0.0.0:9448
output: [json, "grpc:tcp:127.0.0.1:4466", "json,compress=none:webhook+http://127.0.0.1:8080/events"]
YAML
bundle containerd run --config /etc/mrelease/mrelease.yaml
runc run --bundle "$bundle" "$name" >"$room/out" 2>"$room/said" &
container=$!
await 30 grep -q 'watching process_mrelease' "$room/said"
ok "with two capabilities and a root that is read-only it watches"
pid=$(runc state "$name" | jq .pid)
nsenter --target "$pid" --net /usr/bin/python3 "$room/server.py" "$room/posted" 2>/dev/null &
server=$!
/usr/bin/python3 -c 'import ctypes
open("/proc/self/comm", "w").write("image-test")
ctypes.CDLL(None).syscall(448, -1, 0)'
await 10 grep -q '"processName":"image-test".*"name":"pidfd"' "$room/out"
ok "a call on the host is an event on its standard output"
nsenter --target "$pid" --net "$program" health --server tcp:127.0.0.1:4466 >>"$room/said" 2>&1
ok "gRPC is served"
nsenter --target "$pid" --net /usr/bin/python3 -c 'import urllib.request
urllib.request.urlopen("http://127.0.0.1:9448/readyz", timeout=5)' >>"$room/said" 2>&1
ok "so is what the kubelet asks for"
await 15 grep -q image-test "$room/posted"
ok "and a webhook is called"
held=$(runc ps --format json "$name" | jq '.[]' | while read -r one; do
    grep -q '^CapEff:[[:space:]]*0*$' "/proc/$one/status" && grep -q '^CapPrm:[[:space:]]*0*$' "/proc/$one/status" &&
        grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$one/status" && grep -q '^Seccomp:[[:space:]]*2' "/proc/$one/status" &&
        echo none || echo some
done | sort | uniq -c | xargs)
[[ $held == "5 none" ]]
ok "by then none of its five processes holds a capability"
grep -q "no right to become user 'nobody'" "$room/said"
ok "that side programs stay root is said"
before=${EPOCHREALTIME/./}
runc kill "$name" TERM && wait "$container" && (((${EPOCHREALTIME/./} - before) < 10000000))
ok "SIGTERM ends it within ten seconds, with status 0"

# -- what the node's runtime allows
bundle containerd doctor --quick
runc run --bundle "$bundle" "$name" >"$room/said" 2>&1 && grep -q 'tp_btf *yes' "$room/said"
ok "doctor says that it works, as helm test asks it"
bundle podman doctor --quick
! runc run --bundle "$bundle" "$name" >"$room/said" 2>&1 && grep -q 'seccomp .*refuses bpf()' "$room/said"
ok "under podman's profile it says that a filter refuses bpf()"
end
