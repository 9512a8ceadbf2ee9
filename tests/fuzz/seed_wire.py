"""Writes the seed corpus of fuzz_wire: an event of each kind in each encoding.

    seed_wire.py BUILD-FOLDER FOLDER
"""

import struct
import subprocess
import sys
from pathlib import Path

HEAD = '"event_id":"e-1","source":"pos","occurred_at":"2026-11-21T09:30:00.25Z"'
WHO = '"member_id":"m-1","channel":"web","store":{"id":"s","kind":"k","city":"c","region":"r"},"attributes":{"a":"1","b":""}'
KINDS = [
    '"purchase":{"order_id":"o","order_version":2,"status":"PAID","currency":"RUB","lines":[{"line_id":"1","sku":"s",'
    '"category":"c","labels":["l"],"kind":"GOODS","quantity_milli":"1","amount_minor":"5","cost_minor":"1"},'
    '{"amount_minor":7}],"total_minor":12,"tenders":[{"kind":"points","points":1,"wallet":"points"}],"coupon_codes":["c"]}',
    '"return":{"order_id":"o","lines":[{"line_id":"1","quantity_milli":1,"amount_minor":1}]}',
    '"return":{"amount_minor":1,"currency":"RUB"}',
    '"cancellation":{"order_id":"o","reinstate":true}',
    '"order_status":{"order_id":"o","status":3}',
    '"referral":{"referrer_id":"m-2","code":"c"}',
    '"feedback":{"feedback_id":"f","kind":"NPS","score":10,"verified_buyer":true,"moderation":"APPROVED"}',
    '"activity":{"name":"check_in","sku":"s"}',
    '"member_change":{"profile":{"birth_date":"2000-02-29","consents":["mail"]}}',
    '"member_change":{"segments":{"enter":["vip"],"attributes":{"z":"1","y":"2"}}}',
    '"member_change":{"identifier_change":{"identifier":{"kind":"CARD","value":"1"},"action":"ADD"}}',
    '"redemption":{"redemption_id":"r","action":"QUOTE","basket":{"lines":[{"amount_minor":1}]}}',
    '"entitlement_use":{"entitlement_id":"t"}',
    '"adjustment":{"wallet":"points","points":-5,"operator":"o","reason":"r"}',
    '"transfer":{"to_member_id":"m-2","points":5}',
    '"tick":{"due_at":"2026-01-01T00:00:00Z"}',
    '"follow_up":{"cause_member_id":"m","cause_source":"s","cause_event_id":"e"},"activity":{"name":"a"}',
]


def ask(process, data):
    frame = b"ie" + data
    process.stdin.write(struct.pack("<I", len(frame)) + frame)
    process.stdin.flush()
    answer = process.stdout.read(struct.unpack("<I", process.stdout.read(4))[0])
    assert answer[:1] == b"+", (answer, data)
    return answer[1:]


def main(build, folder):
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen([f"{build}/tests/integration/wire_cli"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for number, kind in enumerate(KINDS):
        text = "{%s,%s,%s}" % (HEAD, WHO, kind)
        protobuf = ask(process, text.encode())
        forms = {
            "json": b"\1" + text.encode(),
            "protobuf": b"\1" + protobuf,
            "explicit-zero": b"\1" + protobuf.replace(b"\x10\x80\xe5\x9a\x77", b"\x10\x00").replace(b"\x2a\x0b", b"\x2a\x08"),
            "framed": b"\1\0\0\0\0\5\0" + protobuf,
            "binary": b"\3{%s}" % kind.encode(),
            "structured": b'\1{"specversion":"1.0","id":"i","source":"s","time":"2026-01-01T00:00:00Z","data":{%s}}'
            % kind.encode(),
        }
        for form, data in forms.items():
            (out / f"{number:02}-{form}").write_bytes(data)
    process.stdin.close()
    process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
