#!/usr/bin/python3
"""How long a balance update takes: publishes purchases at a steady rate and reads the updates that come of them.

    pace.py BROKERS TOPIC UPDATES PARTITIONS RATE WARM_SECONDS SECONDS MEMBERS TAG

Open loop: each purchase has a planned moment, and its latency runs from there to the moment that its update is in this
program's hands, so that a producer which is held up hides nothing. Those of the first WARM_SECONDS are not counted.
Prints a line of JSON.
"""
import json
import math
import multiprocessing
import sys
import time

import confluent_kafka
from confluent_kafka import OFFSET_END, TopicPartition

import purchases

STEP_SECONDS = 0.001
GRACE_SECONDS = 30
NUMBER_DIGITS = 9


def event_id(tag, number):
    return f"{tag}@{number:0{NUMBER_DIGITS}d}".encode()


def read_updates(plan, ready, answers):
    """The consumer's process: latencies in milliseconds of the updates after the warm-up."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": plan["brokers"], "group.id": "bench.pace",
                                         "enable.auto.commit": False, "fetch.wait.max.ms": 100,
                                         "fetch.min.bytes": 1, "log.connection.close": False})
    consumer.assign([TopicPartition(plan["updates"], k, OFFSET_END) for k in range(plan["partitions"])])
    consumer.consume(1, 3.0)  # until the ends of the log are known
    ready.set()
    mark = (plan["tag"] + "@").encode()
    seen, latencies, strangers = set(), [], 0
    deadline = time.monotonic() + plan["warm"] + plan["seconds"] + GRACE_SECONDS
    while len(seen) < plan["count"] and time.monotonic() < deadline:
        for message in consumer.consume(500, 0.002):
            now = time.monotonic()
            value = message.value()
            at = value.find(mark)
            if at < 0:
                strangers += 1
                continue
            number = int(value[at + len(mark):at + len(mark) + NUMBER_DIGITS])
            if number in seen:
                continue
            seen.add(number)
            planned = plan["start"].value + number / plan["rate"]
            if number >= plan["warm"] * plan["rate"]:
                latencies.append((now - planned) * 1000)
    consumer.close()
    answers.put((len(seen), strangers, latencies))


def publish(plan, events):
    """Publishes each event at its planned moment; returns how late the latest one was handed over, in ms."""
    producer = confluent_kafka.Producer({"bootstrap.servers": plan["brokers"], "enable.idempotence": True,
                                         "linger.ms": 2, "partitioner": "murmur2_random",
                                         "queue.buffering.max.messages": 1_000_000, "log.connection.close": False})
    producer.list_topics(plan["topic"], timeout=10)
    start = plan["start"].value = time.monotonic() + 0.3
    sent, late = 0, 0.0
    while sent < plan["count"]:
        due = min(plan["count"], int((time.monotonic() - start) * plan["rate"]))
        if due > sent:
            late = max(late, time.monotonic() - start - sent / plan["rate"])
        while sent < due:
            member, event = events[sent]
            producer.produce(plan["topic"], event, member)
            sent += 1
        producer.poll(0)
        time.sleep(STEP_SECONDS)
    producer.flush(60)
    return late * 1000


def percentile(ordered, share):
    """The value that `share` of the ordered values do not exceed (nearest rank)."""
    return ordered[max(1, math.ceil(round(share * len(ordered), 6))) - 1]


def main():
    brokers, topic, updates, partitions, rate, warm, seconds, members, tag = sys.argv[1:]
    plan = {"brokers": brokers, "topic": topic, "updates": updates, "partitions": int(partitions),
            "rate": float(rate), "warm": float(warm), "seconds": float(seconds), "tag": tag,
            "start": multiprocessing.Value("d", 0.0)}
    plan["count"] = int(plan["rate"] * (plan["warm"] + plan["seconds"]))
    shop = purchases.Purchases(int(members), tag)
    events = [shop.make(event_id(tag, number), b"%s-%09d" % (tag.encode(), number))[:2]
              for number in range(plan["count"])]
    ready, answers = multiprocessing.Event(), multiprocessing.Queue()
    reader = multiprocessing.Process(target=read_updates, args=(plan, ready, answers), daemon=True)
    reader.start()
    ready.wait(30)
    late = publish(plan, events)
    seen, strangers, latencies = answers.get()
    reader.join()
    latencies.sort()
    result = {"per_second": plan["rate"], "published": plan["count"], "answered": seen, "measured": len(latencies),
              "other_updates": strangers, "producer_late_max_ms": round(late, 2)}
    for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)):
        result[name + "_ms"] = round(percentile(latencies, share), 2) if latencies else None
    print(json.dumps(result))


if __name__ == "__main__":
    main()
