"""Seeds for fuzz_cel_parse: seed_cel_parse.py BUILD-FOLDER CORPUS. Expressions over the fixture's world."""

import hashlib
import pathlib
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
]

corpus = pathlib.Path(sys.argv[2])
for options in (0, 1, 2, 12):
    for expression in EXPRESSIONS:
        data = bytes([options]) + expression.encode()
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
