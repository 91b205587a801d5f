{{/* The settings that values of this chart make, by their environment variables. None is a secret. */}}
{{- define "cds.environment" -}}
{{- $values := .root.Values -}}
{{- $own := get $values .service -}}
{{- $prefix := printf "CDS_%s" (upper .service) -}}
{{- $redis := printf "%s_CACHE_REDIS" $prefix -}}
{{ $prefix }}_API_HTTP_URL: {{ $values.cds.apiUrl | quote }}
{{ $prefix }}_API_GENERATION: {{ $values.cds.version | quote }}
{{ $redis }}_HOST: {{ $values.redis.host | quote }}
{{ $redis }}_DBINDEX: {{ $values.redis.dbindex | quote }}
{{ $redis }}_KEYPREFIX: {{ $values.redis.keyPrefix | quote }}
{{ $redis }}_ENABLETLS: {{ $values.redis.tls.enabled | quote }}
{{ $redis }}_INSECURESKIPVERIFYTLS: {{ $values.redis.tls.insecureSkipVerify | quote }}
{{- if and $values.redis.tls.enabled $values.redis.tls.secret }}
{{ $redis }}_TLSCACERTFILE: /etc/cds/redis/ca.crt
{{- if $values.redis.tls.clientCertificate }}
{{ $redis }}_TLSCERTFILE: /etc/cds/redis/tls.crt
{{ $redis }}_TLSKEYFILE: /etc/cds/redis/tls.key
{{- end }}
{{- end }}
{{- with $values.redis.tls.serverName }}
{{ $redis }}_TLSSERVERNAME: {{ . | quote }}
{{- end }}
{{ $prefix }}_HTTP_PORT: {{ $own.port | quote }}
{{ $prefix }}_HTTP_STOPDELAY: {{ $values.stopDelay | quote }}
CDS_LOG_LEVEL: {{ $values.logLevel | quote }}
{{- if eq .service "hooks" }}
CDS_HOOKS_URLPUBLIC: {{ $own.urlPublic | quote }}
CDS_HOOKS_HTTP_PUBLICPORT: {{ $own.publicPort | quote }}
CDS_HOOKS_HTTP_TRUSTEDPROXIES: {{ join "," $own.trustedProxies | quote }}
{{- end }}
{{- end -}}
