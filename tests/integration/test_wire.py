"""What travels: our JSON and protobuf against protobuf's own, message by message.

Random messages over the descriptors of proto/loyalty/v1 and of wire_all.proto (which has every type) go through Python's
json_format and through loyald in both directions. LOYALD_WIRE_MESSAGES: how many (10,000); the seed is fixed.
"""

import json
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor as F

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("LOYALD_BUILD", "build/cc")
MESSAGES = int(os.environ.get("LOYALD_WIRE_MESSAGES", "10000"))
SEED = 20261121


class Cli:
    """wire_cli.c, one process for all tests."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, what, kind, data):
        frame = (what + kind).encode() + data
        self.process.stdin.write(struct.pack("<I", len(frame)) + frame)
        self.process.stdin.flush()
        head = self.process.stdout.read(4)
        assert len(head) == 4, f"wire_cli ended on {what}{kind} {data!r}"
        answer = self.process.stdout.read(struct.unpack("<I", head)[0])
        return answer[:1] == b"+", answer[1:]

    def good(self, what, kind, data):
        ok, answer = self.ask(what, kind, data)
        assert ok, f"{answer.decode()} for {data!r}"
        return answer

    def bad(self, what, kind, data):
        ok, answer = self.ask(what, kind, data)
        assert not ok, f"accepted: {data!r}"
        return answer.decode()

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


@pytest.fixture(scope="module")
def cli():
    subprocess.run(["make", "-s", f"{BUILD}/tests/integration/wire_cli"], cwd=ROOT, check=True)
    started = Cli(ROOT / BUILD / "tests/integration/wire_cli")
    yield started
    started.close()


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """The message classes by wire_cli's letters."""
    out = tmp_path_factory.mktemp("proto")
    own = [str(path) for path in sorted((ROOT / "proto/loyalty/v1").glob("*.proto"))]
    subprocess.run(["protoc", f"-I{ROOT}/proto", f"--python_out={out}", *own], check=True)
    subprocess.run(
        ["protoc", f"-I{ROOT}/tests/integration", f"--python_out={out}", f"{ROOT}/tests/integration/wire_all.proto"],
        check=True,
    )
    sys.path.insert(0, str(out))
    from loyalty.v1 import event_pb2, trace_pb2, update_pb2  # made just now
    import wire_all_pb2

    return {
        "e": event_pb2.Event,
        "t": trace_pb2.Trace,
        "u": update_pb2.Update,
        "o": update_pb2.Outcome,
        "a": wire_all_pb2.WireAll,
    }


# --- random messages -------------------------------------------------------------------------------------------------

ALPHABET = 'abcXYZ019 _-."\\/<>&\t\n\r\x01\x1f\x7fäßяЖ€中\u2028\ufeff\uffff😀𐍈'
RANGES = {
    F.TYPE_INT32: 32, F.TYPE_SINT32: 32, F.TYPE_SFIXED32: 32, F.TYPE_INT64: 64, F.TYPE_SINT64: 64, F.TYPE_SFIXED64: 64,
    F.TYPE_UINT32: -32, F.TYPE_FIXED32: -32, F.TYPE_UINT64: -64, F.TYPE_FIXED64: -64,
}  # fmt: skip


def text(rng):
    return "".join(rng.choices(ALPHABET, k=rng.choice((0, 1, 3, 8, 9, 20))))


def integer(rng, bits):
    low, high = (0, 2**-bits - 1) if bits < 0 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return rng.choice((low, high, 0, 1, rng.randint(low, high), rng.randint(max(low, -1000), 1000), rng.randint(0, 127)))


def real(rng, single):
    value = rng.choice((0.0, 1.5, -2.0, 1e300, 5e-324, rng.uniform(-1e6, 1e6), float("inf"), float("-inf")))
    if single:
        value = rng.choice((0.0, 1.5, -2.0, 3.4e38, 1e-45, rng.uniform(-1e6, 1e6), float("inf")))
        return struct.unpack("<f", struct.pack("<f", value))[0]
    return value


def scalar(rng, field):
    if field.type in RANGES:
        return integer(rng, RANGES[field.type])
    if field.type in (F.TYPE_FLOAT, F.TYPE_DOUBLE):
        return real(rng, field.type == F.TYPE_FLOAT)
    if field.type == F.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == F.TYPE_STRING:
        return text(rng)
    if field.type == F.TYPE_BYTES:
        return bytes(rng.getrandbits(8) for _ in range(rng.choice((0, 1, 2, 3, 16))))
    return rng.choice(field.enum_type.values).number


def fill_moment(rng, moment):
    moment.seconds = rng.choice((0, 1795253400, -62135596800, 253402300799, rng.randint(-62135596800, 253402300799)))
    nanos = rng.randint(0, 999_999_999)
    moment.nanos = rng.choice((0, nanos // 10**6 * 10**6, nanos // 1000 * 1000, nanos))
    moment.SetInParent()


def fill_map(rng, field, target, depth):
    key_field, value_field = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
    for _ in range(rng.randint(1, 4)):
        key = scalar(rng, key_field)
        if value_field.type == F.TYPE_MESSAGE:
            fill(rng, target[key], depth + 1)
        else:
            target[key] = scalar(rng, value_field)


def fill(rng, message, depth=0):
    """Sets about half of the fields, fewer the deeper it lies; of a oneof, the last that comes up."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        fill_moment(rng, message)
        return message
    message.SetInParent()
    likely = 0.5 if depth == 0 else 0.25 if depth < 3 else 0.05
    for field in message.DESCRIPTOR.fields:
        if rng.random() > likely:
            continue
        target = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            fill_map(rng, field, target, depth)
        elif field.label == F.LABEL_REPEATED:
            for _ in range(rng.choice((1, 2, 5))):
                if field.type == F.TYPE_MESSAGE:
                    fill(rng, target.add(), depth + 1)
                else:
                    target.append(scalar(rng, field))
        elif field.type == F.TYPE_MESSAGE:
            fill(rng, target, depth + 1)
        else:
            setattr(message, field.name, scalar(rng, field))
    return message


def random_messages(kinds, count):
    rng = random.Random(SEED)
    for i in range(count):
        kind = "eaueto"[i % 6]
        yield kind, fill(rng, kinds[kind]())


# --- both directions -------------------------------------------------------------------------------------------------


def has_reals(kind):
    return kind == "a"


def test_random_messages_agree_with_json_format_in_both_directions(cli, kinds):
    seen = {}
    for kind, message in random_messages(kinds, MESSAGES):
        data = message.SerializeToString()
        for what, own_names in (("j", True), ("c", False)):
            ours = cli.good(what, kind, data).decode()
            theirs = json_format.MessageToJson(message, preserving_proto_field_name=own_names)
            assert json_format.Parse(ours, kinds[kind]()) == message, ours
            if not has_reals(kind):  # they write the shortest text of a float, we one with all its digits
                assert json.loads(ours) == json.loads(theirs)
            assert kinds[kind].FromString(cli.good("p", kind, theirs.encode())) == message, theirs
        seen[kind] = seen.get(kind, 0) + 1
    assert sum(seen.values()) == MESSAGES and len(seen) == 5


def test_our_protobuf_is_protobuf(cli, kinds):
    for kind, message in random_messages(kinds, MESSAGES // 10):
        data = message.SerializeToString()
        again = cli.good("w", kind, data)
        assert kinds[kind].FromString(again) == message
        assert cli.good("w", kind, again) == again


@pytest.mark.parametrize(
    "name, json_text",
    [
        ("unknown keys", '{"a_bool": true, "new": {"deep": [1, null, {}]}, "child": {"newer": 1}}'),
        ("null is absent", '{"an_int32": null, "texts": null, "strings": null, "a_moment": null, "one_text": null}'),
        ("integers as floats", '{"an_int32": 1.0, "an_int64": 1e3, "a_uint32": 4.0e2, "a_uint64": "18446744073709551615"}'),
        ("integers as texts", '{"an_int32": "-5", "int32s": ["1", 2], "a_fixed32": "7"}'),
        ("enums by number", '{"a_colour": 7, "colours": ["RED", 0, -3]}'),
        ("reals as texts", '{"a_double": "Infinity", "a_float": "-Infinity", "doubles": [1, 2.5, 1e300]}'),
        ("base64 of urls", '{"a_bytes": "-_8"}'),
        ("moments with offsets", '{"a_moment": "2026-11-21T09:30:00.123456789+03:00"}'),
        ("escapes", '{"a_string": "\\u00e4\\ud83d\\ude00\\n\\/"}'),
    ],
)
def test_what_json_format_accepts_is_accepted(cli, kinds, name, json_text):
    theirs = json_format.Parse(json_text, kinds["a"](), ignore_unknown_fields=True)
    assert kinds["a"].FromString(cli.good("p", "a", json_text.encode())) == theirs


@pytest.mark.parametrize(
    "json_text",
    [
        "", "{", "{}{}", '{"a_bool": 1}', '{"a_bool": "true"}', '{"an_int32": 1.5}', '{"an_int32": "1.5"}',
        '{"an_int32": ""}', '{"an_int32": 2147483648}', '{"a_uint32": -1}', '{"an_int64": 9223372036854775808}',
        '{"an_int64": "9223372036854775808"}', '{"a_uint64": "18446744073709551616"}', '{"a_string": 5}',
        '{"a_colour": "GREEN"}', '{"a_colour": 3}', '{"a_bytes": "a"}', '{"child": "x"}',
        '{"strings": "x"}', '{"strings": [null]}', '{"texts": []}', '{"texts": {"a": null}}',
        '{"texts": {"a": 1}}', '{"by_bool": {"yes": "RED"}}', '{"numbers": {"x": "1"}}', '{"a_float": 1e39}',
        '{"a_moment": "2026-11-21"}', '{"a_moment": 5}', '{"a_moment": "2026-02-30T00:00:00Z"}',
        '{"an_int32": 1, "an_int32": 2}', '{"one_text": "a", "one_number": "1"}',
    ],
)  # fmt: skip
def test_what_json_format_refuses_is_refused(cli, kinds, json_text):
    with pytest.raises(json_format.ParseError):
        json_format.Parse(json_text, kinds["a"]())
    cli.bad("p", "a", json_text.encode())


@pytest.mark.parametrize("json_text", ["[]", "5", '{"a_bytes": "%%%%"}', '{"child": []}', '{"an_int32": 1, "anInt32": 2}'])
def test_what_json_format_only_lets_pass_is_refused(cli, json_text):
    cli.bad("p", "a", json_text.encode())


def nested(levels):
    return '{"child": ' * levels + "{}" + "}" * levels


def test_depth_is_limited(cli):
    data = cli.good("p", "a", nested(31).encode())
    assert cli.good("j", "a", data).decode() == nested(31)
    assert "nested too deeply" in cli.bad("p", "a", nested(32).encode())
    assert "malformed" in cli.bad("p", "a", nested(100_000).encode())
    deep = b""
    for _ in range(40):
        length = bytes([len(deep)]) if len(deep) < 128 else bytes([len(deep) & 127 | 128, len(deep) >> 7])
        deep = b"\x92\x01" + length + deep
    assert "nested too deeply" in cli.bad("w", "a", deep)


# --- events ----------------------------------------------------------------------------------------------------------


def random_purchase(rng, kinds):
    event = kinds["e"](event_id=f"e{rng.getrandbits(40)}", source="web")
    fill_moment(rng, event.occurred_at)
    for _ in range(rng.randint(0, 5)):
        event.attributes["k" + text(rng)[:12]] = text(rng)
    if rng.random() < 0.9:
        event.member_id = f"m{rng.getrandbits(20)}"
    event.purchase.order_id = f"o{rng.getrandbits(30)}"
    for i in range(rng.randint(1, 6)):
        line = event.purchase.lines.add(amount_minor=rng.choice((0, rng.randint(0, 10**9))))
        if rng.random() < 0.5:
            line.sku = "s" + text(rng)[:15]
        for _ in range(rng.randint(0, 2)):
            line.labels.append(text(rng)[:7])
        if rng.random() < 0.2:
            line.cost_minor = integer(rng, 64)
    if rng.random() < 0.5:
        event.purchase.total_minor = sum(line.amount_minor for line in event.purchase.lines)
    return event


def with_unknown_fields(data):
    """Fields 15 (varint) and 400 (text), in front."""
    return b"\x78\x05\x82\x19\x03abc" + data


def test_an_event_has_one_encoding_however_it_came(cli, kinds):
    rng = random.Random(SEED + 1)
    for _ in range(1000):
        event = random_purchase(rng, kinds)
        expected = event.SerializeToString(deterministic=True)
        ways = [
            event.SerializeToString(),
            with_unknown_fields(event.SerializeToString()),
            b"\0\0\0\0\x09\0" + event.SerializeToString(),
            json_format.MessageToJson(event).encode(),
            json_format.MessageToJson(event, preserving_proto_field_name=True, indent=None, sort_keys=True).encode(),
            json.dumps({"specversion": "1.0", "type": "t", "data": json_format.MessageToDict(event)}).encode(),
        ]
        for way in ways:
            assert cli.good("d", "e", way) == expected


def test_changed_bytes_never_break_the_reader(cli, kinds):
    """Whatever is flipped, cut or doubled: an answer with a stable code, or an encoding that stays what it is."""
    rng = random.Random(SEED + 2)
    codes = set()
    for _ in range(3000):
        event = random_purchase(rng, kinds)
        as_json = rng.random() < 0.4
        data = bytearray(json_format.MessageToJson(event, indent=None).encode() if as_json else event.SerializeToString())
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            how = rng.randrange(3)
            if how == 0:
                data[at] = rng.getrandbits(8)
            elif how == 1:
                del data[at : at + rng.randint(1, 8)]
            else:
                data[at:at] = data[at : at + rng.randint(1, 16)]
            if not data:
                data = bytearray(b"x")
        ok, answer = cli.ask("d", "e", bytes(data))
        if ok:
            assert cli.good("d", "e", answer) == answer
        else:
            codes.add(answer.decode().split(":")[0])
    assert codes >= {"malformed", "invalid_text", "missing_field", "unknown_kind", "invalid_value", "total_differs"}
    assert not codes & {"no_memory", "internal", "corrupt"}


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1, 2 << 20])
def test_the_size_of_a_record_is_limited(cli, size):
    text_of = '{"event_id": "e", "source": "s", "occurred_at": "2026-01-01T00:00:00Z", "activity": {"name": "a"}, "x": "%s"}'
    data = (text_of % ("y" * (size - len(text_of) + 2))).encode()
    assert len(data) == size
    if size > 1 << 20:
        assert cli.bad("d", "e", data) == f"too_large: {size} bytes, at most 1048576"
    else:
        cli.good("d", "e", data)


def documented():
    """The lines of docs/events.md that are JSON, with the letter of their message."""
    kind, inside = "e", False
    for line in (ROOT / "docs/events.md").read_text().splitlines():
        if line.startswith("<!-- "):
            kind = {"update": "u", "preview": "u", "outcome": "o"}[line.split()[1]]
        elif line.startswith("```"):
            inside = line == "```json" or (line == "```sh")
            kind = kind if inside else "e"
        elif inside and line.startswith("{"):
            yield kind, line


def test_every_example_of_the_documentation_is_what_it_says(cli, kinds):
    examples = list(documented())
    shown = set()
    for kind, line in examples:
        message = json_format.Parse(json.dumps(json.loads(line).get("data", json.loads(line))), kinds[kind]())
        if kind == "e":
            encoded = kinds["e"].FromString(cli.good("d", "e", line.encode()))
            shown.add(encoded.WhichOneof("kind"))
        else:
            data = cli.good("p", kind, line.encode())
            assert kinds[kind].FromString(data) == message
            assert cli.good("j", kind, data).decode() == line
    assert shown == {field.name for field in kinds["e"].DESCRIPTOR.oneofs_by_name["kind"].fields}
    changes = {field.name for field in kinds["e"].DESCRIPTOR.fields_by_name["member_change"].message_type.fields}
    assert all(any(f'"{change}": {{' in line for _, line in examples) for change in changes)


def test_every_error_of_the_documentation_exists(cli):
    names = (ROOT / "services/base/err.h").read_text()
    listed = [line.split("`")[1] for line in (ROOT / "docs/events.md").read_text().splitlines() if line.startswith("| `") and "|" in line[3:]]
    errors = listed[listed.index("malformed") :]
    assert len(errors) == 12 and all(f', REJECT, "{name}"' in names for name in errors)
