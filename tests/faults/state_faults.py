"""What a run leaves for the next one: pointers, saved state, the log itself; damaged or deleted between two runs."""
import glob
import os
import random
import shutil

from confluent_kafka import TopicPartition

from fault_project import Project, check, events, expect


def runs(broker, folder, times):
    """A project that was run so many times, each with new events and old ones again; with its ledger."""
    topic = broker.create()
    project, ledger = Project(folder, broker, topic), []
    for turn in range(times):
        feed(broker, project, ledger, turn)
        project.run()
    return project, ledger


def feed(broker, project, ledger, turn):
    ledger += broker.produce(project.topic, events(30 * turn, 30) + events(0, 30 * turn + 10))


def pointers(broker, folder):
    """`_last_checkpoint` deleted, empty, no JSON, or naming a checkpoint that is not there."""
    project, ledger = runs(broker, folder, 3)
    damage = {"deleted": os.remove, "empty": lambda path: write(path, b""), "cut": lambda path: cut(path, 0.5),
              "lost": lambda path: write(path, b'{"version":900,"size":10}')}
    for turn, (name, spoil) in enumerate(damage.items()):
        found = glob.glob(f"{project.warehouse}/f/*/_delta_log/_last_checkpoint")
        expect(len(found) >= 3, f"checkpoints before {name}: {found}")
        for path in found:
            spoil(path)
        feed(broker, project, ledger, 3 + turn)
        project.run()
        check(project, ledger)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def cut(path, share):
    os.truncate(path, int(os.path.getsize(path) * share))


def flip(path):
    with open(path, "r+b") as file:
        at = random.randrange(os.path.getsize(path))
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0xFF]))


def saved_state(broker, folder):
    """State deleted, cut, with a byte changed, or empty: old events stay duplicates, views stay exact."""
    project, ledger = runs(broker, folder, 2)
    files = lambda: [path for path in glob.glob(f"{project.storage}/state/**", recursive=True) if os.path.isfile(path)]
    damage = (lambda: shutil.rmtree(f"{project.storage}/state"), lambda: [cut(path, 0.6) for path in files()],
              lambda: [flip(path) for path in files()], lambda: [write(path, b"") for path in files()])
    for turn, spoil in enumerate(damage):
        expect(len(files()) >= 2, f"saved state: {files()}")
        spoil()
        feed(broker, project, ledger, 2 + turn)
        project.run()
        check(project, ledger)


def lost_state(broker, folder):
    """Deleted, and the topic no longer has what a rebuild needs: an error that says what to do, and no guess."""
    topic = broker.create()
    project = Project(folder, broker, topic, bronze_only=True)
    project.write("transformations/pipeline.sql", """CREATE OR REFRESH STREAMING TABLE keys AS SELECT id, max_offset FROM (
  SELECT from_json(CAST(value AS STRING), 'id STRING').id AS id, offset AS max_offset
  FROM STREAM read_kafka(bootstrapServers => '${brokers}', subscribe => '${topic}', startingOffsets => 'earliest'))
QUALIFY row_number() OVER (PARTITION BY id ORDER BY max_offset) = 1;
""")
    broker.produce(topic, events(0, 40))
    project.run()
    shutil.rmtree(f"{project.storage}/state")
    broker.produce(topic, events(0, 60))
    broker.admin.delete_records([TopicPartition(topic, n, 10) for n in range(2)])
    before = project.versions("keys")
    project.run(code=2, says=("FLOW_STATE_LOST", "keys", "--full-refresh"))
    expect(project.versions("keys") == before, "a flow without its state committed something")
    project.run("--full-refresh", "f.keys")
    rows = project.query("SELECT id FROM keys")
    expect(len(rows) == len({row["id"] for row in rows}) == 60, f"after the full refresh there are {len(rows)} keys of 60")


def damaged_log(broker, folder):
    """A commit of the log that is no JSON is an error that names the file, not a guess; restored, all is there."""
    project, ledger = runs(broker, folder, 2)
    last = f"{project.versions('silver')[-1]:020d}.json"
    path = os.path.join(project.table("silver"), "_delta_log", last)
    with open(path, "rb") as file:
        kept = file.read()
    cut(path, 0.7)
    feed(broker, project, ledger, 2)
    project.run(code=2, says=("DELTA_LOG_CORRUPT", last))
    write(path, kept)
    project.run()
    check(project, ledger)


def lost_data_file(broker, folder):
    """A file of a table that is gone is named by whoever reads it."""
    project, _ = runs(broker, folder, 1)
    files = glob.glob(f"{project.table('silver')}/*.parquet")
    for path in files:
        os.remove(path)
    project.sluice("sql", "-c", "SELECT * FROM silver", code=1, says=("DELTA_FILE_NOT_FOUND", ".parquet"))


CASES = (pointers, saved_state, lost_state, damaged_log, lost_data_file)
