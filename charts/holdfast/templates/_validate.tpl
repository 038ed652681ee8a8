{{/* Values that contradict each other, in the words of whoever set them. What a single value may be is in values.schema.json. */}}
{{- define "holdfast.validate" -}}
{{- $v := .Values -}}
{{- $isInjecting := and (ne $v.mode "sidecar") (ne $v.injection.policy "none") -}}

{{- if and (eq $v.role "primary") (empty $v.clusterDNS.address) -}}
{{- fail "clusterDNS.address is empty, and role=primary needs it: pods then get their nameservers from the chart. Accepted is the ClusterIP of the cluster's DNS, such as 10.96.0.10" -}}
{{- end -}}

{{- if and (eq $v.mode "linkLocal") (empty $v.linkLocal.ipv4) (empty $v.linkLocal.ipv6) -}}
{{- fail "linkLocal.ipv4 and linkLocal.ipv6 are both empty, and mode=linkLocal needs one of them" -}}
{{- end -}}

{{- if and (eq $v.mode "service") $isInjecting (empty $v.service.clusterIP) -}}
{{- fail (printf "service.clusterIP is empty, and injection.policy=%s with mode=service needs it: it is the nameserver that pods get. Accepted is a free address of the cluster's Service range; or set injection.policy=none" $v.injection.policy) -}}
{{- end -}}

{{- if and $v.service.clusterIPs (ne (first $v.service.clusterIPs) $v.service.clusterIP) -}}
{{- fail (printf "service.clusterIPs begins with %q, and service.clusterIP is %q: the first of clusterIPs must be clusterIP" (first $v.service.clusterIPs) $v.service.clusterIP) -}}
{{- end -}}

{{- if and (eq $v.mode "service") (hasPrefix "PreferSame" $v.service.trafficDistribution) (semverCompare "<1.34.0-0" .Capabilities.KubeVersion.Version) -}}
{{- fail (printf "service.trafficDistribution=%s needs Kubernetes 1.34, and this is %s: take PreferClose, or empty for any agent" $v.service.trafficDistribution .Capabilities.KubeVersion.Version) -}}
{{- end -}}

{{- if and $isInjecting (empty (include "holdfast.injectedAddresses" . | fromJsonArray)) -}}
{{- fail (printf "injection.ipFamilies is %s, and no address of mode=%s is of these families (%s)" (toJson $v.injection.ipFamilies) $v.mode (include "holdfast.addresses" .)) -}}
{{- end -}}

{{- if and $isInjecting (eq $v.injection.policy "mutatingAdmissionPolicy") (semverCompare "<1.36.0-0" .Capabilities.KubeVersion.Version) -}}
{{- fail (printf "injection.policy=mutatingAdmissionPolicy needs Kubernetes 1.36, and this is %s: take injection.policy=kyverno, or injection.policy=none and `holdfast inject` on manifests (without a cluster, `helm template` takes its version from --kube-version)" .Capabilities.KubeVersion.Version) -}}
{{- end -}}

{{- if and (eq $v.mode "sidecar") (empty $v.sidecar.serviceAccounts) -}}
{{- fail "sidecar.serviceAccounts is empty, and mode=sidecar is there for nothing else: accepted is a list of {namespace, name}" -}}
{{- end -}}

{{- if and $v.networkPolicy.enabled (ne $v.mode "service") -}}
{{- fail (printf "networkPolicy.enabled needs mode=service: NetworkPolicies do not hold for the host network, nor for the pods of others (mode is %s)" $v.mode) -}}
{{- end -}}

{{- if eq $v.mode "sidecar" -}}
{{- range $name, $isOn := dict "canary.enabled" $v.canary.enabled "metrics.serviceMonitor.enabled" $v.metrics.serviceMonitor.enabled "metrics.podMonitor.enabled" $v.metrics.podMonitor.enabled "verticalPodAutoscaler.enabled" $v.verticalPodAutoscaler.enabled -}}
{{- if $isOn -}}
{{- fail (printf "%s needs mode=linkLocal or mode=service: with mode=sidecar no agent runs on nodes" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if and $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled -}}
{{- fail "metrics.serviceMonitor.enabled and metrics.podMonitor.enabled are both on: every agent would be read twice, take one of them" -}}
{{- end -}}

{{- if and $v.canary.enabled (empty $v.canary.nodeSelector) -}}
{{- fail "canary.nodeSelector is empty, and canary.enabled needs it: accepted are labels of the nodes that get the canary" -}}
{{- end -}}

{{- if and $v.canary.enabled (empty $v.canary.image.tag) (empty $v.canary.image.digest) -}}
{{- fail "canary.image.tag and canary.image.digest are both empty, and canary.enabled needs one of them" -}}
{{- end -}}

{{- if and $v.breakGlass.enabled (empty $v.breakGlass.users) (empty $v.breakGlass.groups) -}}
{{- fail "breakGlass.users and breakGlass.groups are both empty, and breakGlass.enabled needs somebody to let in" -}}
{{- end -}}
{{- end -}}
