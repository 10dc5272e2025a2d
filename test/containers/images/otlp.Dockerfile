# Stands in for Jaeger, as far as a receiver of spans goes: it keeps them and shows them at port 16686.
FROM expunge-test/node-build:24 AS packages
WORKDIR /otlp
RUN echo '{"private": true, "type": "module"}' >package.json \
    && npm install --no-fund --no-audit --ignore-scripts @elastic/mockotlpserver@0.10

FROM expunge-test/node:24
WORKDIR /otlp
COPY --from=packages /otlp ./
COPY otlp-host.ts ./
USER 10001:10001
EXPOSE 4318 16686
ENTRYPOINT ["node", "otlp-host.ts"]
