"""Spark Structured Streaming + Delta. spark_job.py MODE OUT TOPIC BROKERS JARS with MODE = bronze | all | latency.

Catch-up modes chain availableNow queries, each reading the table before it; latency runs the three at once until the
file $LAT_STOP exists. Writes OUT/_peer.json.
"""
import glob
import json
import os
import sys
import time

START = float(os.environ.get("BENCH_T0", time.time()))
from pyspark.sql import SparkSession, functions as F  # noqa: E402

MODE, OUT, TOPIC, BROKERS, JARS = sys.argv[1:6]
WATERMARK = os.environ.get("SPARK_WATERMARK", "30 days")
MAX_OFFSETS = os.environ.get("SPARK_MAXOFFSETS", "1000000")
SCHEMA = "event_id string, customer_id string, event_type string, event_time timestamp, properties map<string,string>"
SETTINGS = {
    "spark.jars": ",".join(sorted(glob.glob(JARS + "/*.jar"))),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.driver.memory": "6g",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.files.maxPartitionBytes": "64m",
    "spark.sql.streaming.stateStore.providerClass":
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.noDataMicroBatches.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.databricks.delta.stats.collect": "true",
    "spark.sql.parquet.compression.codec": "snappy",
}


def session():
    builder = SparkSession.builder.master("local[2]").appName("medallion")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    made = builder.getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    return made


spark = session()
marks = {"session_s": round(time.time() - START, 2)}


def table_stream(name):
    reader = spark.readStream.format("delta").option("maxBytesPerTrigger", "1g").option("maxFilesPerTrigger", "1000")
    return reader.load(f"{OUT}/{name}")


def writer(frame, name, partition=None, mode="append"):
    made = frame.writeStream.format("delta").outputMode(mode).option("checkpointLocation", f"{OUT}/_checkpoints/{name}")
    return made.partitionBy(partition) if partition else made


def bronze():
    records = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", BROKERS).option("subscribe", TOPIC)
               .option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", MAX_OFFSETS)
               .option("kafka.max.partition.fetch.bytes", str(16 << 20))
               .option("kafka.fetch.max.bytes", str(64 << 20)).load())
    frame = records.select(
        F.col("value").cast("string").alias("value"), F.col("key").cast("string").alias("key"), "topic", "partition",
        "offset", "timestamp", F.current_timestamp().alias("ingestion_timestamp"))
    return writer(frame.withColumn("ingestion_date", F.to_date("ingestion_timestamp")), "bronze", "ingestion_date")


def silver():
    frame = (table_stream("bronze").select(F.from_json("value", SCHEMA).alias("e")).select("e.*")
             .where("event_id is not null and event_time is not null and customer_id rlike '^[0-9]{10}$'")
             .withWatermark("event_time", WATERMARK).dropDuplicates(["event_id", "event_time"])
             .withColumn("event_type", F.upper("event_type")).withColumn("event_date", F.to_date("event_time")))
    return writer(frame, "silver", "event_date")


def gold():
    properties = F.col("properties")
    frame = (table_stream("silver")
             .groupBy(F.window("event_time", "1 hour").alias("w"), "event_type", properties["region"].alias("region"))
             .agg(F.count("*").alias("event_count"),
                  F.avg(properties["response_time"].cast("double")).alias("avg_response_time"),
                  F.sum(properties["revenue"].cast("decimal(18,2)")).alias("total_revenue"))
             .select(F.col("w.start").alias("window_start"), F.col("w.end").alias("window_end"), "event_type", "region",
                     "event_count", "avg_response_time", "total_revenue"))
    return writer(frame, "gold", mode="complete")


def catch_up(name, make):
    since = time.time()
    query = make().trigger(availableNow=True).start(f"{OUT}/{name}")
    query.awaitTermination()
    if query.exception():
        raise query.exception()
    marks[name + "_s"] = round(time.time() - since, 2)


def keep_up():
    queries = []
    for name, make in (("bronze", bronze), ("silver", silver), ("gold", gold)):
        queries.append(make().trigger(processingTime="0 seconds").start(f"{OUT}/{name}"))
        while not os.path.exists(f"{OUT}/{name}/_delta_log/00000000000000000000.json"):
            time.sleep(0.05)
    while not os.path.exists(os.environ["LAT_STOP"]):
        for query in queries:
            if query.exception():
                raise query.exception()
        time.sleep(0.2)
    for query in queries:
        query.stop()


if MODE == "latency":
    keep_up()
else:
    catch_up("bronze", bronze)
    if MODE == "all":
        catch_up("silver", silver)
        catch_up("gold", gold)
java = spark._jvm.System.getProperty("java.version")
marks["done_s"] = round(time.time() - START, 2)
with open(OUT + "/_peer.json", "w", encoding="utf-8") as out:
    json.dump({"marks": marks, "version": f"pyspark {spark.version}, delta-spark 4.4.0, java {java}"}, out)
spark.stop()
