#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The chart, before helm and the schemas of Kubernetes: chart.bash PROGRAM
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
program=$1 chart=packaging/helm/mrelease cases=tests/contract/chart/values
[[ ${MRELEASE_TEST_LONG-} ]] || { echo "1..0 # SKIP helm and the schemas of Kubernetes, with --long" && exit 77; }
. ci/receivers_chart.sh
helm=$(receiver_helm)/helm || { echo "1..0 # SKIP ${helm%/helm}" && exit 77; }
validator=$(receiver_kubernetes_validate)/bin/kubernetes-validate || { echo "1..0 # SKIP ${validator%/bin/*}" && exit 77; }

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
# Of this machine's settings for helm, none; nor of a cluster that it may know.
export HOME=$room HELM_CACHE_HOME=$room HELM_CONFIG_HOME=$room HELM_DATA_HOME=$room KUBECONFIG=/dev/null
. tests/contract/tap.sh

# render OPTION…: what would be given to the cluster, in $room/out. Without a cluster helm knows of one that is too old.
render() {
    "$helm" template sensor "$chart" --namespace sensors --kube-version 1.29.0 "$@" >"$room/out" 2>"$room/said"
}

# object KIND: the object of that kind, and nothing where there is none.
object() {
    /usr/bin/python3 -c 'import json, sys, yaml
for it in yaml.safe_load_all(open(sys.argv[1])):
    if it and it["kind"] == sys.argv[2]: print(json.dumps(it))' "$room/out" "$1"
}

# holds KIND FILTER: whether jq says so of that object.
holds() {
    object "$1" >"$room/said"
    jq -e "$2" "$room/said" >/dev/null
}

"$helm" lint --strict --kube-version 1.29.0 "$chart" >"$room/said" 2>&1
ok "helm lint --strict"
[[ $(sed -n 's/^appVersion: "\(.*\)"/\1/p' "$chart/Chart.yaml") == "$("$program" version | sed -n 's/^mrelease //p')" ]]
ok "its appVersion is that of the program"

# -- what is rendered, with each of several sets of values
for values in "$chart/values.yaml" "$cases"/*.yaml; do
    set=${values##*/} set=${set%.yaml}
    render --values "$values" --api-versions monitoring.coreos.com/v1/ServiceMonitor \
        --api-versions monitoring.coreos.com/v1/PrometheusRule
    ok "$set: it is rendered"
    "$validator" --strict --quiet "$room/out" >"$room/said" 2>&1
    ok "$set: Kubernetes knows each key of it"
    object ConfigMap | jq -r '.data["mrelease.yaml"] // empty' >"$room/mrelease.yaml"
    "$program" run --config "$room/mrelease.yaml" --print-config >"$room/said" 2>&1
    ok "$set: the program takes the configuration"
done

# -- what is refused
refused() {
    ! render "$@" && grep -q "$pattern" "$room/said"
}
pattern="replicas"
refused --set replicas=3
ok "a value that there is not is refused"
pattern="evnts"
refused --set config.evnts=default
ok "so is a key of the configuration that there is not"
pattern="digest"
refused --set image.digest=latest
ok "so is a digest that is none"
pattern="names-socket"
refused --set 'config.names-socket={docker=/run/docker.sock}'
ok "so is a socket of a runtime that nothing mounts"
pattern="rung"
refused --set config.rung=best
ok "and a word that an option does not know"

# -- least privilege
pod='.spec.template.spec' one='.spec.template.spec.containers[0]'
render
holds DaemonSet "$one.securityContext == {runAsUser: 0, runAsGroup: 0, privileged: false, allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true, capabilities: {drop: [\"ALL\"], add: [\"BPF\", \"PERFMON\"]}, seccompProfile: {type: \"RuntimeDefault\"}}"
ok "two capabilities, and nothing else"
holds DaemonSet "[$pod.volumes[] | select(.hostPath).hostPath.path] == [\"/sys/fs/cgroup\"]
    and all($one.volumeMounts[]; .readOnly) and $pod.automountServiceAccountToken == false
    and ([$pod.hostPID, $pod.hostNetwork, $pod.hostIPC] | any | not)"
ok "of the node it sees the cgroups, which it can only read"
holds DaemonSet "$one.env == null and ($one.args | join(\" \") == \"run --config /etc/mrelease/mrelease.yaml\")"
ok "nothing of the configuration stands in arguments or the environment"
render --set image.repository=registry.example/mrelease --set image.digest="sha256:$(printf '%064d' 1)"
holds DaemonSet "$one.image == \"registry.example/mrelease@sha256:$(printf '%064d' 1)\""
ok "an image is taken by its digest"

render --set names.enabled=true
object ConfigMap | jq -r '.data["mrelease.yaml"]' | grep -qx -- '- containerd=/run/containerd/containerd.sock' &&
    holds DaemonSet "any($pod.volumes[]; .hostPath.path == \"/run/containerd\") and
        any($one.volumeMounts[]; .mountPath == \"/run/containerd\" and .readOnly) and (.privileged | not)"
ok "with names it sees the directory of the runtime's socket as well"

# -- reload
sum() { object DaemonSet | jq -r '.spec.template.metadata.annotations["checksum/config"]'; }
render && before=$(sum)
render --set config.log-level=debug && [[ $before != "$(sum)" && $before ]]
ok "another configuration exchanges the pods"

# -- policies
render --values "$cases/policies.yaml" && mkdir -p "$room/policies"
object ConfigMap | jq -r 'select(.data["mrelease.yaml"] | not) | .data | to_entries[] | @base64' | while read -r row; do
    base64 -d <<<"$row" | jq -r .value >"$room/policies/$(base64 -d <<<"$row" | jq -r .key)"
done
[[ $(find "$room/policies" -name '*.yaml' | wc -l) == 3 ]] && "$program" policy check "$room/policies" >"$room/said" 2>&1
ok "policies are files that the program takes"
holds DaemonSet "$one.volumeMounts[] | select(.name == \"policies\") | .mountPath == \"/etc/mrelease-policies\" and .readOnly" &&
    [[ $(object ConfigMap) == */etc/mrelease-policies* ]]
ok "they are mounted as a directory, which the configuration names"
before=$(sum) && render --values "$cases/policies.yaml" --set defaultPolicy=false && [[ $before != "$(sum)" ]]
ok "other policies exchange the pods"
render --set policiesConfigMap=mine && holds DaemonSet "$pod.volumes[] | select(.name == \"policies\") | .configMap.name == \"mine\""
ok "a ConfigMap of one's own may have them"

# -- monitoring
render --api-versions monitoring.coreos.com/v1/ServiceMonitor
holds ServiceMonitor .spec.endpoints && [[ ! $(object PrometheusRule) ]]
ok "a cluster that knows ServiceMonitor gets one"
render --api-versions monitoring.coreos.com/v1/PrometheusRule
rules=$(/usr/bin/python3 -c 'import json, yaml
print(json.dumps(yaml.safe_load(open("packaging/prometheus/mrelease.rules.yml"))))')
[[ ! $(object ServiceMonitor) ]] && holds PrometheusRule ".spec == $rules"
ok "one that knows PrometheusRule gets the rules of packaging/prometheus"
render && [[ ! $(object ServiceMonitor)$(object PrometheusRule) ]]
ok "one that does not know it gets none"
render --set http.enabled=false --set serviceMonitor.enabled=true && [[ ! $(object ServiceMonitor)$(object Service) ]] &&
    holds DaemonSet "$one.livenessProbe == null"
ok "without HTTP nothing is scraped and nothing asked"
end
