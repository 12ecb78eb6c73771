#!/usr/bin/env python3
"""Documents hold: relative links lead to files, `make TARGET` names a target, `tools/X` and `src/X` in backquotes exist."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINK = re.compile(r"\[[^\]\n]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
MAKE = re.compile(r"`make ([a-z-]+)|^make ([a-z-]+)", re.M)
PATH = re.compile(r"`((?:src|tools|tests|bench|docs|examples|cmake)/[A-Za-z0-9_./-]+)`")


def documents():
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True,
                             text=True, check=True).stdout
    return [p for p in listing.splitlines() if os.path.exists(os.path.join(ROOT, p))]


def made_at_run_time(path):
    return subprocess.run(["git", "check-ignore", "-q", path.rstrip("/") + "/"], cwd=ROOT, check=False).returncode == 0


def main():
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
        targets = set(re.findall(r"^([a-z-]+):", file.read(), re.M))
    faults = []
    for path in documents():
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            text = file.read()
        for match in LINK.finditer(text):
            target = match[1]
            if "://" not in target and not os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
                faults.append(f"{path}: leads nowhere: {target}")
        for match in MAKE.finditer(text):
            if (match[1] or match[2]) not in targets:
                faults.append(f"{path}: no such target: make {match[1] or match[2]}")
        for match in PATH.finditer(text):
            if not os.path.exists(os.path.join(ROOT, match[1])) and not made_at_run_time(match[1]):
                faults.append(f"{path}: does not exist: {match[1]}")
    print("\n".join(faults) if faults else f"docs: {len(documents())} documents")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
