#!/usr/bin/env python3
"""Installs the Delta library into an empty folder, builds examples/delta_library against it, and looks at what it prints.

usage: library_test.py BUILD CMAKE COMPILER SANITIZER
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*command):
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{process.stdout[-4000:]}\n{process.stderr[-4000:]}")
    return process.stdout


def check(condition, what, text):
    if not condition:
        sys.exit(f"{what}, in:\n{text}")


def main():
    build, cmake, compiler, sanitizer = sys.argv[1:5]
    folder = tempfile.mkdtemp(prefix="sluice-library-")
    try:
        prefix = os.path.join(folder, "prefix")
        run(cmake, "--install", build, "--component", "delta", "--prefix", prefix)
        headers = [os.path.join(base, name) for base, _, names in os.walk(prefix) for name in names if name.endswith(".h")]
        check(headers and not any("_internal" in name for name in headers), "internal headers are installed", headers)
        flags = f"-fsanitize={sanitizer}" if sanitizer else ""
        # A copy, so that nothing of this checkout is found by accident.
        source = shutil.copytree(os.path.join(ROOT, "examples", "delta_library"), os.path.join(folder, "source"))
        run(cmake, "-S", source, "-B", os.path.join(folder, "build"), f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={flags}", "-DCMAKE_BUILD_TYPE=Debug")
        run(cmake, "--build", os.path.join(folder, "build"))
        os.environ["LD_LIBRARY_PATH"] = os.path.join(prefix, "lib")
        table = os.path.join(folder, "prices")
        text = run(os.path.join(folder, "build", "delta_library"), table)
        check("deleted 2 rows" in text, "the delete is not there", text)
        check("version 4, 2 files" in text and "version 1, 1 files" in text, "versions differ", text)
        newest = text.split("version 1,")[0]
        check(len(re.findall('"apple"|"cheese"', newest)) == 4 and '"bread"' not in newest, "rows differ", text)
        check('"bread"' in text.split("version 1,")[1], "the old version lost a row", text)
    finally:
        shutil.rmtree(folder)


main()
