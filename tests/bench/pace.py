#!/usr/bin/python3
"""How long a balance update takes: publishes purchases at a steady rate and reads the updates that come of them.

    pace.py PROGRAM BROKERS TOPIC UPDATES PARTITIONS RATE WARM_SECONDS SECONDS MEMBERS TAG

Makes the purchases; PROGRAM (build/cc/tests/bench/pace, of pace.c) publishes each at its planned moment and measures.
Prints a line of JSON.
"""
import json
import math
import struct
import subprocess
import sys

import purchases

NUMBER_DIGITS = 9  # as in pace.c


def event_id(tag, number):
    return f"{tag}@{number:0{NUMBER_DIGITS}d}".encode()


def make_events(members, tag, count):
    """What pace reads: key and event of each purchase, their lengths before them."""
    shop = purchases.Purchases(members, tag)
    out = bytearray()
    for number in range(count):
        member, event, _ = shop.make(event_id(tag, number), b"%s-%09d" % (tag.encode(), number))
        for part in (member, event):
            out += struct.pack("<I", len(part)) + part
    return bytes(out)


def percentile(ordered, share):
    """The value that `share` of the ordered values do not exceed (nearest rank)."""
    return ordered[max(1, math.ceil(round(share * len(ordered), 6))) - 1]


def figures(rate, said):
    """What pace.c printed, as figures."""
    first, *latencies = said.splitlines()
    published, answered, others, late_us = map(int, first.split())
    latencies = sorted(int(latency) / 1000 for latency in latencies)
    result = {"per_second": rate, "published": published, "answered": answered, "measured": len(latencies),
              "other_updates": others, "producer_late_max_ms": round(late_us / 1000, 2)}
    for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)):
        result[name + "_ms"] = round(percentile(latencies, share), 2) if latencies else None
    return result


def main():
    program, brokers, topic, updates, partitions, rate, warm, seconds, members, tag = sys.argv[1:]
    events = make_events(int(members), tag, int(float(rate) * (float(warm) + float(seconds))))
    done = subprocess.run([program, brokers, topic, updates, partitions, rate, warm, tag], input=events,
                          stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(done.returncode)
    print(json.dumps(figures(float(rate), done.stdout.decode())))


if __name__ == "__main__":
    main()
