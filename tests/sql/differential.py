#!/usr/bin/env python3
"""Asks real Spark and Sluice the same random queries and shows where they differ.

    python3 tests/sql/differential.py --seed 1 --count 1000    # also: make differential RUNS=1000
    python3 tests/sql/differential.py --seed 7 --count 500 --store 300
                                        # writes answers/random.jsonl, which CI asks, from those that are equal

Needs an environment with pyspark==4.2.0 and Java 17, and build/asan/bin/answer_queries. A query is a SELECT of typed
expressions over the table of expression_rules.py, sometimes grouped, windowed, joined or combined. Equal means: the
same types and rows (doubles to 1e-9), or the same class of error, or refused here by name. The exit code is 1 when any
query differs. With --answers FILE Spark's answers are kept, and read from there the next time.
"""
import argparse
import json
import math
import pathlib
import random
import re
import subprocess
import sys

import expression_rules as rules
import spark_answers

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REFUSED = ("NOT_SUPPORTED_YET", "UNSUPPORTED_FEATURE", "JSON_UNSUPPORTED_SCHEMA")
# Errors of a value. Where several values of a query fail, which is met first is a matter of the plan.
ROW_ERRORS = ("CAST_INVALID_INPUT", "CAST_OVERFLOW", "ARITHMETIC_OVERFLOW", "BINARY_ARITHMETIC_OVERFLOW", "DIVIDE_BY_ZERO",
              "REMAINDER_BY_ZERO", "NUMERIC_VALUE_OUT_OF_RANGE", "INVALID_ARRAY_INDEX", "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
              "NULL_MAP_KEY", "DUPLICATED_MAP_KEY", "DATETIME_FIELD_OUT_OF_BOUNDS", "DATETIME_OVERFLOW", "CANNOT_PARSE_TIMESTAMP",
              "INTERVAL_ARITHMETIC_OVERFLOW", "INTERVAL_DIVIDED_BY_ZERO", "MALFORMED_CHARACTER_CODING", "CANNOT_DECODE_URL",
              "INVALID_PARAMETER_VALUE", "CONVERSION_INVALID_INPUT", "INVALID_INDEX_OF_ZERO", "COLLECTION_SIZE_LIMIT_EXCEEDED")
HOLE = re.compile(r"\{(\w+)\}")


class Generator:
    def __init__(self, seed, shapes):
        self.random = random.Random(seed)
        self.shapes = shapes

    def expression(self, kind, depth):
        if kind in rules.TEXTS:
            return self.random.choice(rules.TEXTS[kind])
        while kind in rules.GROUPS:
            kind = self.random.choice(rules.GROUPS[kind])
        roll = self.random.random()
        if depth <= 0 or roll < 0.1:
            if roll < 0.03 or (depth <= 0 and roll < 0.25):
                return self.random.choice(rules.LITERALS[kind])
            return self.random.choice(rules.COLUMNS[kind])
        return self.fill(self.random.choice(rules.RULES[kind]), depth - 1)

    def fill(self, template, depth):
        def part(match):
            inner = self.expression(match.group(1), depth)
            bare = re.fullmatch(r"[\w.]+|'[^']*'|\w+\([^()]*\)", inner)
            return inner if bare or match.group(1) in rules.TEXTS else f"({inner})"
        return HOLE.sub(part, template)

    def item(self, depth):
        kind = self.random.choice(list(rules.RULES) + ["other"] * 3 + ["string", "int"])
        return self.fill(self.random.choice(rules.RULES[kind]), depth - 1)

    def where(self):
        roll = self.random.random()
        if roll < 0.55:  # a row of its own: an error of another does not hide it
            return f" WHERE id = {self.random.randint(1, 8)}"
        return f" WHERE {self.expression('boolean', 1)}" if roll < 0.7 else ""

    def key(self):
        return self.expression(self.random.choice(["key", "boolean", "int", "string"]), self.random.choice([0, 0, 1]))

    def grouped(self):
        key = self.key()
        form = self.random.choice(["{0}", "{0}", "{0}", "ROLLUP ({0}, f)", "CUBE (f, {0})", "GROUPING SETS (({0}), (f), ())", "{0}, f", "ALL", ""]).format(key)
        aggregates = [self.fill(self.random.choice(rules.AGGREGATES), self.random.choice([0, 0, 1])) for _ in range(self.random.randint(1, 2))]
        having = f" HAVING {self.random.choice(['count(*) > 1', 'max(id) > 2', 'min(i) IS NOT NULL'])}" if self.random.random() < 0.15 else ""
        if not form:
            return f"SELECT {', '.join(aggregates)} FROM t{self.where()}{having}"
        return f"SELECT {', '.join([key] + aggregates)} FROM t GROUP BY {form}{having}"

    def windowed(self):
        call = self.fill(self.random.choice(rules.WINDOWS), self.random.choice([0, 0, 1]))
        part = self.random.choice(["", f"PARTITION BY {self.key()} ", "PARTITION BY f "])
        order = self.random.choice(["id", "id", "id DESC", "i NULLS LAST, id", "s, id", "d DESC, id", "dt, id"])
        frame = self.random.choice(rules.FRAMES)
        return f"SELECT id, {call} OVER ({part}ORDER BY {'id' if '2 PRECEDING' in frame else order} {frame}) FROM t".replace(" )", ")")

    def joined(self):
        join = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "CROSS JOIN"])
        on = self.random.choice(["x.id = y.ti", "x.s = y.s", "x.d = y.r", "x.m = y.n", "x.dt = y.ts", "x.l <=> y.l", "x.id < y.ti", "x.f = y.f AND x.i > y.ti", "x.s = y.i", "lower(x.s) = lower(y.s)", "x.a = y.a",
                                 "x.st = y.st", "x.ts = y.tn", "x.d = y.d", "x.i = y.l AND x.d > y.d", "x.u = y.id", "x.iv = y.iv", "x.bi = y.bi", "x.f"])
        semi = "SEMI" in join or "ANTI" in join
        shown = ["x.id", self.random.choice(["x.s", "x.d", "x.mp"])] + ([] if semi else ["y.id", self.random.choice(["y.s", "y.m", "y.a", "coalesce(x.i, y.l)"])])
        return f"SELECT {', '.join(shown)} FROM t x {join} t y{'' if join == 'CROSS JOIN' else ' ON ' + on}"

    def combined(self):
        operator = self.random.choice(["UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL", "MINUS"])
        kind = self.random.choice(["any", "number", "plain", "string"])
        left, right = self.expression(kind, 1), self.expression(self.random.choice([kind, "plain"]), 1)
        return f"SELECT {left} FROM t {operator} SELECT {right} FROM t"

    def sorted(self):
        order = self.expression(self.random.choice(["plain", "key"]), 1)
        how = self.random.choice(["", " DESC", " NULLS LAST", " DESC NULLS FIRST"])
        limit = self.random.choice(["", " LIMIT 3", " LIMIT 2 OFFSET 1"])
        return f"SELECT id, {self.item(1)} FROM t ORDER BY {order}{how}, id{limit}"

    def timed(self):
        order, frame = self.random.choice(rules.TIMED_FRAMES)
        call = self.random.choice(["count(*)", "sum(id)", "min({plain})", "max({plain})", "collect_list(id)", "first_value(id)", "last_value(id)", "avg({number})", "sum({number})"])
        return f"SELECT id, {self.fill(call, 0)} OVER ({self.random.choice(['', 'PARTITION BY f '])}ORDER BY {order} {frame}) FROM t"

    def looked_up(self):
        """A subquery in its place: of the select list, of a condition, correlated or not."""
        pick = self.random.choice
        where = pick(["p.k = t.id", "p.k = t.id", "p.k = t.ti", "p.c = t.s", "p.k <=> t.id", "p.k < t.id", "p.k = t.id AND p.q > t.i", "p.y = t.dt", "p.k = t.id OR p.c = t.s", "p.v = t.m", "p.w = t.d"])
        one = pick(["max(p.q)", "count(*)", "sum(p.v)", "min(p.c)", "count(DISTINCT p.c)", "max(p.q) + t.id", "avg(p.w)", "collect_list(p.q)", "coalesce(max(p.q), -1)", "max(struct(p.q, p.c))", "count(p.q) > 1", "sum(p.q) FILTER (WHERE p.c = 'a')"])
        inner = self.expression("plain", 1) if self.random.random() < 0.3 else pick(["p.q", "p.k", "p.c", "p.v"])
        form = pick(["SELECT id, (SELECT {one} FROM p WHERE {where}) FROM t", "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM p WHERE {where})", "SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM p WHERE {where})",
                     "SELECT id FROM t WHERE {x} IN (SELECT {inner} FROM p)", "SELECT id FROM t WHERE {x} NOT IN (SELECT {inner} FROM p WHERE {where})", "SELECT id, {x} IN (SELECT {inner} FROM p WHERE {where}) FROM t",
                     "SELECT id, EXISTS (SELECT 1 FROM p WHERE {where}) AND {b} FROM t", "SELECT id FROM t WHERE (SELECT {one} FROM p WHERE {where}) IS NOT NULL", "SELECT id, q FROM t, LATERAL (SELECT p.q FROM p WHERE {where})",
                     "SELECT id, x FROM t LEFT JOIN LATERAL (SELECT {one} AS x FROM p WHERE {where}) ON true", "SELECT id, (SELECT p.q FROM p WHERE {where}) FROM t", "SELECT id, (SELECT p.q FROM p WHERE {where} ORDER BY p.q DESC NULLS LAST LIMIT 1) FROM t",
                     "SELECT f, sum((SELECT {one} FROM p WHERE {where})) FROM t GROUP BY f", "SELECT f, max(id) FROM t GROUP BY f HAVING max(id) > (SELECT avg(p.k) FROM p)", "SELECT id, (SELECT {one} FROM p WHERE {where} GROUP BY p.c HAVING count(*) > 1) FROM t",
                     "SELECT (id, i) IN (SELECT p.k, p.q FROM p) FROM t", "SELECT id FROM t ORDER BY (SELECT {one} FROM p WHERE {where}), id", "SELECT id FROM t WHERE id = (SELECT max(p.k) FROM p WHERE {where})", "SELECT id, (SELECT DISTINCT p.k FROM p WHERE p.k = t.id) FROM t",
                     "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM p WHERE {where} UNION ALL SELECT 2 FROM p WHERE p.q = t.id)", "SELECT id, (SELECT x FROM (SELECT {one} AS x FROM p WHERE {where}) LIMIT 1) FROM t"])
        return form.format(one=one, where=where, inner=inner, x=self.expression(pick(["int", "string", "decimal"]), 1), b=self.expression("boolean", 1))

    def shaped(self):
        """PIVOT, UNPIVOT, LATERAL VIEW, QUALIFY, CTEs, pipes, joins of facts, sets of sets."""
        pick = self.random.choice
        agg = pick(["sum(q)", "max(v)", "count(*)", "avg(w)", "min(y)", "collect_list(q)", "first(q)", "sum(q) AS s, max(v) AS m", "count(DISTINCT k)"])
        key = pick(["k", "c", "y", "w", "v", "k, c", "w, k", "k % 2", "upper(c)", "k IS NULL"])
        form = pick(["SELECT * FROM (SELECT k, c, q FROM p) PIVOT ({agg_q} FOR c IN ('a', 'b', 'c' AS other))", "SELECT * FROM p PIVOT ({agg} FOR c IN ('a', 'b'))", "SELECT * FROM p PIVOT ({agg} FOR (c, k) IN (('a', 1), ('b', 2) AS z))",
                     "SELECT * FROM (SELECT k, q, CAST(v AS INT) AS v FROM p) UNPIVOT (x FOR n IN (q, v))", "SELECT * FROM p UNPIVOT INCLUDE NULLS ((a, b) FOR n IN ((k, q) AS one, (q, k) AS two))", "SELECT id, e FROM t LATERAL VIEW explode({array}) AS e", "SELECT id, e FROM t LATERAL VIEW OUTER explode({array}) AS e",
                     "SELECT id, n, e FROM t LATERAL VIEW posexplode({strings}) x AS n, e", "SELECT id, a1, b1 FROM t LATERAL VIEW OUTER inline(arrays_zip({array}, {strings})) x AS a1, b1", "SELECT id, k1, v1 FROM t LATERAL VIEW explode({map}) x AS k1, v1", "SELECT k, q FROM p QUALIFY row_number() OVER (PARTITION BY k ORDER BY q, c) = 1",
                     "SELECT k, q, sum(q) OVER (PARTITION BY c) AS s FROM p QUALIFY s > 10", "WITH x AS (SELECT {item} AS a FROM t), y AS (SELECT a, count(*) AS n FROM x GROUP BY a) SELECT * FROM y", "FROM p |> AGGREGATE {agg} GROUP BY {key}", "FROM p |> WHERE q > 5 |> EXTEND q * 2 AS z |> SELECT k, z |> DISTINCT",
                     "SELECT {key}, {agg} FROM p GROUP BY {key}", "SELECT {key}, {agg} FROM p GROUP BY ROLLUP ({key})", "SELECT {key}, {agg} FROM p GROUP BY CUBE ({key})", "SELECT DISTINCT {key} FROM p", "SELECT {key} FROM p UNION SELECT {key} FROM p WHERE q > 10", "SELECT w FROM p INTERSECT SELECT d FROM t", "SELECT d FROM t EXCEPT SELECT w FROM p",
                     "SELECT w, k FROM p EXCEPT ALL SELECT d, id FROM t", "SELECT w FROM p UNION SELECT r FROM t", "SELECT DISTINCT w + 0 FROM p", "SELECT x.k, x.c, y.id FROM p x {join} t y ON {on}", "SELECT * FROM p x {join} p y USING (k)", "SELECT x.w, y.w FROM p x JOIN p y ON x.w = y.w", "SELECT x.w, y.d FROM p x FULL JOIN t y ON x.w = y.d",
                     "SELECT k, c, q FROM p NATURAL JOIN (SELECT k, max(q) AS q FROM p GROUP BY k)", "SELECT * FROM (SELECT {item} AS a FROM t UNION ALL SELECT {item2} AS a FROM t)", "(SELECT k FROM p EXCEPT SELECT id FROM t) UNION ALL (SELECT id FROM t INTERSECT SELECT k FROM p)", "SELECT w, count(*) FROM p GROUP BY w", "SELECT k, max_by(c, q), min_by(q, v), mode(c) FROM p GROUP BY k",
                     "SELECT c, mode(k), mode(q) FROM p GROUP BY c", "SELECT k, rank() OVER (ORDER BY w), dense_rank() OVER (ORDER BY w DESC), percent_rank() OVER (ORDER BY c, w) FROM p", "SELECT k, q, w FROM p ORDER BY w, k, q", "SELECT k, q, w FROM p ORDER BY w DESC, q NULLS LAST LIMIT 5", "SELECT w, lag(w) OVER (PARTITION BY w ORDER BY q) FROM p",
                     "SELECT CASE WHEN w > 1 THEN {item} END FROM p CROSS JOIN t WHERE id = 1", "SELECT c, listagg(q, '-') WITHIN GROUP (ORDER BY q) FROM p GROUP BY c", "SELECT k, array_sort(collect_set(w)) FROM p GROUP BY k", "SELECT count(DISTINCT w), count(DISTINCT w, k), approx_count_distinct(w) FROM p", "SELECT max(w), min(w), sum(w), avg(w), stddev(w) FROM p",
                     "SELECT covar_samp(w, q), covar_pop(q, k), corr(q, k), regr_slope(q, k), skewness(q), kurtosis(w) FROM p", "SELECT percentile(q, array(0, 0.5, 1)), percentile_cont(0.3) WITHIN GROUP (ORDER BY v), median(w) FROM p"])
        return (form.replace("{agg_q}", pick(["sum(q)", "max(q)", "count(q)", "collect_list(q)", "avg(q) AS a"])).replace("{agg}", agg).replace("{key}", key)
                .replace("{item2}", self.item(1)).replace("{item}", self.item(1)).replace("{array}", self.expression("array", 1)).replace("{strings}", self.expression("strings", 1)).replace("{map}", self.expression("map", 1))
                .replace("{join}", pick(["JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN"])).replace("{on}", pick(["x.k = y.id", "x.k <=> y.i", "x.c = y.s", "x.w = y.d", "x.v < y.m", "x.y = y.ts", "x.q = y.l AND x.k > 1", "x.k = y.ti OR x.c = y.s"])))

    def query(self):
        roll = self.random.random()
        if roll < self.shapes:
            return self.random.choice([self.looked_up, self.shaped, self.shaped, self.timed])()
        roll = self.random.random()
        if roll < 0.7:
            depth = self.random.choice([1, 1, 1, 2, 2, 3])
            items = ", ".join(self.item(depth) for _ in range(self.random.choice([1, 1, 2])))
            if self.random.random() < 0.1:
                return f"SELECT DISTINCT {items} FROM t"
            return f"SELECT {items} FROM t{self.where()}"
        if roll < 0.82:
            return self.grouped()
        if roll < 0.9:
            return self.windowed()
        if roll < 0.94:
            return self.joined()
        return self.combined() if roll < 0.97 else self.sorted()


def queries(seed, count, shapes):
    generator = Generator(seed, shapes)
    found = {}
    while len(found) < count:
        found[generator.query()] = True
    return list(found)


def same(a, b):
    number = (int, float)
    if isinstance(a, number) and isinstance(b, number) and not isinstance(a, bool) and not isinstance(b, bool):
        if a == 0 == b:
            return math.copysign(1, a) == math.copysign(1, b)
        return a == b or ((isinstance(a, float) or isinstance(b, float)) and abs(a - b) <= max(1e-9 * max(abs(a), abs(b)), 1e-13))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


# Subqueries that Spark does not compute, and we do.
MORE = ("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY", "SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION")


def differs(spark, ours):
    """None when equal, "refused" when refused by name, otherwise what differs."""
    if ours.get("error", "").startswith(REFUSED):
        return "refused"
    if "error" in spark or "error" in ours:
        wanted, got = (x.get("error", "an answer").split(".")[0] for x in (spark, ours))
        if wanted != got and wanted in ROW_ERRORS and got in ROW_ERRORS:
            return "another row's error"
        if wanted in MORE and "error" not in ours:
            return "answered only here"
        unnamed = wanted.startswith(("_LEGACY", "?", "INTERNAL_ERROR")) and "error" in ours
        return None if wanted == got or unnamed else f"Spark: {wanted} {spark.get('rows', '')!s:.300}, here: {got} {ours.get('message', ours.get('rows', ''))!s:.200}"
    if spark["types"] != ours["types"]:
        return f"types: Spark {spark['types']}, here {ours['types']}"
    left, right = spark["rows"], ours["rows"]
    if sorted(left) == sorted(right):
        return None
    left, right = ([json.loads(row) for row in rows] for rows in (left, right))
    left.sort(key=lambda row: json.dumps(row, sort_keys=True))
    right.sort(key=lambda row: json.dumps(row, sort_keys=True))
    if len(left) == len(right) and all(map(same, left, right)):
        return None
    apart = [(a, b) for a, b in zip(left, right) if not same(a, b)] if len(left) == len(right) else [(left, right)]
    return "rows: " + "\n        ".join(f"Spark {json.dumps(a, ensure_ascii=False)}  here {json.dumps(b, ensure_ascii=False)}" for a, b in apart[:4])


def ask_sluice(program, asked):
    """An answer each; a query that ends the program has the error CRASH."""
    answers = []
    while len(answers) < len(asked):
        rest = (asked[:len(rules.TABLES)] if answers else []) + asked[len(answers):]
        run = subprocess.run([program], input="\n".join(map(json.dumps, rest)), capture_output=True, text=True, check=False)
        got = [json.loads(line) or {} for line in run.stdout.splitlines()]
        answers += got[len(rules.TABLES):] if answers else got
        if len(answers) < len(asked):
            answers.append({"error": "CRASH", "message": run.stderr[:3000]})
    return answers


def ask_spark(asked):
    spark = spark_answers.session()
    for one in asked:
        if "table" in one:
            spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW {one['table']} AS {one['sql']}")
            yield {}
        else:
            yield spark_answers.answer(spark, one["sql"])


def spark_said(asked, kept):
    if kept and kept.exists():
        lines = [json.loads(line) for line in kept.read_text().splitlines()]
        if [line["sql"] for line in lines] == [one["sql"] for one in asked]:
            return [line["answer"] for line in lines]
    answers = list(ask_spark(asked))
    if kept:
        kept.write_text("".join(json.dumps({"sql": one["sql"], "answer": answer}) + "\n" for one, answer in zip(asked, answers)))
    return answers


def store(asked, spark, ours, count):
    """Writes the first `count` queries with an equal answer that is not too long."""
    tables = len(rules.TABLES)
    lines = [{"spark": "4.2.0"}] + asked[:tables]
    for one, answer, got in zip(asked[tables:], spark[tables:], ours[tables:]):
        line = {**one, **answer}
        if len(lines) < count + 1 + tables and differs(answer, got) is None and len(json.dumps(line)) < 4000:
            lines.append(line)
    (HERE / "answers" / "random.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--shapes", type=float, default=0.25, help="the part of queries with subqueries, pivots, ranges and other shapes")
    parser.add_argument("--store", type=int)
    parser.add_argument("--answers", type=pathlib.Path)
    parser.add_argument("--program", default=str(ROOT / "build/asan/bin/answer_queries"))
    options = parser.parse_args()
    asked = [{"table": name, "sql": sql} for name, sql in rules.TABLES.items()] + [{"sql": sql} for sql in queries(options.seed, options.count, options.shapes)]
    spark = spark_said(asked, options.answers)
    counts = {"equal": 0, "refused": 0, "another row's error": 0, "answered only here": 0, "different": 0}
    ours = ask_sluice(options.program, asked)
    tables = len(rules.TABLES)
    if any(ours[:tables]):
        print(f"the tables: {ours[:tables]}")
        return 1
    if options.store:
        store(asked, spark, ours, options.store)
        return 0
    for one, wanted, got in zip(asked[tables:], spark[tables:], ours[tables:]):
        found = differs(wanted, got)
        counts["equal" if found is None else found if found in counts else "different"] += 1
        if found in ("another row's error", "answered only here"):
            continue
        if found == "refused":
            print(f"REFUSED {one['sql']}\n  {got['message'].splitlines()[0]:.160}")
        elif found:
            print(f"DIFFERENT {one['sql']}\n  {found}", flush=True)
    print(f"seed {options.seed}: {counts}")
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
