"""reference.py OUT_JSON NDJSON REPEATS: what the medallion of that file must hold, computed by DuckDB alone."""
import json
import sys

import duckdb

out, path, repeats = sys.argv[1:4]
con = duckdb.connect()
con.execute("SET timezone = 'UTC'")
con.execute(f"""CREATE TABLE s AS SELECT DISTINCT ON (event_id, event_time)
  event_id, upper(event_type) AS event_type, CAST(event_time AS TIMESTAMP) AS event_time, properties
FROM read_json('{path}', format = 'newline_delimited', columns = {{event_id: 'VARCHAR', customer_id: 'VARCHAR',
  event_type: 'VARCHAR', event_time: 'VARCHAR', properties: 'MAP(VARCHAR, VARCHAR)'}})
WHERE event_id IS NOT NULL AND event_time IS NOT NULL AND regexp_full_match(customer_id, '[0-9]{{10}}')""")
row = con.execute("""SELECT count(*), sum(CAST(properties['revenue'] AS DECIMAL(18, 2))),
  sum(CAST(properties['response_time'] AS DOUBLE)) FROM s""").fetchall()[0]
gold = con.execute("""SELECT count(*) FROM
  (SELECT 1 FROM s GROUP BY date_trunc('hour', event_time), event_type, properties['region'])""").fetchall()[0]
lines = con.execute(f"SELECT count(*) FROM read_csv('{path}', columns = {{line: 'VARCHAR'}}, delim = '\\1', quote = '',"
                    " escape = '', header = false, auto_detect = false)").fetchall()[0]
answer = {"events": lines[0] * int(repeats), "rows_silver": row[0], "revenue": str(row[1]), "response_time": row[2],
          "rows_gold": gold[0]}
json.dump(answer, open(out, "w", encoding="utf-8"))
print(json.dumps(answer))
