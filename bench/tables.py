"""What a run left behind: rows and sums of the Delta tables bronze, silver and gold, read by delta-rs and DuckDB.

tables.py OUT [REFERENCE_JSON] prints one JSON object; with a reference also whether every figure equals it.
Column names differ between the systems (gold's counts and sums); the figures do not.
"""
import json
import os
import sys

import duckdb
import pyarrow
from deltalake import DeltaTable, QueryBuilder

SILVER = """SELECT count(*), count(DISTINCT event_id), sum(CAST(properties['revenue'] AS DECIMAL(18, 2))),
  sum(CAST(properties['response_time'] AS DOUBLE)) FROM t"""


def read(folder):
    """The table as DuckDB's relation `t`: delta-rs resolves the log and applies deletion vectors."""
    table = DeltaTable(folder)
    batches = [pyarrow.record_batch(b) for b in QueryBuilder().register("t", table).execute("SELECT * FROM t")]
    return table, pyarrow.Table.from_batches(batches) if batches else None


def figures(out):
    con = duckdb.connect()
    con.execute("SET timezone = 'UTC'")
    result = {}
    for name in ("bronze", "silver", "gold"):
        if not os.path.isdir(f"{out}/{name}/_delta_log"):
            continue
        if name == "gold":
            table, rows = read(f"{out}/{name}")
        else:  # millions of rows of append-only tables: their files as they are, without a second copy in memory
            table = DeltaTable(f"{out}/{name}")
            files = [uri.replace("file://", "") for uri in table.file_uris()]
            rows = con.read_parquet(files, union_by_name=True, hive_partitioning=False) if files else None
        result[f"version_{name}"] = table.version()
        if rows is None:
            result[f"rows_{name}"] = 0
            continue
        con.register("t", rows) if name == "gold" else rows.create_view("t", replace=True)
        if name == "bronze":
            query = "SELECT count(*), count(DISTINCT (partition, \"offset\")) FROM t"
            result["rows_bronze"], result["bronze_offsets"] = con.execute(query).fetchall()[0]
        elif name == "silver":
            row = con.execute(SILVER).fetchall()[0]
            result.update(rows_silver=row[0], silver_distinct=row[1], revenue=str(row[2]), response_time=row[3])
        else:
            names = {c[0] for c in con.execute("DESCRIBE t").fetchall()}
            count, revenue = ("events", "revenue") if "events" in names else ("event_count", "total_revenue")
            query = f"SELECT count(*), sum({count}), sum({revenue}), round(sum({count} * avg_response_time), 3) FROM t"
            row = con.execute(query).fetchall()[0]
            result.update(rows_gold=row[0], gold_events=int(row[1]), gold_revenue=str(row[2]), gold_response_time=row[3])
        con.unregister("t") if name == "gold" else con.execute("DROP VIEW t")
    return result


def verify(found, expected):
    """The names of the figures that differ from the reference, among those that are there."""
    pairs = {"rows_silver": "rows_silver", "silver_distinct": "rows_silver", "revenue": "revenue",
             "response_time": "response_time", "rows_gold": "rows_gold", "gold_events": "rows_silver",
             "gold_revenue": "revenue", "rows_bronze": "events", "bronze_offsets": "events"}
    wrong = [name for name, want in pairs.items() if name in found and str(found[name]) != str(expected[want])]
    if "gold_response_time" in found and abs(found["gold_response_time"] - expected["response_time"]) > 1:
        wrong.append("gold_response_time")
    return wrong


if __name__ == "__main__":
    answer = figures(sys.argv[1])
    if len(sys.argv) > 2:
        answer["wrong"] = verify(answer, json.load(open(sys.argv[2], encoding="utf-8")))
    print(json.dumps(answer))
