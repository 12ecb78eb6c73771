#!/usr/bin/env python3
"""Writes src/sql/expressions/unicode_case_table.cc: how characters change their case, from Python's Unicode data."""
import pathlib
import sys

OUT = pathlib.Path(__file__).resolve().parents[1] / "src/sql/expressions/unicode_case_table.cc"


def ranges(change):
    """[first, last, stride, distance] of the characters outside ASCII that become one other character."""
    found = []
    for code in range(0x80, sys.maxunicode + 1):
        if 0xD800 <= code < 0xE000 or len(change(chr(code))) != 1 or change(chr(code)) == chr(code):
            continue
        distance = ord(change(chr(code))) - code
        if found and found[-1][3] == distance:
            last = found[-1]
            step = code - last[1]
            if step <= 2 and (last[0] == last[1] or last[2] == step):
                last[1], last[2] = code, step
                continue
        found.append([code, code, 1, distance])
    return found


def texts(change):
    """The characters that become several."""
    return [(code, change(chr(code))) for code in range(0x80, sys.maxunicode + 1)
            if not 0xD800 <= code < 0xE000 and len(change(chr(code))) > 1]


def lines(items):
    """Items set into lines of at most 100 columns."""
    out, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > 100:
            out.append(line)
            line = "   "
        line += " " + item + ","
    return "\n".join(out + [line]) + "\n"


def main():
    text = ("// Written by tools/unicode_case.py, not by hand.\n#include \"sql/expressions/unicode_case.h\"\n\n"
            "namespace sluice::sql {\n\n// clang-format off\n")
    for name, change in (("Upper", str.upper), ("Lower", str.lower)):
        rows = [f"{{{first:#x}, {last:#x}, {step}, {distance}}}" for first, last, step, distance in ranges(change)]
        text += f"const std::vector<CaseRange> k{name}Ranges = {{\n{lines(rows)}}};\n"
        rows = [f"{{{code:#x}, \"" + "".join(f"\\u{ord(c):04x}" if ord(c) >= 0x80 else c for c in to) + "\"}"
                for code, to in texts(change)]
        text += f"const std::vector<CaseText> k{name}Texts = {{\n{lines(rows)}}};\n"
    OUT.write_text(text + "// clang-format on\n\n}  // namespace sluice::sql\n")


if __name__ == "__main__":
    main()
