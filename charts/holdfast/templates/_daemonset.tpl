{{/*
Where agents run: the affinity of the values, and, while there is a canary, not on its nodes. A node is the canary's when it has all of
its labels; so for each label there are terms that ask for a node without it.
*/}}
{{- define "holdfast.affinity" -}}
{{- $affinity := deepCopy .Values.affinity -}}
{{- if .Values.canary.enabled -}}
{{- $node := default dict $affinity.nodeAffinity -}}
{{- $required := default dict $node.requiredDuringSchedulingIgnoredDuringExecution -}}
{{- $terms := list -}}
{{- range $term := default (list dict) $required.nodeSelectorTerms -}}
{{- range $key, $value := $.Values.canary.nodeSelector -}}
{{- $without := dict "key" $key "operator" "NotIn" "values" (list $value) -}}
{{- $expressions := append (default list $term.matchExpressions) $without -}}
{{- $terms = append $terms (merge (dict "matchExpressions" $expressions) $term) -}}
{{- end -}}
{{- end -}}
{{- $required = merge (dict "nodeSelectorTerms" $terms) $required -}}
{{- $node = merge (dict "requiredDuringSchedulingIgnoredDuringExecution" $required) $node -}}
{{- $affinity = merge (dict "nodeAffinity" $node) $affinity -}}
{{- end -}}
{{- toYaml $affinity -}}
{{- end -}}

{{/* The agents of a track. Takes a dict of `root`, `track` (stable or canary), `image`, `nodeSelector` and `affinity`. */}}
{{- define "holdfast.daemonset" -}}
{{- $root := .root -}}
{{- $isStable := eq .track "stable" -}}
{{- $isLinkLocal := eq .root.Values.mode "linkLocal" -}}
apiVersion: apps/v1
kind: DaemonSet
metadata:
  {{- include "holdfast.metadata" (dict "root" $root "component" "agent" "suffix" (ternary "" .track $isStable) "labels" (dict "holdfast/track" .track)) | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "holdfast.agentLabels" $root | nindent 6 }}
      holdfast/track: {{ .track }}
  updateStrategy:
    {{- toYaml .root.Values.updateStrategy | nindent 4 }}
  minReadySeconds: {{ .root.Values.minReadySeconds }}
  revisionHistoryLimit: {{ .root.Values.revisionHistoryLimit }}
  template:
    metadata:
      labels:
        {{- include "holdfast.podLabels" (dict "root" $root "component" "agent" "extra" (merge (dict "holdfast/track" .track) .root.Values.podLabels)) | nindent 8 }}
      annotations:
        {{- include "holdfast.podAnnotations" $root | nindent 8 }}
    spec:
      {{- with include "holdfast.imagePullSecrets" $root }}
      {{- . | nindent 6 }}
      {{- end }}
      serviceAccountName: {{ include "holdfast.serviceAccountName" $root }}
      automountServiceAccountToken: true
      enableServiceLinks: false
      {{- if $isLinkLocal }}
      hostNetwork: true
      {{- end }}
      # Never the DNS that this is there to replace.
      dnsPolicy: Default
      priorityClassName: {{ .root.Values.priorityClassName }}
      terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
      securityContext:
        {{- mergeOverwrite (include "holdfast.podSecurityContext" $root | fromYaml) .root.Values.podSecurityContext | toYaml | nindent 8 }}
      {{- with .nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .affinity }}
      affinity:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.hostAliases }}
      hostAliases:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if or (include "holdfast.setsUpNodes" $root) .root.Values.extraInitContainers }}
      initContainers:
        {{- if include "holdfast.setsUpNodes" $root }}
        - {{ include "holdfast.linkLocalContainer" (dict "root" $root "image" .image "verb" "add") | nindent 10 | trim }}
        {{- end }}
        {{- with .root.Values.extraInitContainers }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      containers:
        - {{ include "holdfast.agentContainer" (dict "root" $root "image" .image) | nindent 10 | trim }}
        {{- with .root.Values.extraContainers }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      volumes:
        {{- include "holdfast.volumes" $root | nindent 8 }}
{{- end -}}

{{- define "holdfast.podAnnotations" -}}
{{- $annotations := dict "kubectl.kubernetes.io/default-container" "agent" -}}
{{- if .Values.metrics.scrapeAnnotations -}}
{{- $_ := set $annotations "prometheus.io/scrape" "true" -}}
{{- $_ := set $annotations "prometheus.io/port" (toString .Values.metrics.port) -}}
{{- $_ := set $annotations "prometheus.io/path" "/metrics" -}}
{{- end -}}
{{- merge (dict) .Values.podAnnotations $annotations .Values.commonAnnotations | toYaml -}}
{{- end -}}

{{- define "holdfast.podSecurityContext" -}}
{{- if eq .Values.mode "service" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
# Who owns an emptyDir's files.
fsGroup: 65532
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "holdfast.volumes" -}}
- name: data
  {{- if eq .Values.mode "linkLocal" }}
  hostPath:
    path: {{ .Values.snapshot.hostPath }}
    type: DirectoryOrCreate
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.snapshot.sizeLimit }}
  {{- end }}
{{- if eq .Values.mode "linkLocal" }}
- name: heartbeat
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- end }}
{{- if include "holdfast.setsUpNodes" . }}
{{- include "holdfast.icmpMaskVolumes" . }}
{{- end }}
{{- with .Values.extraVolumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}
