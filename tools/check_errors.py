#!/usr/bin/env python3
"""Every error code made in src/ has a page docs/errors/<CODE>.md, and every page's code is made somewhere.

A code is the first literal of a call that ends in Error( or Status( (MakeError("CODE", ...), ParseError("CODE", ...)), or
a literal returned as a code by base/status.cc. A page opens with "# CODE" and says what to do.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = os.path.join(ROOT, "docs", "errors")
MADE = re.compile(r'\b\w*(?:Error|Status|Failure|Unsupported)\(\s*"([A-Z][A-Z0-9]*(?:[_.][A-Z0-9]+)+)"')
LITERAL = re.compile(r'"([A-Z][A-Z0-9_.]+)"')
LINES = 16


def code_files():
    for base, _, names in sorted(os.walk(os.path.join(ROOT, "src"))):
        for name in sorted(names):
            if name.endswith((".h", ".cc")) and not name.endswith("_test.cc"):
                yield os.path.join(base, name)


def main():
    made, literals, faults = {}, set(), []
    for path in code_files():
        text = open(path, encoding="utf-8", errors="replace").read()
        literals.update(LITERAL.findall(text))
        for match in MADE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            made.setdefault(match[1], f"{os.path.relpath(path, ROOT)}:{line}")
    pages = {n[:-3] for n in os.listdir(PAGES) if n.endswith(".md") and n != "README.md"}
    for code in sorted(set(made) - pages):
        faults.append(f"{made[code]}: {code} has no page docs/errors/{code}.md")
    for code in sorted(pages - literals):
        faults.append(f"docs/errors/{code}.md: nothing in src/ makes this code")
    for code in sorted(pages):
        lines = open(os.path.join(PAGES, code + ".md"), encoding="utf-8").read().rstrip().split("\n")
        if lines[0] != f"# {code}":
            faults.append(f"docs/errors/{code}.md:1: must read '# {code}'")
        if not 3 <= len(lines) <= LINES:
            faults.append(f"docs/errors/{code}.md: has {len(lines)} lines; 3 to {LINES} say what it means and what to do")
    print("\n".join(faults) if faults else f"errors: {len(pages)} pages, {len(made)} codes")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
