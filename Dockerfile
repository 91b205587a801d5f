# An image for each app, by its target: vcs, hooks, sandbox or engine. npx nx run APP:image builds one.
ARG NODE_IMAGE=node:24.19.0-bookworm-slim

# Of the platform that the image is for. Nothing of it runs while the image is built, so no emulation is needed.
FROM ${NODE_IMAGE} AS base

# A bundle is the same for every platform: all are made on that of the builder.
FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS build
WORKDIR /src
COPY --from=base / /base/
COPY tools/build/reduce-base.sh tools/build/
RUN tools/build/reduce-base.sh /base
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
ARG GIT_COMMIT=unknown
ARG BUILD_TIME
ENV BUILD_TIME=${BUILD_TIME} GIT_COMMIT=${GIT_COMMIT} NX_DAEMON=false
RUN npx nx run-many -t build --projects=vcs,hooks,engine,sandbox

# From nothing: what was taken out of the base is in no layer.
FROM scratch AS runtime
ARG NODE_IMAGE
ARG VERSION=unknown
ARG GIT_COMMIT=unknown
ARG BUILD_TIME=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${GIT_COMMIT}" \
      org.opencontainers.image.created="${BUILD_TIME}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${NODE_IMAGE}"
# Services write there where they listen, for the health check: of memory alone, and there by default.
ENV HEALTH_FOLDER=/dev/shm
ENV NODE_ENV=production PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --from=build /base/ /
WORKDIR /app
USER node
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "main.js"]
# Health is asked by bash, since a start of Node.js costs more than the service does meanwhile.

# The vcs service alone.
# Configuration: the environment (CDS_VCS_…), a mounted file with: --config /etc/cds/vcs.toml,
# or Vault and Consul with their options
FROM runtime AS vcs
LABEL org.opencontainers.image.title="cds-bitbucket-cloud-vcs" \
      org.opencontainers.image.description="The vcs service of CDS for Bitbucket Cloud"
COPY --from=build /src/dist/apps/vcs ./
EXPOSE 8084
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["bash", "-c", "at=127.0.0.1/${CDS_VCS_HTTP_PORT:-8084}; read -r at 2>/dev/null <$HEALTH_FOLDER/cds-vcs; exec 3<>/dev/tcp/$at && printf 'GET /mon/version HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ code _ <&3 && [ \"$code\" = 200 ] || exit 1"]

# The hooks service alone.
# Configuration: the environment (CDS_HOOKS_…), a mounted file with: --config /etc/cds/hooks.toml,
# or Vault and Consul with their options
FROM runtime AS hooks
LABEL org.opencontainers.image.title="cds-bitbucket-cloud-hooks" \
      org.opencontainers.image.description="The hooks service of CDS for Bitbucket Cloud"
COPY --from=build /src/dist/apps/hooks ./
# 8086 is for CDS_HOOKS_HTTP_PUBLICPORT, where webhooks have a port of their own.
EXPOSE 8083 8086
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["bash", "-c", "at=127.0.0.1/${CDS_HOOKS_HTTP_PORT:-8083}; read -r at 2>/dev/null <$HEALTH_FOLDER/cds-hooks; exec 3<>/dev/tcp/$at && printf 'GET /mon/version HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ code _ <&3 && [ \"$code\" = 200 ] || exit 1"]

# Stand-ins of Bitbucket Cloud and of the CDS API.
FROM runtime AS sandbox
LABEL org.opencontainers.image.title="cds-bitbucket-cloud-sandbox" \
      org.opencontainers.image.description="Stand-ins of Bitbucket Cloud and of the CDS API, for trying the vcs and hooks services"
COPY --from=build /src/dist/tools/sandbox ./
EXPOSE 4200 8081 8090
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /mon/version HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ code _ <&3 && [ \"$code\" = 200 ] || exit 1"]

# The engine command with both services in it.
FROM runtime AS engine
LABEL org.opencontainers.image.title="cds-bitbucket-cloud-engine" \
      org.opencontainers.image.description="The engine command of CDS with the vcs and hooks services for Bitbucket Cloud"
COPY --from=build /src/dist/apps/engine ./
# 8086 is for CDS_HOOKS_HTTP_PUBLICPORT, where webhooks have a port of their own.
EXPOSE 8083 8084 8086
# Healthy while every service that began to listen answers, or those of ENGINE_HEALTH_PORTS.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["bash", "-c", "for port in ${ENGINE_HEALTH_PORTS//,/ }; do all+=\" 127.0.0.1/$port\"; done; [ \"$all\" ] || for file in $HEALTH_FOLDER/cds-*; do read -r at 2>/dev/null <$file && all+=\" $at\"; done; for at in ${all:-127.0.0.1/8083 127.0.0.1/8084}; do exec 3<>/dev/tcp/$at && printf 'GET /mon/version HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ code _ <&3 && [ \"$code\" = 200 ] || exit 1; done"]
CMD ["start", "vcs", "hooks"]
