#!/usr/bin/env bash
# Installs the Debian packages of tools/packages.txt (when root and missing) and puts the pinned dependencies of
# cmake/deps.lock under .deps/. Safe to run again: what is there is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=$PWD/.deps
mkdir -p "$deps"

pin() { awk -v n="$1" -v c="$2" '$1 == n { print $c }' cmake/deps.lock; }
check() { echo "$2  $1" | sha256sum --check --quiet; }
retry() { for i in 1 2 3 4; do "$@" && return 0; echo "try $i of '$1' failed; again in $((i * 5)) s" >&2; sleep $((i * 5)); done; return 1; }

missing=$(while read -r p; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"; done <tools/packages.txt)
for tool in node npm; do  # a Node.js that did not come from Debian is as good
  if command -v $tool >/dev/null; then missing=$(echo "$missing" | grep -vxE 'nodejs|npm' || true); fi
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ]; then as=; else as=sudo; fi
  retry $as apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive retry $as apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

stamp() { [ -f "$deps/$1/.version" ] && [ "$(cat "$deps/$1/.version")" = "$2" ]; }
venv() { [ -x "$deps/venv/bin/pip" ] || python3 -m venv "$deps/venv"; }

v=$(pin pyarrow 2)
if ! stamp arrow "$v"; then
  venv
  retry "$deps/venv/bin/pip" install -q "pyarrow==$v"
  rm -rf "$deps/arrow"
  mkdir -p "$deps/arrow/lib"
  home=$("$deps/venv/bin/python" -c 'import pyarrow; pyarrow.create_library_symlinks(); print(pyarrow.__path__[0])')
  cp -r "$home/include" "$deps/arrow/include"
  for lib in arrow arrow_compute parquet; do
    cp -P "$home"/lib$lib.so* "$deps/arrow/lib/"
  done
  cp -P "$home"/../pyarrow.libs/*.so* "$deps/arrow/lib/" 2>/dev/null || true
  echo "$v" >"$deps/arrow/.version"
fi

v=$(pin pysimdjson 2)
if ! stamp simdjson "$v"; then
  venv
  retry "$deps/venv/bin/pip" download -q --no-deps --no-binary :all: -d "$deps/src" "pysimdjson==$v"
  check "$deps/src/pysimdjson-$v.tar.gz" "$(pin pysimdjson 3)"
  rm -rf "$deps/simdjson"
  mkdir -p "$deps/simdjson"
  tar xzf "$deps/src/pysimdjson-$v.tar.gz" -C "$deps/simdjson" --strip-components=2 --wildcards '*/simdjson/simdjson.h' '*/simdjson/simdjson.cpp'
  echo "$v" >"$deps/simdjson/.version"
fi

v=$(pin duckdb 2)
if ! stamp duckdb "$v"; then
  venv
  n=$(pin duckdb-node 2)
  (cd "$deps/src" && retry npm pack --silent "@duckdb/node-bindings-linux-x64@$n" >/dev/null)
  check "$deps/src/duckdb-node-bindings-linux-x64-$n.tgz" "$(pin duckdb-node 3)"
  retry "$deps/venv/bin/pip" download -q --no-deps --no-binary :all: -d "$deps/src" "duckdb==$v"
  check "$deps/src/duckdb-$v.tar.gz" "$(pin duckdb 3)"
  rm -rf "$deps/duckdb"
  mkdir -p "$deps/duckdb/include" "$deps/duckdb/lib"
  tar xzf "$deps/src/duckdb-node-bindings-linux-x64-$n.tgz" -C "$deps/duckdb/lib" --strip-components=1 package/libduckdb.so
  tar xzf "$deps/src/duckdb-$v.tar.gz" -C "$deps/duckdb/include" --strip-components=5 "duckdb-$v/external/duckdb/src/include/duckdb.h"
  echo "$v" >"$deps/duckdb/.version"
fi
