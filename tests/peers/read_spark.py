"""read_spark.py OUT SCHEMAS JARS TABLE_DIR...: the same with Spark and Delta for Spark."""
import glob
import json
import os
import sys

import canonical
from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", ",".join(sorted(glob.glob(sys.argv[3] + "/*.jar"))))
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.driver.memory", "1g").config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "2")
    .config("spark.databricks.delta.snapshotPartitions", "2").config("spark.ui.showConsoleProgress", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
schemas = json.load(open(sys.argv[2], encoding="utf-8"))
out = {}
for path in sys.argv[4:]:
    name = os.path.basename(path)
    frame = spark.read.format("delta").load(path)
    rows = [r.asDict() for r in frame.collect()]
    out[name] = canonical.summary(rows, schemas[name]["schema"])
json.dump(out, open(sys.argv[1], "w", encoding="utf-8"))
spark.stop()
