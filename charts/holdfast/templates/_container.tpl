{{/* Arguments of `holdfast agent`. */}}
{{- define "holdfast.agentArguments" -}}
- agent
{{- if eq .Values.mode "linkLocal" }}
{{- range include "holdfast.addresses" . | fromJsonArray }}
- --listen={{ include "holdfast.socketAddress" (list . 53) }}
{{- end }}
{{- else }}
- --listen=0.0.0.0:5353
- --listen=[::]:5353
{{- end }}
- --admin=127.0.0.1:{{ .Values.metrics.port }}
{{- if eq .Values.mode "service" }}
- --admin={{ include "holdfast.variableSocketAddress" (dict "root" . "variable" "POD_IP" "port" .Values.metrics.port) }}
{{- else if include "holdfast.hasMetrics" . }}
- --admin={{ include "holdfast.variableSocketAddress" (dict "root" . "variable" "HOST_IP" "port" .Values.metrics.port) }}
{{- end }}
{{- if eq .Values.mode "linkLocal" }}
- --heartbeat-dir=/run/holdfast
{{- end }}
- --data-dir=/var/lib/holdfast
- --zone={{ .Values.clusterDomain }}
- --endpoints={{ .Values.endpoints }}
- --ttl={{ .Values.answers.ttl }}
- --pods={{ .Values.answers.pods }}
- --log-level={{ .Values.logging.level }}
- --log-format={{ .Values.logging.format }}
{{- with .Values.extraArgs }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{- define "holdfast.agentEnv" -}}
{{- if eq .Values.mode "service" }}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- else if include "holdfast.hasMetrics" . }}
- name: HOST_IP
  valueFrom:
    fieldRef:
      fieldPath: status.hostIP
{{- end }}
{{- with .Values.apiServer.host }}
- name: KUBERNETES_SERVICE_HOST
  value: {{ . | quote }}
- name: KUBERNETES_SERVICE_PORT
  value: {{ $.Values.apiServer.port | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{/*
The three probes. On the host network a command asks, by files that the agent touches: during an upgrade two agents of a node share
its ports, and the old one could answer a request that is meant for the new one.
*/}}
{{- define "holdfast.probes" -}}
{{- $root := . -}}
{{- range $probe, $questions := dict "startup" (list "alive" "/healthz") "readiness" (list "ready" "/readyz") "liveness" (list "alive" "/healthz") }}
{{ $probe }}Probe:
  {{- if eq $root.Values.mode "linkLocal" }}
  exec:
    command: [/busybox/heartbeat, /run/holdfast/{{ first $questions }}, "5"]
  {{- else }}
  httpGet:
    path: {{ last $questions }}
    port: admin
  {{- end }}
  {{- toYaml (get $root.Values.probes $probe) | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The container that answers. Takes a dict of `root` and `image`. */}}
{{- define "holdfast.agentContainer" -}}
{{- $root := .root -}}
{{- with .root.Values -}}
name: agent
image: {{ $.image }}
imagePullPolicy: {{ .image.pullPolicy }}
args:
  {{- include "holdfast.agentArguments" $root | nindent 2 }}
{{- with include "holdfast.agentEnv" $root | trim }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- with .extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if eq .mode "service" }}
ports:
  - name: dns
    containerPort: 5353
    protocol: UDP
  - name: dns-tcp
    containerPort: 5353
    protocol: TCP
  - name: admin
    containerPort: {{ .metrics.port }}
    protocol: TCP
{{- end }}
{{- include "holdfast.probes" $root }}
{{- with .lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
{{- with .resizePolicy }}
resizePolicy:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- mergeOverwrite (include "holdfast.agentSecurityContext" $root | fromYaml) .securityContext | toYaml | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  - name: data
    mountPath: /var/lib/holdfast
  {{- if eq .mode "linkLocal" }}
  - name: heartbeat
    mountPath: /run/holdfast
  {{- end }}
  {{- with .extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/*
What changes the node, before the agent (`add`) and after it (`remove`): a container of its own, so that the agent needs no NET_ADMIN.
Takes a dict of `root`, `image` and `verb`.
*/}}
{{- define "holdfast.linkLocalContainer" -}}
{{- $root := .root -}}
{{- $isAdd := eq .verb "add" -}}
{{- $masks := include "holdfast.icmpMasks" .root | fromJsonArray -}}
{{- with .root.Values -}}
name: link-local
image: {{ $.image }}
imagePullPolicy: {{ .image.pullPolicy }}
command: [/busybox/link-local]
args:
  - {{ $.verb }}
  - --interface={{ .linkLocal.interface }}
  - --ipv4={{ .linkLocal.ipv4 }}
  - --ipv6={{ .linkLocal.ipv6 }}
  {{- if $masks }}
  - --lift-icmp-limit
  {{- end }}
  {{- if $isAdd }}
  - --own-data-dir=/var/lib/holdfast
  {{- end }}
{{- with $masks }}
env:
  {{- range . }}
  - name: {{ .variable }}
    value: /host/{{ .name }}
  {{- end }}
{{- end }}
resources:
  {{- toYaml .setupResources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: false
  runAsUser: 0
  runAsGroup: 0
  capabilities:
    drop: [ALL]
    add: [NET_ADMIN{{ if $isAdd }}, CHOWN{{ end }}]
  seccompProfile:
    type: RuntimeDefault
terminationMessagePolicy: FallbackToLogsOnError
{{- if or $isAdd $masks }}
volumeMounts:
  {{- if $isAdd }}
  - name: data
    mountPath: /var/lib/holdfast
  {{- end }}
  {{- range $masks }}
  - name: {{ .name }}
    mountPath: /host/{{ .name }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
Settings of the node that say which ICMP messages are limited, as a JSON list; empty unless the limit shall be lifted. A container sees
its own /proc/sys read-only, hence the mounts. That of IPv6 only where pods get an IPv6 address: a node may be without.
*/}}
{{- define "holdfast.icmpMasks" -}}
{{- $masks := list -}}
{{- if .Values.linkLocal.liftIcmpLimit -}}
{{- $masks = append $masks (dict "name" "icmp-ratemask" "variable" "ICMP_RATEMASK_FILE" "path" "/proc/sys/net/ipv4/icmp_ratemask") -}}
{{- if and .Values.linkLocal.ipv6 (has "IPv6" .Values.injection.ipFamilies) -}}
{{- $masks = append $masks (dict "name" "icmpv6-ratemask" "variable" "ICMPV6_RATEMASK_FILE" "path" "/proc/sys/net/ipv6/icmp/ratemask") -}}
{{- end -}}
{{- end -}}
{{- toJson $masks -}}
{{- end -}}

{{- define "holdfast.icmpMaskVolumes" -}}
{{- range include "holdfast.icmpMasks" . | fromJsonArray }}
- name: {{ .name }}
  hostPath:
    path: {{ .path }}
    type: File
{{- end }}
{{- end -}}
