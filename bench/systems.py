"""How each system is started on a workload, and where its tables lie afterwards."""
import os
import re
import shutil

from broker import PYTHON, ROOT

JARS = os.path.join(ROOT, ".deps", "peers", "jars")


class Peer:
    """A job of bench/peers: writes bronze, silver and gold under the output folder itself."""

    def __init__(self, name):
        self.name = name

    def command(self, workload, out, topic, broker):
        mode = workload if workload in ("bronze", "latency") else "all"
        command = [PYTHON, os.path.join(ROOT, "bench", "peers", f"{self.name}_job.py"), mode, out, topic, broker.address]
        return command + ([JARS] if self.name == "spark" else [])

    def tables(self, out):
        return out


class Sluice:
    """The project bench/medallion as it stands; only its storage and warehouse are put under the output folder."""

    name = "sluice"

    def __init__(self, binary):
        self.binary = binary

    def command(self, workload, out, topic, broker):
        project = os.path.join(out, "project")
        shutil.copytree(os.path.join(ROOT, "bench", "medallion"), project)
        spec = os.path.join(project, "spark-pipeline.yml")
        with open(spec, encoding="utf-8") as file:
            text = re.sub(r"^storage:.*$", f"storage: file://{out}/storage", file.read(), flags=re.M)
        with open(spec, "w", encoding="utf-8") as file:
            file.write(text)
        command = [self.binary, "run", "--spec", spec, "--set", f"topic={topic}", "--set", f"brokers={broker.address}"]
        if workload == "latency":
            return command + ["--continuous", "--set", "pipelines.trigger.interval=100 milliseconds"]
        return command + ["--once"] + (["--refresh", "bronze"] if workload == "bronze" else [])

    def tables(self, out):
        return os.path.join(out, "project", "warehouse", "bench")


def systems(binary, peers):
    return [Sluice(binary)] + ([Peer("python"), Peer("spark")] if peers else [])
