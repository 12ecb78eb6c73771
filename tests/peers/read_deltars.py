"""read_deltars.py OUT TABLE_DIR...: reads each table with delta-rs and writes {table: {schema, summary}} as JSON."""
import json
import os
import sys

import pyarrow
from deltalake import DeltaTable, QueryBuilder

import canonical

out = {}
for path in sys.argv[2:]:
    table = DeltaTable(path)
    schema = json.loads(table.schema().to_json())
    # Its query engine rather than its Arrow dataset: only that one applies deletion vectors.
    batches = QueryBuilder().register("t", table).execute("SELECT * FROM t")
    rows = [r for batch in batches for r in pyarrow.record_batch(batch).to_pylist()]
    out[os.path.basename(path)] = {"schema": schema, "version": table.version(), **canonical.summary(rows, schema)}
json.dump(out, open(sys.argv[1], "w", encoding="utf-8"))
