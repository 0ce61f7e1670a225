{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- define "mrelease.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "mrelease.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mrelease.labels" -}}
{{ include "mrelease.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- end -}}

{{- define "mrelease.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mrelease.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "mrelease.image" -}}
{{- with .Values.image.digest -}}
{{- printf "%s@%s" $.Values.image.repository . -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* The configuration file. What the values say of HTTP and of names stands in it, too. */ -}}
{{- define "mrelease.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.http.enabled -}}
{{- /* The kubelet and Prometheus come from other addresses than the pod's loopback. */ -}}
{{- $_ := set $config "http" (printf "insecure=true:%s:%d" .Values.http.address (int .Values.http.port)) -}}
{{- $_ := set $config "http-names" .Values.http.names -}}
{{- end -}}
{{- if include "mrelease.policies" . -}}
{{- $_ := set $config "policy" (list "/etc/mrelease-policies") -}}
{{- end -}}
{{- if .Values.names.enabled -}}
{{- $_ := set $config "names-socket" (list (printf "%s=%s" .Values.names.runtime .Values.names.socket)) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* The ConfigMap of the policies; nothing where there are none. */ -}}
{{- define "mrelease.policies" -}}
{{- if .Values.policiesConfigMap -}}
{{- .Values.policiesConfigMap -}}
{{- else if or .Values.policies .Values.defaultPolicy -}}
{{- printf "%s-policies" (include "mrelease.fullname" . | trunc 54 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- /* What stands in it. */ -}}
{{- define "mrelease.policyFiles" -}}
{{- if .Values.defaultPolicy }}
default-policy.yaml: |
  apiVersion: tracee.aquasec.com/v1beta1
  kind: Policy
  metadata:
    name: default-policy
  spec:
    scope:
      - global
    rules:
      - event: tag=default
{{- end }}
{{- range $name, $policy := .Values.policies }}
{{ $name }}.yaml: |
  {{- if kindIs "string" $policy }}
  {{- $policy | nindent 2 }}
  {{- else }}
  {{- toYaml $policy | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* What the sensor and the test hold, and what they see of the node. */ -}}
{{- define "mrelease.securityContext" -}}
runAsUser: 0 # others lose capabilities at exec
runAsGroup: 0
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
  add: [BPF, PERFMON{{ if .Values.rights.dacReadSearch }}, DAC_READ_SEARCH{{ end }}]
seccompProfile:
  {{- with .Values.rights.seccompLocalhostProfile }}
  type: Localhost
  localhostProfile: {{ . | quote }}
  {{- else }}
  type: RuntimeDefault
  {{- end }}
{{- end -}}

{{- define "mrelease.mounts" -}}
- name: config
  mountPath: /etc/mrelease
  readOnly: true
{{- if include "mrelease.policies" . }}
- name: policies
  mountPath: /etc/mrelease-policies
  readOnly: true
{{- end }}
- name: cgroup
  mountPath: /sys/fs/cgroup
  readOnly: true
{{- if .Values.rights.tracefs }}
- name: tracefs
  mountPath: /sys/kernel/tracing
  readOnly: true
{{- end }}
{{- if .Values.names.enabled }}
- name: runtime
  mountPath: {{ dir .Values.names.socket | quote }}
  readOnly: true
{{- end }}
{{- if ne .Values.storage.type "none" }}
- name: storage
  mountPath: /var/lib/mrelease
{{- end }}
{{- range .Values.files }}
- name: files-{{ .name }}
  mountPath: /files/{{ .name }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "mrelease.volumes" -}}
- name: config
  configMap:
    name: {{ include "mrelease.fullname" . }}
{{- with include "mrelease.policies" . }}
- name: policies
  configMap:
    name: {{ . }}
{{- end }}
- name: cgroup
  hostPath:
    path: /sys/fs/cgroup
    type: Directory
{{- if .Values.rights.tracefs }}
- name: tracefs
  hostPath:
    path: /sys/kernel/tracing
    type: Directory
{{- end }}
{{- if .Values.names.enabled }}
- name: runtime
  hostPath:
    path: {{ dir .Values.names.socket | quote }}
    type: Directory
{{- end }}
{{- with .Values.storage }}
{{- if eq .type "hostPath" }}
- name: storage
  hostPath:
    path: {{ .hostPath | quote }}
    type: DirectoryOrCreate
{{- else if eq .type "emptyDir" }}
- name: storage
  emptyDir:
    {{- with .sizeLimit }}
    sizeLimit: {{ . | quote }}
    {{- else }} {}
    {{- end }}
{{- end }}
{{- end }}
{{- range .Values.files }}
- name: files-{{ .name }}
  {{- if .secret }}
  secret:
    secretName: {{ .secret | quote }}
    defaultMode: 0400
  {{- else }}
  configMap:
    name: {{ .configMap | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* "true", or nothing: whether to make an object of an API that not every cluster has. */ -}}
{{- define "mrelease.monitoring" -}}
{{- $known := .root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind) -}}
{{- if and .root.Values.http.enabled (or (eq (toString .enabled) "true") (and (eq (toString .enabled) "auto") $known)) -}}
true
{{- end -}}
{{- end -}}
