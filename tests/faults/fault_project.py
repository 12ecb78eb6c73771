"""A small project over one topic, run by the binary under test: bronze as received, silver parsed, checked and
deduplicated, gold counted. `Ledger` is what was produced; `check` compares all tables with it."""
import hashlib
import json
import os
import signal
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SLUICE = os.environ.get("SLUICE_BINARY", os.path.join(ROOT, "build", "release", "bin", "sluice"))
PATIENCE = 90  # seconds; what takes longer hangs
BUCKETS = 7

BRONZE = """CREATE OR REFRESH STREAMING TABLE bronze
TBLPROPERTIES ('delta.checkpointInterval' = '2')
AS SELECT value, topic, partition, offset, timestamp
FROM STREAM read_kafka(bootstrapServers => '${{brokers}}', subscribe => '${{topic}}', startingOffsets => 'earliest',
  connectTimeoutMs => 10000{options});
"""
SILVER = """CREATE OR REFRESH STREAMING TABLE silver (
  CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION QUARANTINE
) TBLPROPERTIES ('delta.checkpointInterval' = '2')
AS SELECT id, n, length(text) AS text_length, kafka_partition, kafka_offset FROM (
  SELECT e.id, e.n, e.text, kafka_partition, kafka_offset, kafka_time FROM (
    SELECT from_json(CAST(value AS STRING), 'id STRING, n BIGINT, text STRING') AS e,
      partition AS kafka_partition, offset AS kafka_offset, timestamp AS kafka_time
    FROM STREAM bronze)
) WATERMARK kafka_time DELAY OF INTERVAL 1 HOUR
QUALIFY row_number() OVER (PARTITION BY id ORDER BY kafka_time) = 1;
"""
GOLD = f"""CREATE OR REFRESH MATERIALIZED VIEW gold
TBLPROPERTIES ('delta.checkpointInterval' = '2')
AS SELECT n % {BUCKETS} AS bucket, count(*) AS events, sum(n) AS total, count(DISTINCT id) AS ids
FROM silver GROUP BY n % {BUCKETS};
"""


class Failed(Exception):
    """The binary did something else than the case expects."""


def expect(holds, text):
    if not holds:
        raise Failed(text)


def event(number, **more):
    """A valid record."""
    return json.dumps({"id": f"event-{number}", "n": number, **more}).encode()


def events(first, count):
    return [event(first + i) for i in range(count)]


class Project:
    def __init__(self, folder, broker, topic, options="", warehouse="warehouse", settings="", bronze_only=False,
                 event_log="false"):
        """`options`: further arguments of read_kafka; `settings`: further lines of sluice.yml."""
        self.folder, self.broker, self.topic = folder, broker, topic
        self.prefix = []  # of every command: how it enters a namespace or becomes another user
        self.spec = os.path.join(folder, "spark-pipeline.yml")
        self.storage = os.path.join(folder, "storage")
        self.warehouse = os.path.join(folder, warehouse)
        self.write("spark-pipeline.yml", f"name: faults\nstorage: file://{self.storage}\ndatabase: f\n"
                   "libraries:\n  - glob:\n      include: transformations/**\n")
        self.write("sluice.yml", f"warehouse: {warehouse}\nevent_log: {event_log}\n{settings}")
        if options:
            options = ", " + options
        self.write("transformations/pipeline.sql", BRONZE.format(options=options) + ("" if bronze_only else SILVER + GOLD))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def table(self, name):
        return os.path.join(self.warehouse, "f", name)

    def versions(self, name):
        """Numbers of the commits in a table's log."""
        folder = os.path.join(self.table(name), "_delta_log")
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return sorted(int(n[:20]) for n in names if n.endswith(".json") and len(n) == 25)

    def command(self, *arguments, **settings):
        settings = {"brokers": self.broker.address, "topic": self.topic, **settings}
        pairs = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        return [*self.prefix, SLUICE, *map(str, arguments), "--spec", self.spec, *pairs]

    def sluice(self, *arguments, code=0, says=(), patience=PATIENCE, **settings):
        """Runs it; the finished process. `says`: what standard error has to hold, an error's code first."""
        command = self.command(*arguments, **settings)
        try:
            done = subprocess.run(command, cwd=self.folder, text=True, capture_output=True, timeout=patience, check=False)
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{' '.join(command)} did not end within {patience} s: {late.stderr!r}") from None
        shown = f"{' '.join(command)}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
        expect(done.returncode == code, f"exit code {done.returncode} instead of {code}: {shown}")
        for number, text in enumerate(says):
            wanted = f"[{text}]" if number == 0 else text
            expect(wanted in done.stderr, f"standard error does not say {wanted!r}: {shown}")
        return done

    def run(self, *arguments, code=0, says=(), **more):
        return self.sluice("run", "--once", *arguments, code=code, says=says, **more)

    def query(self, text):
        out = self.sluice("sql", "--output", "json", "-c", text).stdout
        return [json.loads(line) for line in out.splitlines() if line.strip()]

    def start(self, log="run.log", code=(0,), **settings):
        """`log`: where its output goes; two at a time need two. `code`: how it may end."""
        return Running(self, log, code, settings)


class Running:
    """`sluice run --continuous`; ends with the block, by SIGTERM."""

    def __init__(self, project, log, code, settings):
        self.code = code
        self.log = open(os.path.join(project.folder, log), "w+", encoding="utf-8")
        command = project.command("run", "--continuous", **{"pipelines.trigger.interval": "100 milliseconds", **settings})
        self.process = subprocess.Popen(command, cwd=project.folder, stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def said(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def wait_for(self, what, condition):
        """Until the condition holds; a process that ends before is a failure."""
        end = time.time() + PATIENCE
        while not condition():
            expect(self.process.poll() is None, f"ended with {self.process.returncode} before {what}: {self.said()[-3000:]}")
            expect(time.time() < end, f"no {what} within {PATIENCE} s: {self.said()[-3000:]}")
            time.sleep(0.05)

    def fails_with(self, *says):
        """It ends by itself with exit code 2."""
        self.wait_for_end((2,), says)

    def wait_for_end(self, code, says=()):
        try:
            found = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed(f"did not end within {PATIENCE} s: {self.said()[-3000:]}") from None
        expect(found in code, f"exit code {found} instead of {code}: {self.said()[-3000:]}")
        for text in says:
            expect(text in self.said(), f"does not say {text!r}: {self.said()[-3000:]}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.wait_for_end(self.code)

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind is None:
                self.stop()
            else:
                self.process.kill()
                self.process.wait()
        self.log.close()


def parsed(value):
    """(id, n) as silver reads a record, None when it has to be in quarantine."""
    try:
        found = json.loads(value.decode("utf-8", errors="replace"))  # as Java's readers do
        return (found["id"], found["n"]) if isinstance(found["id"], str) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def rows_of(project, queries):
    """Rows of several queries by name, from one command."""
    found = {name: [] for name in queries}
    for row in project.query("; ".join(f"SELECT '{name}' AS named, {text}" for name, text in queries.items())):
        found[row.pop("named")].append(row)
    return found


def check_bronze(rows, ledger):
    """Every record once, byte for byte."""
    found = {}
    for row in rows:
        at = (row["partition"], row["offset"])
        expect(at not in found, f"bronze holds record {at} twice")
        found[at] = row
    wanted = {(p, o): value for p, o, value in ledger}
    expect(found.keys() == wanted.keys(),
           f"bronze holds {len(found)} records of {len(wanted)}; differing: {sorted(found.keys() ^ wanted.keys())[:5]}")
    for at, value in wanted.items():
        digest = None if value is None else hashlib.sha256(value).hexdigest()
        expect(found[at].get("digest") == digest, f"record {at} differs in bronze, produced: {(value or b'')[:100]!r}")


def check_gold(rows, good):
    gold = {row["bucket"]: (row["events"], int(row["total"]), row["ids"]) for row in rows}
    wanted = {}
    for n in good.values():
        count, total, _ = wanted.get(n % BUCKETS, (0, 0, 0))
        wanted[n % BUCKETS] = (count + 1, total + n, count + 1)
    expect(gold == wanted, f"gold is {gold}, recomputed {wanted}")


def check(project, ledger):
    """All tables against what was produced: nothing lost, nothing twice."""
    good, bad = {}, set()
    for partition, offset, value in ledger:
        one = None if value is None else parsed(value)
        if one is None:
            bad.add((partition, offset))
        else:
            good[one[0]] = one[1]
    queries = {"bronze": "partition, offset, sha2(value, 256) AS digest FROM bronze", "silver": "id, n FROM silver",
               "gold": "* FROM gold"}
    if bad or os.path.isdir(project.table("silver_quarantine")):
        queries["aside"] = "source.partition AS p, source.offset AS o FROM silver_quarantine"
    rows = rows_of(project, queries)
    check_bronze(rows["bronze"], ledger)
    silver = {}
    for row in rows["silver"]:
        expect(row["id"] not in silver, f"silver holds {row['id']} twice")
        silver[row["id"]] = row["n"]
    expect(silver == good, f"silver holds {len(silver)} events of {len(good)}; "
           f"differing: {sorted(silver.items() ^ good.items())[:5]}")
    aside = [(row.get("p"), row.get("o")) for row in rows.get("aside", [])]
    expect(len(aside) == len(set(aside)), "quarantine holds a record twice")
    expect(set(aside) == bad, f"quarantine differs from the broken records: {list(set(aside) ^ bad)[:5]}")
    check_gold(rows["gold"], good)
