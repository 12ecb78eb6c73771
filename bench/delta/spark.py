"""One operation of Spark with delta-spark on a table on disk, timed as bench_delta times ours, the session and the rows of
the source being there already: spark.py OPERATION PATH [NUMBER ...]. SPARK_HEAP: the size of its heap (default 2g)."""
import glob
import json
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETTINGS = {
    "spark.jars": ",".join(sorted(glob.glob(os.path.join(ROOT, ".deps", "peers", "jars", "*.jar")))),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.driver.memory": os.environ.get("SPARK_HEAP", "2g"),
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.ansi.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "2",
}
CLAUSES = {
    "u": "WHEN MATCHED THEN UPDATE SET v = s.v, text = s.text",
    "d": "WHEN MATCHED THEN DELETE",
    "i": "WHEN NOT MATCHED THEN INSERT *",
}


def session():
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("bench-delta")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    made = builder.getOrCreate()
    made.sparkContext.setLogLevel("ERROR")
    return made


def prepare_source(spark, table, rows, spread):
    last = spark.sql(f"SELECT count(*) FROM {table}").collect()[0][0]
    step = max(2 * last // rows, 1) if spread else 1
    first = 0 if spread else last
    scattered = f"(({first} + id * {step}) * {0x9E3779B97F4A7C15 - (1 << 64)})"
    source = spark.range(rows).selectExpr(f"{first} + id * {step} AS id", f"shiftrightunsigned({scattered}, 34) AS v",
                                          f"concat('row ', shiftrightunsigned({scattered}, 40)) AS text")
    source.cache().createOrReplaceTempView("source")
    source.count()


def main():
    operation, path, numbers = sys.argv[1], sys.argv[2], [int(n) for n in sys.argv[3:]]
    spark = session()
    table = f"delta.`{path}`"
    merges = {"merge": "ui", "delete-merge": "d", "insert-merge": "i"}
    if operation in merges:
        clauses = merges[operation]
        prepare_source(spark, table, numbers[0], clauses != "i")
        statement = (f"MERGE INTO {table} t USING source s ON t.id = s.id "
                     + " ".join(CLAUSES[clause] for clause in clauses))
    elif operation == "optimize":
        statement = f"OPTIMIZE {table}"
    else:
        statement = f"OPTIMIZE {table} ZORDER BY (id, v)"
    begin = time.monotonic()
    spark.sql(statement).collect()
    print(json.dumps({"seconds": round(time.monotonic() - begin, 3)}), flush=True)


main()
