#!/usr/bin/env python3
"""bench/soak.py [--minutes 30] [--rate 20000]: does anything grow? One JSON line a minute, a verdict at the end.

Feeds the project bench/medallion at a steady rate with a trigger of 100 ms and records resident memory, the time between
commits (epoch), live files and log entries since the last checkpoint of each table. Exit code 1 when the last third is
not as flat as the middle third: memory over 10% more, epochs over 25% longer, small files or entries over 25% more.
Small is what compaction has still to join: below half its target. Finished files grow with the data, as they must.

The query remembers ids for 30 days, so what it knows grows all the time: state above 128 MiB lies in RocksDB, where the
first minutes bring it.
"""
import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from broker import PYTHON, ROOT, Broker, call, say  # noqa: E402
from measure import cpu_of, resident, tree  # noqa: E402
from systems import Sluice  # noqa: E402

LIMITS = "limits:\n  state_limit_bytes: 134217728\n"
TABLES = ("bronze", "silver", "gold")
LIVE = ("import sys, json, os; from deltalake import DeltaTable; "
        "print(json.dumps([[os.path.getsize(f) for f in DeltaTable(p).file_uris()] for p in sys.argv[1:]]))")
SMALL = 64 << 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--data", default=os.path.join(ROOT, "bench", ".out"))
    return parser.parse_args()


def log_of(table):
    """(seconds between the last 100 commits, entries since the last checkpoint)."""
    entries = sorted(p for p in glob.glob(f"{table}/_delta_log/*.json") if os.path.basename(p)[:-5].isdigit())
    pointer = f"{table}/_delta_log/_last_checkpoint"
    checkpoint = json.load(open(pointer, encoding="utf-8"))["version"] if os.path.exists(pointer) else -1
    last = int(os.path.basename(entries[-1])[:-5]) if entries else -1
    times = [os.path.getmtime(p) for p in entries[-100:]]
    gaps = [b - a for a, b in zip(times, times[1:])]
    return statistics.mean(gaps) if gaps else 0.0, last - checkpoint


def sample(start, process, tables):
    pids = [process.pid, *tree(process.pid)]
    line = {"minute": round((time.time() - start) / 60, 1), "rss_mb": resident(pids) >> 20,
            "cpu_s": round(sum(cpu_of(p) for p in pids), 1)}
    live = json.loads(call(PYTHON, "-c", LIVE, *[os.path.join(tables, t) for t in TABLES]))
    for name, sizes in zip(TABLES, live):
        gap, entries = log_of(os.path.join(tables, name))
        line.update({f"{name}_epoch_ms": round(gap * 1000), f"{name}_finished": sum(s >= SMALL for s in sizes),
                     f"{name}_small": sum(s < SMALL for s in sizes), f"{name}_entries": entries})
    print(json.dumps(line), flush=True)
    return line


def verdict(lines):
    third = len(lines) // 3
    middle, last = lines[third:2 * third], lines[2 * third:]
    faults = []
    for key in lines[0]:
        slack = 1.10 if key == "rss_mb" else 1.25
        if key in ("minute", "cpu_s") or key.endswith("_finished") or not middle or not last:
            continue
        before, after = max(x[key] for x in middle), max(x[key] for x in last)
        if after > before * slack and after - before > 8:
            faults.append(f"{key} rose from {before} to {after}")
    return faults


def main():
    options = arguments()
    tools, out = os.path.join(options.build, "bin"), os.path.join(options.data, "soak")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    call(os.path.join(ROOT, "tests", "peers", "setup.sh"))
    system, lines, topic = Sluice(os.path.join(tools, "sluice")), [], f"soak_{int(time.time())}"
    with Broker(os.path.join(options.data, "kafka"), tools) as broker:
        broker.create(topic)
        seconds = options.minutes * 60
        producer = threading.Thread(target=broker.produce_rate, args=(topic, options.rate, seconds, 1))
        with open(out + ".log", "w", encoding="utf-8") as log:
            command = system.command("latency", out, topic, broker)
            with open(os.path.join(out, "project", "sluice.yml"), "w", encoding="utf-8") as file:
                file.write(LIMITS)
            process = subprocess.Popen(command, stdout=log, stderr=log)
        producer.start()
        start = time.time()
        while producer.is_alive() and process.poll() is None:
            producer.join(60)
            lines.append(sample(start, process, system.tables(out)))
        if process.poll() is not None:
            say(f"sluice ended early with {process.returncode}; see {out}.log")
        process.terminate()
        code = process.wait()
        producer.join()
        broker.delete(topic)
    faults = verdict(lines)
    print(json.dumps({"system": "sluice", "workload": "soak", "minutes": options.minutes, "rate": options.rate,
                      "rss_mb_max": max(x["rss_mb"] for x in lines), "rc": code, "faults": faults}))
    sys.exit(1 if faults or code else 0)


if __name__ == "__main__":
    main()
