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

# Everything is built first, so that the engine does not wait beside the compiler.
cargo test --locked --test e2e --no-run

# Most of a test is waiting (for locks, for backoffs), so that more of them than cores run side by side.
scripts/with-zeebe.sh bash -c 'export E2E_ZEEBE_ADDRESS=$ZEEBE_ADDRESS E2E_ZEEBE_LOG=$ZEEBE_LOG; exec "$@"' e2e \
  cargo test --locked --test e2e -- --test-threads=8 "$@"
