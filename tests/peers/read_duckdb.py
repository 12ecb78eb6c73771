"""read_duckdb.py OUT SCHEMAS TABLE_DIR...: the same with DuckDB's delta extension; SCHEMAS is delta-rs's answer."""
import json
import os
import sys

import canonical
import duckdb
from duckdb_extensions import import_extension

import_extension("delta")
con = duckdb.connect()
con.execute("LOAD delta; SET timezone = 'UTC'")
schemas = json.load(open(sys.argv[2], encoding="utf-8"))
out = {}
for path in sys.argv[3:]:
    name = os.path.basename(path)
    cursor = con.execute(f"SELECT * FROM delta_scan('{path}')")
    columns = [c[0] for c in cursor.description]
    rows = [dict(zip(columns, r)) for r in cursor.fetchall()]
    out[name] = canonical.summary(rows, schemas[name]["schema"])
json.dump(out, open(sys.argv[1], "w", encoding="utf-8"))
