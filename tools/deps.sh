#!/usr/bin/env bash
# tools/deps.sh [--tests]: installs the Debian packages of tools/packages.txt that are missing (with --tests also those
# of tools/packages-test.txt) and puts the pinned archives of cmake/deps.lock under .deps/. Safe to run again: what is
# there in the pinned version is kept, what is half there is made anew.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=$PWD/.deps
src=$deps/src

say() { echo "deps: $*" >&2; }
pin() { # pin NAME version|sha256
  awk -v n="$1" -v c="$2" '$1 == n { print (c == "version" ? $2 : $3); found = 1 } END { exit !found }' cmake/deps.lock
}
retry() {
  local i
  for i in 1 2 3 4 5; do
    "$@" && return 0
    say "try $i of '$1 ${2:-}' failed; again in $((i * 5)) s"
    sleep $((i * 5))
  done
  say "giving up: $*"
  return 1
}

install_packages() { # install_packages LIST
  local package missing=()
  while read -r package; do
    case $package in '' | '#'*) continue ;; esac
    # A tool that did not come from Debian is as good.
    case $package in
      nodejs) command -v node >/dev/null && continue ;;
      npm) command -v npm >/dev/null && continue ;;
      maven) command -v mvn >/dev/null && continue ;;
    esac
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done <"$1"
  [ ${#missing[@]} = 0 ] && return 0
  say "installing ${missing[*]}"
  local as=()
  [ "$(id -u)" = 0 ] || as=(sudo)
  export DEBIAN_FRONTEND=noninteractive
  retry "${as[@]}" apt-get update -qq
  retry "${as[@]}" apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null
}

stamped() { [ "$(cat "$deps/$1/.version" 2>/dev/null)" = "$2" ]; }
check() { # check FILE NAME: the file must have the hash that is pinned for NAME
  local want have
  want=$(pin "$2" sha256)
  have=$(sha256sum "$1" | cut -d' ' -f1)
  [ "$have" = "$want" ] && return 0
  say "$1 has sha256 $have, cmake/deps.lock says $want"
  rm -f "$1"
  return 1
}

# Archives come through the ordinary registry clients; each is kept in .deps/src and checked on every use.
pip_fetch() { "$deps/venv/bin/pip" download -q --disable-pip-version-check --no-deps -d "$src" "$@"; }
npm_fetch() { (cd "$src" && npm pack --silent "$1" >/dev/null); }
fetch() { # fetch FILE NAME COMMAND...: FILE of .deps/src, by COMMAND when it is not there or not whole
  local file=$src/$1 name=$2
  shift 2
  if [ -f "$file" ] && check "$file" "$name"; then return 0; fi
  say "fetching $(basename "$file")"
  retry "$@"
  check "$file" "$name"
}
unpacked() { # unpacked NAME VERSION: moves the finished folder in place, so that a broken run leaves nothing behind
  echo "$2" >"$deps/$1.new/.version"
  rm -rf "${deps:?}/$1"
  mv "$deps/$1.new" "$deps/$1"
}

install_packages tools/packages.txt
[ "${1:-}" != --tests ] || install_packages tools/packages-test.txt
mkdir -p "$src"

if ! "$deps/venv/bin/pip" --version >/dev/null 2>&1; then
  python=/usr/bin/python3
  [ -x $python ] || python=python3
  rm -rf "$deps/venv"
  "$python" -m venv "$deps/venv"
fi

version=$(pin pyarrow version)
if ! stamped arrow "$version"; then
  wheel=pyarrow-$version-cp311-cp311-manylinux_2_28_x86_64.whl
  fetch "$wheel" pyarrow pip_fetch --only-binary :all: --implementation cp --python-version 3.11 --abi cp311 \
    --platform manylinux_2_28_x86_64 "pyarrow==$version"
  rm -rf "$deps/arrow.new" && mkdir -p "$deps/arrow.new/lib"
  "$deps/venv/bin/python" - "$src/$wheel" "$deps/arrow.new" <<'PYTHON'
import os, re, sys, zipfile
wheel, out = sys.argv[1:]
for info in zipfile.ZipFile(wheel).infolist():
    header = re.fullmatch(r"pyarrow/(include/.*[^/])", info.filename)
    library = re.fullmatch(r"pyarrow/(lib(arrow|arrow_compute|parquet)\.so)\.\d+", info.filename)
    if not header and not library:
        continue
    path = os.path.join(out, header[1] if header else "lib/" + os.path.basename(info.filename))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with zipfile.ZipFile(wheel).open(info) as source, open(path, "wb") as target:
        while block := source.read(1 << 20):
            target.write(block)
    if library:
        os.symlink(os.path.basename(path), os.path.join(out, "lib", library[1]))
PYTHON
  unpacked arrow "$version"
fi

version=$(pin pysimdjson version)
if ! stamped simdjson "$version"; then
  # Only the archive itself is taken as source: the tools that pip wants to read its metadata come as wheels.
  fetch "pysimdjson-$version.tar.gz" pysimdjson pip_fetch --no-binary pysimdjson "pysimdjson==$version"
  rm -rf "$deps/simdjson.new" && mkdir -p "$deps/simdjson.new"
  tar xzf "$src/pysimdjson-$version.tar.gz" -C "$deps/simdjson.new" --strip-components=2 --wildcards \
    '*/simdjson/simdjson.h' '*/simdjson/simdjson.cpp'
  unpacked simdjson "$version"
fi

version=$(pin duckdb version)
if ! stamped duckdb "$version"; then
  node=$(pin duckdb-node version)
  fetch "duckdb-node-bindings-linux-x64-$node.tgz" duckdb-node npm_fetch "@duckdb/node-bindings-linux-x64@$node"
  fetch "duckdb-$version.tar.gz" duckdb pip_fetch --no-binary duckdb "duckdb==$version"
  rm -rf "$deps/duckdb.new" && mkdir -p "$deps/duckdb.new/include" "$deps/duckdb.new/lib"
  tar xzf "$src/duckdb-node-bindings-linux-x64-$node.tgz" -C "$deps/duckdb.new/lib" --strip-components=1 \
    package/libduckdb.so
  tar xzf "$src/duckdb-$version.tar.gz" -C "$deps/duckdb.new/include" --strip-components=5 \
    "duckdb-$version/external/duckdb/src/include/duckdb.h"
  unpacked duckdb "$version"
fi
