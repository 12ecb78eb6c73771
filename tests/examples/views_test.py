#!/usr/bin/env python3
"""Views and the session from the command line: what one `sluice sql` keeps for the next, and for pipelines."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from project import SLUICE, Failed, expect

SPEC = "name: views\nstorage: file://{}/storage\ndatabase: shop\nlibraries:\n  - glob:\n      include: transformations/**\n"


class Work:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-views-")

    def remove(self):
        shutil.rmtree(self.folder)

    def run(self, *arguments, code=0):
        done = subprocess.run([SLUICE, *arguments], cwd=self.folder, text=True, capture_output=True, timeout=120, check=False)
        if done.returncode != code:
            raise Failed(f"sluice {' '.join(arguments)}: code {done.returncode} instead of {code}\n{done.stdout}\n{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def rows(self, text):
        return [json.loads(line) for line in self.run("sql", "--output", "json", "-c", text).splitlines() if line.strip()]

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def check_kept(work):
    work.rows("CREATE SCHEMA shop; USE shop; CREATE TABLE t AS SELECT id, id * 2 AS v FROM range(5); "
              "CREATE VIEW big (k COMMENT 'the key', twice) AS SELECT id, v FROM t WHERE id > 2")
    expect(work.rows("SELECT * FROM shop.big ORDER BY k") == [{"k": 3, "twice": 6}, {"k": 4, "twice": 8}], "the view is not kept")
    expect(work.rows("SHOW VIEWS IN shop") == [{"namespace": "shop", "viewName": "big", "isTemporary": False}], "SHOW VIEWS")
    expect(work.rows("DESCRIBE shop.big")[0] == {"col_name": "k", "data_type": "bigint", "comment": "the key"}, "DESCRIBE")
    out = work.run("show", "shop.big", "--output", "json", "-n", "1")
    expect(len(out.splitlines()) == 1 and '"twice":' in out, f"show says: {out}")
    expect("TABLE_OR_VIEW_NOT_FOUND" in work.run("show", "shop.nope", code=1), "show of nothing")
    files = os.listdir(os.path.join(work.folder, "warehouse", "shop", "_views", "big"))
    expect(files == ["00000000000000000001.json"], f"files: {files}")
    again = work.rows("SHOW CREATE TABLE shop.big")[0]["createtab_stmt"].replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
    work.rows("USE shop; " + again)
    expect(work.rows("SELECT max(twice) AS m FROM shop.big") == [{"m": 8}], "SHOW CREATE TABLE makes another view")


def check_session(work):
    script = ("USE shop; CREATE TEMP VIEW even AS SELECT * FROM t WHERE id % 2 = 0; SET floor = 1; "
              "SELECT count(*) AS n FROM even WHERE id > ${floor}")
    expect(work.rows(script)[-1] == {"n": 2}, "views and settings last for one run")
    expect("TABLE_OR_VIEW_NOT_FOUND" in work.run("sql", "-c", "SELECT * FROM even", code=1), "and no longer")
    expect("UNDEFINED_CONFIGURATION" in work.run("sql", "-c", "SELECT ${floor}", code=1), "a setting outlives its session")
    error = work.run("sql", "-c", "SET a = 1;\n  SELECT\n ${a} + nope", code=1)
    expect("line 3:" in error, error)
    expect("NOT_SUPPORTED_YET" in work.run("sql", "-c", "SET spark.sql.ansi.enabled = false", code=1), "SET that would change answers")


def check_pipeline(work):
    work.write("spark-pipeline.yml", SPEC.format(work.folder))
    work.write("transformations/a.sql", "CREATE MATERIALIZED VIEW totals AS SELECT sum(twice) AS s FROM big;\n"
               "CREATE VIEW shown (total COMMENT 'of all') AS SELECT s FROM totals;\n"
               "CREATE TEMPORARY VIEW gone AS SELECT 1 AS one;\n")
    work.run("run", "--once")
    expect(work.rows("SELECT * FROM totals") == [{"s": 14}], "a view of the warehouse in a project")
    expect(work.rows("SELECT * FROM shown") == [{"total": 14}], "CREATE VIEW of a project is not kept")
    expect("TABLE_OR_VIEW_NOT_FOUND" in work.run("sql", "-c", "SELECT * FROM gone", code=1), "a temporary view is kept")
    work.run("run", "--once")
    files = os.listdir(os.path.join(work.folder, "warehouse", "shop", "_views", "shown"))
    expect(len(files) == 1, f"a view that did not change is written again: {files}")
    for text, code in (("CREATE VIEW x AS SELECT * FROM STREAM totals", "STREAM"),
                       ("CREATE VIEW x AS SELECT * FROM gone", "INVALID_TEMP_OBJ_REFERENCE"),
                       ("CREATE MATERIALIZED VIEW y AS SELECT * FROM of_totals", "NOT_SUPPORTED_YET")):
        work.rows("CREATE OR REPLACE VIEW of_totals AS SELECT * FROM totals")
        work.write("transformations/b.sql", text + ";\n")
        expect(code in work.run("dry-run", code=1), text)
    os.remove(os.path.join(work.folder, "transformations", "b.sql"))


def main():
    work = Work()
    try:
        for check in (check_kept, check_session, check_pipeline):
            check(work)
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    finally:
        work.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
