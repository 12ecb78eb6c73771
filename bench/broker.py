"""The broker of a bench run and what fills its topics: tests/services/kafka and the programs of bench/tools."""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVICE = os.path.join(ROOT, "tests", "services", "kafka")
PYTHON = os.path.join(ROOT, ".deps", "peers", "venv", "bin", "python")
PARTITIONS = 4
SEEDS = (7, 8, 9, 10)
EVENTS = 1_000_000  # of one seed


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def call(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, text=True, stdout=subprocess.PIPE, **more).stdout


class Broker:
    """One Apache Kafka on this machine; its data, and so the filled topics, stay in `folder` between runs."""

    def __init__(self, folder, tools, port=19092):
        self.folder, self.tools, self.port = folder, tools, port
        self.address = f"127.0.0.1:{port}"

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        call(os.path.join(SERVICE, "start.sh"), self.port, self.folder, env=dict(os.environ, KAFKA_HEAP="1g"))
        return self

    def __exit__(self, *_):
        call(os.path.join(SERVICE, "stop.sh"), self.folder)

    @property
    def pid(self):
        with open(os.path.join(self.folder, "pid"), encoding="ascii") as file:
            return file.read().strip()

    def tool(self, name, *arguments):
        return call(os.path.join(self.tools, f"bench_{name}"), *arguments)

    def script(self, code, *arguments):
        """Python with the broker's admin client `a`, run in the peers' environment."""
        head = ("import sys\nfrom confluent_kafka import Consumer, TopicPartition\n"
                "from confluent_kafka.admin import AdminClient, NewTopic\n"
                f"a = AdminClient({{'bootstrap.servers': '{self.address}'}})\n")
        return call(PYTHON, "-c", head + code, *arguments)

    def count(self, topic):
        """Records in `topic`; -1 when it is not there."""
        code = (f"c = Consumer({{'bootstrap.servers': '{self.address}', 'group.id': 'count'}})\n"
                "t = a.list_topics(timeout=30).topics.get(sys.argv[1])\n"
                "ends = [c.get_watermark_offsets(TopicPartition(sys.argv[1], p), timeout=30)[1] for p in t.partitions]"
                " if t else [-1]\nprint(sum(ends))")
        return int(self.script(code, topic))

    def create(self, topic):
        self.script(f"a.create_topics([NewTopic(sys.argv[1], {PARTITIONS}, 1)])[sys.argv[1]].result()", topic)

    def delete(self, topic):
        self.script("a.delete_topics([sys.argv[1]])[sys.argv[1]].result()", topic)

    def fill(self, topic, path, repeats, total):
        """Makes `topic` hold exactly `repeats` copies of the file, produced in order."""
        there = self.count(topic)
        if there == total:
            return
        if there >= 0:
            self.delete(topic)
        say(f"filling {topic} with {total} events")
        self.create(topic)
        self.tool("produce", self.address, topic, path, repeats, "lz4")
        there = self.count(topic)
        if there != total:
            raise RuntimeError(f"{topic} holds {there} records instead of {total}")

    def produce_rate(self, topic, rate, seconds, phase, warm_up=0):
        """Unique events at a fixed rate, event_time = the moment of produce; returns what the producer says."""
        return json.loads(self.tool("produce_rate", self.address, topic, rate, seconds, phase, warm_up))


def seed_file(folder, tools, seed):
    path = os.path.join(folder, f"events_{seed}.ndjson")
    if not os.path.exists(path):
        call(os.path.join(tools, "bench_events"), path + ".part", seed)
        os.rename(path + ".part", path)
    return path


def unique_file(folder, tools):
    """4 M events of four seeds; each hundredth repeats the one fifty lines before it."""
    path = os.path.join(folder, "events_unique.ndjson")
    if os.path.exists(path):
        return path
    with open(path + ".part", "wb") as out:
        for seed in SEEDS:
            with open(seed_file(folder, tools, seed), "rb") as file:
                lines = file.readlines()
            for i in range(99, len(lines), 100):
                lines[i] = lines[i - 50]
            out.writelines(lines)
    os.rename(path + ".part", path)
    return path


def reference(folder, path, repeats):
    """The figures the tables must have, computed once for each data file by DuckDB."""
    out = path + f".x{repeats}.json"
    if not os.path.exists(out):
        call(PYTHON, os.path.join(ROOT, "bench", "reference.py"), out + ".part", path, repeats)
        os.rename(out + ".part", out)
    with open(out, encoding="utf-8") as file:
        return json.load(file)
