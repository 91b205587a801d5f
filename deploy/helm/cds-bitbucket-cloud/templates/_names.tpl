{{/* Short enough for what comes behind it: "-hooks-webhooks", and the numbers of pods. */}}
{{- define "cds.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The services that are enabled, of values that make sense. Takes the root. */}}
{{- define "cds.services" -}}
{{- include "cds.validate" . -}}
{{- include "cds.enabled" . -}}
{{- end -}}

{{- define "cds.enabled" -}}
{{- $enabled := list -}}
{{- range list "vcs" "hooks" -}}
{{- if (get $.Values .).enabled -}}{{- $enabled = append $enabled . -}}{{- end -}}
{{- end -}}
{{- join "," $enabled -}}
{{- end -}}

{{/* All below take (dict "root" $ "service" "vcs"). */}}
{{- define "cds.name" -}}
{{- printf "%s-%s" (include "cds.fullname" .root) .service -}}
{{- end -}}

{{- define "cds.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end -}}

{{- define "cds.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: cds
{{ include "cds.selectorLabels" . }}
{{- end -}}
