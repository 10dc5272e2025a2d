#!/bin/sh
# Brings a fresh clone to where everything runs: packages (with their own Node) and the build.
set -e
cd "$(dirname "$0")/.."
# One at a time a clone: npm ci empties node_modules first. The kernel frees the lock of whoever dies.
mkdir -p .local
exec 9>.local/setup.lock
if command -v flock >/dev/null; then flock 9; fi
if ! cmp -s package-lock.json node_modules/.expunge-lock; then
  echo "expunge: installing packages (npm ci)"
  npm ci --no-fund --no-audit --loglevel=error
  cp package-lock.json node_modules/.expunge-lock
fi
PATH="$PWD/node_modules/.bin:$PATH" tsc -b
