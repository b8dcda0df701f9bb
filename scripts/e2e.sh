#!/usr/bin/env bash
# Runs the end-to-end suite on a real Zeebe, which it starts on free ports and stops again; the tests that restart
# the engine come last.
#
#   e2e.sh                     everything
#   e2e.sh argument ...        arguments go to the suite: part of a test's name, --nocapture ...
#
# Needs what zeebe.sh needs. To keep an engine between runs, start it by hand with the exporter that zeebe.sh's
# head tells of, set E2E_ZEEBE_ADDRESS, E2E_ZEEBE_REST_ADDRESS and
# E2E_ZEEBE_LOG, and run `cargo test --test e2e`.
set -euo pipefail
cd "$(dirname "$0")/.."

# The engine's log is where the suite reads its records: every one, as JSON.
export ZEEBE_BROKER_EXPORTERS_DEBUG_CLASSNAME=io.camunda.zeebe.broker.exporter.debug.DebugLogExporter
export ZEEBE_BROKER_EXPORTERS_DEBUG_ARGS_LOGLEVEL=info

# Everything is built first, so that the engine does not wait beside the compiler.
cargo test --locked --test e2e --no-run

# Most of a test is waiting (for locks, for backoffs), so that more of them than cores run side by side. What is
# ignored then takes the engine away from under the others, so that it runs alone.
scripts/with-zeebe.sh bash -ec '
  export E2E_ZEEBE_ADDRESS=$ZEEBE_ADDRESS E2E_ZEEBE_REST_ADDRESS=$ZEEBE_REST_ADDRESS E2E_ZEEBE_LOG=$ZEEBE_LOG
  cargo test --locked --test e2e -- --test-threads=8 "$@"
  cargo test --locked --test e2e -- --ignored --test-threads=1 "$@"' e2e "$@"
