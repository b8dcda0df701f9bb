#!/usr/bin/env bash
# Shows the admin page of the demo to a real browser and checks what is on it; needs Chromium.
#
# usage: scripts/check-admin.sh [SCREENSHOT]    (PNG; default: a temporary file that is removed)
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
shot=${1:-$work/page.png}
demo=
trap '[ -z "$demo" ] || kill "$demo" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

cargo build --quiet --locked
"${CARGO_TARGET_DIR:-target}/debug/salesforce-connector" demo --serve >"$work/story" 2>"$work/log" &
demo=$!
for _ in $(seq 300); do
  url=$(sed -n 's#.*shows itself at \(http://[0-9.:]*/\).*#\1#p' "$work/story")
  [ -z "$url" ] || break
  kill -0 "$demo" || { cat "$work/log"; exit 1; }
  sleep 0.1
done
[ -n "$url" ] || { echo "the demo does not say where its page is" >&2; exit 1; }

browse() {
  timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
    --user-data-dir="$work/profile" --virtual-time-budget=2000 "$@" 2>>"$work/browser"
}

browse --dump-dom "$url" >"$work/dom"
browse --window-size=1280,1100 --screenshot="$shot" "$url" >/dev/null
browse --window-size=500,1600 --screenshot="${shot%.png}-narrow.png" "$url" >/dev/null

expect() {
  grep -qF -- "$1" "$work/dom" || { printf 'the page lacks: %s\n' "$1" >&2; cat "$work/dom" >&2; exit 1; }
}
expect '>Ready<'
expect '<strong>demo</strong>'
expect '<meter '
expect 'go through'
expect '>incident<'
expect '>BPMN error<'
expect '<code>REQUIRED_FIELD_MISSING</code>'
if grep -qiE 'dev-secret|<script|style="' "$work/dom"; then
  echo 'the page shows a secret, or has a script or a style that its policy forbids' >&2
  exit 1
fi
if grep -i 'content security policy' "$work/browser"; then
  echo 'the page breaks its own policy' >&2
  exit 1
fi
[ "$(stat -c %s "$shot")" -gt 10000 ] || { echo 'the screenshot is empty' >&2; exit 1; }
echo "the admin page is well ($(wc -c <"$work/dom") bytes)"
