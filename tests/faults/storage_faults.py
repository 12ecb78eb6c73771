"""The warehouse: read-only, full, written to by others."""
import json
import os
import signal
import time
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

from fault_disk import Disk
from fault_project import Project, check, event, events, expect


def read_only_warehouse(broker, folder):
    topic = broker.create()
    ledger = broker.produce(topic, events(0, 30))
    with Disk(os.path.join(folder, "disk"), 64) as disk:
        project = Project(folder, broker, topic, warehouse="disk/warehouse")
        for _ in range(2):  # the tables do not exist yet, then they do
            disk.set_read_only(True)
            project.prefix = disk.prefix
            project.run(code=2, says=("STORAGE_READ_ONLY", "disk/warehouse", "write access"))
            disk.set_read_only(False)
            project.prefix = disk.prefix
            project.run()
            check(project, ledger)
            ledger += broker.produce(topic, events(len(ledger), 30))
        project.run()
        check(project, ledger)


def full_disk(broker, folder):
    topic = broker.create()
    ledger = broker.produce(topic, events(0, 30))
    with Disk(os.path.join(folder, "disk"), 24) as disk:
        project = Project(folder, broker, topic, warehouse="disk/warehouse")
        project.prefix = disk.prefix
        project.run()
        ledger += broker.produce(topic, events(30, 500))
        disk.fill()
        project.prefix = disk.prefix
        project.run(code=2, says=("STORAGE_NO_SPACE", "disk/warehouse/f/", "free disk space"))
        with project.start() as running:  # keeps trying, and goes on when there is room
            running.wait_for("word of the disk", lambda: running.said().count("STORAGE_NO_SPACE") > 1)
            if disk.way != "limits":
                disk.free()
                running.wait_for("the rows", lambda: project.query("SELECT count(*) AS n FROM silver")[0]["n"] == 530)
        if disk.way == "limits":
            disk.free()
        project.prefix = disk.prefix
        project.run()
        check(project, ledger)


def append(project, table, rows):
    """A commit of another writer, by the protocol: one file of rows, put in place without replacing anything."""
    name = f"part-{uuid.uuid4()}.snappy.parquet"
    path = os.path.join(project.table(table), name)
    pq.write_table(rows, path)
    adds = {"path": name, "partitionValues": {}, "size": os.path.getsize(path), "modificationTime": int(time.time() * 1000),
            "dataChange": True, "stats": json.dumps({"numRecords": rows.num_rows})}
    info = {"timestamp": int(time.time() * 1000), "operation": "WRITE", "engineInfo": "another writer"}
    text = json.dumps({"commitInfo": info}) + "\n" + json.dumps({"add": adds}) + "\n"
    folder = os.path.join(project.table(table), "_delta_log")
    draft = os.path.join(folder, f".{name}.tmp")
    with open(draft, "w", encoding="utf-8") as file:
        file.write(text)
    while True:
        try:
            os.link(draft, os.path.join(folder, f"{project.versions(table)[-1] + 1:020d}.json"))
            break
        except FileExistsError:
            continue
    os.remove(draft)


def foreign_commits(broker, folder):
    """Another writer appends to bronze, silver and gold's input while the pipeline commits to them."""
    topic = broker.create()
    project = Project(folder, broker, topic)
    ledger = broker.produce(topic, events(0, 20))
    project.run()
    count = 20
    with project.start() as running:
        for turn in range(6):
            ledger += broker.produce(topic, events(count, 20))
            count += 20
            foreign = event(10_000 + turn)
            value = pa.table({"value": pa.array([foreign], pa.binary()), "topic": [topic],
                              "partition": pa.array([9], pa.int32()), "offset": pa.array([turn], pa.int64()),
                              "timestamp": pa.array([int(time.time() * 1e6)], pa.timestamp("us", "UTC"))})
            append(project, "bronze", value)
            ledger.append((9, turn, foreign))  # silver follows the table, whoever wrote it
            running.wait_for("the rows", lambda: project.query(
                f"SELECT count(*) AS n FROM silver WHERE n < {count} OR n >= 10000")[0]["n"] == count + turn + 1)
    check(project, ledger)
    project.run()
    check(project, ledger)


def foreign_change(broker, folder):
    """Another writer takes rows out of a table that a stream follows: the flow says so, and goes on when told to."""
    topic = broker.create()
    project = Project(folder, broker, topic)
    ledger = broker.produce(topic, events(0, 20))
    project.run()
    log = os.path.join(project.table("bronze"), "_delta_log")
    with open(os.path.join(log, f"{project.versions('bronze')[-1]:020d}.json"), encoding="utf-8") as file:
        adds = [action["add"] for action in map(json.loads, file) if "add" in action]
    remove = {"path": adds[0]["path"], "deletionTimestamp": int(time.time() * 1000), "dataChange": True}
    with open(os.path.join(log, f"{project.versions('bronze')[-1] + 1:020d}.json"), "x", encoding="utf-8") as file:
        file.write(json.dumps({"remove": remove}) + "\n")
    ledger += broker.produce(topic, events(20, 20))
    project.run(code=2, says=("DELTA_SOURCE_TABLE_CHANGED", "bronze", "skipChangeCommits"))
    path = "transformations/pipeline.sql"
    with open(os.path.join(folder, path), encoding="utf-8") as file:
        text = file.read()
    project.write(path, text.replace("STREAM bronze)", "STREAM bronze WITH ('skipChangeCommits' = 'true'))"))
    project.run()
    silver = project.query("SELECT id FROM silver")
    expect(len(silver) == len({row["id"] for row in silver}) == 40, f"silver holds {len(silver)} events of 40")


def second_process(broker, folder):
    """Of two processes on one pipeline the one that comes second is refused, with the name of the other."""
    topic = broker.create()
    project = Project(folder, broker, topic)
    ledger = broker.produce(topic, events(0, 40))
    with project.start() as first:
        first.wait_for("rows", lambda: project.versions("gold")[1:])
        first.process.send_signal(signal.SIGSTOP)
        ledger += broker.produce(topic, events(40, 40))
        project.run()
        first.process.send_signal(signal.SIGCONT)
        ledger += broker.produce(topic, events(80, 40))
        first.fails_with("FLOW_FOREIGN_ADVANCE", "process", os.uname().nodename, "stop the other one")
    project.run()
    check(project, ledger)
    # Both at once, being fed: each flow has one winner, not always in the same process.
    with project.start(code=(0, 2)) as one, project.start("other.log", code=(0, 2)) as other:
        for turn in range(100):
            ledger += broker.produce(topic, events(120 + 10 * turn, 10))
            if any("FLOW_FOREIGN_ADVANCE" in run.said() for run in (one, other)):
                break
            time.sleep(0.1)
        expect("FLOW_FOREIGN_ADVANCE" in one.said() + other.said(), "neither process was refused")
    project.run()
    check(project, ledger)


CASES = (read_only_warehouse, full_disk, foreign_commits, foreign_change, second_process)
