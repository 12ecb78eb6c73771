"""Produced -> visible at a steady rate: event_time is the moment of produce; a row is visible when the log entry that adds
its file was written. For gold: when a commit of gold holds as many events as silver held with that row.
"""
import json
import os
import subprocess
import sys
import time

from broker import PYTHON, ROOT, say

MEASURE = os.path.join(ROOT, "bench", "measure.py")


def latency(system, broker, out, rate, seconds):
    """Runs `system` on a fresh topic under a steady load; returns the JSON line's fields."""
    topic = f"latency_{system.name}_{int(time.time())}"
    broker.create(topic)
    stop, measured = out + ".stop", out + ".measure.json"
    broker.produce_rate(topic, 1000, 1, 0)
    env = dict(os.environ, LAT_STOP=stop, BROKER_PID=broker.pid, BENCH_LIMIT_S=str(seconds + 300))
    command = system.command("latency", out, topic, broker)
    with open(out + ".log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([sys.executable, MEASURE, measured, "--", *command], env=env, stdout=log, stderr=log)
    tables = system.tables(out)
    wait_for_commits(tables, process)
    time.sleep(3)
    cpu_before, load_start = tree_cpu(process.pid), time.time()
    produced = broker.produce_rate(topic, rate, seconds, 1, warm_up=10)
    cpu, load_seconds = tree_cpu(process.pid) - cpu_before, time.time() - load_start
    time.sleep(30 if system.name == "spark" else 5)
    with open(stop, "w", encoding="utf-8"):
        pass
    process.terminate() if system.name == "sluice" else None  # measure.py passes it on: a graceful stop
    process.wait()
    broker.delete(topic)
    with open(measured, encoding="utf-8") as file:
        m = json.load(file)
    answer = json.loads(subprocess.run([PYTHON, os.path.join(ROOT, "bench", "visible.py"), tables, "1"], check=True,
                                       text=True, stdout=subprocess.PIPE).stdout)
    first = {name: round(at - m["start"], 2) for name, at in answer.pop("first_commit").items()}
    return {"events": produced["produced"], "rate": rate, "seconds": m["wall_s"], "cpu_seconds": m["cpu_s"],
            "cores_at_rate": round(cpu / load_seconds, 3), "peak_rss_mb": m["peak_rss_mb"], "first_commit_s": first, **answer}


def tree_cpu(pid):
    from measure import cpu_of, tree
    return sum(cpu_of(p) for p in tree(pid))


def wait_for_commits(tables, process):
    """Until all three tables have a commit that adds a file."""
    end = time.time() + 180
    while time.time() < end and process.poll() is None:
        logs = [os.path.join(tables, name, "_delta_log") for name in ("bronze", "silver", "gold")]
        if all(has_add(log) for log in logs):
            return
        time.sleep(0.1)
    say("not all tables had a commit within 180 s")


def has_add(log):
    entries = [os.path.join(log, n) for n in os.listdir(log) if n.endswith(".json")] if os.path.isdir(log) else []
    for entry in entries:
        with open(entry, encoding="utf-8") as file:
            if '{"add"' in file.read():
                return True
    return False
