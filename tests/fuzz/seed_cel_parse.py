"""Seeds for fuzz_cel_parse: seed_cel_parse.py BUILD-FOLDER CORPUS. Expressions over the fixture's world, and the
dictionary BUILD-FOLDER/fuzz/cel_parse.dict: the functions of functions.h, the fixture's names, the signs."""

import hashlib
import pathlib
import re
import sys

EXPRESSIONS = [
    "purchase.total >= member.average_purchase + money('500') && purchase.channel == 'web'",
    "purchase.lines.exists(l, l.category in ['coffee', \"tea\"] && l.amount > 100)",
    "purchase.lines.map(l, l.amount > 5, l.category).join(', ')",
    "has(purchase.coupon) ? purchase.coupon : 'none'",
    "cel.bind(x, purchase.total, x * x / 100 % 7) + -3",
    "'%s %d %.2f %x'.format(['a', 1, 2.5, b'\\xff'])",
    "timestamp('2026-11-01T09:30:00Z') + duration('1h30m') > purchase.at",
    "purchase.at.getFullYear('+03:00') == 2026 || !flag",
    "{'a': 1, 'b': 2u, 3: [1.5e3, 0x1F]}[attributes.score]",
    "r'raw\\n' + '''three\n''' + \"\\u00e9\\U0001F431\"",
    "math.greatest(1, 2, 3) + muldiv(purchase.total, 15, 100, 'half_even')",
    "[1, 2, 3].all(a, [4].exists_one(b, a < b)) // comment",
    "type(1) == int && string(1.0) != 'a'.replace('a', 'b').substring(0, 1)",
    "x.`a-b` || com.example.y || .z",
    "((((1))))?[]:{}",
    "(1 + , 2] && [3 == && f(4 5, ] || {'a' 1, : 2} ? x. : ..y",
]
WORDS = """true false null in has all exists exists_one map filter cel.bind as break for if return purchase member
attributes flag money shout total channel lines coupon at tags category amount level days_since_purchase
average_purchase score com.example x && || == != <= >= < > ! ? : + - * / % ( ) [ ] { } , . ' \" \"\"\" r' b' // ` 0x1F 1u
1e9 9223372036854775807 18446744073709551615u 0.1 'Europe/Moscow' '1h30m' '2026-11-01T09:30:00Z' '%.2f' \\u00e9""".split()

corpus = pathlib.Path(sys.argv[2])
for options in (0, 1, 2, 12):
    for expression in EXPRESSIONS:
        data = bytes([options]) + expression.encode()
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
functions = re.findall(r'X\(\w+, "([A-Za-z.]+)"', pathlib.Path("services/cel/functions.h").read_text())
quoted = [word.replace("\\", "\\\\").replace('"', '\\"') for word in WORDS + functions]
(pathlib.Path(sys.argv[1]) / "fuzz" / "cel_parse.dict").write_text("".join(f'"{word}"\n' for word in quoted))
