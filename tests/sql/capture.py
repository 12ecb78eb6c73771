#!/usr/bin/env python3
"""Writes answers/*.jsonl: what real Spark answers to the queries of queries/*.sql over the tables of
tables.sql, or of a file <name>_tables.sql of its own.

Run it in an environment with pyspark==4.2.0 and Java 17 or later:

    python3 tests/sql/capture.py [name ...]

A line of an answers file is {"spark": version}, {"table", "sql"} or {"sql"} with its answer (spark_answers.py).
"""
import json
import pathlib
import sys

import spark_answers

HERE = pathlib.Path(__file__).parent


def main():
    spark = spark_answers.session()
    for path in sorted((HERE / "queries").glob("*.sql")):
        if len(sys.argv) > 1 and path.stem not in sys.argv[1:]:
            continue
        own = HERE / (path.stem + "_tables.sql")
        tables = spark_answers.tables(own if own.exists() else HERE / "tables.sql")
        for name, query in tables:
            spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {query}")
        lines = [{"spark": spark.version}] + [{"table": name, "sql": query} for name, query in tables]
        lines += [{"sql": sql, **spark_answers.answer(spark, sql)} for sql in spark_answers.statements(path.read_text())]
        out = HERE / "answers" / (path.stem + ".jsonl")
        out.write_text("".join(json.dumps(line) + "\n" for line in lines))
        print(path.stem, len(lines))


if __name__ == "__main__":
    main()
