#!/usr/bin/env python3
"""fault_test.py [CASE...]: bad input and faults, end to end with the binary. Each case looks at what the user sees (exit
code, error code, message) and, once the fault is gone, that the tables hold every record once.

One broker serves all cases; a case is a function of one of the modules below. Named cases (or modules) run alone. A case
that fails keeps its folder; the others still run."""
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VENV = os.path.join(ROOT, ".deps", "peers", "venv")
if os.path.realpath(sys.prefix) != os.path.realpath(VENV):  # confluent-kafka is there
    subprocess.run([os.path.join(ROOT, "tests", "peers", "setup.sh")], check=True)
    PYTHON = os.path.join(VENV, "bin", "python")
    os.execv(PYTHON, [PYTHON, *sys.argv])

sys.path.insert(0, HERE)
import broker_faults  # noqa: E402
import definition_faults  # noqa: E402
import record_faults  # noqa: E402
import state_faults  # noqa: E402
import storage_faults  # noqa: E402
from fault_broker import Broker  # noqa: E402
from fault_project import Failed  # noqa: E402

MODULES = (definition_faults, record_faults, broker_faults, storage_faults, state_faults)


def wanted_cases(names):
    cases = [(module.__name__, case) for module in MODULES for case in module.CASES]
    known = {name for module, case in cases for name in (module, case.__name__)}
    unknown = set(names) - known
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return [case for module, case in cases if not names or module in names or case.__name__ in names]


def main():
    cases = wanted_cases(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the broker goes, too
    work = tempfile.mkdtemp(prefix="sluice-faults-")
    os.chmod(work, 0o755)
    broker, failed = Broker(os.path.join(work, "kafka")), []
    try:
        for case in cases:
            folder, start = os.path.join(work, case.__name__), time.time()
            os.mkdir(folder)
            try:
                case(broker, folder)
                print(f"ok     {time.time() - start:6.1f} s  {case.__name__}", flush=True)
                subprocess.run(["rm", "-rf", folder], check=True)
            except Failed as fault:
                failed.append(case.__name__)
                print(f"FAILED {time.time() - start:6.1f} s  {case.__name__}: {fault}\n  kept: {folder}", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed.append(case.__name__)
                print(f"FAILED {time.time() - start:6.1f} s  {case.__name__}, kept: {folder}", flush=True)
                traceback.print_exc(file=sys.stdout)
    finally:
        broker.stop(kill=True)
    if failed:
        sys.exit(f"{len(failed)} of {len(cases)} cases failed: {', '.join(failed)}")
    subprocess.run(["rm", "-rf", work], check=True)


if __name__ == "__main__":
    main()
