#!/usr/bin/env python3
"""The example as a user meets it: dry-run, demo, the commands that read tables, and what mistakes look like."""
import json
import os
import re
import sys

from project import Failed, Project, check_gold, expect

EVENTS = int(os.environ.get("SLUICE_EXAMPLE_EVENTS", "20000"))


def check_plan(project):
    out, _ = project.run("dry-run", "--spec", project.spec)
    expect("no errors" in out, f"dry-run says: {out}")
    for view in ("gold_hourly_metrics", "gold_customers"):
        expect(re.search(rf"{view}: incremental", out), f"{view} is not kept incrementally: {out}")
    out, _ = project.run("graph", "--spec", project.spec)
    expect(all(name in out for name in ("bronze_events", "silver_events", "gold_customers")), f"graph says: {out}")


def check_demo(project):
    out, _ = project.run("demo", "--project", project.folder, "--events", EVENTS, "--rate", EVENTS // 5)
    produced = re.search(r"Produced (\d+) events", out)
    expect(produced and int(produced[1]) == EVENTS, f"demo says: {out}")
    ledger = re.findall(r"^  (\S.*\S) +(\d+) +(\d+)  (equal|DIFFERENT)$", out, re.MULTILINE)
    expect(len(ledger) == 4 and all(int(line[1]) == int(line[2]) > 0 for line in ledger), f"the ledger says: {out}")
    delays = {line[0]: [int(n) for n in line[1:]] for line in
              re.findall(r"^  events\.(\w+) +(\d+) +(\d+) +(\d+)$", out, re.MULTILINE)}
    expect({"bronze_events", "silver_events", "gold_hourly_metrics", "gold_customers"} <= delays.keys(), f"latencies: {out}")
    expect(all(0 < p50 <= p95 <= p99 < 60_000 for p50, p95, p99 in delays.values()), f"latencies: {delays}")
    counts = {name: project.count(name) for name in
              ("bronze_events", "silver_events", "silver_events_quarantine", "gold_hourly_metrics", "gold_customers")}
    print(counts)
    expect(counts["bronze_events"] == EVENTS, f"bronze holds {counts['bronze_events']} of {EVENTS}")
    expect(0.9 * EVENTS < counts["silver_events"] < EVENTS, f"silver holds {counts['silver_events']}")
    expect(counts["silver_events_quarantine"] > 0, "nothing was quarantined")
    twice = project.query("SELECT event_id FROM silver_events GROUP BY event_id, event_time HAVING count(*) > 1")
    expect(not twice, f"events that stand twice in silver: {twice[:3]}")
    unnamed = project.count("silver_events WHERE region_name IS NULL OR event_type <> upper(event_type)")
    expect(unnamed == 0, f"{unnamed} rows without region or with another case")
    broken = project.query("SELECT rules, count(*) AS n FROM silver_events_quarantine GROUP BY rules")
    rules = {rule for row in broken for rule in row["rules"]}
    expect({"has_event_id", "_late"} <= rules, f"rules in quarantine: {rules}")


def check_commands(project):
    out, _ = project.run("show", "gold_customers", "--spec", project.spec, "-n", 3)
    expect("customer_id" in out, f"show says: {out}")
    out, _ = project.run("history", "silver_events", "--spec", project.spec)
    expect("version" in out, f"history says: {out}")
    path = os.path.join(project.work, "out.parquet")
    project.run("sql", "--spec", project.spec, "--output", "parquet", "-o", path, "-c", "SELECT * FROM gold_customers")
    expect(os.path.getsize(path) > 0, "no Parquet file was written")
    out, _ = project.run("explain", "TABLE_OR_VIEW_NOT_FOUND")
    expect(out.startswith("# TABLE_OR_VIEW_NOT_FOUND"), f"explain says: {out}")


def check_mistakes(project):
    _, err = project.run("sql", "--spec", project.spec, "-c", "SELECT * FROM no_such_table", code=1)
    expect("[TABLE_OR_VIEW_NOT_FOUND" in err, err)
    _, err = project.run("sql", "--spec", project.spec, "-c", "SELECT customr_id FROM gold_customers", code=1)
    expect("[UNRESOLVED_COLUMN" in err and "customer_id" in err, err)
    _, err = project.run("sql", "--spec", project.spec, "-c", "SELECT FROM WHERE", code=1)
    expect("PARSE" in err, err)
    broken = os.path.join(project.folder, "transformations", "4_broken.sql")
    with open(broken, "w", encoding="utf-8") as file:
        file.write("CREATE OR REFRESH STREAMING TABLE t AS SELECT nosuch FROM STREAM silver_events;\n")
    _, err = project.run("dry-run", "--spec", project.spec, code=1)
    expect("4_broken.sql:1:" in err and "^" in err, err)
    with open(broken, "w", encoding="utf-8") as file:
        file.write("CREATE OR REFRESH STREAMING TABLE t AS SELECT 1 AS one;\n")
    _, err = project.run("dry-run", "--spec", project.spec, code=1)
    expect("INVALID_FLOW_QUERY_TYPE" in err, err)
    os.remove(broken)


def check_editor_help(project):
    """All errors at once, with their places; what is missing because of them is not told."""
    broken = os.path.join(project.folder, "transformations", "4_broken.sql")
    with open(broken, "w", encoding="utf-8") as file:
        file.write("CREATE OR REFRESH STREAMING TABLE a AS SELECT nosuch FROM STREAM silver_events;\n"
                   "CREATE MATERIALIZED VIEW b AS SELECT * FROM a;\n"
                   "CREATE MATERIALIZED VIEW c AS\n  SELECT lenght(customer_id) AS n FROM silver_events;\n"
                   "CREATE MATERIALIZED VEIW d AS SELECT 1 AS one;\n")
    out, err = project.run("dry-run", "--spec", project.spec, "--output", "json", code=1)
    errors = [json.loads(line) for line in out.splitlines()]
    expect(not err and {error["type"] for error in errors} == {"error"}, out + err)
    places = {(e["code"], e["sqlState"], os.path.basename(e["file"]), e["line"], e["column"]) for e in errors}
    expect(places == {("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "4_broken.sql", 1, 47),
                      ("UNRESOLVED_ROUTINE", "42883", "4_broken.sql", 4, 10),
                      ("PARSE_SYNTAX_ERROR", "42601", "4_broken.sql", 5, 21)}, out)
    expect(all(e["endLine"] == e["line"] and e["endColumn"] > e["column"] for e in errors), out)
    hints = " ".join(error.get("suggestion", "") for error in errors)
    expect("length" in hints and "VIEW instead of VEIW" in hints, hints)
    expect(all("\n" not in error["message"] for error in errors), out)
    _, err = project.run("dry-run", "--spec", project.spec, code=1)
    expect("3 errors" in err and len(re.findall(r"^ *\^+$", err, re.MULTILINE)) == 3, err)
    os.remove(broken)


def check_lineage(project):
    out, _ = project.run("graph", "--spec", project.spec, "--columns", "--output", "json")
    datasets = {line["name"]: line for line in map(json.loads, out.splitlines()) if line["type"] == "dataset"}

    def origins(dataset, column):
        found = next(c for c in datasets[dataset]["columns"] if c["name"] == column)
        return {(o["dataset"], o["column"], o["type"], o["subtype"]) for o in found["from"]}

    def rows(dataset):
        return {(o["dataset"], o["column"], o["subtype"]) for o in datasets[dataset]["rowsFrom"]}

    silver = "events.silver_events"
    gold = "events.gold_hourly_metrics"
    expect(origins(gold, "total_revenue") == {(silver, "properties", "DIRECT", "AGGREGATION")}, out)
    expect(origins(gold, "region") == {(silver, "region", "DIRECT", "IDENTITY")}, out)
    expect((silver, "event_time", "GROUP_BY") in rows(gold), out)
    expect(origins(gold, "event_count") == set(), out)
    expect(all("from" in column for dataset in datasets.values() for column in dataset["columns"]), out)
    text, _ = project.run("graph", "--spec", project.spec, "--columns")
    expect(f"total_revenue <- {silver}.properties (AGGREGATION)" in text, text)


def check_format(project):
    """Formats once and for all; the project means the same."""
    plan, _ = project.run("graph", "--spec", project.spec, "--columns", "--output", "json")
    project.run("fmt", "--spec", project.spec)
    out, _ = project.run("fmt", "--spec", project.spec, "--check")
    expect(out == "", out)
    after, _ = project.run("graph", "--spec", project.spec, "--columns", "--output", "json")
    expect(after == plan, f"{plan}\n{after}")
    path = os.path.join(project.work, "x.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write("select 1 -- one\n")
    out, _ = project.run("fmt", "--check", path, code=1)
    expect(out == f"would change {path}\n", out)
    project.run("fmt", path)
    with open(path, encoding="utf-8") as file:
        expect(file.read() == "SELECT 1 -- one\n", "fmt wrote something else")


def main():
    project = Project()
    try:
        for check in (check_plan, check_demo, check_gold, check_commands, check_mistakes, check_editor_help,
                      check_lineage, check_format):
            check(project)
    except Failed as fault:
        sys.exit(f"{check.__name__}: {fault}\nkept: {project.work}")
    project.remove()


if __name__ == "__main__":
    main()
