#!/usr/bin/env python3
"""Random statements on Delta tables by Spark and by `sluice sql` in turns, compared with the same statements by Spark alone.

For each set of table properties two tables get the same statements: one by Spark only, the other by either of both. After
each statement the rows must be the same as Spark reads them, and as `sluice sql` does; so must the change feeds; row ids
stay with their rows. In the end delta-rs and DuckDB read the tables, too, where they know the features. A statement that
Spark refuses must be refused.

    statement_peer_test.py [TABLE ...]     those of TABLES; without: all

SLUICE_PEER_SEED, SLUICE_PEER_STEPS (statements a table) and SLUICE_PEER_ROUNDS (seeds) choose other statements. The
folder is kept when there are differences.
"""
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = os.path.join(ROOT, ".deps", "peers")
PYTHON = os.path.join(PEERS, "venv", "bin", "python")
SLUICE = os.path.abspath(os.environ.get("SLUICE_BINARY", os.path.join(ROOT, "build", "release", "bin", "sluice")))
SEED = int(os.environ.get("SLUICE_PEER_SEED", "1"))
STEPS = int(os.environ.get("SLUICE_PEER_STEPS", "8"))
ROUNDS = int(os.environ.get("SLUICE_PEER_ROUNDS", "1"))
UNCHECKED = "spark.databricks.delta.retentionDurationCheck.enabled"

TABLES = {  # name: partition column, properties
    "plain": ("", {}),
    "vectors": ("", {"delta.enableDeletionVectors": "true"}),
    "feed": ("day", {"delta.enableChangeDataFeed": "true"}),
    "feed_vectors": ("day", {"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "true"}),
    "mapped": ("day", {"delta.columnMapping.mode": "name", "delta.enableDeletionVectors": "true"}),
    "tracked": ("", {"delta.enableRowTracking": "true", "delta.enableChangeDataFeed": "true"}),
    "variants": ("day", {"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true"}),
    "tracked_vectors": ("day", {"delta.enableRowTracking": "true", "delta.enableDeletionVectors": "true",
                                "delta.enableInCommitTimestamps": "true", "delta.columnMapping.mode": "id"}),
}
MERGE = ("MERGE INTO {t} t USING {s} s ON t.id=s.id WHEN MATCHED AND s.v%2=0 THEN DELETE "
         "WHEN MATCHED AND s.v IS NOT NULL THEN UPDATE SET v=s.v, day=s.day "
         "WHEN NOT MATCHED AND s.v IS NULL THEN INSERT (id, day) VALUES (s.id, s.day) "
         "WHEN NOT MATCHED AND s.v%3<>0 THEN INSERT (id, v, day) VALUES (s.id, s.v, s.day) "
         "WHEN NOT MATCHED BY SOURCE AND t.v IS NULL THEN UPDATE SET v=1 "
         "WHEN NOT MATCHED BY SOURCE AND t.v%7=0 THEN DELETE")
UPSERT = "MERGE INTO {t} t USING {s} s ON t.id=s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
VARIANTS = ['1', '-300', '70000', '5000000000', '123456789012345678901234567890', '0.25', '1e3', 'null', 'true', '"x"',
            '[]', '{}', '[1,[2,{"a":null}]]', '{"b":1,"a":{"c":"%s"}}' % ("long " * 20)]
DAYS = ["a", "b", "c d", "%2F", "x=y", None]


def literal(value):
    return "NULL" if value is None else str(value) if isinstance(value, int) else f"'{value}'"


def values(rows):
    return ", ".join("(" + ", ".join(literal(v) for v in row) + ")" for row in rows)


def source(rows):
    return ("(SELECT CAST(id AS BIGINT) AS id, CAST(v AS BIGINT) AS v, CAST(day AS STRING) AS day "
            f"FROM VALUES {values(rows)} AS x (id, v, day))")


class Statements:
    """A stream of statements of one seed."""

    def __init__(self, seed, partition, properties):
        self.random = random.Random(seed)
        self.partitioned = bool(partition)
        self.mapped = "delta.columnMapping.mode" in properties
        self.vectors = "delta.enableDeletionVectors" in properties
        self.variants = False
        self.next_id = 0
        self.made = 0  # columns and constraints so far
        self.extra = []  # columns added
        self.versions = []  # (versions of both tables, extra) to restore

    def row(self, identity):
        one = self.random
        return (identity, None if one.random() < 0.2 else one.randrange(40), one.choice(DAYS))

    def fresh(self, count):
        rows = [self.row(self.next_id + i) for i in range(count)]
        self.next_id += count
        return rows

    def next(self):
        """Kind and SQL; of "restore" both versions stand for {v}."""
        one = self.random
        if self.next_id == 0:
            return self.append()
        kinds = (["variant"] * 8 if self.variants else []) + ["append"] * 4 + ["update"] * 4 + ["delete", "merge", "upsert", "optimize"] * 2 + [
            "day", "replace", "overwrite", "partition", "restore", "alter", "alter", "vacuum", "purge"]
        return getattr(self, one.choice(kinds))()

    def range(self):
        low = self.random.randrange(self.next_id)
        return low, low + self.random.randrange(12)

    def append(self):
        rows = values(self.fresh(1 + self.random.randrange(20)))
        return "append", f"INSERT INTO {{t}} (id, v, day) VALUES {rows}"

    def delete(self):
        return "delete", "DELETE FROM {t} WHERE id BETWEEN %d AND %d" % self.range()

    def day(self):
        day = self.random.choice(DAYS)
        return "delete", "DELETE FROM {t} WHERE day " + ("IS NULL" if day is None else f"= '{day}'")

    def update(self):
        low, high = self.range()
        day = literal(self.random.choice(["u", "a", None]))
        more = "".join(f", {c} = id * 2" for c in self.extra if self.random.random() < 0.5)
        return "update", f"UPDATE {{t}} SET v = v + 1, day = {day}{more} WHERE id BETWEEN {low} AND {high}"

    def variant(self):
        low, high = self.range()
        value = self.random.choice(VARIANTS + [None])
        value = "NULL" if value is None else f"parse_json('{value}')"
        if self.random.random() < 0.4:
            return "append", f"INSERT INTO {{t}} (id, v, day, d) VALUES ({self.fresh(1)[0][0]}, 1, 'a', {value})"
        if self.random.random() < 0.3:
            return "delete", f"DELETE FROM {{t}} WHERE variant_get(d, '$', 'string') = 'x' AND id > {low}"
        return "update", f"UPDATE {{t}} SET d = {value} WHERE id BETWEEN {low} AND {high}"

    def replace(self):
        low, high = self.range()
        rows = [self.row(i) for i in self.random.sample(range(low, high + 1), self.random.randrange(1, high - low + 2))]
        extra = (", parse_json(NULL)" if self.variants else "") + "".join(", CAST(NULL AS BIGINT)" for _ in self.extra)
        return "overwrite", (f"INSERT INTO {{t}} REPLACE WHERE id BETWEEN {low} AND {high} "
                             f"SELECT s.*{extra} FROM {source(rows)} s")

    def overwrite(self):
        return "overwrite", f"INSERT OVERWRITE {{t}} (id, v, day) VALUES {values(self.fresh(1 + self.random.randrange(20)))}"

    def partition(self):
        if not self.partitioned or self.extra or self.variants:
            return self.append()
        rows = ", ".join(f"({i}, {literal(v)})" for i, v, _ in self.fresh(1 + self.random.randrange(8)))
        day = self.random.choice(["a", "c d", "new"])
        into = self.random.choice(["INTO", "OVERWRITE"])
        return "append" if into == "INTO" else "overwrite", f"INSERT {into} {{t}} PARTITION (day = '{day}') VALUES {rows}"

    def merge(self):
        return self.merged(MERGE)

    def upsert(self):
        return self.merged(MERGE if self.extra or self.variants else UPSERT)

    def merged(self, text):
        ids = self.random.sample(range(self.next_id + 10), self.random.randrange(min(25, self.next_id)) + 1)
        self.next_id += 10
        return "merge", text.replace("{s}", source([self.row(i) for i in ids]))

    def optimize(self):
        where = " WHERE day = 'a'" if self.partitioned and self.random.random() < 0.3 else ""
        return "optimize", "OPTIMIZE {t}" + where

    def purge(self):
        return "optimize", "REORG TABLE {t} APPLY (PURGE)"

    def vacuum(self):
        return "vacuum", "VACUUM {t} RETAIN 0 HOURS"

    def restore(self):
        if not self.versions:
            return self.append()
        (_, extra) = target = self.random.choice(self.versions[-6:])
        self.restored = target[0]
        self.extra = list(extra)
        return "restore", "RESTORE TABLE {t} TO VERSION AS OF {v}"

    def alter(self):
        one = self.random
        self.made += 1
        choices = ["add", "check", "comment"] + (["rename", "drop"] if self.mapped and self.extra else [])
        choice = one.choice(choices)
        if choice == "check":
            return "alter", f"ALTER TABLE {{t}} ADD CONSTRAINT c{self.made} CHECK (id >= 0)"
        if choice == "comment":
            return "alter", f"ALTER TABLE {{t}} ALTER COLUMN v COMMENT 'number {self.made}'"
        if choice == "rename":
            old = self.extra.pop(one.randrange(len(self.extra)))
            self.extra.append(f"y{self.made}")
            return "alter", f"ALTER TABLE {{t}} RENAME COLUMN {old} TO y{self.made}"
        if choice == "drop":
            return "alter", f"ALTER TABLE {{t}} DROP COLUMN {self.extra.pop(one.randrange(len(self.extra)))}"
        self.extra.append(f"x{self.made}")
        return "alter", f"ALTER TABLE {{t}} ADD COLUMN x{self.made} BIGINT"


class Refused(Exception):
    pass


def sluice(sql):
    """The rows of the last SELECT of `sql`; rows of statements in front of it have no column id."""
    done = subprocess.run([SLUICE, "sql", "--set", f"{UNCHECKED}=false", "--output", "json", "-c", sql], text=True,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/tmp")
    if done.returncode:
        raise Refused((done.stdout + done.stderr)[-600:])
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [row for row in rows if "id" in row]


def order(row):
    return tuple((value is not None, value) for value in row)


class Pair:
    """A table that both write and its twin by Spark alone."""

    def __init__(self, spark, folder, name, seed):
        self.spark, self.name, self.seed = spark, name, seed
        self.partition, self.properties = TABLES[name]
        self.mixed, self.alone = (os.path.join(folder, name, which) for which in ("mixed", "alone"))
        texts = {"delta.enableDeletionVectors": "false", **self.properties}
        texts = ", ".join(f"'{k}'='{v}'" for k, v in texts.items())
        by = f"PARTITIONED BY ({self.partition})" if self.partition else ""
        variant = ", d VARIANT" if name == "variants" else ""
        create = f"(id BIGINT, v BIGINT, day STRING{variant}) USING delta {by} TBLPROPERTIES ({texts})"
        spark.sql(f"CREATE TABLE delta.`{self.alone}` {create}")
        if seed % 2:
            sluice(f"CREATE TABLE delta.`{self.mixed}` {create}")
        else:
            spark.sql(f"CREATE TABLE delta.`{self.mixed}` {create}")
        self.statements = Statements(f"{seed} {name}", self.partition, self.properties)
        self.statements.variants = bool(variant)
        self.columns = "* EXCEPT (d), to_json(d) AS d" if variant else "*"
        self.row_ids = {}
        self.ours = 0

    def by_spark(self, path, sql):
        try:
            self.spark.sql(sql.replace("{t}", f"delta.`{path}`"))
        except Exception as error:
            raise Refused(str(error)[:600]) from error

    def rows(self, path):
        frame = self.spark.sql(f"SELECT {self.columns} FROM delta.`{path}`")
        return frame.columns, sorted((tuple(r) for r in frame.collect()), key=order)

    def version(self, path):
        return self.spark.sql(f"DESCRIBE HISTORY delta.`{path}` LIMIT 1").collect()[0]["version"]

    def changes(self, path, version):
        frame = self.spark.sql(f"SELECT {self.columns} FROM table_changes_by_path('{path}', {version}, {version})")
        columns = [c for c in frame.columns if not c.startswith("_commit")]
        return sorted((tuple(r[c] for c in columns) for r in frame.collect()), key=order)

    def step(self, number):
        """Runs one statement; what differs."""
        kind, sql = self.statements.next()
        texts = [sql, sql]
        if kind == "restore":
            texts = [sql.replace("{v}", str(v)) for v in self.statements.restored]
        before = [self.version(self.mixed), self.version(self.alone)]
        ours = self.statements.random.random() < 0.7
        label = f"{self.name} seed {self.seed} step {number} ({'sluice' if ours else 'Spark'}): {sql[:200]}"
        refused = []
        try:
            self.by_spark(self.alone, texts[1])
        except Refused as error:
            refused.append(f"Spark alone: {error}")
        shown = []
        select = f"SELECT {self.columns} FROM delta.`{self.mixed}`"
        try:
            if ours:
                self.ours += 1
                shown = sluice(texts[0].replace("{t}", f"delta.`{self.mixed}`") + "; " + select)
            else:
                self.by_spark(self.mixed, texts[0])
                shown = sluice(select)
        except Refused as error:
            refused.append(f"mixed: {error}")
        if refused:
            return [label] + refused if len(refused) == 1 or kind != "vacuum" else []
        return [f"{label}\n  {fault}" for fault in self.compare(kind, before, shown)]

    def compare(self, kind, before, shown):
        after = [self.version(self.mixed), self.version(self.alone)]
        columns, mixed = self.rows(self.mixed)
        other, alone = self.rows(self.alone)
        if (columns, mixed) != (other, alone):
            yield (f"Spark reads {columns} {len(mixed)} rows, of its own table {other} {len(alone)}: "
                   f"{[r for r in mixed if r not in alone][:3]} / {[r for r in alone if r not in mixed][:3]}")
        read = sorted((tuple(row.get(c) for c in columns) for row in shown), key=order)
        if read != mixed:
            yield f"sluice reads {len(read)} rows, Spark {len(mixed)}: {read[:3]} / {mixed[:3]}"
        fed = "delta.enableChangeDataFeed" in self.properties and kind not in ("vacuum", "restore", "alter")
        if fed and after[0] > before[0] and after[1] > before[1]:
            one, two = self.changes(self.mixed, after[0]), self.changes(self.alone, after[1])
            if one != two:
                yield f"changes {[r for r in one if r not in two][:4]} / {[r for r in two if r not in one][:4]}"
        if "delta.enableRowTracking" in self.properties:
            yield from self.compare_row_ids(kind)
        if kind == "vacuum":
            self.statements.versions.clear()
        self.statements.versions.append((after, list(self.statements.extra)))

    def compare_row_ids(self, kind):
        query = f"SELECT id, _metadata.row_id FROM delta.`{self.mixed}`"
        now = {r[0]: r[1] for r in self.spark.sql(query).collect()}
        stay = kind in ("append", "update", "delete", "optimize", "alter", "vacuum")
        moved = [i for i in now if stay and self.row_ids.get(i, now[i]) != now[i]]
        if moved or len(set(now.values())) != len(now) or None in now.values():
            yield f"row ids moved or are not unique: {moved[:5]}"
        self.row_ids = now

    def others(self, folder):
        """The table as delta-rs and DuckDB read it; neither reads variants."""
        import canonical
        if self.statements.variants:
            return
        schema = self.spark.table(f"delta.`{self.mixed}`").schema.jsonValue()
        columns, rows = self.rows(self.mixed)
        rows = [dict(zip(columns, row)) for row in rows]
        if self.partition and "delta.columnMapping.mode" in self.properties:
            # DuckDB reads NULL from the partition columns of tables with column mapping, of those that Spark alone wrote,
            # too: the log names their values by physical name, and it looks them up by the table's.
            rows = [{**row, self.partition: None} for row in rows]
        wanted = canonical.summary(rows, schema)
        schemas = os.path.join(folder, "schemas.json")
        json.dump({"mixed": {"schema": schema}}, open(schemas, "w", encoding="utf-8"))
        readers = [("DuckDB", "duckdb", ["read_duckdb.py", "OUT", schemas, self.mixed])]
        if "delta.columnMapping.mode" not in self.properties:  # delta-rs does not know it
            readers.append(("delta-rs", "venv", ["read_deltars.py", "OUT", self.mixed]))
        for reader, venv, command in readers:
            out = os.path.join(folder, "out.json")
            script = [os.path.join(HERE, command[0])] + [out if c == "OUT" else c for c in command[1:]]
            done = subprocess.run([os.path.join(PEERS, venv, "bin", "python"), *script], text=True, check=False,
                                  stderr=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=HERE))
            if done.returncode:
                yield f"{self.name} seed {self.seed}: {reader} cannot read it: {done.stderr[-400:]}"
                continue
            read = json.load(open(out, encoding="utf-8"))["mixed"]
            if (read["rows"], read["micros"]) != (wanted["rows"], wanted["micros"]):
                yield f"{self.name} seed {self.seed}: {reader} reads {read['rows']} rows, Spark {wanted['rows']}"


def inside(names):
    """Runs with the peers' packages."""
    from pyspark.sql import SparkSession
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", ",".join(sorted(glob.glob(os.path.join(PEERS, "jars", "*.jar")))))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.driver.memory", "1g").config("spark.ui.enabled", "false").config(UNCHECKED, "false")
        .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "2")
        .config("spark.databricks.delta.snapshotPartitions", "2").config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    work = tempfile.mkdtemp(prefix="sluice-statement-peers-")
    faults = []
    for seed in range(SEED, SEED + ROUNDS):
        folder = os.path.join(work, str(seed))
        for name in names or TABLES:
            pair = Pair(spark, folder, name, seed)
            found = []
            step = 0
            while not found and step < STEPS:
                found = pair.step(step)
                step += 1
            found += [] if found else list(pair.others(folder))
            print(f"{name} seed {seed}: {step} statements, {pair.ours} of them by sluice", *found, sep="\n  ", flush=True)
            faults += found
        if not faults:
            shutil.rmtree(folder)
    spark.stop()
    if faults:
        sys.exit(f"{len(faults)} differences; tables are in {work}")
    shutil.rmtree(work)


def main():
    if sys.argv[1:2] == ["inside"]:
        return inside(sys.argv[2:])
    if subprocess.run([os.path.join(HERE, "setup.sh")], check=False).returncode:
        sys.exit("the peers cannot be set up")
    environment = dict(os.environ, TZ="UTC", PYTHONPATH=HERE, SLUICE_BINARY=SLUICE)
    environment.pop("LD_PRELOAD", None)
    command = [PYTHON, os.path.abspath(__file__), "inside", *sys.argv[1:]]
    return sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
