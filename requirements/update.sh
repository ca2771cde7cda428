#!/usr/bin/env bash
# Pin all dependencies anew, with hashes, for every Python and system that opsync runs on.
# Usage: requirements/update.sh [--upgrade]      needs uv (pip install uv)
set -euo pipefail
cd "$(dirname "$0")/.."

pin() { # pin OUTPUT SOURCE [OPTION...]
  local output=$1
  shift
  # --no-config and --no-emit-*: where packages come from is each machine's own matter.
  uv pip compile --quiet --no-config --universal --python-version 3.11 \
    --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
    --output-file "requirements/$output" "$@"
}

pin runtime.txt pyproject.toml "$@"
# The others take over the runtime's pins, so that what is tested and built is what is shipped.
pin dev.txt pyproject.toml --group dev --constraint requirements/runtime.txt "$@"
pin build.txt --group build --constraint requirements/dev.txt "$@"
