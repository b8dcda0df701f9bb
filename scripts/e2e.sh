#!/usr/bin/env bash
# Runs what needs a real Zeebe, which it starts on free ports and stops again: the end-to-end suite, then the
# engine's tests of the wing `zeebe`.
#
#   e2e.sh                     everything
#   e2e.sh argument ...        only the suite; arguments go to it: part of a test's name, --nocapture ...
#
# Needs what zeebe.sh needs. To keep an engine between runs, start it by hand with the exporter that zeebe.sh's
# head tells of, set E2E_ZEEBE_ADDRESS and E2E_ZEEBE_LOG, and run `cargo test --test e2e`.
set -euo pipefail
cd "$(dirname "$0")/.."

# The engine's log is where the suite reads its records: every one, as JSON.
export ZEEBE_BROKER_EXPORTERS_DEBUG_CLASSNAME=io.camunda.zeebe.broker.exporter.debug.DebugLogExporter
export ZEEBE_BROKER_EXPORTERS_DEBUG_ARGS_LOGLEVEL=info

# Prints an offset at which all of the engine's ports are free; they stay below the ephemeral ones.
free_offset() {
  local offset port
  for _ in $(seq 50); do
    offset=$((100 + RANDOM % 4900))
    for port in 26500 26501 26502 8080 9600; do
      if (exec 3<>"/dev/tcp/127.0.0.1/$((port + offset))") 2>/dev/null; then continue 2; fi
    done
    printf '%s\n' "$offset"
    return
  done
  printf 'e2e.sh: no free ports for an engine\n' >&2
  exit 1
}

# Everything is built first, so that the engine does not wait beside the compiler.
cargo test --locked --test e2e --no-run

# An engine that is already there is not touched: not its ports, not its data.
unset ZEEBE_GRPC_PORT ZEEBE_REST_PORT ZEEBE_MANAGEMENT_PORT ZEEBE_COMMAND_PORT ZEEBE_INTERNAL_PORT
ZEEBE_PORT_OFFSET=$(free_offset)
grpc=$((26500 + ZEEBE_PORT_OFFSET))
ZEEBE_STATE=${TMPDIR:-/tmp}/zeebe-$grpc
export ZEEBE_PORT_OFFSET ZEEBE_STATE
export E2E_ZEEBE_ADDRESS=http://127.0.0.1:$grpc E2E_ZEEBE_LOG=$ZEEBE_STATE/log

trap 'scripts/zeebe.sh stop' EXIT
scripts/zeebe.sh start
# Most of a test is waiting (for locks, for backoffs), so that more of them than cores run side by side.
cargo test --locked --test e2e -- --test-threads=8 "$@"
