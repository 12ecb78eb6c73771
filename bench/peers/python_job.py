"""The script a data engineer writes: confluent-kafka batches, parsed by DuckDB, written by delta-rs; dedup in a Python set,
gold kept in a DuckDB table. python_job.py MODE OUT TOPIC BROKERS with MODE = bronze | all | latency.

Reads to the end of the topic as it stands; in latency mode until the file $LAT_STOP exists. Writes OUT/_peer.json.
"""
import datetime as dt
import json
import os
import sys
import time

START = float(os.environ.get("BENCH_T0", time.time()))
import confluent_kafka  # noqa: E402
import deltalake  # noqa: E402
import duckdb  # noqa: E402
import pyarrow as pa  # noqa: E402
from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from deltalake import CommitProperties, Transaction, write_deltalake  # noqa: E402

MODE, OUT, TOPIC, BROKERS = sys.argv[1:5]
LATENCY = MODE == "latency"
BATCH = int(os.environ.get("PY_BATCH", "500000"))
FLUSH_SECONDS = float(os.environ.get("PY_FLUSH_S", "1.0"))
PARSE = """
with parsed as (
  select from_json(value, '{"event_id":"VARCHAR","customer_id":"VARCHAR","event_type":"VARCHAR",
                            "event_time":"VARCHAR","properties":"MAP(VARCHAR,VARCHAR)"}') e from batch),
flat as (
  select e.event_id event_id, e.customer_id customer_id, upper(e.event_type) event_type,
         e.event_time::timestamptz event_time, e.properties properties from parsed)
select *, event_time::date event_date from flat
where event_id is not null and event_time is not null and regexp_full_match(customer_id, '[0-9]{10}')"""
MERGE_GOLD = """
insert into gold
select date_trunc('hour', event_time), event_type, coalesce(properties['region'], ''), count(*),
       sum(properties['response_time']::double), sum(properties['revenue']::decimal(18, 2))
from s group by all
on conflict do update set n = n + excluded.n, rt = rt + excluded.rt, rev = rev + excluded.rev"""
READ_GOLD = """
select window_start, window_start + interval 1 hour window_end, event_type, region, n event_count,
       rt / n avg_response_time, rev::decimal(28, 2) total_revenue from gold"""


def open_consumer():
    consumer = Consumer({
        "bootstrap.servers": BROKERS, "group.id": "python-peer", "enable.auto.commit": False,
        "auto.offset.reset": "earliest", "queued.min.messages": 500000, "queued.max.messages.kbytes": 400000,
        "fetch.message.max.bytes": 16 << 20, "fetch.max.bytes": 64 << 20, "enable.partition.eof": False})
    partitions = sorted(consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions)
    ends = [consumer.get_watermark_offsets(TopicPartition(TOPIC, p), timeout=10)[1] for p in partitions]
    consumer.assign([TopicPartition(TOPIC, p, 0) for p in partitions])
    return consumer, sum(ends)


class Medallion:
    def __init__(self):
        self.con = duckdb.connect()
        self.con.execute("set timezone='UTC'; set threads=2")
        self.con.execute("create table gold(window_start timestamptz, event_type varchar, region varchar, n bigint,"
                         " rt double, rev decimal(38, 2), primary key(window_start, event_type, region))")
        self.seen = set()
        self.seconds = dict(consume=0.0, bronze=0.0, parse=0.0, dedup=0.0, silver=0.0, gold=0.0)

    def timed(self, name, since):
        now = time.time()
        self.seconds[name] += now - since
        return now

    def query(self, text, **tables):
        for name, table in tables.items():
            self.con.register(name, table)
        result = self.con.execute(text)
        table = result.to_arrow_table() if hasattr(result, "to_arrow_table") else result.fetch_arrow_table()
        for name in tables:
            self.con.unregister(name)
        return table

    def first_of_each(self, silver):
        keep, add = [], self.seen.add
        for i, key in enumerate(silver.column("event_id").to_pylist()):
            if key not in self.seen:
                add(key)
                keep.append(i)
        if len(keep) == silver.num_rows:
            return silver
        return silver.take(pa.array(keep, pa.int64())).combine_chunks() if keep else silver.slice(0, 0)

    def flush(self, messages):
        at = time.time()
        batch, positions = as_table(messages)
        # The offsets ride in the Delta txn actions, so that a restart can resume exactly.
        txn = CommitProperties(app_transactions=[Transaction(f"{TOPIC}-{p}", o) for p, o in sorted(positions.items())])
        at = self.timed("consume", at)
        write_deltalake(OUT + "/bronze", batch, mode="append", partition_by=["ingestion_date"], commit_properties=txn)
        at = self.timed("bronze", at)
        if MODE == "bronze":
            return
        silver = self.query(PARSE, batch=batch)
        at = self.timed("parse", at)
        silver = self.first_of_each(silver)
        at = self.timed("dedup", at)
        if not silver.num_rows:
            return
        write_deltalake(OUT + "/silver", silver, mode="append", partition_by=["event_date"], commit_properties=txn)
        at = self.timed("silver", at)
        self.con.register("s", silver)
        self.con.execute(MERGE_GOLD)
        self.con.unregister("s")
        write_deltalake(OUT + "/gold", self.query(READ_GOLD), mode="overwrite")
        self.timed("gold", at)


def as_table(messages):
    now = dt.datetime.now(dt.timezone.utc)
    count = len(messages)
    partitions = [m.partition() for m in messages]
    offsets = [m.offset() for m in messages]
    millis = pa.array([m.timestamp()[1] * 1000 for m in messages], pa.int64())
    table = pa.table({
        "value": pa.array([m.value() for m in messages], pa.binary()).cast(pa.string()),
        "key": pa.array([m.key() for m in messages], pa.binary()).cast(pa.string()),
        "topic": pa.array([TOPIC] * count), "partition": pa.array(partitions, pa.int32()),
        "offset": pa.array(offsets, pa.int64()), "timestamp": millis.cast(pa.timestamp("us", "UTC")),
        "ingestion_timestamp": pa.array([now] * count, pa.timestamp("us", "UTC")),
        "ingestion_date": pa.array([now.date()] * count)})
    return table, {p: o + 1 for p, o in zip(partitions, offsets)}


def read_batch(consumer, left):
    messages, deadline = [], time.time() + FLUSH_SECONDS
    while len(messages) < BATCH:
        wanted = min(10000 if LATENCY else 100000, BATCH - len(messages))
        messages += [m for m in consumer.consume(wanted, 0.05 if LATENCY else 1.0) if m.error() is None]
        if time.time() >= deadline if LATENCY else len(messages) >= left:
            break
    return messages


def main():
    consumer, left = open_consumer()
    medallion, stop, batches = Medallion(), os.environ.get("LAT_STOP"), 0
    while True:
        since = time.time()
        messages = read_batch(consumer, left)
        medallion.timed("consume", since)
        if messages:
            medallion.flush(messages)
            left -= len(messages)
            batches += 1
        if os.path.exists(stop) if LATENCY else left <= 0:
            break
    marks = {name + "_s": round(seconds, 2) for name, seconds in medallion.seconds.items()}
    marks.update(batches=batches, done_s=round(time.time() - START, 2))
    version = (f"python {sys.version.split()[0]}, confluent-kafka {confluent_kafka.__version__}, "
               f"duckdb {duckdb.__version__}, deltalake {deltalake.__version__}, pyarrow {pa.__version__}")
    with open(OUT + "/_peer.json", "w", encoding="utf-8") as file:
        json.dump({"marks": marks, "version": version}, file)
    os._exit(0)  # the consumer's close would wait for the group


main()
