#!/usr/bin/env bash
# Puts the other engines that judge our tables, and that the bench runs beside us, under .deps/peers: `venv` (Spark,
# delta-spark, delta-rs, confluent-kafka), `duckdb` (DuckDB of the version its delta extension is packaged for) and
# `jars` (Delta and Kafka for Spark). Safe to run again and at the same time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=$here/../../.deps/peers
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)
exec 9>"$peers/.lock"
flock 9

say() { echo "peers: $*" >&2; }
retry() {
  local i
  for i in 1 2 3 4 5; do
    "$@" && return 0
    say "try $i of '$1' failed; again in $((i * 5)) s"
    sleep $((i * 5))
  done
  say "giving up: $*"
  return 1
}
python=/usr/bin/python3
[ -x $python ] || python=python3

venv() { # venv NAME REQUIREMENTS
  local stamp=$peers/$1/.requirements
  cmp -s "$stamp" "$2" && return 0
  say "installing $(tr '\n' ' ' <"$2")"
  rm -rf "${peers:?}/$1"
  "$python" -m venv "$peers/$1"
  retry "$peers/$1/bin/pip" install -q --disable-pip-version-check --progress-bar off -r "$2"
  cp "$2" "$stamp"
}
copy_jars() {
  rm -rf "$peers/jars"
  # Only what Spark does not bring itself; -C: a jar that does not match its published digest is refused.
  mvn -q -B -C -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DincludeGroupIds=io.delta,io.unitycatalog,org.apache.spark,org.apache.kafka,org.apache.commons \
    -DoutputDirectory="$peers/jars" >&2
}

venv venv "$here/requirements.txt"
venv duckdb "$here/requirements-duckdb.txt"
if ! cmp -s "$peers/jars/.pom" "$here/pom.xml"; then
  say "copying the jars of Delta for Spark"
  retry copy_jars
  cp "$here/pom.xml" "$peers/jars/.pom"
fi
