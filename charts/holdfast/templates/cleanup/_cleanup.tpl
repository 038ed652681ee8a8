{{/* Whether uninstalling takes the addresses off the nodes; empty for no. */}}
{{- define "holdfast.cleansUp" -}}
{{- if and (include "holdfast.setsUpNodes" .) .Values.linkLocal.cleanup.enabled -}}true{{- end -}}
{{- end -}}

{{/* Annotations of a hook after deletion. Takes a dict of `weight` and optionally `policies` besides the usual ones. */}}
{{- define "holdfast.cleanupHook" -}}
helm.sh/hook: post-delete
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded{{ with .policies }},{{ . }}{{ end }}
{{- end -}}
