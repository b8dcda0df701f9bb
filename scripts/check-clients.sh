#!/usr/bin/env bash
# Lets clients that nobody here wrote talk to DevOrg: jsforce (Node) and simple-salesforce (Python). If they work, the
# double is honest. Needs Node 20 or later with npm, and Python 3.11 or later with pip.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
org=
trap '[ -z "$org" ] || kill "$org" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

# An org of its own for each client; sets `org` and `url`.
start_org() {
  "$target/debug/salesforce-connector" dev-org --listen 127.0.0.1:0 --bulk-step 100ms \
    --seed tests/clients/seed.json "$@" >"$work/org" 2>"$work/log" &
  org=$!
  url=
  for _ in $(seq 300); do
    url=$(sed -n 's/^base URL *//p' "$work/org")
    [ -z "$url" ] || return 0
    kill -0 "$org" || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
  done
  echo 'the org does not say where it is' >&2
  exit 1
}

stop_org() {
  kill "$org"
  wait "$org" || { cat "$work/log" >&2; exit 1; }
  org=
}

cargo build --quiet --locked

(cd tests/clients && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
start_org
timeout 300 node tests/clients/jsforce.mjs "$url"
stop_org

# Installed once for each state of the requirements.
packages=$target/clients/$(sha256sum tests/clients/requirements.txt | cut -c1-16)
if [ ! -e "$packages/complete" ]; then
  python3 -m pip install --quiet --no-deps --root-user-action=ignore --target "$packages" \
    --requirement tests/clients/requirements.txt
  touch "$packages/complete"
fi
export PYTHONPATH=$packages PYTHONDONTWRITEBYTECODE=1
python3 tests/clients/certificate.py "$work/org.pem"
start_org --tls "$work/org.pem"
timeout 300 python3 tests/clients/simple_salesforce_checks.py "$url" "$work/org.pem"
stop_org
