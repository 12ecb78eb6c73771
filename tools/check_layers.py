#!/usr/bin/env python3
"""Checks every #include of src/ against src/layers.txt.

- a folder includes itself and the folders of its row, nothing else; the rows themselves have no cycle
- the files of a folder include each other without a cycle, and so do the folders within a folder (tests apart: their
  fixtures may need what stands above)
- *_internal.h is included only from its own folder; nothing of src/ includes tests/, bench/ or tools/
- the folders named in the codemap of ARCHITECTURE.md are the folders of src/
Prints one line a fault and exits with 1 when there is any.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def read_layers(path):
    layers, faults = {}, []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"([a-z]+):((?: [a-z]+)*)", line)
        if not match:
            faults.append(f"src/layers.txt:{number}: not of the form 'folder: below below'")
        elif match[1] in layers:
            faults.append(f"src/layers.txt:{number}: {match[1]} is listed twice")
        else:
            # A row may name only rows above it: the list is an order, so it cannot hold a cycle.
            for below in match[2].split():
                if below not in layers:
                    faults.append(f"src/layers.txt:{number}: {below} must be listed above {match[1]}")
            layers[match[1]] = set(match[2].split())
    return layers, faults


def sources(folder):
    for base, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith((".h", ".cc")):
                yield os.path.relpath(os.path.join(base, name), ROOT)


def includes(path):
    for number, line in enumerate(open(os.path.join(ROOT, path), encoding="utf-8", errors="replace"), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1]


def check_file(path, layers, graph):
    folder = path.split("/")[1]
    allowed = layers[folder] | {folder}
    for number, target in includes(path):
        where = f"{path}:{number}"
        top = target.split("/")[0]
        if "/" not in target:
            yield f'{where}: write the path from src/: "{folder}/.../{target}"'
        elif top in layers:
            if top not in allowed:
                yield f"{where}: {folder} may not include {target}; src/layers.txt allows: {' '.join(sorted(allowed))}"
            if target.endswith("_internal.h") and os.path.dirname("src/" + target) != os.path.dirname(path):
                yield f"{where}: {target} may be included only from its own folder"
            if not os.path.exists(os.path.join(ROOT, "src", target)):
                yield f"{where}: {target} does not exist"
            graph.setdefault(path, []).append("src/" + target)
        elif os.path.isdir(os.path.join(ROOT, "src", top)):
            yield f"{where}: {top} has no row in src/layers.txt"
        elif top in ("tests", "bench", "tools", "examples") or ".." in target:
            yield f"{where}: src/ may not include {target}"


def find_cycle(graph):
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for target in graph.get(node, []):
            cycle = visit(target)
            if cycle:
                return cycle
        path.pop()
        done.add(node)
        return None

    for node in sorted(graph):
        cycle = visit(node)
        if cycle:
            return cycle
    return None


def between_subfolders(graph):
    """The folders within a folder, each with those that its files include."""
    folders = {}
    for path, targets in graph.items():
        here = os.path.dirname(path)
        if here.count("/") < 2 or re.search(r"_test\.(cc|h)$", path):
            continue
        for target in targets:
            there = os.path.dirname(target)
            if there != here and there.split("/")[:2] == here.split("/")[:2]:
                folders.setdefault(here, []).append(there)
    return folders


def check_architecture(folders):
    path = os.path.join(ROOT, "ARCHITECTURE.md")
    if not os.path.exists(path):
        return
    named = set(re.findall(r"^\| `([a-z]+)/` \|", open(path, encoding="utf-8").read(), re.M))
    for folder in sorted(folders - named):
        yield f"ARCHITECTURE.md: the codemap has no row for src/{folder}/"
    for folder in sorted(named - folders):
        yield f"ARCHITECTURE.md: the codemap names src/{folder}/, which does not exist"


def main():
    layers, faults = read_layers(os.path.join(ROOT, "src", "layers.txt"))
    here = sorted(n for n in os.listdir(os.path.join(ROOT, "src")) if os.path.isdir(os.path.join(ROOT, "src", n)))
    graph, files = {}, 0
    for folder in here:
        if folder not in layers:
            faults.append(f"src/{folder}: has no row in src/layers.txt")
            continue
        for path in sources(os.path.join(ROOT, "src", folder)):
            files += 1
            faults.extend(check_file(path, layers, graph))
    for nodes in (graph, between_subfolders(graph)):
        cycle = find_cycle(nodes)
        if cycle:
            faults.append("include cycle: " + " -> ".join(cycle))
    faults.extend(check_architecture(set(here)))
    print("\n".join(faults) if faults else f"layers: {files} files of {len(here)} folders keep to src/layers.txt")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
