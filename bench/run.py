#!/usr/bin/env python3
"""The benchmark: the project bench/medallion against a real Apache Kafka, one JSON line for each system and workload.

bench/run.py [--peers] [--workloads all unique bronze latency] [--repeat N] [--build build/release] [--data FOLDER]
  all      4 M events, 3 of 4 duplicates, into bronze, silver and gold     unique   4 M events, 1% duplicates
  bronze   the first into bronze only                                      latency  20,000 events/s, trigger 100 ms
Then `limits`: consume only, parse only, Parquet encode only, on the same data in the same hour. Every line's tables are
compared with what DuckDB computes from the data files; `wrong` names figures that differ and makes the run fail.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from broker import PYTHON, ROOT, Broker, call, reference, say, seed_file, unique_file  # noqa: E402
from delta_log import commits  # noqa: E402
from latency import MEASURE, latency  # noqa: E402
from measure import machine_busy  # noqa: E402
from systems import systems  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="run the jobs of bench/peers too")
    parser.add_argument("--workloads", nargs="+", default=["all", "unique", "bronze", "latency"])
    parser.add_argument("--systems", nargs="+", help="only these")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--data", default=os.path.join(ROOT, "bench", ".out"))
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--seconds", type=int, default=60, help="of steady load in latency")
    return parser.parse_args()


def wait_for_quiet(limit=30):
    """Until the machine uses less than a quarter of a core; `foreign_cpu_s` of a line says how quiet it stayed."""
    end = time.time() + limit
    while time.time() < end:
        before = machine_busy()
        time.sleep(2)
        if machine_busy() - before < 0.5:
            return


def settle():
    """What was written or deleted before reaches the disk now, not while something is timed."""
    os.sync()
    wait_for_quiet()


def catch_up(system, workload, out, topic, expected, broker):
    settle()
    env = dict(os.environ, BROKER_PID=broker.pid)
    command = system.command(workload, out, topic, broker)
    with open(out + ".log", "w", encoding="utf-8") as log:
        code = subprocess.run([sys.executable, MEASURE, out + ".measure.json", "--", *command], env=env, stdout=log,
                              stderr=log, check=False).returncode
    with open(out + ".measure.json", encoding="utf-8") as file:
        m = json.load(file)
    tables = system.tables(out)
    with open(out + ".expected.json", "w", encoding="utf-8") as file:
        json.dump(expected, file)
    found = json.loads(call(PYTHON, os.path.join(ROOT, "bench", "tables.py"), tables, out + ".expected.json"))
    visible = [at for name in ("bronze", "silver", "gold") for at, _ in commits(tables, name)]
    events, seconds = expected["events"], m["wall_s"]
    line = {"events": events, "seconds": seconds, "events_per_s": round(events / seconds), "cpu_seconds": m["cpu_s"],
            "events_per_cpu_s": round(events / max(m["cpu_s"], 0.01)), "peak_rss_mb": m["peak_rss_mb"],
            "rows_silver": found.pop("rows_silver", None), "rows_gold": found.pop("rows_gold", None), **found,
            "first_commit_s": round(min(visible) - m["start"], 2) if visible else None,
            "last_commit_s": round(max(visible) - m["start"], 2) if visible else None,
            "broker_cpu_s": m["broker_cpu_s"], "foreign_cpu_s": m["foreign_cpu_s"], "rc": code}
    if code:
        say(f"{system.name} {workload} ended with {code}; see {out}.log")
    return line


def limits(broker, build, data):
    """What one step alone reaches: the ceilings that docs/performance.md compares with."""
    settle()
    tools = os.path.join(build, "bin")
    lines = [json.loads(broker.tool("consume", broker.address, "events_lz4", 4_000_000))]
    if os.path.exists(os.path.join(tools, "bench_micro")):
        path = seed_file(data, tools, 7)
        lines += [json.loads(line) for line in call(os.path.join(tools, "bench_micro"), path).splitlines()]
    return [{"system": "limit", **line} for line in lines]


def ratios(lines):
    """Sluice over each peer, by workload: how many times as many events a second, and a CPU-second."""
    by_key = {(line["system"], line["workload"]): line for line in lines}
    for (system, workload), line in by_key.items():
        ours = by_key.get(("sluice", workload))
        if system in ("sluice", "limit") or not ours:
            continue
        ratio = {"system": "ratio", "workload": workload, "of": f"sluice/{system}"}
        for key in ("events_per_s", "events_per_cpu_s"):
            if key in ours and line.get(key):
                ratio[key] = round(ours[key] / line[key], 2)
        for key in ("silver_p99_ms", "gold_p99_ms", "peak_rss_mb"):
            if ours.get(key) and line.get(key):
                ratio[key] = round(ours[key] / line[key], 3)
        yield ratio


def main():
    options = arguments()
    data, tools = options.data, os.path.join(options.build, "bin")
    os.makedirs(data, exist_ok=True)
    call(os.path.join(ROOT, "tests", "peers", "setup.sh"))
    chosen = [s for s in systems(os.path.join(tools, "sluice"), options.peers or bool(options.systems))
              if not options.systems or s.name in options.systems]
    lz4, unique = seed_file(data, tools, 7), unique_file(data, tools)
    expected = {"events_lz4": reference(data, lz4, 4), "events_unique": reference(data, unique, 1)}
    lines, failed = [], False

    def put(line):
        lines.append(line)
        print(json.dumps(line), flush=True)
        with open(os.path.join(data, "results.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps({"at": int(time.time()), **line}) + "\n")

    with Broker(os.path.join(data, "kafka"), tools) as broker:
        broker.fill("events_lz4", lz4, 4, 4_000_000)
        broker.fill("events_unique", unique, 1, 4_000_000)
        for _ in range(options.repeat):
            for workload in options.workloads:
                for system in chosen:
                    out = os.path.join(data, f"{system.name}-{workload}")
                    shutil.rmtree(out, ignore_errors=True)
                    os.makedirs(out)
                    if workload == "latency":
                        line = latency(system, broker, out, options.rate, options.seconds)
                    else:
                        topic = "events_unique" if workload == "unique" else "events_lz4"
                        line = catch_up(system, workload, out, topic, expected[topic], broker)
                    put({"system": system.name, "workload": workload, **line})
                    failed = failed or bool(line.get("wrong")) or bool(line.get("rc"))
        for line in limits(broker, options.build, data):
            put(line)
    for line in ratios(lines):
        put(line)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
