"""visible.py TABLES PHASE: delays from produce to visible, of the rows whose event_id starts with the phase's number.

Silver: each row's event_time against the modification time of the log entry that adds its file. Gold: its commits are
matched to silver's by the number of events they hold, so a silver row is visible in gold when the first commit of gold
holds at least as many events as silver did with it.
"""
import bisect
import json
import sys
from urllib.parse import unquote

import duckdb
import pyarrow
from deltalake import DeltaTable, QueryBuilder

from delta_log import commits

tables, phase = sys.argv[1], f"{int(sys.argv[2]):08x}"
con = duckdb.connect()
con.execute("SET timezone = 'UTC'; CREATE TABLE delays (silver DOUBLE, gold DOUBLE)")


def added(entry, table):
    """Files with rows that are new in this commit: what compaction rewrites was visible before."""
    with open(entry, encoding="utf-8") as file:
        adds = [json.loads(line)["add"] for line in file if line.startswith('{"add"')]
    return [f"{tables}/{table}/{unquote(add['path'])}" for add in adds if add.get("dataChange", True)]


def gold_steps():
    """(events that gold holds, moment) after each of its commits, rising."""
    steps = []
    for at, entry in commits(tables, "gold"):
        table = DeltaTable(f"{tables}/gold", version=int(entry.rsplit("/", 1)[1][:-5]))
        batches = [pyarrow.record_batch(b) for b in QueryBuilder().register("t", table).execute("SELECT * FROM t")]
        names = batches[0].schema.names if batches else []
        count = next((n for n in ("events", "event_count") if n in names), None)
        total = sum(sum(b.column(count).to_pylist()) for b in batches) if count else 0
        if not steps or total > steps[-1][0]:
            steps.append((total, at))
    return steps


steps = gold_steps()
totals = [total for total, _ in steps]
held, silver_commits, files = 0, list(commits(tables, "silver")), 0
for at, entry in silver_commits:
    paths = added(entry, "silver")
    if not paths:
        continue
    files += len(paths)
    listing = ", ".join("'" + path + "'" for path in paths)
    held += con.execute(f"SELECT count(*) FROM read_parquet([{listing}])").fetchall()[0][0]
    step = bisect.bisect_left(totals, held)
    gold_at = steps[step][1] if step < len(steps) else None
    con.execute(f"""INSERT INTO delays SELECT ? - epoch_us(event_time) / 1000.0, ? - epoch_us(event_time) / 1000.0
      FROM read_parquet([{listing}]) WHERE event_id[1:8] = ?""", [at * 1000, gold_at and gold_at * 1000, phase])

answer = {"silver_commits": len(silver_commits), "silver_files": files, "gold_commits": len(list(commits(tables, "gold"))),
          "first_commit": {n: next(commits(tables, n))[0] for n in ("bronze", "silver", "gold") if any(commits(tables, n))}}
for name in ("silver", "gold"):
    row = con.execute(f"SELECT count({name}), quantile_cont({name}, 0.5), quantile_cont({name}, 0.99), max({name})"
                      " FROM delays").fetchall()[0]
    answer[f"visible_{name}"] = row[0]
    for key, number in zip(("p50_ms", "p99_ms", "max_ms"), row[1:]):
        answer[f"{name}_{key}"] = None if number is None else round(number)
print(json.dumps(answer))
