#!/usr/bin/env bash
# Runs a command beside a real Zeebe, which it starts on free ports and stops again.
#
#   with-zeebe.sh command [argument ...]
#
# The command finds in its environment ZEEBE_ADDRESS (http://127.0.0.1:PORT, gRPC), ZEEBE_REST_ADDRESS and ZEEBE_LOG (the
# engine's log).
# Environment: what zeebe.sh knows, but for ports and ZEEBE_STATE; ZEEBE_FOLDER, where its data go (default: the
# folder for temporary files). An engine that is already there is not touched: not its ports, not its data.
set -euo pipefail
here=$(dirname "$0")
[ $# -gt 0 ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }

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
  printf 'with-zeebe.sh: no free ports for an engine\n' >&2
  exit 1
}

unset ZEEBE_GRPC_PORT ZEEBE_REST_PORT ZEEBE_MANAGEMENT_PORT ZEEBE_COMMAND_PORT ZEEBE_INTERNAL_PORT
ZEEBE_PORT_OFFSET=$(free_offset)
grpc=$((26500 + ZEEBE_PORT_OFFSET))
ZEEBE_STATE=${ZEEBE_FOLDER:-${TMPDIR:-/tmp}}/zeebe-$grpc
export ZEEBE_PORT_OFFSET ZEEBE_STATE
export ZEEBE_ADDRESS=http://127.0.0.1:$grpc ZEEBE_LOG=$ZEEBE_STATE/log
export ZEEBE_REST_ADDRESS=http://127.0.0.1:$((8080 + ZEEBE_PORT_OFFSET))

trap '"$here/zeebe.sh" stop' EXIT
"$here/zeebe.sh" start
"$@"
