#!/usr/bin/env python3
"""Asks real Spark and Sluice the same random queries and shows where they differ.

    python3 tests/sql/differential.py --seed 1 --count 500 [--program build/asan/bin/answer_queries]

Needs an environment with pyspark==4.2.0 and Java 17. A query is a SELECT of typed expressions over a table of NULLs,
extremes, Unicode and DST days, sometimes grouped, windowed or joined. Equal means: the same types and rows (doubles to
1e-9), or the same class of error, or refused here by name. The exit code is 1 when any query differs.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys

import spark_answers

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = """SELECT * FROM VALUES
  (1, CAST(1 AS TINYINT), 9223372036854775807, 1.5D, CAST(12.34 AS DECIMAL(10,2)), 'abc', DATE '2024-02-29', TIMESTAMP '2024-03-31 01:30:00', true, array(1, NULL, 3)),
  (2, CAST(-128 AS TINYINT), -9223372036854775808, -0.0D, CAST(-99999999.99 AS DECIMAL(10,2)), '', DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.999999', false, array()),
  (3, CAST(127 AS TINYINT), 0, double('NaN'), CAST(0 AS DECIMAL(10,2)), 'gr\\u00fcn \\u00df\\uD83D\\uDE00', DATE '2024-10-27', TIMESTAMP '2024-10-27 02:30:00', NULL, array(7)),
  (4, CAST(NULL AS TINYINT), 42, double('Infinity'), NULL, ' 17 ', DATE '0001-01-01', TIMESTAMP '0001-01-01 00:00:00', true, NULL),
  (2147483647, CAST(7 AS TINYINT), NULL, 1e308D, CAST(0.01 AS DECIMAL(10,2)), 'ABC', DATE '9999-12-31', TIMESTAMP '9999-12-31 23:59:59.999999', false, array(2147483647, -1)),
  (-2147483648, CAST(0 AS TINYINT), 1, NULL, CAST(5.55 AS DECIMAL(10,2)), NULL, NULL, NULL, NULL, array(0, 0)),
  (NULL, CAST(3 AS TINYINT), -1, 4.9e-324D, CAST(99999999.99 AS DECIMAL(10,2)), '2024-03-10', DATE '2024-03-10', TIMESTAMP '2024-03-10 02:15:00.5', true, array(5, 4))
AS t(i, b, l, d, m, s, dt, ts, f, a)"""
COLUMNS = {"i": "int", "b": "int", "l": "long", "d": "double", "m": "decimal", "s": "string", "dt": "date", "ts": "timestamp", "f": "boolean", "a": "array"}
LITERALS = {"int": ["0", "1", "-1", "7", "100", "NULL"], "long": ["5L", "-3L", "10000000000L"], "double": ["0.5D", "-2.0D", "1e10D", "0.0D"],
            "decimal": ["1.10", "0.5", "-3", "100.00"], "string": ["'a'", "'Abc'", "'12'", "'x y'", "'\\u00e9'", "''"], "date": ["DATE '2024-03-31'", "DATE '2000-02-29'"],
            "timestamp": ["TIMESTAMP '2024-07-01 12:00:00'", "TIMESTAMP '2024-03-31 02:00:00'"], "boolean": ["true", "false", "NULL"],
            "array": ["array(1, 2, 2)", "array(CAST(NULL AS INT))"]}
NUMBERS = ["int", "long", "double", "decimal"]
RULES = {  # result type -> templates; {type} is an expression of that type
    "int": ["{int} + {int}", "{int} - {int}", "{int} * {int}", "{int} % {int}", "abs({int})", "length({string})", "year({date})", "month({timestamp})", "dayofweek({date})",
            "CAST({double} AS INT)", "CAST({string} AS INT)", "try_cast({string} AS INT)", "CAST({decimal} AS INT)", "datediff({date}, {date})", "size({array})", "{array}[0]",
            "element_at({array}, 1)", "coalesce({int}, {int})", "CASE WHEN {boolean} THEN {int} ELSE {int} END", "if({boolean}, {int}, {int})", "nullif({int}, {int})",
            "greatest({int}, {int})", "least({int}, {int})", "instr({string}, {string})", "ascii({string})", "hour({timestamp})", "-{int}", "{int} & {int}", "{int} | {int}",
            "~{int}", "shiftleft({int}, 2)", "hash({int}, {string})", "array_position({array}, {int})", "pmod({int}, {int})", "sign({int})", "try_add({int}, {int})",
            "weekofyear({date})", "quarter({date})", "levenshtein({string}, {string})", "crc32({string})", "bit_count({int})", "array_max({array})", "day(last_day({date}))"],
    "long": ["{long} + {int}", "{long} * {long}", "{long} div {int}", "CAST({double} AS BIGINT)", "xxhash64({string})", "CAST({timestamp} AS BIGINT)", "unix_micros({timestamp})",
             "try_multiply({long}, {long})", "floor({double})", "ceil({decimal})", "{long} - {long}", "abs({long})", "bigint({string})"],
    "double": ["{double} + {double}", "{double} * {double}", "{double} / {double}", "{int} / {int}", "sqrt({double})", "round({double}, 2)", "CAST({string} AS DOUBLE)", "exp({double})",
               "ln({double})", "pow({double}, 2)", "CAST({decimal} AS DOUBLE)", "try_divide({double}, {double})", "nanvl({double}, {double})", "signum({double})", "{double} % {double}",
               "bround({double}, 1)", "atan2({double}, {double})", "coalesce({double}, {double})", "cbrt({double})", "degrees({double})", "double({int})"],
    "decimal": ["{decimal} + {decimal}", "{decimal} * {decimal}", "{decimal} / {decimal}", "round({decimal}, 1)", "CAST({int} AS DECIMAL(12,1))", "{decimal} - {int}", "{decimal} % {decimal}",
                "CAST({string} AS DECIMAL(8,3))", "CAST({double} AS DECIMAL(20,4))", "-{decimal}", "abs({decimal})", "bround({decimal}, 1)", "coalesce({decimal}, {decimal})",
                "greatest({decimal}, {decimal})", "try_cast({string} AS DECIMAL(5,1))"],
    "string": ["upper({string})", "lower({string})", "concat({string}, {string})", "substring({string}, {int}, 2)", "trim({string})", "CAST({int} AS STRING)", "CAST({double} AS STRING)",
               "CAST({decimal} AS STRING)", "CAST({timestamp} AS STRING)", "CAST({date} AS STRING)", "CAST({array} AS STRING)", "replace({string}, 'a', {string})", "reverse({string})",
               "lpad({string}, 5, '*')", "initcap({string})", "date_format({timestamp}, 'yyyy-MM-dd HH:mm')", "regexp_replace({string}, '[a-c]', 'x')", "coalesce({string}, {string})",
               "md5({string})", "repeat({string}, 2)", "left({string}, 2)", "right({string}, 2)", "split_part({string}, ' ', 1)", "translate({string}, 'ab', 'xy')", "hex({string})",
               "base64({string})", "concat_ws('-', {string}, {string})", "CAST({boolean} AS STRING)", "format_number({double}, 2)", "soundex({string})", "overlay({string}, 'zz', 2)",
               "substring_index({string}, 'b', 1)", "regexp_extract({string}, '([a-z]+)', 1)", "to_json(named_struct('k', {int}))", "ltrim({string})", "rtrim({string})", "conv({string}, 10, 16)"],
    "date": ["date_add({date}, {int})", "CAST({timestamp} AS DATE)", "trunc({date}, 'MONTH')", "last_day({date})", "add_months({date}, {int})", "try_cast({string} AS DATE)", "next_day({date}, 'MO')",
             "greatest({date}, {date})", "coalesce({date}, {date})", "date_sub({date}, 3)", "{date} + INTERVAL 1 MONTH", "make_date({int}, 2, 28)"],
    "timestamp": ["date_trunc('HOUR', {timestamp})", "CAST({date} AS TIMESTAMP)", "{timestamp} + INTERVAL 1 DAY", "try_cast({string} AS TIMESTAMP)", "{timestamp} - INTERVAL 90 MINUTES",
                  "coalesce({timestamp}, {timestamp})", "to_utc_timestamp({timestamp}, 'Europe/Berlin')", "from_utc_timestamp({timestamp}, 'America/New_York')", "timestamp_seconds({int})"],
    "boolean": ["{int} < {int}", "{string} = {string}", "{double} >= {double}", "{decimal} = {int}", "{boolean} AND {boolean}", "{boolean} OR {boolean}", "NOT {boolean}", "{int} IS NULL",
                "{string} LIKE '%a%'", "{int} IN (1, 2, NULL)", "{date} > {timestamp}", "{int} BETWEEN 0 AND 10", "{int} <=> {int}", "array_contains({array}, {int})", "isnan({double})",
                "{string} RLIKE '^[a-z]+$'", "startswith({string}, {string})", "{string} < {string}", "exists({array}, x -> x > 1)", "{double} = {double}", "contains({string}, 'b')",
                "{timestamp} <= {timestamp}", "{array} = {array}", "CAST({string} AS BOOLEAN)", "{double} <> {decimal}", "forall({array}, x -> x > 0)"],
    "array": ["sort_array({array})", "array_distinct({array})", "concat({array}, {array})", "slice({array}, 1, 2)", "transform({array}, x -> x + 1)", "filter({array}, x -> x > 0)",
              "array({int}, {int})", "array_union({array}, {array})", "reverse({array})", "array_remove({array}, {int})", "array_except({array}, {array})", "array_compact({array})",
              "array_repeat({int}, 2)", "flatten(array({array}, {array}))", "array_append({array}, {int})"],
}
AGGREGATES = ["count({int})", "count(*)", "sum({int})", "sum({decimal})", "avg({int})", "avg({decimal})", "min({string})", "max({date})", "min({double})", "max({double})", "sum({double})",
              "count(DISTINCT {int})", "bool_and({boolean})", "max({timestamp})", "min({decimal})", "stddev({int})", "sum({long})", "try_sum({long})", "count_if({boolean})", "bit_or({int})",
              "max_by({int}, {long})", "sort_array(collect_set({int}))", "var_pop({double})", "every({boolean})", "sum(DISTINCT {int})", "percentile({int}, 0.5)", "median({double})"]
WINDOWS = ["row_number()", "rank()", "dense_rank()", "lag({int})", "lead({string}, 2)", "sum({int})", "avg({decimal})", "count(*)", "min({double})", "first_value({string})", "last_value({date})",
           "ntile(3)", "cume_dist()", "percent_rank()"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def expression(self, kind, depth):
        roll = self.random.random()
        if depth <= 0 or roll < 0.15:
            if roll < 0.03:
                return self.random.choice(LITERALS[kind])
            return self.random.choice([c for c, t in COLUMNS.items() if t == kind])
        return self.fill(self.random.choice(RULES[kind]), depth - 1)

    def fill(self, template, depth):
        for kind in RULES:
            while "{" + kind + "}" in template:
                inner = self.expression(kind, depth)
                template = template.replace("{" + kind + "}", f"({inner})" if " " in inner else inner, 1)
        return template

    def query(self):
        kinds = list(RULES)
        roll = self.random.random()
        depth = self.random.choice([1, 1, 2, 2, 3])
        if roll < 0.6:
            items = ", ".join(self.expression(self.random.choice(kinds), depth) for _ in range(self.random.randint(1, 2)))
            where = f" WHERE {self.expression('boolean', 1)}" if self.random.random() < 0.3 else ""
            return f"SELECT {items} FROM t{where}"
        if roll < 0.75:
            key = self.expression(self.random.choice(["boolean", "int", "string", "date", "double"]), 1)
            form = self.random.choice(["{}", "{}", "ROLLUP ({})", "CUBE ({}, f)"]).format(key)
            items = ", ".join(self.fill(self.random.choice(AGGREGATES), 1) for _ in range(2))
            return f"SELECT {key}, {items} FROM t GROUP BY {form}"
        if roll < 0.87:
            call = self.fill(self.random.choice(WINDOWS), 1)
            part = self.random.choice(["", "PARTITION BY f "])
            return f"SELECT i, {call} OVER ({part}ORDER BY b) FROM t"
        join = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"])
        on = self.random.choice(["x.i = y.b", "x.s = y.s", "x.d = y.d", "x.m = y.i", "x.dt = y.ts", "x.l <=> y.l", "x.i < y.b", "x.f = y.f AND x.i > y.b"])
        right = "" if "SEMI" in join or "ANTI" in join else ", y.s, y.d"
        return f"SELECT x.i, x.s{right} FROM t x {join} t y ON {on}"


def same(a, b):
    number = (int, float)
    if isinstance(a, number) and isinstance(b, number) and not isinstance(a, bool) and not isinstance(b, bool):
        return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def differs(spark, ours):
    """None when equal, "refused" when refused by name, otherwise what differs."""
    if ours.get("error") in ("NOT_SUPPORTED_YET", "UNSUPPORTED_FEATURE"):
        return "refused"
    if "error" in spark or "error" in ours:
        wanted, got = (x.get("error", "an answer").split(".")[0] for x in (spark, ours))
        unnamed = wanted.startswith(("_LEGACY", "?")) and "error" in ours
        return None if wanted == got or unnamed else f"Spark: {wanted}, here: {got} {ours.get('message', ours.get('rows', ''))!s:.200}"
    if spark["types"] != ours["types"]:
        return f"types: Spark {spark['types']}, here {ours['types']}"
    left, right = ([json.loads(row) for row in rows] for rows in (spark["rows"], ours["rows"]))
    left.sort(key=lambda row: json.dumps(row, sort_keys=True))
    right.sort(key=lambda row: json.dumps(row, sort_keys=True))
    if len(left) == len(right) and all(map(same, left, right)):
        return None
    return f"rows: Spark {left}\n         here {right}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--program", default=str(ROOT / "build/asan/bin/answer_queries"))
    options = parser.parse_args()
    generator = Generator(options.seed)
    queries = list(dict.fromkeys(generator.query() for _ in range(options.count)))
    asked = [{"table": "t", "sql": TABLE}] + [{"sql": sql} for sql in queries]
    run = subprocess.run([options.program], input="\n".join(map(json.dumps, asked)), capture_output=True, text=True, check=False)
    ours = [json.loads(line) for line in run.stdout.splitlines()]
    spark = spark_answers.session()
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW t AS {TABLE}")
    counts = {"equal": 0, "refused": 0, "different": 0}
    for sql, answer in zip(queries, ours[1:]):
        found = differs(spark_answers.answer(spark, sql), answer)
        counts["equal" if found is None else "refused" if found == "refused" else "different"] += 1
        if found not in (None, "refused"):
            print(f"{sql}\n  {found}", flush=True)
    if len(ours) != len(asked) or ours[0]:
        print(f"answered {len(ours)} of {len(asked)}: {run.stderr[-2000:]} {ours[:1]}")
        counts["different"] += 1
    print(f"seed {options.seed}: {counts}")
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
