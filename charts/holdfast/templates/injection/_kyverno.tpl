{{/*
JMESPath expressions by name, as JSON: what the pod has, and what it gets. They are variables, because elsewhere Kyverno takes only
expressions that begin with one. An empty list counts as false, so `own || ours` is ours where the pod sets nothing.
*/}}
{{- define "holdfast.kyvernoVariables" -}}
{{- $config := "request.object.spec.dnsConfig" -}}
{{- $ownOptions := printf "(%s.options || `[]`)" $config -}}
{{- $ownNameservers := printf "(%s.nameservers || `[]`)" $config -}}
{{- $ownSearches := printf "(%s.searches || `[]`)" $config -}}
{{- $others := list -}}
{{- $set := list -}}
{{- range $option := include "holdfast.injectedOptions" . | fromJsonArray -}}
{{- $others = append $others (printf "name != '%s'" $option.name) -}}
{{- $set = append $set (printf "%s[?name == '%s'] || `%s`" $ownOptions $option.name (list $option | toJson)) -}}
{{- end -}}
{{- $options := printf "[%s[?%s], %s][]" $ownOptions (join " && " $others) (join ", " $set) -}}
{{- $variables := dict "options" $options "ownNameservers" $ownNameservers "ownSearches" $ownSearches -}}
{{- if eq .Values.role "primary" -}}
{{- $ours := include "holdfast.primaryNameservers" . -}}
{{- $domain := .Values.clusterDomain -}}
{{- $own := printf "join('', [request.namespace, '.svc.%s'])" $domain -}}
{{- $others := printf "%s[?@ != 'svc.%s' && @ != '%s']" $ownSearches $domain $domain -}}
{{- $_ := set $variables "nameservers" (printf "[`%s`, %s[?!contains(`%s`, @)]][]" $ours $ownNameservers $ours) -}}
{{- $_ := set $variables "searches" (printf "[%s, 'svc.%s', '%s', %s][]" $own $domain $domain $others) -}}
{{- else -}}
{{- $_ := set $variables "nameservers" (printf "[%s, `%s`][]" $ownNameservers (include "holdfast.injectedAddresses" .)) -}}
{{- end -}}
{{- toJson $variables -}}
{{- end -}}
