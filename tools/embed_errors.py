#!/usr/bin/env python3
"""embed_errors.py PAGES_DIR OUT.cc: writes docs/errors/*.md as the table behind app/error_pages.h."""
import os
import sys

CHUNK = 8000  # a string literal of a compiler that keeps to the standard may not be much longer


def literal(text):
    quoted = []
    for at in range(0, len(text), CHUNK):
        quoted.append('R"page(' + text[at:at + CHUNK] + ')page"')
    return "\n      ".join(quoted)


def main():
    folder, out = sys.argv[1:]
    pages = []
    for name in sorted(os.listdir(folder), key=lambda file: file.removesuffix(".md")):
        if name.endswith(".md") and name != "README.md":
            with open(os.path.join(folder, name), encoding="utf-8") as page:
                pages.append((name[:-3], page.read().strip() + "\n"))
    entries = "".join(f'    {{"{code}", {literal(text)}}},\n' for code, text in pages)
    made = f"""// Made by tools/embed_errors.py from docs/errors/. Sorted by code.
#include "app/error_pages.h"

#include <algorithm>
#include <array>

namespace sluice::app {{
namespace {{

constexpr std::array<ErrorPageEntry, {len(pages)}> kPages = {{{{
{entries}}}}};

}}  // namespace

std::span<const ErrorPageEntry> ErrorPages() {{ return kPages; }}

}}  // namespace sluice::app
"""
    if not os.path.exists(out) or open(out, encoding="utf-8").read() != made:
        with open(out, "w", encoding="utf-8") as file:
            file.write(made)


if __name__ == "__main__":
    main()
