{{/*
What a schema cannot say, or not in words that help. All that is wrong is said at once.
*/}}
{{- define "cds.validate" -}}
{{- $problems := list -}}
{{- if not .Values.cds.version -}}
{{- $problems = append $problems "cds.version: say which version of CDS this is for: 0.41, or 0.57" -}}
{{- end -}}
{{- if not .Values.cds.apiUrl -}}
{{- $problems = append $problems "cds.apiUrl: say how pods reach the CDS API: http://cds-api.cds.svc:8081" -}}
{{- end -}}
{{- if not .Values.redis.host -}}
{{- $problems = append $problems "redis.host: say where Redis is: redis.cds.svc:6379" -}}
{{- end -}}
{{- if and .Values.redis.tls.clientCertificate (not .Values.redis.tls.secret) -}}
{{- $problems = append $problems "redis.tls.secret: name the Secret with the client certificate" -}}
{{- end -}}
{{- if and (or .Values.redis.tls.secret .Values.redis.tls.serverName) (not .Values.redis.tls.enabled) -}}
{{- $problems = append $problems "redis.tls.enabled: is false, so redis.tls.secret and redis.tls.serverName have no use" -}}
{{- end -}}
{{- if not .Values.image.repository -}}
{{- $problems = append $problems "image.repository: name the images, without -vcs and -hooks: ghcr.io/OWNER/cds-bitbucket-cloud" -}}
{{- end -}}
{{- if not (include "cds.enabled" .) -}}
{{- $problems = append $problems "vcs.enabled, hooks.enabled: both are false, so there is nothing to install" -}}
{{- end -}}
{{- $takesConsumers := semverCompare ">=0.44.0-0" (default "0.57" .Values.cds.version) -}}
{{- range $service := splitList "," (include "cds.enabled" .) | compact -}}
{{- $own := get $.Values $service -}}
{{- $secrets := len $own.consumerSecrets -}}
{{- if not $own.existingSecret -}}
{{- $keys := printf "CDS_%s_API_TOKEN and CDS_%s_WEBHOOKKEY" (upper $service) (upper $service) -}}
{{- if $secrets -}}{{- $keys = printf "CDS_%s_WEBHOOKKEY" (upper $service) -}}{{- end -}}
{{- $problems = append $problems (printf "%s.existingSecret: name the Secret with %s" $service $keys) -}}
{{- end -}}
{{- if and $own.name (gt (int $own.replicas) 1) -}}
{{- $problems = append $problems (printf "%s.name: %d replicas cannot have one name in CDS: leave it empty" $service (int $own.replicas)) -}}
{{- end -}}
{{- if and $own.name $secrets -}}
{{- $problems = append $problems (printf "%s.name: the files of consumerSecrets hold the names: leave it empty" $service) -}}
{{- end -}}
{{- if and $secrets (not $takesConsumers) -}}
{{- $problems = append $problems (printf "%s.consumerSecrets: CDS 0.43 and earlier have no consumers: remove it; all replicas have the token of existingSecret" $service) -}}
{{- else if and $secrets (ne $secrets (int $own.replicas)) -}}
{{- $problems = append $problems (printf "%s.consumerSecrets: there are %d for %d replicas: name one for each" $service $secrets (int $own.replicas)) -}}
{{- else if ne (len (uniq $own.consumerSecrets)) $secrets -}}
{{- $problems = append $problems (printf "%s.consumerSecrets: two replicas have the same one, and would overwrite each other in CDS" $service) -}}
{{- else if and $takesConsumers (gt (int $own.replicas) 1) (not $secrets) -}}
{{- $problems = append $problems (printf "%s.replicas: from CDS 0.44 on each replica needs a consumer of its own: name %d Secrets in %s.consumerSecrets" $service (int $own.replicas) $service) -}}
{{- end -}}
{{- $set := include "cds.environment" (dict "root" $ "service" $service) | fromYaml | keys -}}
{{- $set = append (append $set (printf "CDS_%s_NAME" (upper $service))) (printf "CDS_%s_URL" (upper $service)) -}}
{{- range $name, $_ := $own.env -}}
{{- if has $name $set -}}
{{- $problems = append $problems (printf "%s.env: %s comes from another value of this chart: see its README" $service $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.hooks.enabled -}}
{{- if not .Values.hooks.urlPublic -}}
{{- $problems = append $problems "hooks.urlPublic: say how Bitbucket reaches hooks: https://hooks.example.com" -}}
{{- end -}}
{{- if eq (int .Values.hooks.publicPort) (int .Values.hooks.port) -}}
{{- $problems = append $problems "hooks.publicPort: is hooks.port: take another one, or 0 for none" -}}
{{- end -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}
{{- if not .Values.hooks.enabled -}}
{{- $problems = append $problems "ingress.enabled: leads to hooks, which hooks.enabled switches off" -}}
{{- else if .Values.hooks.urlPublic -}}
{{- $url := urlParse .Values.hooks.urlPublic -}}
{{- if trimAll "/" $url.path -}}
{{- $problems = append $problems (printf "hooks.urlPublic: the ingress of this chart changes no path: remove %s" $url.path) -}}
{{- end -}}
{{- if contains ":" $url.host -}}
{{- $problems = append $problems (printf "hooks.urlPublic: an ingress has no port of its own: remove it from %s" $url.host) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.networkPolicy.enabled -}}
{{- if not .Values.networkPolicy.api -}}
{{- $problems = append $problems "networkPolicy.api: name the pods of the CDS API, which else cannot call vcs and hooks" -}}
{{- end -}}
{{- if and .Values.hooks.enabled (not .Values.networkPolicy.ingress) -}}
{{- $problems = append $problems "networkPolicy.ingress: name the ingress controller, whose deliveries are else refused" -}}
{{- end -}}
{{- if and .Values.monitoring.serviceMonitor.enabled (not .Values.networkPolicy.monitoring) -}}
{{- $problems = append $problems "networkPolicy.monitoring: name Prometheus, which else reads no metrics" -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\n  - %s\n" (join "\n  - " $problems)) -}}
{{- end -}}
{{- end -}}
