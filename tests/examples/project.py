"""A copy of examples/events in a scratch folder, and the sluice binary under test run on it."""
import json
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SLUICE = os.environ.get("SLUICE_BINARY", os.path.join(ROOT, "build", "release", "bin", "sluice"))
# The queries of gold over silver, less the column that is approximate.
RECOMPUTED = {
    "gold_hourly_metrics": """SELECT window(event_time, '1 hour').start AS window_start, event_type, region,
      count(*) AS event_count, avg(CAST(properties['response_time'] AS DOUBLE)) AS avg_response_time,
      sum(CAST(properties['revenue'] AS DECIMAL(18, 2))) AS total_revenue, count(DISTINCT customer_id) AS customers
      FROM silver_events GROUP BY window(event_time, '1 hour').start, event_type, region""",
    "gold_customers": """SELECT customer_id, count(*) AS event_count, min(event_time) AS first_seen,
      max(event_time) AS last_seen, count(DISTINCT event_type) AS event_types FROM silver_events GROUP BY customer_id""",
}
KEYS = {"gold_hourly_metrics": ("window_start", "event_type", "region"), "gold_customers": ("customer_id",)}


class Failed(Exception):
    """A command ended with another code than expected, or a comparison does not hold."""


class Project:
    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="sluice-example-")
        self.folder = os.path.join(self.work, "events")
        self.storage = os.path.join(self.work, "storage")
        self.spec = os.path.join(self.folder, "spark-pipeline.yml")
        ignore = shutil.ignore_patterns("warehouse")
        shutil.copytree(os.path.join(ROOT, "examples", "events"), self.folder, ignore=ignore)
        with open(self.spec, encoding="utf-8") as file:
            text = file.read().replace("file:///tmp/sluice/events", f"file://{self.storage}")
        with open(self.spec, "w", encoding="utf-8") as file:
            file.write(text)

    @property
    def tables(self):
        return os.path.join(self.folder, "warehouse", "events")

    def remove(self):
        shutil.rmtree(self.work)

    def run(self, *arguments, code=0, timeout=600):
        """Runs sluice; its standard output and error. Failed when it ends with another code."""
        done = subprocess.run([SLUICE, *map(str, arguments)], cwd=self.folder, text=True, capture_output=True,
                              timeout=timeout, check=False)
        if done.returncode != code:
            raise Failed(f"sluice {' '.join(map(str, arguments))}: code {done.returncode} instead of {code}\n"
                         f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return done.stdout, done.stderr

    def query(self, text):
        """Rows of a query, as Spark's JSON form; numbers with a point stay text, so that decimals keep their digits."""
        out, _ = self.run("sql", "--spec", self.spec, "--output", "json", "-c", text)
        return [json.loads(line, parse_float=str) for line in out.splitlines() if line.strip()]

    def count(self, rows):
        """How many: `rows` is a table, with a WHERE perhaps."""
        return int(self.query(f"SELECT count(*) AS n FROM {rows}")[0]["n"])


def expect(holds, text):
    if not holds:
        raise Failed(text)


def check_gold(project):
    """Each view equals its query over silver as it stands: exactly, and averages of doubles to 1e-9."""
    for table, query in RECOMPUTED.items():
        key = lambda row, names=KEYS[table]: tuple(str(row.get(n)) for n in names)
        wanted = {key(row): row for row in project.query(query)}
        found = {}
        for row in project.query(f"SELECT * FROM {table}"):
            expect(key(row) not in found, f"{table}: {key(row)} stands twice")
            found[key(row)] = row
        expect(wanted.keys() == found.keys(), f"{table}: groups differ: {sorted(wanted.keys() ^ found.keys())[:5]}")
        for group, row in wanted.items():
            for name, value in row.items():
                other = found[group].get(name)
                same = value == other
                if name.startswith("avg_") and other is not None:
                    same = abs(float(value) - float(other)) <= 1e-9 * max(1.0, abs(float(value)))
                expect(same, f"{table} {group}: {name} is {other}, recomputed {value}")
        expect(bool(wanted), f"{table} is empty")
