#!/usr/bin/env python3
"""What the compiler does not see: banned words, sizes, characters. `tools/tidy.py [FILE...]`; all tracked files without.

tools/tidy_exceptions.txt holds what is excused, one line each: `RULE PATH LIMIT reason`. It is a ratchet: LIMIT is the
size (size rules) or the number of hits (the others) that stands today. More is a fault; less is one too, until the line
is brought down or taken out, so that no excess can come back.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXCEPTIONS = "tools/tidy_exceptions.txt"
CODE = (".h", ".cc")

# rule: (pattern, folders of src/ or files where it is at home, whether tests may, why)
BANNED = {
    "clock": (r"\b(system_clock|steady_clock|high_resolution_clock)\s*::\s*now\b", ("src/base/clock.", "bench/", "tests/"), False,
              "time comes in as a Clock&, so that tests and the simulation set it"),
    "sleep": (r"\bsleep_(for|until)\b|\bu?sleep\s*\(\d", ("src/base/clock.", "bench/", "tests/"), False,
              "waiting goes through Clock or a condition variable"),
    "rand": (r"\bs?rand\s*\(\s*\)|\brandom_device\b|\bmt19937(_64)?\b", ("src/base/random.",), True,
             "randomness comes in as a Random&, so that a seed replays a run"),
    "filesystem": (r"\bstd::filesystem\b|#include <filesystem>", ("src/storage/", "src/app/"), True,
                   "files go through Storage, so that object stores and faults can stand in"),
    "using-namespace": (r"\busing\s+namespace\s+(?!std::(string|chrono)[a-z_]*literals\b)", (), False,
                        "names say where they come from"),
    "friend": (r"^\s*friend\b(?!.*operator)", (), False, "a test uses the public surface; a helper takes arguments"),
    "const-cast": (r"\bconst_cast\s*<", (), False, "constness is a promise to readers"),
    "cout": (r"\bstd::(cout|cerr)\b", ("src/app/",), True, "output belongs to app; the rest logs or returns"),
    "left-over": (r"\b(FIXME|TODO|XXX|HACK)\b", (), False, "do it, or write it down in an issue"),
}
SIZE = {"header-size": 300, "source-size": 600, "test-size": 1200, "function-size": 70}
LINE = 100
TEXT = (".h", ".cc", ".py", ".sh", ".cmake", ".txt", ".md", ".sql", ".yml", ".json", ".java", ".supp", ".test", ".lock")


def is_test(path):
    return path.endswith("_test.cc") or not path.startswith("src/")


def blank_literals(text):
    """Comments and literals become spaces; line breaks stay where they are."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w\'])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def functions(code):
    """(first line, lines) of each function body that is not inside another function."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m[0]), code, flags=re.M)
    head, depth, start = 0, 0, 0
    for match in re.finditer(r"[{};]", code):
        char, at = match[0], match.start()
        if depth:
            depth += (char == "{") - (char == "}")
            if depth == 0:
                yield code.count("\n", 0, start) + 1, code.count("\n", start, at) + 1
                head = at + 1
        elif char == "{":
            before = re.sub(r"^\s*(?:(?:public|protected|private)\s*:\s*)+", "", code[head:at])
            plain = re.sub(r"\b(?:SLUICE_TSA|alignas|decltype|noexcept|requires)\s*\([^()]*(?:\([^()]*\))*[^()]*\)", "", before)
            kind = re.search(r"\b(namespace|class|struct|union|enum|extern)\b", plain.split("(")[0])
            if "(" in plain and not kind and "=" not in plain.split("(")[0].replace("operator=", ""):
                depth, start = 1, head + len(code[head:at]) - len(code[head:at].lstrip())
            elif "=" in plain and not kind:
                depth, start = 1, at  # an initialiser: skipped as a whole
            else:
                head = at + 1
        else:
            head = at + 1


def check_banned(path, code, raw_lines):
    for rule, (pattern, homes, tests_may, why) in BANNED.items():
        if any(path.startswith(home) for home in homes) or (tests_may and is_test(path)):
            continue
        lines = raw_lines if rule == "left-over" else code.split("\n")
        for number, line in enumerate(lines, 1):
            if re.search(pattern, line):
                yield rule, number, 1, why


def check_sizes(path, code, raw_lines):
    rule = "header-size" if path.endswith(".h") else "test-size" if is_test(path) else "source-size"
    count = len(raw_lines) - (raw_lines[-1] == "")
    if count > SIZE[rule]:
        yield rule, 1, count, f"at most {SIZE[rule]} lines: split by concept"
    if path.startswith("src/") and not path.endswith("_test.cc"):
        longest = max(((count, line) for line, count in functions(code)), default=(0, 0))
        if longest[0] > SIZE["function-size"]:
            yield "function-size", longest[1], longest[0], f"a function has at most {SIZE['function-size']} lines"


def raw_literal_lines(text):
    """Numbers of the lines that a raw string literal touches: data, which nobody can break."""
    touched = set()
    for match in re.finditer(r'R"([^(\s"]*)\(.*?\)\1"', text, re.S):
        first = text.count("\n", 0, match.start()) + 1
        touched.update(range(first, first + match[0].count("\n") + 1))
    return touched


def check_characters(path, text, raw_lines):
    data = raw_literal_lines(text) if path.endswith(CODE) else set()
    for number, line in enumerate(raw_lines, 1):
        if not line.isascii():
            yield "non-ascii", number, 1, "sources and documents are plain ASCII"
        if line != line.rstrip() or "\t" in line and path.endswith(CODE):
            yield "space", number, 1, "no trailing space, no tabs"
        if len(line) > LINE and path.endswith(CODE) and number not in data:
            yield "line", number, 1, f"lines have at most {LINE} columns"


def check_file(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read()
    raw_lines = text.split("\n")
    if path != "tools/tidy.py":
        yield from check_characters(path, text, raw_lines)
    if path.endswith(CODE):
        code = blank_literals(text)
        yield from check_banned(path, code, raw_lines)
        yield from check_sizes(path, code, raw_lines)


def read_exceptions():
    excused, faults = {}, []
    path = os.path.join(ROOT, EXCEPTIONS)
    for number, line in enumerate(open(path, encoding="utf-8") if os.path.exists(path) else [], 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(None, 3)
        if len(parts) < 4 or not parts[2].isdigit():
            faults.append(f"{EXCEPTIONS}:{number}: not of the form 'RULE PATH LIMIT reason'")
        else:
            excused[parts[0], parts[1]] = (int(parts[2]), number)
    return excused, faults


def tracked():
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [n for n in listing.stdout.splitlines() if n.endswith(TEXT) or os.path.basename(n) in ("Makefile", "run")]
    return [n for n in names if os.path.isfile(os.path.join(ROOT, n))]


def main():
    chosen = [os.path.relpath(os.path.abspath(p), ROOT) for p in sys.argv[1:]]
    files = [p for p in chosen if p.endswith(TEXT) and os.path.isfile(p)] if chosen else tracked()
    excused, faults = read_exceptions()
    for path in files:
        hits = {}
        for rule, line, amount, why in check_file(path):
            hits.setdefault(rule, []).append((line, amount, why))
        for rule, found in hits.items():
            amount = max(a for _, a, _ in found) if rule in SIZE else len(found)
            limit, at = excused.pop((rule, path), (0, 0))
            if amount > limit:
                faults.extend(f"{path}:{line}: {rule}: {why}" + (f" (has {a})" if a > 1 else "") for line, a, why in found)
            elif amount < limit:
                faults.append(f"{EXCEPTIONS}:{at}: {path} is down to {amount}: bring the limit down too")
    if not chosen:
        faults.extend(f"{EXCEPTIONS}:{at}: {rule} {path} is no longer needed: take it out" for (rule, path), (_, at) in excused.items())
    print("\n".join(faults) if faults else f"tidy: {len(files)} files")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
