"""A world: one installation of loyald with its database, topics, Redis and workers, all of them this test's own."""
import contextlib
import os
import re
import subprocess
import time
import uuid

import confluent_kafka
import psycopg
from confluent_kafka import TopicPartition
from loyalty.v1 import update_pb2

import services

from support import topics

OUTCOMES = ("applied", "duplicate", "ignored", "forwarded", "rejected", "gap")  # partition.outcome_totals
INTERNAL = 1  # place of the internal topic among the inputs
# The embedded broker keeps 5 MiB a partition; so much may wait in all of them together.
UNREAD_BYTES_MAX = 3 << 20


class World:
    """programme: a file's name in docs/examples or tests/integration/programmes, its path, or None: none is published."""

    def __init__(self, name, folder, postgres, programs, bootstrap=None, partitions=8, programme="shop", redis=True,
                 topic_partitions=None, migrate=True, **settings):
        self.folder = folder
        self.programs = programs
        self.postgres = postgres
        self.partitions = partitions
        self.id = re.sub(r"[^a-z0-9]", "_", name.lower())[:40].strip("_") + "_" + uuid.uuid4().hex[:6]
        self.topic = {short: f"{self.id}.{short}" for short in
                      ("events", "internal", "ticks", "updates", "balances", "dead-letters", "previews")}
        self.inputs = [self.topic[short] for short in ("events", "internal", "ticks")]
        self.settings = settings
        self.programme = programme
        self.topic_partitions = topic_partitions or {}
        self.migrate = migrate
        self.redis = services.Redis(folder / "redis") if redis else None
        self.log_level = 6  # of the test's own Kafka clients, as syslog counts
        self.broker = None
        self.bootstrap = bootstrap
        self.running = []
        self.producer = None
        self.reader = None
        self.db = None

    # --- the installation -------------------------------------------------------------------------------------------

    def open(self):
        self.folder.mkdir(parents=True)
        self.postgres.psql(f"CREATE DATABASE {self.id}", "postgres")
        if self.redis:
            self.redis.start()
        counts = {self.topic[short]: self.topic_partitions.get(short, self.partitions) for short in self.topic}
        if self.bootstrap is None:
            self.broker = services.Broker(self.folder / "broker", str(self.programs / "loyald-broker"), counts)
            self.broker.start()
            self.bootstrap = self.broker.bootstrap
        elif self.topic_partitions:
            self.create_topics(counts)
        else:
            self.loyalctl("topics", "create", "--partitions", str(self.partitions))
        if self.migrate:
            self.loyalctl("migrate", "up")
            if self.programme:
                self.publish_programme(self.programme)
        self.db = psycopg.connect(self.conninfo(), autocommit=True)
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "linger.ms": 5, "acks": "all",
            "message.max.bytes": 8 << 20, "log.connection.close": False, "log_level": self.log_level})
        self.reader = confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": f"{self.id}.reader", "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "enable.partition.eof": True, "fetch.message.max.bytes": 8 << 20,
            "log.connection.close": False, "log_level": self.log_level})

    def create_topics(self, counts):
        """As loyalctl would not: with different numbers of partitions."""
        topics.make(self.bootstrap, counts, log_level=self.log_level)

    def __enter__(self):
        self.open()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for program in self.running:
            program.stop()
        for client in (self.reader, self.db):
            if client is not None:
                client.close()
        self.producer = None  # its threads would complain of a broker that has gone
        if self.broker:
            self.broker.stop()
        if self.redis:
            self.redis.stop()
        self.postgres.psql(f"DROP DATABASE IF EXISTS {self.id} WITH (FORCE)", "postgres")

    def cut_connections(self):
        self.postgres.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           f"WHERE datname = '{self.id}'", "postgres")

    def reconnect(self):
        """The test's own connection, after an outage."""
        self.db.close()
        self.db = psycopg.connect(self.conninfo(), autocommit=True)

    def conninfo(self):
        return self.postgres.conninfo(self.id)

    def env(self, **settings):
        """Of a program of ours: its settings, and nothing of whoever runs the tests."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("LOYALD_", "PG"))}
        ours = {"kafka_brokers": self.bootstrap, "postgres": self.conninfo(), "topics": self.topic["events"],
                "topic_internal": self.topic["internal"], "topic_ticks": self.topic["ticks"],
                "topic_updates": self.topic["updates"], "topic_balances": self.topic["balances"],
                "topic_dead_letters": self.topic["dead-letters"], "topic_previews": self.topic["previews"],
                "partitions": self.partitions, "group": self.id,
                "kafka_session_timeout_ms": 3000, "threads": 2, **({"redis": self.redis.url} if self.redis else {}),
                **self.settings, **settings}
        return {**kept, **{f"LOYALD_{key.upper()}": str(value) for key, value in ours.items() if value is not None}}

    def loyalctl(self, *arguments, check=True, stdin=None, **settings):
        done = subprocess.run([str(self.programs / "loyalctl"), *arguments], env=self.env(**settings), input=stdin,
                              capture_output=True, text=True, cwd=services.ROOT)
        if check and done.returncode:
            raise AssertionError(f"loyalctl {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def publish_programme(self, programme, *options):
        folders = (services.ROOT, "docs", "examples"), (services.ROOT, "tests", "integration", "programmes")
        found = [path for folder in folders if os.path.exists(path := os.path.join(*folder, f"{programme}.yaml"))]
        return self.loyalctl("programme", "publish", found[0] if found else str(programme), "--author", "test",
                             "--reason", "test", *options)

    def start_worker(self, ready=True, environment=None, **settings):
        program = services.Program(self.folder, f"worker{len(self.running)}", [str(self.programs / "loyald-worker")],
                          {**self.env(**settings), **(environment or {})})
        program.start()
        self.running.append(program)  # now: another thread may look whether all of them live
        if ready:
            program.wait_until_ready()
        return program

    def start_workers(self, count, **settings):
        workers = [self.start_worker(ready=False, **settings) for _ in range(count)]
        for worker in workers:
            worker.wait_until_ready()
        return workers

    def print_logs(self):
        for program in self.running:
            print(f"--- {program.name} (exit {program.process.poll() if program.process else None})\n"
                  f"{services.tail(program.log, 60)}")

    # --- records in -------------------------------------------------------------------------------------------------

    def publish(self, *events, topic="events", drain=True):
        """Events (protobuf messages, keyed by member id) or records (dictionaries of value, key, partition, headers).

        Waits for the workers whenever more would lie in the topics than the embedded broker keeps; drain=False: not."""
        unread = 0
        for event in events:
            record = event if isinstance(event, dict) else self.record(event)
            size = len(record.get("value") or b"") + 100
            if drain and unread + size > UNREAD_BYTES_MAX:
                self.wait_drained()
                unread = 0
            unread += size
            self.produce(topic, **record)
        assert self.producer.flush(60) == 0, "the broker did not take all records"

    @staticmethod
    def record(event):
        return {"value": event.SerializeToString(), "key": event.member_id.encode() or None}

    def produce(self, topic, value, key=None, partition=None, headers=None):
        def refused(error, _):
            if error is not None:
                raise AssertionError(f"not delivered: {error}")
        options = {} if partition is None else {"partition": partition}
        while True:
            try:
                self.producer.produce(self.topic.get(topic, topic), value, key, headers=headers, on_delivery=refused,
                                      **options)
                self.producer.poll(0)
                return
            except BufferError:
                self.producer.poll(0.1)

    # --- how far ----------------------------------------------------------------------------------------------------

    def query(self, sql, *parameters):
        return self.db.execute(sql, parameters or None).fetchall()

    def high_watermarks(self):
        """{(place of the topic, k): offset that comes next}."""
        return {(place, k): self.reader.get_watermark_offsets(TopicPartition(name, k), timeout=10)[1]
                for place, name in enumerate(self.inputs) for k in range(self.partitions)}

    def lag(self):
        """Records of the input topics that have no outcome yet, and those forwarded but not there yet."""
        try:
            rows = dict(self.query("SELECT k, next_offset FROM partition"))
            forwarded = self.totals()["forwarded"]
        except psycopg.errors.UndefinedTable:
            rows, forwarded = {}, 0
        ends = self.high_watermarks()
        behind = sum(end - (rows[k][place] if k in rows else 0) for (place, k), end in ends.items())
        arrived = sum(end for (place, _), end in ends.items() if place == INTERNAL)
        return behind + max(0, forwarded - arrived)

    def wait_drained(self, seconds=120):
        deadline = time.monotonic() + seconds
        while (lag := self.lag()) > 0:
            self.check_workers()
            assert time.monotonic() < deadline, (
                f"{lag} records without an outcome after {seconds} s: {self.totals()}\n"
                f"high watermarks by topic and k: {self.high_watermarks()}\n"
                f"{self.query('SELECT k, epoch, owner, attempts, next_offset FROM partition ORDER BY k')}")
            time.sleep(0.05)

    def wait_settled(self, threads, seconds=60):
        """Until that many threads of workers own all partitions between them, and have for a second."""
        deadline = time.monotonic() + seconds
        seen, since = None, time.monotonic()
        while True:
            rows = self.query("SELECT k, epoch, owner FROM partition ORDER BY k")
            if rows != seen:
                seen, since = rows, time.monotonic()
            elif (len(rows) == self.partitions and len({owner for _, _, owner in rows}) == threads
                  and time.monotonic() - since > 1):
                return
            self.check_workers()
            assert time.monotonic() < deadline, f"the group did not settle: {rows}"
            time.sleep(0.05)

    def check_workers(self):
        for program in self.running:
            if program.expected_to_live and not program.running():
                raise AssertionError(f"{program.name} ended ({program.process.returncode}):\n"
                                     f"{services.tail(program.log, 30)}")

    def totals(self):
        """{outcome: records}, over all partitions and topics."""
        rows = self.query("SELECT (i - 1) % 6, sum(total) FROM partition, "
                          "unnest(outcome_totals) WITH ORDINALITY AS t(total, i) GROUP BY 1")
        return {name: int(dict(rows).get(number, 0)) for number, name in enumerate(OUTCOMES)}

    def outcomes(self, **expected):
        """Asserts the totals; outcomes that are not named are expected to be none."""
        assert self.totals() == {name: expected.get(name, 0) for name in OUTCOMES}

    def audit(self):
        done = self.loyalctl("audit", "--topics", check=False)
        assert done.returncode == 0, f"audit found:\n{done.stdout}{done.stderr}"
        return done.stdout

    def balance(self, member, wallet="points"):
        rows = self.query("SELECT available, pending FROM balance WHERE member_id = %s AND wallet = %s", member, wallet)
        return rows[0] if rows else None

    # --- records out ------------------------------------------------------------------------------------------------

    def wait_published(self, seconds=5):
        """Until the outbox is empty, or nobody is there to empty it: an outcome is committed before it is told."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(psycopg.Error):  # no table yet, or no database now: the topic is all there is
            while (any(program.running() for program in self.running) and time.monotonic() < deadline
                   and self.query("SELECT 1 FROM outbox LIMIT 1")):
                time.sleep(0.05)

    def read(self, topic):
        """All messages of a topic, by partition and offset, once what is committed by now is published."""
        self.wait_published()
        name = self.topic.get(topic, topic)
        partitions = self.reader.list_topics(name, timeout=10).topics[name].partitions
        left, starts = {}, []
        for k in partitions:
            low, high = self.reader.get_watermark_offsets(TopicPartition(name, k), timeout=10)
            if high > low:
                left[k] = high
                starts.append(TopicPartition(name, k, low))
        self.reader.assign(starts)
        messages, deadline = [], time.monotonic() + 30
        while left:
            assert time.monotonic() < deadline, f"{name}: {left} could not be read"
            message = self.reader.poll(0.2)
            if message is None or message.error():
                continue
            messages.append(message)
            if message.offset() + 1 >= left.get(message.partition(), 0):
                left.pop(message.partition(), None)
        self.reader.unassign()
        return sorted(messages, key=lambda message: (message.partition(), message.offset()))

    def updates(self):
        return [update_pb2.Update.FromString(message.value()) for message in self.read("updates")]

    def dead_letters(self):
        return self.read("dead-letters")

    def wait_for(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            self.check_workers()
            assert time.monotonic() < deadline, f"no {what} after {seconds} s"
            time.sleep(0.05)
        return value


def newest(updates):
    """What a subscriber keeps: each member's update with the highest (incarnation, version)."""
    kept = {}
    for update in updates:
        at = (update.incarnation, update.version)
        if update.member_id not in kept or at > (kept[update.member_id].incarnation, kept[update.member_id].version):
            kept[update.member_id] = update
    return kept
