#!/usr/bin/env python3
"""Every table of a finished run of examples/events, read by delta-rs, DuckDB and Spark and compared with `sluice sql`.

Runs $SLUICE_BINARY on a copy of the example with its embedded broker. Keeps the folder and says where when it fails.
SLUICE_PEER_EVENTS sets the number of events (default 20000).
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = os.path.join(ROOT, ".deps", "peers")
SLUICE = os.environ.get("SLUICE_BINARY", os.path.join(ROOT, "build", "release", "bin", "sluice"))
EVENTS = os.environ.get("SLUICE_PEER_EVENTS", "20000")
EXPECTED = {"bronze_events", "silver_events", "gold_hourly_metrics", "gold_customers", "regions"}
sys.path.insert(0, HERE)
import canonical  # noqa: E402


def run(command, **more):
    done = subprocess.run(command, text=True, check=False, **more)
    if done.returncode:
        sys.exit(f"failed with {done.returncode}: {' '.join(command)}\n{(done.stderr or '')[-4000:]}")
    return done


def peer(venv, script, out, *arguments):
    environment = dict(os.environ, TZ="UTC", PYTHONPATH=HERE)
    for name in ("LD_PRELOAD", "ASAN_OPTIONS"):
        environment.pop(name, None)
    python = os.path.join(PEERS, venv, "bin", "python")
    run([python, os.path.join(HERE, script), out, *arguments], env=environment, stderr=subprocess.PIPE)
    return json.load(open(out, encoding="utf-8"))


def what_sluice_says(spec, table, schema):
    text = run([SLUICE, "sql", "--spec", spec, "--output", "json", "-c", f"SELECT * FROM {table}"],
               stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout
    # Every number of JSON stays text until the column's type is known, so that decimals keep their digits.
    rows = [json.loads(line, parse_float=str) for line in text.splitlines() if line.strip()]
    return canonical.summary(rows, schema)


def compare(name, one, other, by):
    if one["rows"] == other["rows"] and one[by] == other[by]:
        return []
    return [f"{name}: {one['rows']} and {other['rows']} rows, digests {one[by][:12]} and {other[by][:12]}",
            *[f"    {text}" for text in one["sample"][:2]], *[f"  / {text}" for text in other["sample"][:2]]]


def main():
    run([os.path.join(HERE, "setup.sh")])
    work = tempfile.mkdtemp(prefix="sluice-peers-")
    project = os.path.join(work, "events")
    shutil.copytree(os.path.join(ROOT, "examples", "events"), project, ignore=shutil.ignore_patterns("warehouse"))
    spec = os.path.join(project, "spark-pipeline.yml")
    text = open(spec, encoding="utf-8").read().replace("file:///tmp/sluice/events", f"file://{work}/storage")
    open(spec, "w", encoding="utf-8").write(text)
    run([SLUICE, "demo", "--project", project, "--events", EVENTS, "--rate", EVENTS], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE)

    folders = sorted(os.path.dirname(p) for p in glob.glob(os.path.join(project, "warehouse", "events", "*", "_delta_log")))
    names = [os.path.basename(f) for f in folders]
    faults = [f"no table {name}" for name in sorted(EXPECTED - set(names))]
    deltars = peer("venv", "read_deltars.py", os.path.join(work, "deltars.json"), *folders)
    schemas = os.path.join(work, "deltars.json")
    duckdb = peer("duckdb", "read_duckdb.py", os.path.join(work, "duckdb.json"), schemas, *folders)
    spark = peer("venv", "read_spark.py", os.path.join(work, "spark.json"), schemas, os.path.join(PEERS, "jars"), *folders)
    for name in names:
        ours = what_sluice_says(spec, name, deltars[name]["schema"])
        faults += compare(f"{name}: delta-rs / DuckDB", deltars[name], duckdb[name], "micros")
        faults += compare(f"{name}: delta-rs / Spark", deltars[name], spark[name], "micros")
        faults += compare(f"{name}: delta-rs / sluice sql", deltars[name], ours, "millis")
        print(f"{name}: {deltars[name]['rows']} rows at version {deltars[name]['version']}")
        if name in EXPECTED and deltars[name]["rows"] == 0:
            faults.append(f"{name}: is empty")
    if faults:
        sys.exit("\n".join(faults) + f"\nkept: {work}")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
