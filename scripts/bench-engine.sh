#!/usr/bin/env bash
# Measures the worker on a real Zeebe, beside an empty worker and a bare loop; prints a table in Markdown.
#
#   bench-engine.sh                everything: about 25 minutes
#   bench-engine.sh --quick        one round of small counts, on a cold engine: a look, not a measurement
#   bench-engine.sh [option ...]   options of `salesforce-connector-bench engine --help`, such as --only '50 ms'
#
# Needs what zeebe.sh needs. The engine's data are in memory and its heap is 1 GiB. Let nothing else run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."

options=("$@")
if [ "${1:-}" = --quick ]; then
  options=(--rounds 1 --warm-up 1000 --backlog 400 --steady 200 --seconds 3 "${@:2}")
fi
. scripts/bench-programs.sh
export ZEEBE_JAVA_OPTS=${ZEEBE_JAVA_OPTS:--Xms1g -Xmx1g}
[ ! -d /dev/shm ] || export ZEEBE_FOLDER=${ZEEBE_FOLDER:-/dev/shm}
scripts/with-zeebe.sh "$programs/salesforce-connector-bench" engine \
  --program "$programs/salesforce-connector" "${options[@]}"
