#!/usr/bin/env python3
"""How long a project is planned: `sluice dry-run` of a generated project, the best of some runs.

    python3 bench/planning.py --program build/release/bin/sluice --datasets 100

The project: a tenth of the datasets read Kafka, four tenths decode JSON of one of them and clean it, the rest are views
with joins, aggregates and windows over those. The limit is 300 ms for 100 datasets; the exit code is 1 above it.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

SPEC = """name: planning
storage: file://{root}/storage
database: default
libraries:
  - glob:
      include: transformations/**
"""
BRONZE = """CREATE STREAMING TABLE bronze_{i} AS
SELECT CAST(value AS STRING) AS body, topic, partition, offset, timestamp
FROM STREAM read_kafka(bootstrapServers => 'localhost:9092', subscribe => 'topic_{i}');
"""
SILVER = """CREATE STREAMING TABLE silver_{i} (
  CONSTRAINT has_id EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT sane EXPECT (amount BETWEEN 0 AND 1000000)
) AS
SELECT j.id, upper(trim(j.name)) AS name, CAST(j.amount AS DECIMAL(12, 2)) AS amount, j.at,
       CASE WHEN j.kind RLIKE '^[a-c]' THEN 'early' WHEN j.kind IS NULL THEN 'none' ELSE 'late' END AS kind,
       date_trunc('HOUR', j.at) AS hour, size(j.tags) AS tags, j.place.city AS city
FROM (SELECT from_json(body, 'id BIGINT, name STRING, amount STRING, at TIMESTAMP, kind STRING, tags ARRAY<STRING>, place STRUCT<city: STRING, zip: STRING>') AS j
      FROM STREAM bronze_{source})
WHERE j.at >= TIMESTAMP '2020-01-01 00:00:00';
"""
GOLD = """CREATE MATERIALIZED VIEW gold_{i} AS
WITH totals AS (
  SELECT a.city, a.kind, a.hour, sum(a.amount) AS amount, count(*) AS orders, max(b.amount) AS other
  FROM silver_{left} a LEFT JOIN silver_{right} b ON a.id = b.id AND b.amount > 0
  WHERE a.tags BETWEEN 1 AND {i}
  GROUP BY a.city, a.kind, a.hour)
SELECT city, kind, hour, amount, orders, coalesce(other, 0) AS other,
       sum(amount) OVER (PARTITION BY city ORDER BY hour) AS running,
       rank() OVER (PARTITION BY kind ORDER BY amount DESC) AS place
FROM totals;
"""


def generate(root, datasets):
    bronze, silver = max(1, datasets // 10), max(2, datasets * 4 // 10)
    (root / "transformations").mkdir()
    (root / "spark-pipeline.yml").write_text(SPEC.format(root=root))
    for i in range(bronze):
        (root / "transformations" / f"bronze_{i}.sql").write_text(BRONZE.format(i=i))
    for i in range(silver):
        (root / "transformations" / f"silver_{i}.sql").write_text(SILVER.format(i=i, source=i % bronze))
    for i in range(datasets - bronze - silver):
        text = GOLD.format(i=i, left=i % silver, right=(i * 7 + 1) % silver)
        (root / "transformations" / f"gold_{i}.sql").write_text(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/release/bin/sluice")
    parser.add_argument("--datasets", type=int, default=100)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        generate(root, options.datasets)
        command = [options.program, "dry-run", "--spec", str(root / "spark-pipeline.yml")]
        times = []
        for _ in range(options.runs):
            begin = time.perf_counter()
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            times.append((time.perf_counter() - begin) * 1000)
            if run.returncode != 0:
                print(run.stdout[-2000:], run.stderr[-2000:])
                return 1
    times.sort()
    print(f"{options.datasets} datasets: {times[0]:.0f} ms at best, {times[len(times) // 2]:.0f} ms in the middle of {options.runs}")
    return 1 if times[0] > 300 and options.datasets <= 100 else 0


if __name__ == "__main__":
    sys.exit(main())
