"""A small ledger written straight into the database, by rules of its own: what a worker would have left behind.

It shares no code with loyald, so that the audit is measured against somebody else's reading of the schema, of the state
format and of what an entry does to a balance.
"""
import datetime
import hashlib
import struct
import uuid

from support.murmur2 import partition_of

TOPICS = ["events", "internal", "ticks"]
OUTCOMES = ("applied", "duplicate", "ignored", "forwarded", "rejected", "gap")
KINDS = {"earn": (1, 1, 0, 0), "earn_pending": (2, 0, 1, 0), "release": (3, 1, -1, 0), "expire": (4, 1, 0, 0)}
DAY = 86400


def unsigned(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def signed(value):
    return unsigned((value << 1) ^ (value >> 63) if value < 0 else value << 1)


def encode(state):
    """Format 1, from the words of engine/account.h."""
    out = bytes([1]) + signed(state["clock"]) + unsigned(state["next_lot"]) + unsigned(len(state["balances"]))
    for available, pending, reserved in state["balances"]:
        out += signed(available) + signed(pending) + signed(reserved)
    out += unsigned(len(state["lots"]))
    last = 0
    for lot in state["lots"]:
        kind = lot["wallet"] * 4 + 2 * (lot["expires"] is not None) + (lot["from"] is not None)
        out += unsigned(lot["first"] - last) + unsigned(lot["last"] - lot["first"]) + unsigned(kind)
        out += unsigned(lot["points"])
        if lot["from"] is not None:
            out += signed(lot["from"])
        if lot["expires"] is not None:
            out += signed(lot["expires"])
        last = lot["last"]
    return out


def digest(member_id, k, n, seq, version, state_bytes):
    parts = (member_id.encode(), struct.pack("<iiqq", k, n, seq, version), state_bytes)
    whole = b"".join(struct.pack("<Q", len(part)) + part for part in parts)
    return uuid.UUID(bytes=hashlib.sha256(whole).digest()[:16])


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


class Member:
    def __init__(self, ledger, member_id):
        self.ledger, self.id = ledger, member_id
        self.k = partition_of(member_id, ledger.partitions)
        self.n = ledger.rows[self.k]["next_n"]
        ledger.rows[self.k]["next_n"] += 1
        self.seq = self.version = 0
        self.state = {"clock": 0, "next_lot": 1, "balances": [[0, 0, 0], [0, 0, 0]], "lots": []}
        self.journal = []

    def book(self, entries, kind, wallet, amount, lot, rule=0):
        number, available, pending, reserved = KINDS[kind]
        balance = self.state["balances"][wallet]
        for at, factor in enumerate((available, pending, reserved)):
            balance[at] += factor * amount
        entries.append((number, wallet, amount, lot, rule, 0))

    def advance(self, entries, now):
        """Releases and expires what is due by now, earliest first."""
        while True:
            due = [(lot["from"] if lot["from"] is not None else lot["expires"], lot) for lot in self.state["lots"]]
            due = [(at, lot) for at, lot in due if at is not None and at <= now]
            if not due:
                return
            _, lot = min(due, key=lambda pair: pair[0])
            if lot["from"] is not None:
                self.book(entries, "release", lot["wallet"], lot["points"], lot["first"])
                lot["from"] = None
            else:
                self.book(entries, "expire", lot["wallet"], -lot["points"], lot["first"])
                self.state["lots"].remove(lot)

    def event(self, at, points=0, wallet=0, pending_days=0, expire_days=None, topic=0, origin=None, subject=None):
        """An event at a moment (seconds since 1970) that earns points; none: it only lets time pass.

        origin: the partition where the record was found first, when that was another one: forwarded from there."""
        entries = []
        now = max(at, self.state["clock"] // 1_000_000)
        self.state["clock"] = now * 1_000_000
        self.advance(entries, now)
        if points:
            lot = self.state["next_lot"]
            self.state["next_lot"] += 1
            self.book(entries, "earn_pending" if pending_days else "earn", wallet, points, lot, 1)
            self.state["lots"].append({
                "first": lot, "last": lot, "wallet": wallet, "points": points,
                "from": at + pending_days * DAY if pending_days else None,
                "expires": at + expire_days * DAY if expire_days else None})
        if origin is None:
            position = (topic, self.k, self.ledger.read(self.k, topic, "applied"))
        else:
            position = (0, origin, self.ledger.read(origin, 0, "forwarded"))
            self.ledger.read(self.k, 1, "applied")
        self.seq += 1
        self.version += bool(entries)
        self.journal.append((self.seq, self.version, *position, now, entries, subject))

    def join(self, first, last):
        """Joins neighbours: the lots from number first to last become one."""
        lots = self.state["lots"]
        group = [lot for lot in lots if first <= lot["first"] and lot["last"] <= last]
        group[0]["points"] = sum(lot["points"] for lot in group)
        group[0]["last"] = group[-1]["last"]
        for lot in group[1:]:
            lots.remove(lot)

    def due(self):
        return min([at for at in (lot["from"] if lot["from"] is not None else lot["expires"]
                                  for lot in self.state["lots"]) if at is not None], default=None)


class Ledger:
    def __init__(self, partitions=4):
        self.partitions = partitions
        self.rows = [{"start": [0] * len(TOPICS), "totals": [[0] * 6 for _ in TOPICS], "outbox_seq": 0, "next_n": 1}
                     for _ in range(partitions)]
        self.rows[1]["start"] = [5, 0, 0]
        self.members = {}

    def member(self, member_id):
        if member_id not in self.members:
            self.members[member_id] = Member(self, member_id)
        return self.members[member_id]

    def read(self, k, topic, outcome):
        """One more record of a partition has its outcome; returns its offset."""
        row = self.rows[k]
        offset = row["start"][topic] + sum(row["totals"][topic])
        row["totals"][topic][OUTCOMES.index(outcome)] += 1
        return offset

    def write(self, db, outbox=()):
        """outbox: k of partitions that still have their last two batches to publish."""
        db.execute("INSERT INTO installation (topics, partitions, group_id) VALUES (%s, %s, 'loyald')",
                   (TOPICS, self.partitions))
        db.execute("INSERT INTO dictionary VALUES ('wallet', 0, 'points'), ('wallet', 1, 'cashback'), "
                   "('rule', 1, 'base')")
        db.execute("INSERT INTO programme_revision (number, from_at, programme, author, reason) "
                   "VALUES (1, '-infinity', 'shop', 'test', 'first')")
        for k, row in enumerate(self.rows):
            next_offset = [start + sum(totals) for start, totals in zip(row["start"], row["totals"])]
            db.execute("INSERT INTO partition (k, epoch, owner, start_offset, next_offset, outcome_totals, outbox_seq, "
                       "next_n) VALUES (%s, 3, 'test', %s, %s, %s, %s, %s)",
                       (k, row["start"], next_offset, [total for totals in row["totals"] for total in totals], 7,
                        row["next_n"]))
            for seq in (6, 7) if k in outbox else ():
                db.execute("INSERT INTO outbox VALUES (%s, %s, 'payload')", (k, seq))
        for member in self.members.values():
            self.write_member(db, member)

    @staticmethod
    def write_member(db, member):
        state = encode(member.state)
        available, pending, reserved = (list(column) for column in zip(*member.state["balances"]))
        db.execute("INSERT INTO member VALUES (%s, %s, %s, %s, %s, %s, NULL, %s, %s, %s, %s)",
                   (member.k, member.n, member.id, member.seq, member.version,
                    digest(member.id, member.k, member.n, member.seq, member.version, state), available, pending,
                    reserved, state))
        if member.due() is not None:
            db.execute("INSERT INTO due VALUES (%s, %s, %s)", (member.k, member.n, moment(member.due())))
        for seq, version, topic, part, off, at, entries, subject in member.journal:
            literal = [f"({','.join(str(value) for value in entry)})" for entry in entries]
            db.execute("INSERT INTO journal VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, 1, 1, 1, %s, "
                       "%s::text[]::entry[], %s, NULL)",
                       (member.k, member.n, uuid.uuid4(), seq, version, topic, part, off, moment(at), moment(at),
                        subject, literal or None, b"event"))


def story():
    """Members with every kind of lot: available, pending, released, expired, joined, of two wallets; a forwarded
    record; records that were no events."""
    start = 1_767_225_600  # 2026-01-01
    ledger = Ledger()
    for number in range(40):
        member = ledger.member(f"m{number:03}")
        for purchase in range(number % 5 + 1):
            at = start + (number + purchase * 37) * DAY // 4
            member.event(at, points=10 + number + purchase, pending_days=14 if number % 3 == 0 else 0,
                         expire_days=(None, 30, 365)[number % 3], subject=f"o{number}-{purchase}",
                         origin=(member.k + 1) % 4 if number % 10 == 7 and purchase == 1 else None)
        if number % 4 == 0:
            member.event(start + 100 * DAY, points=500, wallet=1)
        if number % 2 == 0:
            member.event(start + 120 * DAY)  # time passes: released, expired
        if number % 6 == 0:
            member.event(start + 125 * DAY, topic=2)  # a tick that comes too late
    big = ledger.member("m-joined")
    for purchase in range(6):
        big.event(start + purchase, points=100 + purchase)
    big.join(2, 4)
    for k in range(ledger.partitions):
        for outcome in ("duplicate", "ignored", "rejected", "gap"):
            ledger.read(k, 0, outcome)
    return ledger
