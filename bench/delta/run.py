#!/usr/bin/env python3
"""The Delta library beside delta-rs, in one run: each operation in a process of its own on the same table (or on copies of
it), in turn, the better of three. One JSON line per operation and system, on standard output and in bench/.out/delta.jsonl.
--spark runs MERGE by Spark as well; --big is maintenance, with Spark and once each (`make bench-maintenance`).

usage: bench/delta/run.py [--build build/release] [--venv .deps/peers/venv] [--only NAME ...] [--scale 1.0] [--spark]
                          [--big [--gigabytes 10] [--no-spark]] [--folder WHERE]
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
TIMES = 3
ROWS_PER_GIGABYTE = 125_000_000  # of Parquet, as bench_delta makes them


def measured(command):
    """The JSON line a process prints, with its peak memory and processor time."""
    with tempfile.TemporaryFile("w+") as out:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - begin
        out.seek(0)
        text = out.read().strip().splitlines()
    if process.returncode != 0 or not text:
        raise SystemExit(f"failed with {process.returncode}: {' '.join(command)}")
    line = json.loads(text[-1])
    line["peak_mib"] = round(usage.ru_maxrss / 1024)
    line["cpu_s"] = round(usage.ru_utime + usage.ru_stime, 3)
    line["process_s"] = round(wall, 3)
    return line


def linked(source, target):
    """Data files are never changed: a link does, and a large table is there once."""
    if "_delta_log" in source:
        shutil.copy2(source, target)
    else:
        os.link(source, target)


class Bench:
    def __init__(self, arguments, folder):
        self.ours = os.path.join(ROOT, arguments.build, "bin", "bench_delta")
        self.python = os.path.join(ROOT, arguments.venv, "bin", "python3")
        self.folder = folder
        self.scale = arguments.scale
        self.only = arguments.only
        self.spark = (arguments.spark or arguments.big) and not arguments.no_spark
        self.tables = {}

    def number(self, value):
        return max(1, int(value * self.scale))

    def table(self, name, *numbers):
        """Path of a table made by `bench_delta NAME NUMBERS`, once."""
        key = (name,) + numbers
        if key not in self.tables:
            path = os.path.join(self.folder, f"{name}-{'-'.join(map(str, numbers))}")
            measured([self.ours, name, path] + [str(n) for n in numbers])
            self.tables[key] = path
        return self.tables[key]

    def compare(self, name, table, operation, *numbers, changes=False, theirs=True, spark=False, times=TIMES):
        if self.only and name not in self.only:
            return
        path = self.table(*table)
        systems = {"sluice": [self.ours, operation]}
        if theirs:
            systems["delta-rs"] = [self.python, os.path.join(HERE, "delta_rs.py"), operation]
        if spark and self.spark:
            systems["spark"] = [self.python, os.path.join(HERE, "spark.py"), operation]
        best = {}
        for turn in range(times):
            for system, command in systems.items():
                where = path
                if system == "spark" and turn > 0:
                    continue  # the start of a session takes longer than what it does
                if changes:
                    where = os.path.join(self.folder, "copy")
                    shutil.copytree(path, where, copy_function=linked)
                line = measured(command + [where] + [str(n) for n in numbers])
                if changes:
                    shutil.rmtree(where)
                if system not in best or line["seconds"] < best[system]["seconds"]:
                    best[system] = line
        for system, line in best.items():
            record = json.dumps({"operation": name, "system": system, **line})
            print(record, flush=True)
            os.makedirs(os.path.join(ROOT, "bench", ".out"), exist_ok=True)
            with open(os.path.join(ROOT, "bench", ".out", "delta.jsonl"), "a", encoding="utf-8") as file:
                file.write(record + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--venv", default=".deps/peers/venv")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--big", action="store_true", help="OPTIMIZE of 10,000 files, MERGE into 20 M rows, Z-ORDER")
    parser.add_argument("--gigabytes", type=float, default=10, help="of Parquet that Z-ORDER orders")
    parser.add_argument("--spark", action="store_true")
    parser.add_argument("--no-spark", action="store_true")
    parser.add_argument("--folder", help="where the tables are made (default: a temporary folder)")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sluice-bench-", dir=arguments.folder)
    try:
        bench = Bench(arguments, folder)
        n = bench.number
        if not arguments.big:
            log = ("log", n(20000))
            files = ("files", n(1000000))
            rows = ("rows", n(2000000), 8)
            bench.compare("open-20k-commits", log, "open")
            bench.compare("open-1m-files", files, "open")
            bench.compare("state-1m-files", files, "state", theirs=False)
            bench.compare("checkpoint-1m-files", files, "checkpoint", changes=True)
            bench.compare("append-1000-rows", ("rows", 1000, 1), "append", n(200), changes=True)
            bench.compare("merge-20k-into-2m", rows, "merge", n(20000), changes=True, spark=True)
            bench.compare("merge-delete-1%", rows, "delete-merge", n(20000), changes=True, spark=True)
            bench.compare("merge-insert-1%", rows, "insert-merge", n(20000), changes=True, spark=True)
            bench.compare("merge-upsert-5%", rows, "merge", n(100000), changes=True, spark=True)
            bench.compare("merge-upsert-50%", rows, "merge", n(1000000), changes=True, spark=True)
        else:
            once = {"changes": True, "spark": True, "times": 1}
            zorder_rows = int(arguments.gigabytes * ROWS_PER_GIGABYTE)
            bench.compare("optimize-10k-files", ("rows", n(10000000), n(10000)), "optimize", **once)
            bench.compare("merge-2m-into-20m", ("rows", n(20000000), 20), "merge", n(2000000), **once)
            bench.compare("zorder", ("rows", n(zorder_rows), n(100)), "zorder", 512, theirs=False, **once)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
