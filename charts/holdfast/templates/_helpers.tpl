{{/* Short name, which labels carry. */}}
{{- define "holdfast.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of everything that this release makes. 50 of 63 characters: what is derived from it adds up to
13. Services may have no dots in their names, and releases may. */}}
{{- define "holdfast.fullname" -}}
{{- $name := include "holdfast.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | replace "." "-" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "holdfast.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "holdfast.serviceAccountName" -}}
{{- default (ternary (include "holdfast.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* What never changes. A component is added where pods are selected: two workloads must not select each other's pods. */}}
{{- define "holdfast.selectorLabels" -}}
app.kubernetes.io/name: {{ include "holdfast.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Every agent, the canary's too. */}}
{{- define "holdfast.agentLabels" -}}
{{ include "holdfast.selectorLabels" . }}
app.kubernetes.io/component: agent
{{- end -}}

{{/* Labels of an object. Takes a dict of `root` and `component`. */}}
{{- define "holdfast.labels" -}}
{{- $labels := include "holdfast.selectorLabels" .root | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/component" .component -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "holdfast" -}}
{{- $_ := set $labels "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- merge $labels (default dict .extra) .root.Values.commonLabels | toYaml -}}
{{- end -}}

{{/* The same for pods. Without the chart's version: with it, every change to the chart would replace every agent. */}}
{{- define "holdfast.podLabels" -}}
{{- omit (include "holdfast.labels" . | fromYaml) "helm.sh/chart" | toYaml -}}
{{- end -}}

{{/*
metadata of an object. Takes a dict of `root`, `component` and optionally `suffix` or `name`, `clusterScoped`, `namespace`, `labels` and
`annotations`.
*/}}
{{- define "holdfast.metadata" -}}
{{- $fullname := include "holdfast.fullname" .root -}}
name: {{ default (ternary (printf "%s-%s" $fullname .suffix) $fullname (not (empty .suffix))) .name }}
{{- if not .clusterScoped }}
namespace: {{ default (include "holdfast.namespace" .root) .namespace }}
{{- end }}
labels:
  {{- include "holdfast.labels" (dict "root" .root "component" .component "extra" .labels) | nindent 2 }}
{{- with merge (dict) (default dict .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Reference of an image. Takes a dict of `root` and optionally `tag` and `digest`, which then replace both. */}}
{{- define "holdfast.image" -}}
{{- $image := .root.Values.image -}}
{{- $registry := default $image.registry .root.Values.global.imageRegistry -}}
{{- $repository := ternary $image.repository (printf "%s/%s" $registry $image.repository) (empty $registry) -}}
{{- $isOther := or .tag .digest -}}
{{- $digest := ternary .digest $image.digest (not (empty $isOther)) -}}
{{- $tag := default .root.Chart.AppVersion (ternary .tag $image.tag (not (empty $isOther))) -}}
{{- if $digest -}}
{{- printf "%s@%s" $repository $digest -}}
{{- else -}}
{{- printf "%s:%s" $repository $tag -}}
{{- end -}}
{{- end -}}

{{- define "holdfast.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* An address and a port as `holdfast` takes them. Takes a list of both. */}}
{{- define "holdfast.socketAddress" -}}
{{- $address := first . | toString -}}
{{- printf (ternary "[%s]:%v" "%s:%v" (contains ":" $address)) $address (last .) -}}
{{- end -}}

{{/* A variable with the address of the pod or the node, and a port. Takes a dict of `root`, `variable` and `port`. */}}
{{- define "holdfast.variableSocketAddress" -}}
{{- printf (ternary "[$(%s)]:%v" "$(%s):%v" (eq .root.Values.primaryIPFamily "IPv6")) .variable .port -}}
{{- end -}}

{{/* Addresses where DNS is answered, as a JSON list. */}}
{{- define "holdfast.addresses" -}}
{{- if eq .Values.mode "linkLocal" -}}
{{- list .Values.linkLocal.ipv4 .Values.linkLocal.ipv6 | compact | toJson -}}
{{- else if eq .Values.mode "service" -}}
{{- default (list .Values.service.clusterIP | compact) .Values.service.clusterIPs | toJson -}}
{{- else -}}
{{- list "127.0.0.1" | toJson -}}
{{- end -}}
{{- end -}}

{{/* Those of them that pods get, as a JSON list. */}}
{{- define "holdfast.injectedAddresses" -}}
{{- $families := .Values.injection.ipFamilies -}}
{{- $chosen := list -}}
{{- range include "holdfast.addresses" . | fromJsonArray -}}
{{- if has (ternary "IPv6" "IPv4" (contains ":" .)) $families -}}
{{- $chosen = append $chosen . -}}
{{- end -}}
{{- end -}}
{{- toJson $chosen -}}
{{- end -}}

{{/* Whether anything reads metrics from outside of the pod; empty for no. */}}
{{- define "holdfast.hasMetrics" -}}
{{- with .Values.metrics -}}
{{- if or .enabled .scrapeAnnotations .serviceMonitor.enabled .podMonitor.enabled -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether this chart puts addresses on nodes; empty for no. */}}
{{- define "holdfast.setsUpNodes" -}}
{{- if and (eq .Values.mode "linkLocal") (eq .Values.linkLocal.setup "init") -}}true{{- end -}}
{{- end -}}

{{/*
Security of every container that runs `holdfast`. NET_BIND_SERVICE in every mode, also where no low port is used: Node.js carries it
as a file capability in the image, and the kernel refuses to start such a file where the capability is not allowed. Namespaces that
enforce "restricted" accept it.
*/}}
{{- define "holdfast.agentSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
capabilities:
  drop: [ALL]
  add: [NET_BIND_SERVICE]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* ServiceAccounts that agents run as, as a JSON list of `name` and `namespace`. */}}
{{- define "holdfast.subjects" -}}
{{- if eq .Values.mode "sidecar" -}}
{{- toJson .Values.sidecar.serviceAccounts -}}
{{- else -}}
{{- list (dict "name" (include "holdfast.serviceAccountName" .) "namespace" (include "holdfast.namespace" .)) | toJson -}}
{{- end -}}
{{- end -}}
