#!/usr/bin/env bash
# Checks the alerts for Prometheus with its own tool: that they are rules, and what they do; needs promtool (Debian:
# apt-get install prometheus).
set -euo pipefail
cd "$(dirname "$0")/../deploy"
promtool check rules prometheus-alerts.yaml
promtool test rules prometheus-alerts.test.yaml
