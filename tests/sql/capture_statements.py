#!/usr/bin/env python3
"""Writes statements/*.jsonl: what real Spark with Delta answers to the scripts statements/*.sql, one after the other.

    python3 tests/sql/capture_statements.py [name ...]

Run by the Python of tests/peers/setup.sh. A line is {"spark", "delta"} or {"sql"} with its answer (spark_answers.py);
DESCRIBE HISTORY is answered by what does not depend on time and place (history()).
"""
import glob
import json
import pathlib
import shutil
import sys
import tempfile

import spark_answers

HERE = pathlib.Path(__file__).parent
JARS = HERE.parent.parent / ".deps" / "peers" / "jars"
METRICS = ["numOutputRows", "numDeletedRows", "numUpdatedRows", "numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted", "numSourceRows"]
PARAMETERS = ["mode", "partitionBy", "clusterBy", "columns", "column", "properties", "name", "position", "ifExists", "existed",
              "oldColumnPath", "newColumnPath", "oldClusteringColumns", "newClusteringColumns"]


def history(spark, sql):
    """[version, operation, isBlindAppend, {metric: value}, {parameter: value}], oldest first."""
    def chosen(values, names):
        return {k: values[k] for k in names if k in (values or {})}
    try:
        rows = spark.sql(sql).collect()
    except Exception as error:  # what Spark fails with is the answer
        return {"error": spark_answers.error_class(error)}
    return {"history": [[r["version"], r["operation"], r["isBlindAppend"], chosen(r["operationMetrics"], METRICS),
                         chosen(r["operationParameters"], PARAMETERS)] for r in reversed(rows)]}


def main():
    warehouse = tempfile.mkdtemp(prefix="sluice-statements-")
    spark = spark_answers.session(**{
        "spark.jars": ",".join(sorted(glob.glob(str(JARS / "*.jar")))), "spark.driver.memory": "1500m",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.databricks.delta.snapshotPartitions": "1", "spark.sql.warehouse.dir": warehouse,
        "spark.sql.catalogImplementation": "in-memory", "spark.sql.optimizer.maxIterations": "100"})
    for path in sorted((HERE / "statements").glob("*.sql")):
        if len(sys.argv) > 1 and path.stem not in sys.argv[1:]:
            continue
        spark.sql(f"CREATE SCHEMA {path.stem}_s")
        spark.sql(f"USE {path.stem}_s")
        lines = [{"spark": spark.version}]
        for sql in spark_answers.statements(path.read_text()):
            answer = history(spark, sql) if sql.startswith("DESCRIBE HISTORY") else spark_answers.answer(spark, sql)
            lines.append({"sql": sql, **answer})
        (HERE / "statements" / (path.stem + ".jsonl")).write_text("".join(json.dumps(line) + "\n" for line in lines))
        print(path.stem, len(lines))
    spark.stop()
    shutil.rmtree(warehouse)


if __name__ == "__main__":
    main()
