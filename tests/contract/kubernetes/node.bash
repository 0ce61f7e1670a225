#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The image and the chart on one real node of Kubernetes, which node.sh starts: node.bash BUILD_DIRECTORY. It takes the
# image of made.bash.
# shellcheck disable=SC2317 # what is waited for is called by name
. "$(dirname "${BASH_SOURCE[0]}")/../image/common.bash"
needs buildah umoci jq nsenter unshare etcd containerd runc openssl ip
[[ -e /usr/lib/cni/bridge ]] || { echo "1..0 # SKIP containernetworking-plugins is missing: ci/deps --packaging" && exit 77; }
unshare --mount --net --pid --fork true 2>/dev/null || { echo "1..0 # SKIP no right to make namespaces" && exit 77; }
. ci/receivers_kubernetes.sh
programs=$(receiver_kubernetes) || { echo "1..0 # SKIP $programs" && exit 77; }
. ci/receivers_chart.sh
helm=$(receiver_helm)/helm || { echo "1..0 # SKIP ${helm%/helm}" && exit 77; }
node=mrelease-node-$$ here=tests/contract/kubernetes chart=packaging/helm/mrelease
options=() values=$here/values.yaml
. "$here/node.sh"

clean() {
    node_stop
    [[ -z ${MRELEASE_TEST_KEEP-} ]] || cp -r "$room/log" "$room/said" "$MRELEASE_TEST_KEEP"
    rm -rf "$room"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

# said COMMAND…: what it says is shown if it fails.
said() { "$@" >"$room/said" 2>&1; }

# helm VERB WORD…: of this machine's settings for helm, none.
helm() {
    inside env HOME="$room" HELM_CACHE_HOME="$room" HELM_CONFIG_HOME="$room" HELM_DATA_HOME="$room" \
        "$helm" --kubeconfig "$room/etc/kubeconfig" --namespace sensors "$@"
}

# release VERB OPTION…: with $options, and waits for the pod. Helm would not: of one node it takes none for enough.
release() {
    said helm "$1" sensor "$chart" --values "$values" --set "image.digest=$digest" "${options[@]}" "${@:2}" &&
        said kubectl --namespace sensors rollout status daemonset/sensor-mrelease --timeout=60s
}

# make_images: the one that is tested, and that of the pods that make calls.
make_images() {
    local buildah=(buildah --root "$room/storage" --runroot "$room/run" --storage-driver vfs) container
    container=$("${buildah[@]}" from scratch) &&
        "${buildah[@]}" copy --quiet "$container" "$build/tests/mrelease-pod" / &&
        "${buildah[@]}" config --entrypoint '["/mrelease-pod"]' "$container" &&
        "${buildah[@]}" commit --quiet "$container" "oci-archive:$room/pod.tar:localhost/pod:1" &&
        tar -cf "$room/mrelease.tar" -C "$layout" .
}

# take_images: as if they had been pulled, by the names that a pull leaves.
take_images() {
    local image name=docker.io/library/mrelease
    await 20 inside ctr version
    for image in pod mrelease; do inside ctr --namespace k8s.io images import "$room/$image.tar" || return 1; done
    inside ctr --namespace k8s.io images tag "mrelease:$version" "$name:$version" "$name@$digest"
}

# pod NAME WORD…: a pod in the namespace "work", which calls as the words say.
pod() { kubectl run "$1" --namespace work --image localhost/pod:1 --restart Never -- "${@:2}"; }

# sensor: its pods, as pod/NAME. get POD FIELDS: of a pod in "sensors".
sensor() { kubectl --namespace sensors get pods --selector app.kubernetes.io/name=mrelease --output name; }
get() { kubectl --namespace sensors get "$1" --output "jsonpath=$2"; }

# id NAMESPACE POD: that of its container. task ID: the first process of a container.
id() { kubectl --namespace "$1" get "$2" --output 'jsonpath={.status.containerStatuses[0].containerID}' | sed 's/.*:\/\///'; }
task() { inside ctr --namespace k8s.io tasks list | awk -v id="$1" '$1 == id { print $2 }'; }

# call FLAGS FILTER: whether an event of a call with these flags is in the log of the sensor, and jq says so of it.
call() {
    kubectl --namespace sensors logs "$(sensor)" >"$room/said" &&
        jq -eRn --argjson flags "$1" "[inputs | fromjson? | select(.eventName == \"process_mrelease\" and
            any(.args[]; .name == \"flags\" and .value == \$flags))] | any(.[]; $2)" "$room/said"
}

version=$("$program" version | sed -n 's/^mrelease //p')
digest=$(jq -r '.manifests[0].digest' "$layout/index.json")
said make_images
ok "an image for pods that make calls"
node_start && said take_images
ok "containerd takes the image that ci/package oci made"
said await 120 kubectl wait --for=condition=Ready node/node --timeout=1s
ok "the node is ready: Kubernetes $(kubectl version --output json | jq -r .serverVersion.gitVersion)"

# -- the chart
for namespace in work sensors; do kubectl create namespace "$namespace" >/dev/null; done
kubectl label namespace sensors pod-security.kubernetes.io/enforce=baseline >/dev/null
helm template sensor "$chart" --kube-version 1.34.1 --set serviceAccount.create=false \
    --show-only templates/tests/doctor.yaml >"$room/doctor.yaml"
! said kubectl create --namespace sensors --dry-run=server --filename "$room/doctor.yaml" && grep -q 'violates PodSecurity' "$room/said"
ok "Pod Security refuses its pods, as the documentation says"
kubectl label --overwrite namespace sensors pod-security.kubernetes.io/enforce=privileged >/dev/null
release install
ok "with that label it is installed, by its digest, and its pod is ready"
((!failed)) || { echo "1..$number" && exit 1; }
said helm test sensor --logs --timeout 60s && grep -q 'tp_btf *yes' "$room/said"
ok "helm test says that the node can be watched"

# -- what it sees
said pod caller 77001 wait && await 20 call 77001 .
ok "a call in a pod is an event in the log of the sensor"
# ten GROUP: ten pods that end with their only call. same GROUP OF_POD OF_EVENT: whether what jq finds in these pods is what
# it finds in their events.
ten() {
    local number
    for number in {0..9}; do pod "$1-$number" "7710$number" || return 1; done
}
same() {
    kubectl --namespace work get pods --output json | jq -c --arg group "$1-" \
        "def it: .status.containerStatuses[0]; [.items[] | select(.metadata.name | startswith(\$group)) | $2] | sort" >"$room/pods"
    kubectl --namespace sensors logs "$(sensor)" | jq -cRn --arg group "$1-" \
        "[inputs | fromjson? | select(.hostName // \"\" | startswith(\$group)) | $3] | sort" >"$room/said"
    cmp "$room/pods" "$room/said"
}
said ten one && await 60 same one '[.metadata.name, (it.containerID | sub(".*//"; ""))]' '[.hostName, .containerId]'
ok "ten pods that end with their only call have the ids of their containers"

# -- names
options=(--set names.enabled=true)
release upgrade && said ten two
of_pod='[.metadata.name, .metadata.namespace, .metadata.uid, it.name, it.image]'
of_event='[.kubernetes.podName, .kubernetes.podNamespace, .kubernetes.podUID, .container.name, .container.image]'
await 60 same two "$of_pod" "$of_event"
ok "with names, ten others have those of pod, container and image: $(jq -c '.[0]' "$room/said")"
inside kill -KILL "$(awk '$2 == "containerd" { print $1 }' "$room/etc/pids")"
inside containerd --config "$PWD/$here/containerd.toml" >>"$room/log/containerd" 2>&1 &
await 20 inside ctr version && said pod after 77200 && await 60 call 77200 '.kubernetes.podName == "after"'
ok "and so after the runtime was killed and started anew"

# -- what holds it
processes=$(inside ctr --namespace k8s.io tasks ps "$(id sensors "$(sensor)")" 2>/dev/null | awk 'NR > 1 { print $1 }')
for process in $processes; do
    inside grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):' "/proc/$process/status" | xargs
done >"$room/said"
[[ $processes && $(grep -c 'CapPrm: 0* CapEff: 0* .* NoNewPrivs: 1 Seccomp: 2' "$room/said") == $(wc -l <"$room/said") ]]
ok "none of its $(wc -w <<<"$processes") processes holds a capability by now"
said inside grep serviceaccount "/proc/$(task "$(id sensors "$(sensor)")")/mounts"
[[ $? == 1 ]]
ok "nor is a token of the account there"

# -- who asks for it
address=$(get "$(sensor)" '{.status.podIP}')
[[ $address == $(kubectl --namespace sensors get endpointslices --selector kubernetes.io/service-name=sensor-mrelease \
    --output 'jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}') ]]
ok "the service leads to it: $address"
said kubectl get --raw /api/v1/namespaces/sensors/services/sensor-mrelease:http/proxy/metrics &&
    grep -q '^mrelease_events_read_total.*process_mrelease.* 1[0-9]' "$room/said"
ok "and metrics are there"

# -- monitoring
[[ $(helm get manifest sensor) != *monitoring.coreos.com* ]]
ok "a cluster without them gets no ServiceMonitor and no PrometheusRule"
kubectl apply --filename "$here/monitoring.yaml" >/dev/null
said kubectl wait --for=condition=Established --timeout=20s crd --all
release upgrade && said kubectl --namespace sensors get servicemonitor/sensor-mrelease prometheusrule/sensor-mrelease
ok "one that knows them gets both"

# -- what changes
before=$(sensor)
release upgrade --set config.log-level=debug && [[ $(sensor) != "$before" ]]
ok "another configuration exchanges the pod"
said pod stream 78000-79999 && await 20 call 78010 .
before=$(sensor)
kubectl --namespace sensors logs --follow "$before" >"$room/before" 2>/dev/null &
release upgrade --set updateStrategy.rollingUpdate.maxSurge=1,updateStrategy.rollingUpdate.maxUnavailable=0 &&
    await 60 kubectl --namespace work wait --for=jsonpath='{.status.phase}'=Succeeded pod/stream --timeout=1s &&
    await 10 call 79999 . && [[ $(sensor) != "$before" ]]
ok "so it does with a surge, while another pod makes calls"
flags='inputs | fromjson? | .args[]? | select(.name == "flags" and .value >= 78000).value'
jq -cRn "[$flags] | unique | [first, last, length]" "$room/before" "$room/said" >"$room/seen"
[[ $(<"$room/seen") == '[78000,79999,2000]' && $(jq -cRn "[$flags] | length" "$room/before" "$room/said") -gt 2000 ]]
ok "of its 2000 calls each was seen, some by both: $(<"$room/seen")"
file=(--set 'storage.type=hostPath,config.extra={seq},config.output={json,json:/var/lib/mrelease/events.json}')
release upgrade "${file[@]}" && release upgrade "${file[@]}" --set config.log-level=debug
await 10 inside grep '"blind"' /var/lib/mrelease/events.json
ok "a file on the node tells how long nobody watched: $(inside cat /var/lib/mrelease/events.json |
    jq '[.args[] | {(.name): .value}] | add | select(.what == "blind") | (.to_ns - .from_ns) / 1e9') s"

# -- policies
# policies NAME FLAGS: a ConfigMap with one policy for what "stream" calls, and another for a call with these flags.
policies() {
    local head='{apiVersion: tracee.aquasec.com/v1beta1, kind: Policy' spec='scope: [comm=mrelease-pod], rules: [{event: process_mrelease'
    kubectl --namespace sensors create configmap policies --dry-run=client --output yaml \
        --from-literal=stays.yaml="$head, metadata: {name: stays}, spec: {$spec, filters: [data.flags>=78000]}]}}" \
        --from-literal=other.yaml="$head, metadata: {name: $1}, spec: {$spec, filters: [data.flags=$2]}]}}" |
        kubectl apply --filename - >/dev/null
}
exchanged() { kubectl --namespace sensors logs "$(sensor)" | grep 'filters exchanged'; }
options+=(--set policiesConfigMap=policies) values=/dev/null
policies first 77301 && release upgrade && said pod first 77301 77302 && await 20 call 77301 '.matchedPolicies == ["first"]'
ok "policies of a ConfigMap decide"
before=$(sensor)
said pod flow 78000-80999 && await 20 call 78010 . && policies second 77302 && await 120 exchanged &&
    said pod second 77301 77302 && await 20 call 77302 '.matchedPolicies == ["second"] and .hostName == "second"' &&
    ! call 77301 '.hostName == "second"' && [[ $(sensor) == "$before" ]]
ok "a changed ConfigMap is followed by the same pod"
await 60 kubectl --namespace work wait --for=jsonpath='{.status.phase}'=Succeeded pod/flow --timeout=1s && await 10 call 80999 .
jq -cRn "[$flags] | unique | [first, last, length]" "$room/said" >"$room/seen"
[[ $(<"$room/seen") == '[78000,80999,3000]' ]]
ok "of 3000 calls that a policy wanted all the while none is missing: $(<"$room/seen")"

# -- a hang, and the end
inside kill -STOP "$(task "$(id sensors "$(sensor)")")"
restarted() { [[ $(get "$(sensor)" '{.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}') == '1 true' ]]; }
await 120 restarted
ok "one that hangs is started again"
nothing_left() {
    said kubectl --namespace sensors get all,configmaps,serviceaccounts,servicemonitors,prometheusrules --output name
    [[ $(grep -vE 'kube-root-ca.crt|configmap/policies|serviceaccount/default' "$room/said") == pod/sensor-mrelease-doctor ]]
}
said helm uninstall sensor && await 60 nothing_left
ok "helm uninstall leaves nothing but the pod of the test"

node_stop
left() {
    local hierarchy
    grep -h "$node\|$room" /proc/self/mounts /proc/[0-9]*/cgroup
    for hierarchy in $(node_cgroups); do find "$hierarchy" -maxdepth 1 -name "$node"; done
    find /sys/class/net -name cni0
} 2>/dev/null
left >"$room/said"
[[ ! -s $room/said ]]
ok "the node ends, and nothing of it is left"
end
