#!/usr/bin/env python3
"""Every header of src/ compiles alone, without the precompiled header. `tools/check_headers.py [HEADER...]`.

The includes of the pinned libraries come from .deps/, all other libraries lie in the system's path.
"""
import concurrent.futures
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEPS = os.environ.get("SLUICE_DEPS", os.path.join(ROOT, ".deps"))
FLAGS = ["-std=c++20", "-fsyntax-only", "-x", "c++", "-Wno-psabi", "-DSPDLOG_FMT_EXTERNAL", "-Dsimdjson=sluice_simdjson",
         "-I", os.path.join(ROOT, "src")]
for library in ("arrow/include", "duckdb/include", "simdjson"):
    FLAGS += ["-isystem", os.path.join(DEPS, library)]


def headers():
    for base, _, names in sorted(os.walk(os.path.join(ROOT, "src"))):
        for name in sorted(names):
            if name.endswith(".h"):
                yield os.path.relpath(os.path.join(base, name), os.path.join(ROOT, "src"))


def check(header):
    compiler = os.environ.get("CXX", "g++")
    # A file that includes it, rather than the header itself: "#pragma once in main file" would be a warning.
    run = subprocess.run([compiler, *FLAGS, "-"], input=f'#include "{header}"\n', capture_output=True, text=True, check=False)
    return header, run.returncode, run.stderr


def main():
    chosen = [os.path.relpath(os.path.abspath(p), os.path.join(ROOT, "src")) for p in sys.argv[1:]] or list(headers())
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for header, code, text in pool.map(check, chosen):
            if code:
                failed += 1
                print(f"src/{header}: does not compile alone\n" + "\n".join(text.split("\n")[:12]))
    print(f"headers: {len(chosen)} checked, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
