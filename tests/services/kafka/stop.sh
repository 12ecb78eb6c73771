#!/bin/bash
# stop.sh DATA [--kill]: stops the broker that start.sh started on the folder DATA and waits for its end.
set -eu
[ $# -ge 1 ] || { sed -n 2p "$0" >&2; exit 2; }
[ -f "$1/pid" ] || exit 0
pid=$(cat "$1/pid")
signal=TERM
[ "${2:-}" = --kill ] && signal=KILL
kill -s "$signal" "$pid" 2>/dev/null || true
for _ in $(seq 300); do
  kill -0 "$pid" 2>/dev/null || { rm -f "$1/pid"; exit 0; }
  sleep 0.1
done
kill -s KILL "$pid" 2>/dev/null || true
rm -f "$1/pid"
