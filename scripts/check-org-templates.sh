#!/usr/bin/env bash
# Makes templates from the descriptions of real orgs with the program itself, and checks them with the tools of Camunda Modeler:
# the validator, the engine that applies templates, and the properties panel in a browser. Needs Rust, Node 20 or later, npm and
# Chromium.
#
#   scripts/check-org-templates.sh            fails when something is wrong, or a generated file is stale
#   scripts/check-org-templates.sh --update   writes tests/template/org-tasks.json anew
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --locked
cd tests/template
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
node org.mjs "$@"
cd panel
[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
exec node org.mjs
