{{/* The Service of the agents as the test finds it: its fixed address, else the variable that a pod of its namespace has of it. */}}
{{- define "holdfast.testedServer" -}}
{{- if .Values.service.clusterIP -}}
{{- include "holdfast.socketAddress" (list .Values.service.clusterIP 53) -}}
{{- else -}}
{{- $variable := printf "%s_SERVICE_HOST" (include "holdfast.fullname" . | upper | replace "-" "_" | replace "." "_") -}}
{{- include "holdfast.variableSocketAddress" (dict "root" . "variable" $variable "port" 53) -}}
{{- end -}}
{{- end -}}
