"""One operation of delta-rs on a table on disk, timed as bench_delta times ours: delta_rs.py OPERATION PATH [NUMBER ...]."""
import json
import sys
import time

import deltalake
import pyarrow as pa

MASK = (1 << 64) - 1


def batch(first, count, step=1):
    numbers = [first + i * step for i in range(count)]
    scattered = [(n * 0x9E3779B97F4A7C15) & MASK for n in numbers]
    return pa.table({"id": pa.array(numbers, pa.int64()), "v": pa.array([s >> 34 for s in scattered], pa.int64()),
                     "text": [f"row {s >> 40}" for s in scattered]})


def source(table, rows, spread):
    last = sum(pa.table(table.get_add_actions(flatten=True))["num_records"].to_pylist())
    step = max(int(2 * last // rows), 1) if spread else 1
    return batch(0 if spread else int(last), rows, step)


def merge(table, rows, clauses):
    data = source(table, rows, clauses != "i")
    begin = time.monotonic()
    merger = table.merge(data, "t.id = s.id", source_alias="s", target_alias="t")
    if "u" in clauses:
        merger = merger.when_matched_update({"v": "s.v", "text": "s.text"})
    if "d" in clauses:
        merger = merger.when_matched_delete()
    if "i" in clauses:
        merger = merger.when_not_matched_insert_all()
    merger.execute()
    return time.monotonic() - begin


def main():
    operation, path, numbers = sys.argv[1], sys.argv[2], [int(n) for n in sys.argv[3:]]
    begin = time.monotonic()
    table = deltalake.DeltaTable(path)
    if operation == "open":
        seconds = time.monotonic() - begin
    elif operation == "checkpoint":
        begin = time.monotonic()
        table.create_checkpoint()
        seconds = time.monotonic() - begin
    elif operation == "append":
        data = [batch(i * 1000, 1000) for i in range(numbers[0])]
        begin = time.monotonic()
        for rows in data:
            deltalake.write_deltalake(table, rows, mode="append")
        seconds = time.monotonic() - begin
    elif operation in ("merge", "delete-merge", "insert-merge"):
        seconds = merge(table, numbers[0], {"merge": "ui", "delete-merge": "d", "insert-merge": "i"}[operation])
    elif operation == "optimize":
        begin = time.monotonic()
        table.optimize.compact()
        seconds = time.monotonic() - begin
    else:
        begin = time.monotonic()
        table.optimize.z_order(["id", "v"])
        seconds = time.monotonic() - begin
    print(json.dumps({"seconds": round(seconds, 3)}))


main()
