{{/* Nameservers that a pod gets for `role: primary`, before its own, as a JSON list. */}}
{{- define "holdfast.primaryNameservers" -}}
{{- append (include "holdfast.injectedAddresses" . | fromJsonArray) .Values.clusterDNS.address | uniq | toJson -}}
{{- end -}}

{{/* Options that a pod gets where it does not set them itself, as a JSON list of `name` and `value`. */}}
{{- define "holdfast.injectedOptions" -}}
{{- $options := list -}}
{{- if eq .Values.role "primary" -}}
{{- $options = append $options (dict "name" "ndots" "value" "5") -}}
{{- end -}}
{{- range $name := list "timeout" "attempts" -}}
{{- $options = append $options (dict "name" $name "value" (get $.Values.injection.options $name | toString)) -}}
{{- end -}}
{{- toJson $options -}}
{{- end -}}

{{- define "holdfast.excludedNamespaces" -}}
{{- append .Values.injection.excludeNamespaces (include "holdfast.namespace" .) | uniq | toJson -}}
{{- end -}}

{{/* How many nameservers of its own a pod may have: three are allowed, the cluster's DNS is one, the agent's addresses are the others. */}}
{{- define "holdfast.roomForNameservers" -}}
{{- sub 2 (include "holdfast.injectedAddresses" . | fromJsonArray | len) -}}
{{- end -}}

{{/* How long a pod's own search domains may be, with `role: primary`, so that three more fit into 2048 characters. */}}
{{- define "holdfast.roomForSearches" -}}
{{- sub 1970 (mul 3 (len .Values.clusterDomain)) -}}
{{- end -}}
