# Two images from one file, see docs/containers.md:
#   services  the four services, from one image; the command says which
#   tools     the R2 simulator and what fills it, for one machine, never for production

ARG NODE_IMAGE=node:24-trixie-slim
ARG NODE_BUILD_IMAGE=${NODE_IMAGE}

# What packages there are, without the sources: their layers last until a dependency changes.
FROM ${NODE_BUILD_IMAGE} AS manifests
WORKDIR /expunge
COPY package.json package-lock.json .npmrc ./
COPY libs/contracts/package.json libs/contracts/
COPY libs/messaging/package.json libs/messaging/
COPY libs/runtime/package.json libs/runtime/
COPY libs/telemetry/package.json libs/telemetry/
COPY services/api/package.json services/api/
COPY services/deleter/package.json services/deleter/
COPY services/monitor/package.json services/monitor/
COPY services/storage-cleaner/package.json services/storage-cleaner/
COPY tools/cli/package.json tools/cli/
COPY tools/local-stack/package.json tools/local-stack/
COPY test/package.json test/

FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.base.json ./
COPY libs libs
COPY services services
COPY tools tools
RUN node node_modules/typescript/bin/tsc -b services/api services/deleter services/monitor services/storage-cleaner tools/local-stack \
    && mkdir /built \
    && cp --parents -r libs/*/package.json libs/*/dist services/*/package.json services/*/dist tools/*/package.json tools/*/dist /built \
    && find /built -name '*.map' -delete -o -name '*.d.ts' -delete -o -name '*.tsbuildinfo' -delete

FROM manifests AS packages-of-services
RUN npm ci --ignore-scripts --omit=dev \
    -w services/api -w services/deleter -w services/monitor -w services/storage-cleaner \
    && rm -rf node_modules/@expunge/test node_modules/@expunge/local-stack node_modules/@expunge/cli test tools

FROM manifests AS packages-of-tools
# The embedded engine stays out: it belongs into no image (docs/adr/0010-local-stack.md).
RUN npm ci --ignore-scripts --omit=dev -w tools/cli -w tools/local-stack \
    && rm -rf node_modules/@0q test services

FROM ${NODE_IMAGE} AS tools
ENV NODE_ENV=production HOME=/tmp CI=true
WORKDIR /expunge
COPY --from=packages-of-tools /expunge ./
COPY --from=build /built/tools tools
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
VOLUME /data
ENTRYPOINT ["node"]
CMD ["tools/local-stack/dist/object-store/serve.js"]

FROM ${NODE_IMAGE} AS services
# The options keep a service's memory under 200 MB, as package.json's start scripts do.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 INTERNAL_PORT=3001 \
    NODE_OPTIONS="--max-semi-space-size=8 --max-old-space-size=512"
WORKDIR /expunge
COPY --from=packages-of-services /expunge ./
COPY --from=build /built/libs libs
COPY --from=build /built/services services
USER 10001:10001
# The second has health and metrics: for orchestrator and Prometheus, not for users.
EXPOSE 3000 3001
# Alive, not ready: who restarts what is unhealthy must not do so because a store is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "libs/runtime/dist/probe.js", "live"]
# Node is the first process and gets the signals itself.
ENTRYPOINT ["node"]
CMD ["services/api/dist/main.js"]
