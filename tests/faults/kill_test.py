#!/usr/bin/env python3
"""Kills `sluice run --continuous` with SIGKILL at random moments while a real broker is fed; compares with the ledger.

Bronze holds every record once. Each valid event is in silver once, or all its copies are late in quarantine; each broken
record is in quarantine once; dropped ones are in neither. Gold equals a recomputation. Between kills saved state and
_last_checkpoint are deleted now and then. SLUICE_KILLS (30), SLUICE_KILL_SEED (random, printed).
"""
import glob
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "examples"))
from project import ROOT, SLUICE, Failed, Project, check_gold, expect  # noqa: E402

SERVICE = os.path.join(ROOT, "tests", "services", "kafka")
PYTHON = os.path.join(ROOT, ".deps", "peers", "venv", "bin", "python")
KILLS = int(os.environ.get("SLUICE_KILLS", "30"))
SEED = int(os.environ.get("SLUICE_KILL_SEED", random.SystemRandom().randrange(1 << 30)))
RATE = 1000  # events a second
TOPIC = "events"


def free_port():
    """A port with a free one behind it, for the broker's controller."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            try:
                two.bind(("127.0.0.1", one.getsockname()[1] + 1))
                return one.getsockname()[1]
            except OSError:
                continue


def start_broker(project):
    folder, port = os.path.join(project.work, "kafka"), free_port()
    subprocess.run([os.path.join(SERVICE, "start.sh"), str(port), folder], check=True, stdout=subprocess.DEVNULL)
    address = f"127.0.0.1:{port}"
    code = ("import sys; from confluent_kafka.admin import AdminClient, NewTopic\n"
            "client = AdminClient({'bootstrap.servers': sys.argv[1]})\n"
            "client.create_topics([NewTopic(sys.argv[2], 4, 1)])[sys.argv[2]].result()")
    subprocess.run([PYTHON, "-c", code, address, TOPIC], check=True)
    return folder, address


def arguments(project, address, mode):
    return ["run", "--spec", project.spec, "--set", f"brokers={address}", "--set", f"topic={TOPIC}",
            "--set", "pipelines.trigger.interval=100 milliseconds", mode]


def kill_often(project, address, rng):
    """Each life ends by SIGKILL between its start and three seconds after its first commit."""
    commits = lambda: len(glob.glob(f"{project.tables}/*/_delta_log/*.json"))
    with open(os.path.join(project.work, "sluice.log"), "w", encoding="utf-8") as log:
        for kill in range(KILLS):
            before = commits()
            process = subprocess.Popen([SLUICE, *arguments(project, address, "--continuous")], stdout=log, stderr=log)
            end = time.time() + 120
            while kill % 5 and commits() == before and process.poll() is None and time.time() < end:
                time.sleep(0.02)
            time.sleep(rng.random() * (3 if kill % 5 else 1))
            expect(process.poll() is None, f"life {kill} ended by itself with {process.returncode}; see {log.name}")
            process.send_signal(signal.SIGKILL)
            process.wait()
            if kill % 7 == 3:
                shutil.rmtree(os.path.join(project.storage, "state"), ignore_errors=True)
            if kill % 7 == 5:
                for pointer in glob.glob(f"{project.tables}/*/_delta_log/_last_checkpoint"):
                    os.remove(pointer)


def check_bronze(project, ledger):
    rows = project.query("SELECT partition, offset FROM bronze_events")
    found = sorted((int(r["partition"]), int(r["offset"])) for r in rows)
    wanted = sorted((r["p"], r["o"]) for r in ledger)
    expect(len(found) == len(set(found)), f"bronze holds {len(found) - len(set(found))} records twice")
    expect(found == wanted, f"bronze holds {len(found)} records, {len(wanted)} were produced")


def check_silver(project, ledger):
    # Milliseconds, as they were produced and as Spark's JSON form prints them.
    silver = {}
    for row in project.query("SELECT event_id, event_time FROM silver_events"):
        key = (row["event_id"], row["event_time"])
        expect(key not in silver, f"silver holds {key} twice")
        silver[key] = True
    aside = {}
    for row in project.query("SELECT rules, row FROM silver_events_quarantine"):
        kept = json.loads(row["row"])  # under the names the columns had where the row left
        at = tuple(int(kept.get(f"kafka_{name}", kept.get(name))) for name in ("partition", "offset"))
        expect(at not in aside, f"quarantine holds record {at} twice")
        aside[at] = row["rules"]
    valid = {}
    for record in ledger:
        at, key = (record["p"], record["o"]), (record.get("id"), record.get("time"))
        if record["class"] in ("bad", "broken"):
            expect(at in aside, f"broken record {record} is not in quarantine")
            expect(key not in silver, f"broken record {record} is in silver")
        elif record["class"] == "dropped":
            expect(key not in silver, f"dropped record {record} is in silver")
        else:
            valid.setdefault(key, []).append(at)
    for key, copies in valid.items():
        late = [at for at in copies if at in aside]
        expect(key in silver or len(late) == len(copies), f"event {key} of records {copies} is nowhere")
        expect(all(aside[at] == ["_late"] for at in late), f"valid event {key} is in quarantine: {aside[late[0]] if late else ''}")
        valid[key] = late
    expect(len(silver) <= len(valid), f"silver holds {len(silver)} events, {len(valid)} were produced")
    late = sum(1 for record in ledger if aside.get((record["p"], record["o"])) == ["_late"])
    print(f"bronze {len(ledger)}, silver {len(silver)}, quarantine {len(aside)}, of them late {late}")


def main():
    rng = random.Random(SEED)
    print(f"seed {SEED}", flush=True)
    subprocess.run([os.path.join(ROOT, "tests", "peers", "setup.sh")], check=True)
    project, passed, feed = Project(), False, None
    path = os.path.join(project.work, "ledger.jsonl")
    folder, address = start_broker(project)
    try:
        feed = subprocess.Popen([PYTHON, os.path.join(HERE, "feed.py"), address, TOPIC, str(RATE), str(SEED), path],
                                stdin=subprocess.PIPE)
        kill_often(project, address, rng)
        feed.stdin.close()
        expect(feed.wait(120) == 0, "the producer failed")
        project.run(*arguments(project, address, "--once"))
        with open(path, encoding="utf-8") as file:
            ledger = [json.loads(line) for line in file]
        check_bronze(project, ledger)
        check_silver(project, ledger)
        check_gold(project)
        versions = len(glob.glob(f"{project.tables}/*/_delta_log/*.json"))
        project.run(*arguments(project, address, "--once"))
        after = len([p for p in glob.glob(f"{project.tables}/*/_delta_log/*.json") if "event_log" not in p])
        before = versions - len(glob.glob(f"{project.tables}/event_log/_delta_log/*.json"))
        expect(after <= before + 1, "a run with nothing new committed something")
        passed = True
    except Failed as fault:
        sys.exit(f"{fault}\nseed {SEED}, kept: {project.work}")
    finally:
        if feed is not None and feed.poll() is None:
            feed.kill()
        subprocess.run([os.path.join(SERVICE, "stop.sh"), folder, "--kill"], check=False)
        if passed:
            project.remove()


if __name__ == "__main__":
    main()
