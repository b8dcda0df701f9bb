#!/usr/bin/env bash
# Two workers between a real Zeebe and an org, toxiproxy on both wires; workers killed and terminated, tokens revoked.
# Settles the account afterwards. Exit code 1: the goal is missed, and it says how.
#
#   chaos.sh [SECONDS [SEED]] [option ...]   60 seconds by default; options of `salesforce-connector-bench chaos --help`,
#                                            such as --upsert
#
# Needs what zeebe.sh needs, and Go, which builds toxiproxy once. Environment, optional:
#   TOXIPROXY         a toxiproxy-server that is there already
#   TOXIPROXY_CACHE   ${XDG_CACHE_HOME:-~/.cache}/toxiproxy; where it is built
set -euo pipefail
cd "$(dirname "$0")/.."

version=v2.12.0
cache=${TOXIPROXY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/toxiproxy}/$version
if [ -z "${TOXIPROXY:-}" ]; then
  TOXIPROXY=$cache/server
  if [ ! -x "$TOXIPROXY" ]; then
    command -v go >/dev/null || { printf 'chaos.sh: go not found (Debian: apt-get install golang)\n' >&2; exit 1; }
    mkdir -p "$cache"
    GOBIN=$cache go install "github.com/Shopify/toxiproxy/v2/cmd/server@$version"
  fi
fi
export TOXIPROXY

. scripts/bench-programs.sh
# The engine's log is where the account reads of jobs and incidents: every record, as JSON.
export ZEEBE_BROKER_EXPORTERS_DEBUG_CLASSNAME=io.camunda.zeebe.broker.exporter.debug.DebugLogExporter
export ZEEBE_BROKER_EXPORTERS_DEBUG_ARGS_LOGLEVEL=info
scripts/with-zeebe.sh "$programs/salesforce-connector-bench" chaos \
  --program "$programs/salesforce-connector" "$@"
