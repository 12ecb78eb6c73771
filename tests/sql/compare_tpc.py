#!/usr/bin/env python3
"""Runs the queries of TPC-H or TPC-DS by `sluice sql` and by real Spark over the same tables, and compares names, types and rows.

    python3 tests/sql/compare_tpc.py tpch --scale 0.1      # also: make tpch SCALE=0.1
    python3 tests/sql/compare_tpc.py tpcds --scale 4      # also: make tpcds SCALE=4
    ... --only 3,17 --program build/asan/bin/sluice --answers /tmp/spark.json

Needs pyspark==4.2.0, deltalake and Java 17. The tables are made by tpch_data.py and tpcds_data.py, written once as Delta
tables under build/tpc/, and read there by both. Rows are compared in their order: a query's ORDER BY gets the output
columns as its last keys, so that ties have one order; one without ORDER BY is compared as a bag. Doubles may differ by
1e-9 of their size, everything else not at all. The exit code is 1 when a query differs, fails or has no rows, apart from
those that --empty says may have none.
"""
import argparse
import collections
import decimal
import json
import pathlib
import re
import subprocess
import sys
import time

import spark_answers
import tpcds_data
import tpch_data

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FAMILIES = {"tpch": (tpch_data, ["queries/tpch.sql"], 0.1), "tpcds": (tpcds_data, [f"tpcds/q{part}.sql" for part in ("01_25", "26_50", "51_75", "76_99")], 4)}
TAIL = re.compile(r"(\sORDER\s+BY\s(?:(?!ORDER\s+BY|\sLIMIT\s|\sFROM\s|\sSELECT\s).)*?)(\s+LIMIT\s+\d+)?\s*$", re.S | re.I)


def write_tables(module, scale, folder):
    """Writes the tables once; a folder that is not finished is written again."""
    import deltalake
    finished = folder / "finished"
    if not finished.exists():
        for name, table in module.tables(scale):
            deltalake.write_deltalake(str(folder / "warehouse/tpc" / name), table, mode="overwrite")
        (folder / "spark-pipeline.yml").write_text(f"name: tpc\nstorage: file://{folder}/storage\ndatabase: tpc\nlibraries: []\n")
        finished.write_text("")
    return sorted(path.name for path in (folder / "warehouse/tpc").iterdir())


def ordered(query, columns):
    """The query with all its columns as the last keys of its order, where it has one."""
    tail = TAIL.search(query)
    if not tail:
        return query
    return f"{query[:tail.start()]}{tail.group(1)}, {', '.join(str(i + 1) for i in range(columns))}{tail.group(2) or ''}"


def ask_sluice(program, folder, asked):
    """An answer to each (query, number of its columns): {"types", "names", "rows", "ms"} or {"error"}.

    One process answers them, one after the other; after an error another goes on behind it.
    """
    answers = []
    script = folder / "queries.sql"
    while len(answers) < len(asked):
        script.write_text("".join(f"DESCRIBE QUERY {query};\nSELECT true AS described;\n{ordered(query, columns)};\nSELECT true AS answered;\n"
                                  for query, columns in asked[len(answers):]))
        with (folder / "errors").open("w+") as errors:
            command = [program, "sql", "--spec", str(folder / "spark-pipeline.yml"), "--output", "json", "-f", str(script)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as run:
                columns, rows, start = [], [], None
                for line in run.stdout:
                    if line == '{"described":true}\n':
                        start = time.monotonic()
                    elif line == '{"answered":true}\n':
                        names = [column["col_name"] for column in columns]
                        answers.append({"names": names, "types": [column["data_type"] for column in columns], "rows": [by_place(row, names) for row in rows],
                                        "ms": round((time.monotonic() - start) * 1000)})
                        columns, rows, start = [], [], None
                    elif start is None:
                        columns.append(json.loads(line))
                    else:
                        rows.append(json.loads(line, parse_float=decimal.Decimal, object_pairs_hook=list))
            errors.seek(0)
            if len(answers) < len(asked):
                answers.append({"error": errors.read().strip() or f"exit code {run.returncode}"})
    return answers


def by_place(row, names):
    """The values of a row in the order of the columns; NULLs are left out in JSON, and names may come twice."""
    values = collections.defaultdict(list)
    for name, value in row:
        values[name].append(value)
    return [values[name].pop(0) if values[name] else None for name in names]


def ask_spark(spark, query):
    try:
        frame = spark.sql(query)
        fields = frame.schema.fields
        frame = spark.sql(ordered(query, len(fields)))
        columns = [f"c{i}" for i in range(len(fields))]
        start = time.monotonic()
        rows = [row.j for row in frame.toDF(*columns).selectExpr(f"to_json(struct({', '.join(columns)})) AS j").collect()]
        return {"names": [f.name for f in fields], "types": [f.dataType.simpleString() for f in fields], "rows": rows, "ms": round((time.monotonic() - start) * 1000)}
    except Exception as error:  # what Spark fails with is the answer
        return {"error": spark_answers.error_class(error)}


def spark_said(kept, folder, tables, queries):
    """Spark's answers, from the file `kept` where it has them."""
    if kept and kept.exists():
        found = json.loads(kept.read_text())
        return [found[query] for query in queries]
    spark = spark_answers.session(**{"spark.ui.showConsoleProgress": "false", "spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK",
                                     "spark.sql.autoBroadcastJoinThreshold": "10485760"})
    for name in tables:
        spark.read.parquet(str(folder / "warehouse/tpc" / name)).createOrReplaceTempView(name)
    answers = [ask_spark(spark, query) for query in queries]
    if kept:
        kept.write_text(json.dumps(dict(zip(queries, answers))))
    return answers


def same(kind, a, b):
    if a is None or b is None or kind not in ("double", "float") or isinstance(a, str) or isinstance(b, str):
        return a == b
    a, b = float(a), float(b)
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))


def bag(rows):
    return sorted(rows, key=lambda row: [(value is None, f"{value:.6g}" if isinstance(value, (int, decimal.Decimal)) else str(value)) for value in row])


def difference(query, spark, ours):
    for one, said in (("Spark", spark), ("sluice", ours)):
        if "error" in said:
            return f"{one} fails: {said['error'][:600]}"
    for part in ("names", "types"):
        if spark[part] != ours[part]:
            return f"{part}: Spark {spark[part]}, here {ours[part]}"
    parsed = [json.loads(row, parse_float=decimal.Decimal) for row in spark["rows"]]
    left, right = [[row.get(f"c{i}") for i in range(len(spark["names"]))] for row in parsed], ours["rows"]
    if len(left) != len(right):
        return f"Spark has {len(left)} rows, here {len(right)}"
    if not TAIL.search(query):
        left, right = bag(left), bag(right)
    for number, (a, b) in enumerate(zip(left, right)):
        if not all(map(same, spark["types"], a, b)):
            return f"row {number}: Spark {a}, here {b}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=sorted(FAMILIES))
    parser.add_argument("--scale", type=float)
    parser.add_argument("--only", type=lambda text: {int(n) for n in text.split(",")})
    parser.add_argument("--empty", type=lambda text: {int(n) for n in text.split(",")}, default=set())
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/sluice"))
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--answers", type=pathlib.Path, help="where Spark's answers are kept, and read from the next time")
    options = parser.parse_args()
    module, files, scale = FAMILIES[options.family]
    scale = options.scale or scale
    folder = (options.folder or ROOT / "build/tpc" / f"{options.family}-{scale:g}").resolve()
    tables = write_tables(module, scale, folder)
    # The one number of TPC-H's queries that goes with the scale; the text has that of the small tables.
    texts = [(HERE / file).read_text().replace("* 0.0100000000", f"* {0.0001 / scale:.10f}") for file in files]
    queries = [(number, query) for number, query in enumerate((query for text in texts for query in spark_answers.statements(text)), 1)
               if not options.only or number in options.only]
    spark = spark_said(options.answers, folder, tables, [query for _, query in queries])
    ours = ask_sluice(options.program, folder, [(query, len(theirs.get("names", []))) for (_, query), theirs in zip(queries, spark)])
    counts = collections.Counter()
    took = collections.Counter()
    for (number, query), theirs, our in zip(queries, spark, ours):
        found = difference(query, theirs, our)
        rows = len(theirs.get("rows", []))
        counts["different" if found else "equal" if rows or number in options.empty else "empty"] += 1
        took["Spark"] += theirs.get("ms", 0)
        took["sluice"] += our.get("ms", 0)
        print(f"{number:3} {'DIFFERENT ' + found if found else 'equal'}  ({rows} rows; Spark {theirs.get('ms', '-')} ms, sluice {our.get('ms', '-')} ms)")
    print(f"{options.family} at {scale:g}: {counts['equal']} queries equal, {counts['empty']} without rows, {counts['different']} different; "
          f"Spark {took['Spark'] / 1000:.1f} s, sluice {took['sluice'] / 1000:.1f} s")
    return 1 if counts["different"] or counts["empty"] else 0


if __name__ == "__main__":
    sys.exit(main())
