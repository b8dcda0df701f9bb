#!/usr/bin/env bash
# Random faults on both wires between the doubles, and an exact account. Exit code 1: it is not settled.
#
#   soak.sh [MINUTES] [option ...]   10 minutes by default; options of `salesforce-connector-bench soak --help`
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/bench-programs.sh
exec "$programs/salesforce-connector-bench" soak --program "$programs/salesforce-connector" "$@"
