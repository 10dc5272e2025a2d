#!/bin/sh
# Makes every image that docker-compose.yml and the tests ask a registry for out of Debian's and npm's packages, where
# there is no registry: `sh test/containers/images/build.sh`. Root, a Docker engine, debootstrap and npm are needed.
# docs/containers.md says what each stands in for.
set -eu
cd "$(dirname "$0")"
# BuildKit is not everywhere; these files need nothing of it.
export DOCKER_BUILDKIT=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() {
  docker image inspect "$1" >/dev/null 2>&1
}

# Its first layer, from the mirror this machine's own packages come from.
if ! has expunge-test/debian:trixie; then
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
  debootstrap --variant=minbase trixie "$work/debian" "$mirror" >"$work/log" || { tail "$work/log"; exit 1; }
  rm -rf "$work"/debian/var/cache/apt/archives/*.deb "$work"/debian/var/lib/apt/lists/*
  tar -C "$work/debian" -c . | docker import - expunge-test/debian:trixie >/dev/null
fi

# Node and npm as npm's packages have them, and what this machine's npm knows of where to find packages and whom to trust.
if ! has expunge-test/node:24 || ! has expunge-test/node-build:24; then
  mkdir "$work/node"
  (cd "$work/node" && npm init -y >/dev/null && npm install --no-fund --no-audit --loglevel=error "node-linux-$(node -p process.arch)@24" npm@11)
  cp "$(cd / && npm config get userconfig)" "$work/node/npmrc" 2>/dev/null || : >"$work/node/npmrc"
  cp "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$work/node/certificates.pem"
  cp node.Dockerfile "$work/node/Dockerfile"
  docker build --network=host -q -t expunge-test/node:24 --target runtime "$work/node"
  docker build --network=host -q -t expunge-test/node-build:24 --target build "$work/node"
fi

docker build --network=host -q -t expunge-test/rabbitmq:4-management -f rabbitmq.Dockerfile .
mkdir "$work/mongodb"
cp mongodb.Dockerfile listen-on-tcp.ts ../../../tools/local-stack/src/mongodb/host.ts "$work/mongodb"
docker build --network=host -q -t expunge-test/mongodb:engine -f "$work/mongodb/mongodb.Dockerfile" "$work/mongodb"
docker build --network=host -q -t expunge-test/otlp:latest -f otlp.Dockerfile .
