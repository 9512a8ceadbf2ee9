"""Puts the generated parts into docs/cel.md, or says that they are not what stands there: cel_docs.py PAGE [--check]

The parts come on standard input, each after a line @NAME; in the page they stand between <!-- generated: NAME --> and
<!-- end -->. Without the suite there is nothing to compare: a line with SKIPPED is repeated, and that is all."""

import re
import sys

text = sys.stdin.read()
if "SKIPPED" in text:
    print(text.strip())
    sys.exit(0)
parts = dict(re.findall(r"^@(\w+)\n(.*?)(?=^@|\Z)", text, re.M | re.S))
page = open(sys.argv[1], encoding="utf-8").read()
made = page
for name, part in parts.items():
    made, count = re.subn(
        rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)",
        lambda found: found.group(1) + part + found.group(2),
        made,
        flags=re.S,
    )
    if count != 1:
        sys.exit(f"{sys.argv[1]} has no place for the generated part {name}")
if "--check" in sys.argv:
    if made != page:
        sys.exit(f"{sys.argv[1]} is not what the code says: make docs-cel")
else:
    open(sys.argv[1], "w", encoding="utf-8").write(made)
