#!/usr/bin/env bash
# Shows the admin page to a real browser and checks what is on it: that of the demo, where all is well, and that of a
# worker whose org is over its limit, in light and in dark; needs Chromium and Python.
#
# usage: scripts/check-admin.sh [SCREENSHOT]    (PNG; default: temporary files that are removed)
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
shot=${1:-$work/page.png}
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

cargo build --quiet --locked
connector=${CARGO_TARGET_DIR:-target}/debug/salesforce-connector

# Prints what the pattern finds in a file, once it is there.
found() {
  local text
  for _ in $(seq 300); do
    text=$(sed -n "s#.*$2.*#\1#p" "$1" 2>/dev/null | head -n 1)
    if [ -n "$text" ]; then printf '%s\n' "$text"; return; fi
    sleep 0.1
  done
  printf 'not in %s: %s\n' "$1" "$2" >&2
  cat "$work"/*.log >&2
  return 1
}

browse() {
  timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
    --user-data-dir="$work/profile" --virtual-time-budget=2000 "$@" 2>>"$work/browser.log"
}

# Looks at a page: its DOM into a file, and pictures of a width in light and dark.
look() {
  local url=$1 name=$2 size
  browse --dump-dom "$url" >"$work/$name"
  browse --window-size=1280,1100 --screenshot="${shot%.png}$3.png" "$url" >/dev/null
  browse --window-size=1280,1100 --blink-settings=preferredColorScheme=0 --screenshot="${shot%.png}$3-dark.png" "$url" >/dev/null
  browse --window-size=500,1600 --screenshot="${shot%.png}$3-narrow.png" "$url" >/dev/null
  if grep -qiE 'dev-secret|a-token|<script|style="' "$work/$name"; then
    echo 'the page shows a secret, or has a script or a style that its policy forbids' >&2
    exit 1
  fi
  for size in "" -dark -narrow; do
    [ "$(stat -c %s "${shot%.png}$3$size.png")" -gt 10000 ] || { echo 'a screenshot is empty' >&2; exit 1; }
  done
  if cmp -s "${shot%.png}$3.png" "${shot%.png}$3-dark.png"; then
    echo 'the page has no dark side' >&2
    exit 1
  fi
}

expect() {
  grep -qF -- "$2" "$work/$1" || { printf 'the page lacks: %s\n' "$2" >&2; cat "$work/$1" >&2; exit 1; }
}

# --- All is well ------------------------------------------------------------------------------------

"$connector" demo --serve >"$work/story" 2>"$work/demo.log" &
pids+=($!)
look "$(found "$work/story" 'shows itself at \(http://[0-9.:]*/\)')" well ''
expect well '>Ready<'
expect well '<strong>demo</strong>'
expect well '<meter '
expect well 'go through'
expect well '>incident<'
expect well '>BPMN error<'
expect well '<code>REQUIRED_FIELD_MISSING</code>'

# --- An org over its limit, and a job that says nothing ----------------------------------------------

cat >"$work/limited.py" <<'PYTHON'
import http.server

class Limited(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]'
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Sforce-Limit-Info", "api-usage=14998/15000")
        self.end_headers()
        self.wfile.write(body)

server = http.server.HTTPServer(("127.0.0.1", 0), Limited)
print(f"listens on http://127.0.0.1:{server.server_port}.", flush=True)
server.serve_forever()
PYTHON
python3 "$work/limited.py" >"$work/limited" 2>"$work/limited.log" &
pids+=($!)
"$connector" dev-gateway --listen 127.0.0.1:0 --jobs-api 127.0.0.1:0 >"$work/gateway" 2>"$work/gateway.log" &
pids+=($!)
jobs=$(found "$work/gateway" 'jobs API *\(http://[0-9.:]*[0-9]\)')
set_up="SALESFORCE_CONNECTOR_CONNECTIONS__PRODUCTION"
env CAMUNDA_GRPC_ADDRESS="$(found "$work/gateway" 'address *\(http://[0-9.:]*\)')" \
  SALESFORCE_CONNECTOR_ADMIN__LISTEN=127.0.0.1:0 \
  SALESFORCE_CONNECTOR_HOSTS__ALLOW_HTTP=true SALESFORCE_CONNECTOR_HOSTS__ALLOW_LOOPBACK=true \
  "${set_up}__BASE_URL=$(found "$work/limited" 'listens on \(http://[0-9.:]*\)\.')" \
  "${set_up}__AUTHENTICATION__TYPE=bearer" "${set_up}__AUTHENTICATION__TOKEN=a-token-of-somebody" \
  NO_COLOR=1 "$connector" run 2>"$work/worker.log" &
pids+=($!)
page="$(found "$work/worker.log" 'admin="*\(http://[0-9.:]*\)')/"

# Creates a job; its variables and its element are given.
job() {
  local said
  said=$(printf '{"type": "salesforce-connector:1", "bpmnProcessId": "orders", "elementId": "%s", "variables": %s}' "$2" "$1" |
    curl -sS --noproxy '*' -H 'content-type: application/json' -d @- "$jobs/jobs")
  key=$(sed -n 's/.*"key":\([0-9]*\).*/\1/p' <<<"$said")
  [ -n "$key" ] || { printf '%s\n' "$said" >&2; exit 1; }
}
job '{}' ask-nothing
curl -sS --noproxy '*' "$jobs/jobs/$key/finished" >/dev/null
job '{"salesforceRequest": {"connection": {"name": "production"}, "operation": {"type": "query", "soqlQuery": "SELECT Id FROM Account"}}}' ask
for _ in $(seq 100); do
  curl -sS --noproxy '*' "$page" | grep -q 'held back' && break
  sleep 0.1
done
look "$page" limited -limited
expect limited '<strong>production</strong>'
expect limited '>held back<'
expect limited 'REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.'
expect limited 'next try in'
expect limited '<span class="bad">99 %</span>'
expect limited '<code>INVALID_INPUT</code>'

if grep -i 'content security policy' "$work/browser.log"; then
  echo 'the page breaks its own policy' >&2
  exit 1
fi
echo "the admin page is well ($(cat "$work/well" "$work/limited" | wc -c) bytes on two pages)"
