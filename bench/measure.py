"""measure.py OUT_JSON -- CMD...: runs CMD, samples its process tree, writes wall, CPU and resident memory.

CPU is the reaped rusage of the whole tree (this process is its subreaper, so forked JVMs count). `foreign_cpu_s` is what
the rest of the machine used meanwhile without the broker: it says how idle the machine was.
"""
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36


def machine_busy():
    fields = list(map(int, open("/proc/stat", encoding="ascii").readline().split()[1:]))
    return (sum(fields) - fields[3] - fields[4] - fields[7]) / TICKS


def stat_of(pid):
    """(parent, CPU seconds) of a process; None when it is gone."""
    try:
        fields = open(f"/proc/{pid}/stat", encoding="ascii", errors="replace").read().rsplit(")", 1)[1].split()
        return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS
    except (OSError, IndexError):
        return None


def cpu_of(pid):
    stat = stat_of(pid) if pid else None
    return stat[1] if stat else 0.0


def tree(root):
    children = {}
    for name in os.listdir("/proc"):
        stat = stat_of(name) if name.isdigit() else None
        if stat:
            children.setdefault(stat[0], []).append(int(name))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def resident(pids):
    total = 0
    for pid in pids:
        try:
            total += int(open(f"/proc/{pid}/statm", encoding="ascii").read().split()[1]) * 4096
        except (OSError, IndexError):
            pass
    return total


def kill_tree():
    for pid in tree(os.getpid()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def reap_rest(seconds):
    """A JVM may outlive the script that started it for a moment; unreaped, its CPU would not be counted."""
    end = time.time() + seconds
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                if time.time() > end:
                    kill_tree()
                time.sleep(0.05)
        except ChildProcessError:
            return


def main():
    out, command = sys.argv[1], sys.argv[sys.argv.index("--") + 1:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    broker = int(os.environ.get("BROKER_PID", "0") or 0)
    limit = float(os.environ.get("BENCH_LIMIT_S", "900"))
    broker_before, busy_before, start = cpu_of(broker), machine_busy(), time.time()
    process = subprocess.Popen(command, env=dict(os.environ, BENCH_T0=repr(start)))
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    peak, code = 0, None
    while code is None:
        peak = max(peak, resident(tree(os.getpid())))
        try:
            code = process.wait(0.1)
        except subprocess.TimeoutExpired:
            if time.time() - start > limit:
                kill_tree()
    end = time.time()
    reap_rest(30)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, broker_cpu = usage.ru_utime + usage.ru_stime, cpu_of(broker) - broker_before
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"rc": code, "start": start, "end": end, "wall_s": round(end - start, 2), "cpu_s": round(cpu, 2),
                   "peak_rss_mb": max(peak >> 20, usage.ru_maxrss >> 10), "broker_cpu_s": round(broker_cpu, 2),
                   "foreign_cpu_s": round(max(0.0, machine_busy() - busy_before - cpu - broker_cpu), 2)}, file)
    sys.exit(code)


if __name__ == "__main__":
    main()
