"""Purchases as a back end would publish them, a few microseconds each: protobuf written by hand, and what they earn.

One to three lines of a shop's goods, about 190 bytes. The same seed gives the same purchases, moments excepted.
"""
import random
import time

LINES = 8192  # different lines that purchases are put together from
AMOUNTS_MINOR = (10_000, 35_000)  # of a line: every purchase earns, so that every one has its update
CATEGORIES = ("grocery", "household", "electronics", "garden", "fashion", "toys")
DUPLICATE_WITHIN = 5  # an exact repeat follows its original within this fraction of the file
# What docs/examples/shop.yaml says: 10 points for each full 100.00 of an order.
POINTS, PER_MINOR = 10, 10_000


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, content):
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number, value):
    return varint(number << 3) + varint(value)


def member_id(number):
    return b"M%08d" % number


def points_of(total_minor):
    return total_minor // PER_MINOR * POINTS


class Purchases:
    """Makes purchases of members numbered from 0."""

    def __init__(self, members, seed):
        self.members = members
        self.random = random.Random(seed)
        self.lines = [self.line() for _ in range(LINES)]
        self.now = int(time.time())
        self.moment = field(5, number_field(1, self.now))  # occurred_at

    def line(self):
        """(encoded Purchase.lines element, its amount)"""
        amount = self.random.randrange(*AMOUNTS_MINOR)
        content = (field(2, b"SKU-%05d" % self.random.randrange(100_000))
                   + field(3, self.random.choice(CATEGORIES).encode())
                   + number_field(7, 1000 * self.random.randint(1, 4)) + number_field(8, amount))
        return field(5, content), amount

    def make(self, event_id, order_id):
        """(member id, encoded Event, total in minor units) of a purchase at the moment this object was made."""
        below = self.random.random
        member = member_id(int(below() * self.members))
        lines = [self.lines[int(below() * LINES)] for _ in range(1 + int(below() * 3))]
        total = sum(amount for _, amount in lines)
        purchase = (field(1, order_id) + b"".join(content for content, _ in lines)
                    + number_field(6, total))
        event = (field(1, event_id) + b"\x12\x07pos-123" + b"\x1a\x09" + member + self.moment + field(20, purchase))
        return member, event, total

    def unique(self, number, tag):
        """A purchase with ids that no other tag or number has: an event id of 36 bytes, as a UUID has."""
        spread = "%016x" % self.random.getrandbits(64)
        return self.make(f"{tag}-{spread}-{number:09d}".rjust(36, "e").encode(), f"{tag}-{number:09d}".encode())


def write_file(path, events, members, seed, tag, duplicates=0.0):
    """A file for `loyalctl load` (length-prefixed). A share of `duplicates` stands in it a second time, further on.

    Returns what must come of it: records, purchases, the sum of points, and mean bytes."""
    shop = Purchases(members, seed)
    later = {}
    points = size = records = 0
    every = int(1 / duplicates) if duplicates else 0
    with open(path, "wb", buffering=1 << 20) as file:
        for number in range(events):
            _, event, total = shop.unique(number, tag)
            record = varint(len(event)) + event
            file.write(record)
            points += points_of(total)
            size += len(event)
            records += 1
            if every and number % every == 0:
                place = number + 1 + shop.random.randrange(max(1, events // DUPLICATE_WITHIN))
                later.setdefault(min(place, events - 1), []).append(record)
            for repeated in later.pop(number, ()):
                file.write(repeated)
                records += 1
    return {"records": records, "purchases": events, "points": points, "event_bytes": round(size / events)}
