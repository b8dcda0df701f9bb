#!/usr/bin/env bash
# Checks the element template and the examples with the tools of Camunda Modeler. Needs Node 20 or later and npm.
#
#   scripts/check-template.sh            fails when something is wrong, or a generated file is stale
#   scripts/check-template.sh --update   writes tests/template/applied.json and the examples anew
set -euo pipefail
cd "$(dirname "$0")/../tests/template"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
exec node check.mjs "$@"
