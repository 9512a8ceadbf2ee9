"""Events at a steady rate, and what has to become of them. The expectation is plain counting by rules of its own: a
purchase of 300.00 earns 30 points once, whatever happens to the workers."""
import collections
import random
import threading
import time

import confluent_kafka

from support import events
from support.murmur2 import partition_of

MEMBERS_EACH = 60  # of a partition: a member's state has room for some hundred lots
POINTS = 30       # of one purchase of 300.00 in the programme "shop": 10 for each full 100.00
TICK_SECONDS = 0.02
RECENT = 300      # records that may be repeated
RENEWALS_MAX = 20  # of the producer, one after the other


class Load:
    def __init__(self, world, rate, seed=1):
        self.world = world
        self.rate = rate
        self.random = random.Random(seed)
        self.members = collections.defaultdict(list)
        number = 0
        while any(len(self.members[k]) < MEMBERS_EACH for k in range(world.partitions)):
            member = f"m-{number}"
            self.members[partition_of(member, world.partitions)].append(member)
            number += 1
        self.pending = {}                      # records that nobody acknowledged yet, by number
        self.sent = 0
        self.again = collections.Counter()     # records that were sent a second time, by what becomes of one
        self.producer_number = 0               # of those that failed for good
        self.fatal = None                      # why this one did
        self.producer = self.new_producer()
        self.recent = collections.deque(maxlen=RECENT)
        self.points = collections.Counter()    # of each member
        self.outcomes = collections.Counter()  # of records on the topic of events
        self.refused = {}
        self.thread = None
        self.stopping = threading.Event()
        self.lock = threading.Lock()  # marks are published while the load goes on

    # --- records ----------------------------------------------------------------------------------------------------

    def new_producer(self):
        return confluent_kafka.Producer({
            "bootstrap.servers": self.world.bootstrap, "partitioner": "murmur2_random", "linger.ms": 5, "acks": "all",
            "enable.idempotence": True, "message.timeout.ms": 300000, "reconnect.backoff.max.ms": 500,
            "log.connection.close": False, "log_level": 2, "error_cb": self.take_error})

    def take_error(self, error):
        if error.fatal():
            self.fatal = str(error)

    def send(self, outcome, value, key, partition, on_delivery=None):
        self.sent += 1
        self.pending[self.sent] = (outcome, value, key, partition, on_delivery)
        self.hand_over(self.sent)

    def hand_over(self, number):
        _, value, key, partition, on_delivery = self.pending[number]
        producer_number = self.producer_number

        def delivered(error, message):
            if error is None:
                self.refused.pop(number, None)
                if self.pending.pop(number, None) and on_delivery:
                    on_delivery(message)
            elif producer_number == self.producer_number:
                self.refused[number] = str(error)
        while producer_number == self.producer_number and number in self.pending:
            try:
                self.producer.produce(self.world.topic["events"], value, key, partition=partition,
                                      on_delivery=delivered)
                self.serve(0)
                return
            except BufferError:
                self.serve(0.1)
            except confluent_kafka.KafkaException as error:
                if error.args[0].code() != confluent_kafka.KafkaError._FATAL:
                    raise
                self.fatal = self.fatal or str(error)
                self.serve(0)

    def serve(self, seconds):
        """Takes acknowledgements. An idempotent producer that lost count of what a killed broker has fails for good: then
        another one sends again what was not acknowledged. Some of that is in the topic already."""
        self.producer.poll(seconds)
        if self.fatal is None:
            return
        assert self.producer_number < RENEWALS_MAX, f"the producer failed again and again: {self.fatal}"
        self.producer_number += 1
        self.producer.purge()
        self.producer.poll(0)
        self.producer, self.fatal = self.new_producer(), None
        self.refused.clear()
        for number in list(self.pending):
            if number in self.pending:
                self.again[self.pending[number][0]] += 1
                self.hand_over(number)

    def purchase(self, k, misplaced=False, on_delivery=None):
        member = self.random.choice(self.members[k])
        value = events.purchase(member, 300 * 100).SerializeToString()
        self.points[member] += POINTS
        outcome = "forwarded" if misplaced else "applied"
        self.outcomes[outcome] += 1
        where = (k + 1) % self.world.partitions if misplaced else k
        if not misplaced:
            self.recent.append((value, member.encode(), k))
        self.send(outcome, value, member.encode(), where, on_delivery)

    def one(self):
        """Any record: mostly purchases; repeats, records on the wrong partition, without a value, that are no events."""
        k, chance = self.random.randrange(self.world.partitions), self.random.random()
        if chance < 0.80:
            self.purchase(k)
        elif chance < 0.88 and self.recent:
            self.outcomes["duplicate"] += 1
            self.send("duplicate", *self.random.choice(self.recent))
        elif chance < 0.94:
            self.purchase(k, misplaced=True)
        elif chance < 0.97:
            self.outcomes["rejected"] += 1
            self.send("rejected", b"\xff", b"m-0", k)
        else:
            self.outcomes["ignored"] += 1
            self.send("ignored", None, b"m-0", k)

    def mark(self, seconds=60):
        """A purchase for each partition, that are there when this returns: {k: offset}."""
        offsets = {}
        for k in range(self.world.partitions):
            with self.lock:
                self.purchase(k, on_delivery=lambda at: offsets.update({at.partition(): at.offset()}))
        deadline = time.monotonic() + seconds
        while len(offsets) < self.world.partitions and time.monotonic() < deadline:
            with self.lock:
                self.serve(0.01)
        assert len(offsets) == self.world.partitions, f"the broker did not take the marks: {offsets} {self.refused}"
        return offsets

    # --- while a fault happens ----------------------------------------------------------------------------------------

    def run(self):
        due = time.monotonic()
        while not self.stopping.wait(max(0.0, due - time.monotonic())):
            due = max(due + TICK_SECONDS, time.monotonic() - 1)
            for _ in range(max(1, round(self.rate * TICK_SECONDS))):
                with self.lock:
                    self.one()

    def start(self):
        self.stopping.clear()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        """Ends when everything is in the topic."""
        self.pause()
        left = self.producer.flush(120)
        while self.fatal is not None:
            self.serve(0)
            left = self.producer.flush(120)
        why = list(self.refused.values())[:3]
        assert left == 0 and not self.pending, f"{len(self.pending)} were not published: {why}"

    def pause(self):
        if self.thread:
            self.stopping.set()
            self.thread.join()
            self.thread = None

    # --- what has become of it ----------------------------------------------------------------------------------------

    def most(self, outcome):
        """What was sent again may have been in the topic before: then it is once more what it was, a purchase a
        duplicate. That none of it is missing is seen by the exact ones: applied, and applied after being forwarded."""
        more = self.again[outcome] if outcome != "applied" else 0
        return self.outcomes[outcome] + more + (self.again["applied"] if outcome == "duplicate" else 0)

    def differences(self):
        """What is not as expected, in sentences. Records are forwarded again when a worker dies before it knows of the
        delivery; whoever gets them sees a duplicate: so those of the internal topic are counted by what was applied."""
        wrong = []
        names = ("applied", "duplicate", "ignored", "forwarded", "rejected", "gap")
        rows = self.world.query("SELECT (i - 1) / 6, (i - 1) % 6, sum(total) FROM partition, "
                                "unnest(outcome_totals) WITH ORDINALITY AS t(total, i) GROUP BY 1, 2")
        found = {(topic, names[outcome]): int(total) for topic, outcome, total in rows}
        for name in names:
            if not self.outcomes[name] <= found.get((0, name), 0) <= self.most(name):
                wrong.append(f"{found.get((0, name), 0)} records {name}, published were {self.outcomes[name]}"
                             f" to {self.most(name)}")
        if found.get((1, "applied"), 0) != self.outcomes["forwarded"]:
            wrong.append(f"{found.get((1, 'applied'), 0)} forwarded records applied of {self.outcomes['forwarded']}")
        for name in ("ignored", "forwarded", "rejected", "gap"):
            if found.get((1, name), 0):
                wrong.append(f"{found[1, name]} of the internal topic {name}")
        stands = dict(self.world.query("SELECT member_id, pending + available FROM balance"))
        differ = [member for member in self.points.keys() | stands.keys()
                  if self.points[member] != stands.get(member, 0)]
        if differ:
            some = differ[0]
            wrong.append(f"{len(differ)} members have other points: {some} {stands.get(some)}, not {self.points[some]}")
        return wrong
