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
    def __init__(self, seed):
        self.random = random.Random(seed)

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

    def query(self):
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


def queries(seed, count):
    generator = Generator(seed)
    found = {}
    while len(found) < count:
        found[generator.query()] = True
    return list(found)


def same(a, b):
    number = (int, float)
    if isinstance(a, number) and isinstance(b, number) and not isinstance(a, bool) and not isinstance(b, bool):
        return a == b or ((isinstance(a, float) or isinstance(b, float)) and abs(a - b) <= max(1e-9 * max(abs(a), abs(b)), 1e-13))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def differs(spark, ours):
    """None when equal, "refused" when refused by name, otherwise what differs."""
    if ours.get("error", "").startswith(REFUSED):
        return "refused"
    if "error" in spark or "error" in ours:
        wanted, got = (x.get("error", "an answer").split(".")[0] for x in (spark, ours))
        if wanted != got and wanted in ROW_ERRORS and got in ROW_ERRORS:
            return "another row's error"
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
        rest = ([{"table": "t", "sql": rules.TABLE}] if answers else []) + asked[len(answers):]
        run = subprocess.run([program], input="\n".join(map(json.dumps, rest)), capture_output=True, text=True, check=False)
        got = [json.loads(line) or {} for line in run.stdout.splitlines()]
        answers += got[1:] if answers else got
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
    lines = [{"spark": "4.2.0"}, asked[0]]
    for one, answer, got in zip(asked[1:], spark[1:], ours[1:]):
        line = {**one, **answer}
        if len(lines) < count + 2 and differs(answer, got) is None and len(json.dumps(line)) < 4000:
            lines.append(line)
    (HERE / "answers" / "random.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--store", type=int)
    parser.add_argument("--answers", type=pathlib.Path)
    parser.add_argument("--program", default=str(ROOT / "build/asan/bin/answer_queries"))
    options = parser.parse_args()
    asked = [{"table": "t", "sql": rules.TABLE}] + [{"sql": sql} for sql in queries(options.seed, options.count)]
    spark = spark_said(asked, options.answers)
    counts = {"equal": 0, "refused": 0, "another row's error": 0, "different": 0}
    ours = ask_sluice(options.program, asked)
    if ours[0]:
        print(f"the table: {ours[0]}")
        return 1
    if options.store:
        store(asked, spark, ours, options.store)
        return 0
    for one, wanted, got in zip(asked[1:], spark[1:], ours[1:]):
        found = differs(wanted, got)
        counts["equal" if found is None else found if found in counts else "different"] += 1
        if found == "another row's error":
            continue
        if found == "refused":
            print(f"REFUSED {one['sql']}\n  {got['message'].splitlines()[0]:.160}")
        elif found:
            print(f"DIFFERENT {one['sql']}\n  {found}", flush=True)
    print(f"seed {options.seed}: {counts}")
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
