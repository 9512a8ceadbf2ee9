"""The load of `make faults` when its producer fails for good, which only a killed broker brings about: with one that
fails on demand, and a log that keeps what it was given."""
import os
import sys
import types

import confluent_kafka
import pytest

import services

sys.path.append(os.path.join(services.ROOT, "tests", "faults"))

import load as faults_load  # noqa: E402  (found by the path above)

PARTITIONS = 4


class Message:
    def __init__(self, partition, offset):
        self.where = (partition, offset)

    def partition(self):
        return self.where[0]

    def offset(self):
        return self.where[1]


class FailingProducer:
    """Takes some records, keeps others to itself, then fails for good: every third of those is in the log all the same."""

    def __init__(self, log, fails_after, take_error):
        self.log, self.fails_after, self.take_error = log, fails_after, take_error
        self.waiting, self.failed, self.purged = [], False, False

    def produce(self, topic, value, key, partition, on_delivery):
        if self.failed:
            raise confluent_kafka.KafkaException(confluent_kafka.KafkaError(confluent_kafka.KafkaError._FATAL))
        self.waiting.append((value, key, partition, on_delivery))

    def poll(self, _seconds):
        if self.purged:
            for *_, on_delivery in self.waiting:
                on_delivery(confluent_kafka.KafkaError(confluent_kafka.KafkaError._PURGE_QUEUE), None)
            self.waiting.clear()
        while self.waiting and not self.failed:
            if self.fails_after == 0:
                self.failed = True
                self.log.extend(record[:3] for record in self.waiting[::3])
                self.take_error(types.SimpleNamespace(fatal=lambda: True))
                return
            self.fails_after -= 1
            value, key, partition, on_delivery = self.waiting.pop(0)
            self.log.append((value, key, partition))
            on_delivery(None, Message(partition, len(self.log)))

    def flush(self, _seconds):
        self.poll(0)
        return len(self.waiting)

    def purge(self):
        self.purged = True


class World:
    bootstrap, partitions, topic = "nowhere", PARTITIONS, {"events": "events"}


def load_that_fails(*fails_after):
    """A load, its log, and how many producers it has had. The last one does not fail."""
    log, made, left = [], [], list(fails_after)

    class Load(faults_load.Load):
        def new_producer(self):
            made.append(FailingProducer(log, left.pop(0) if left else -1, self.take_error))
            return made[-1]

    return Load(World(), 100), log, made


def outcomes(log):
    """What a ledger makes of the log, by plain counting."""
    found, seen = dict.fromkeys(("applied", "duplicate", "ignored", "forwarded", "rejected"), 0), set()
    for value, key, partition in log:
        if value is None:
            found["ignored"] += 1
        elif value == b"\xff":
            found["rejected"] += 1
        elif faults_load.partition_of(key.decode(), PARTITIONS) != partition:
            found["forwarded"] += 1
        else:
            found["duplicate" if value in seen else "applied"] += 1
            seen.add(value)
    return found


@pytest.mark.parametrize("fails_after", [(0,), (50,), (50, 30), (50, 0, 0, 120)])
def test_what_a_failed_producer_kept_is_sent_again_and_counted(fails_after):
    load, log, made = load_that_fails(*fails_after)
    for _ in range(400):
        load.one()
    offsets = load.mark()
    load.stop()
    assert sorted(offsets) == list(range(PARTITIONS)) and not load.pending
    assert len(made) == len(fails_after) + 1
    assert sum(load.again.values()) >= len(fails_after)
    found = outcomes(log)
    assert found["applied"] == load.outcomes["applied"]
    for name, count in found.items():
        assert load.outcomes[name] <= count <= load.most(name), name


def test_without_a_failure_every_count_is_exact():
    load, log, made = load_that_fails()
    for _ in range(400):
        load.one()
    load.stop()
    assert len(made) == 1 and outcomes(log) == {name: load.most(name) for name in outcomes(log)}


def test_a_producer_that_always_fails_ends_the_load():
    load, _, _ = load_that_fails(*[0] * 100)
    with pytest.raises(AssertionError, match="again and again"):
        for _ in range(400):
            load.one()


def test_a_record_that_is_refused_for_another_reason_is_told():
    load, _, made = load_that_fails()
    load.one()
    load.one()
    made[0].fails_after = 0
    made[0].waiting.append((b"x", b"y", 0, lambda *_: None))
    refusal = confluent_kafka.KafkaError(confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE)
    load.sent += 1
    load.pending[load.sent] = ("applied", b"x", b"y", 0, None)
    made[0].produce = lambda *_, on_delivery, **__: on_delivery(refusal, None)
    made[0].waiting.clear()
    load.hand_over(load.sent)
    with pytest.raises(AssertionError, match="1 were not published"):
        load.stop()
