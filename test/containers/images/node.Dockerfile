# Stands in for node:24-trixie-slim.
FROM expunge-test/debian:trixie AS runtime
COPY node_modules/node-linux-*/bin/node /usr/local/bin/node

FROM runtime AS build
COPY node_modules/npm /usr/local/lib/node_modules/npm
# Where this machine finds npm's packages; in no image that runs.
COPY npmrc /root/.npmrc
COPY certificates.pem /etc/certificates.pem
ENV NODE_EXTRA_CA_CERTS=/etc/certificates.pem
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
