"""The Kafka adapter on a broker: the port's contract, and what only a real log, group or outage can show.

Runs on the embedded broker; with KAFKA=apache on Apache Kafka, which has transactions and LogAppendTime.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import signal
import subprocess
import threading
import time
import uuid

import confluent_kafka
import pytest

import services
from support.topics import make as make_topics

PATIENCE = 40  # seconds until an event must have come
PARTITIONS = 4
TOPICS = ("events", "internal", "ticks")
APACHE = os.environ.get("KAFKA", "embedded") == "apache"
only_apache = pytest.mark.skipif(not APACHE, reason="the embedded broker has no such thing (KAFKA=apache)")


class Shell:
    """One bus: commands go in, the lines of its events come out."""

    def __init__(self, programs, bootstrap, group, topics, partitions=PARTITIONS, **environment):
        self.process = subprocess.Popen(
            [str(programs / "tests" / "contract" / "bus_shell"), bootstrap, group, str(partitions), *topics],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
            env=dict(os.environ, **environment))
        self.lines = []
        self.more = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.more:
                self.lines.append(line.rstrip("\n"))
                self.more.notify_all()

    def do(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")

    def having(self, start):
        return [line for line in self.lines if line.startswith(start)]

    def wait(self, start, count=1, patience=PATIENCE):
        """The count-th line that starts so."""
        with self.more:
            came = self.more.wait_for(lambda: len(self.having(start)) >= count, patience)
            assert came, f"no {count} lines {start!r} in {patience} s; the last were {self.lines[-20:]}"
            return self.having(start)[count - 1]

    def start_all(self, partitions, topics=len(TOPICS)):
        for k in partitions:
            self.do("assign", k, *([0] * topics))

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.reader.join()


class World:
    """A broker with topics of one test, and shells on it."""

    def __init__(self, programs, bootstrap, prefix, apache, embedded):
        self.programs, self.bootstrap, self.prefix = programs, bootstrap, prefix
        self.apache, self.embedded = apache, embedded
        self.topics = [f"{prefix}.{name}" for name in TOPICS]
        self.group = prefix
        self.shells = []

    def shell(self, group=None, topics=None, **options):
        shell = Shell(self.programs, self.bootstrap, group or self.group, topics or self.topics, **options)
        self.shells.append(shell)
        return shell

    def producer(self, **settings):
        return confluent_kafka.Producer({"bootstrap.servers": self.bootstrap, **settings})

    def fill(self, topic, partition, values, **settings):
        producer = self.producer(**settings)
        for value in values:
            producer.produce(topic, value, partition=partition)
        assert producer.flush(PATIENCE) == 0

    def signal_broker(self, number):
        (self.apache or self.embedded).process.send_signal(number)

    def wait_stopped(self):
        """Each thread of a stopped broker goes on until it is its turn, and one is enough to take a message."""
        tasks = pathlib.Path(f"/proc/{(self.apache or self.embedded).process.pid}/task")
        deadline = time.monotonic() + PATIENCE
        while any(" T (" not in (task / "status").read_text().replace("\t", " ") for task in tasks.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture(scope="module")
def apache(tmp_path_factory):
    """A broker of this file's own, since it is stopped and continued here."""
    if not APACHE:
        yield None
        return
    with services.Kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def new_world(programs, tmp_path, apache):
    """Makes a world with topics of given partitions."""
    made, brokers = [], []

    def make(partitions=(PARTITIONS,) * len(TOPICS)):
        prefix = "t" + uuid.uuid4().hex[:8]
        topics = {f"{prefix}.{name}": count for name, count in zip(TOPICS, partitions) if count}
        embedded = None
        if apache:
            make_topics(apache.bootstrap, topics)
        else:
            embedded = services.Broker(tmp_path / prefix, str(programs / "loyald-broker"), topics)
            embedded.start()
            brokers.append(embedded)
        bootstrap = apache.bootstrap if apache else embedded.bootstrap
        made.append(World(programs, bootstrap, prefix, apache, embedded))
        return made[-1]

    yield make
    for world in made:
        for shell in world.shells:
            shell.close()
    for broker in brokers:
        broker.stop()


@pytest.fixture
def world(new_world):
    return new_world()


def test_the_contract_of_the_port(programs, tmp_path, apache):
    program = str(programs / "tests" / "contract" / "contract_bus_kafka")
    prefix = "c" + uuid.uuid4().hex[:6] + "_"

    def output(*arguments):
        return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout

    def run(history):
        done = subprocess.run([program, bootstrap, prefix, history], capture_output=True, text=True, timeout=180)
        return done.returncode == 0 and f"ok {history}" in done.stdout.splitlines(), done.stdout + done.stderr

    embedded = None
    if not apache:
        names = dict(pair.split(":") for pair in output("--topics", prefix).strip().split(","))
        embedded = services.Broker(tmp_path, str(programs / "loyald-broker"), names)
        embedded.start()
    bootstrap = apache.bootstrap if apache else embedded.bootstrap
    histories = output("--list").split()
    assert len(histories) >= 17
    try:
        # Most of each history is waiting for the group: several at a time.
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            failed = [said for passed, said in pool.map(run, histories) if not passed]
    finally:
        if embedded:
            embedded.stop()
    assert not failed, "\n".join(failed)


def lose_the_oldest(world, topic, partition):
    """Makes the log start later than 0. Returns nothing: where, the adapter has to find out."""
    generator = random.Random(1)
    world.fill(topic, partition, [generator.randbytes(400_000).hex() for _ in range(8)])  # the embedded one keeps 5 MiB
    if world.apache:
        wanted = pathlib.Path(world.apache.folder, "delete.json")
        wanted.write_text(json.dumps({"version": 1, "partitions": [
            {"topic": topic, "partition": partition, "offset": 3}]}))
        world.apache.tool("org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", str(wanted))


def test_offsets_that_left_the_log_are_told_then_reading_goes_on(world):
    lose_the_oldest(world, world.topics[0], 2)
    shell = world.shell()
    shell.wait("assigned")
    shell.start_all([2])
    error = shell.wait("error")
    first = int(shell.wait("record 0 2").split()[3])
    assert first > 0
    assert error.startswith("error retry unavailable")
    assert f"offsets 0 to {first - 1} left the log" in error and f"going on at {first}" in error
    shell.wait("end 0 2 8")
    offsets = [int(line.split()[3]) for line in shell.having("record 0 2")]
    assert offsets == list(range(first, 8))
    assert len(shell.having("error")) == 1


def test_offsets_that_left_the_log_with_everything_else(world):
    """Nothing is left to be read: the end tells."""
    if not world.apache:
        pytest.skip("the embedded broker always keeps the last batch")
    lose_the_oldest(world, world.topics[0], 2)
    wanted = pathlib.Path(world.apache.folder, "delete.json")
    wanted.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": world.topics[0], "partition": 2, "offset": -1}]}))
    world.apache.tool("org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", str(wanted))
    shell = world.shell()
    shell.wait("assigned")
    shell.start_all([2])
    assert "offsets 0 to 7 left the log" in shell.wait("error")
    shell.wait("end 0 2 8")


@pytest.mark.parametrize("records", [0, 3])
def test_an_offset_beyond_the_log_stops(world, records):
    world.fill(world.topics[0], 1, [b"x"] * records)
    shell = world.shell()
    shell.wait("assigned")
    shell.do("assign", 1, 100, 0, 0)
    error = shell.wait("error")
    assert error.startswith("error fatal mismatch")
    assert "offset 100 is beyond the log" in error and world.topics[0] in error
    assert not shell.having("record 0")


def test_an_input_with_more_partitions_than_agreed_stops(new_world):
    world = new_world((4, 4, 6))
    shell = world.shell()
    error = shell.wait("error")
    assert error.startswith("error fatal mismatch") and "but the installation has 4" in error
    assert world.topics[2] in error
    assert not shell.having("assigned")


def test_inputs_with_different_numbers_of_partitions_stop(new_world):
    world = new_world((4, 2, 4))
    shell = world.shell()
    error = shell.wait("error")
    assert error.startswith("error fatal mismatch") and world.topics[1] in error
    assert "different numbers of partitions" in error
    assert not shell.having("assigned")
    shell.do("check")
    assert f"topic {world.topics[1]} has 2 partitions, not 4" in shell.wait("topics ")


def test_a_missing_topic_is_named_and_waited_for(new_world):
    world = new_world((4, 4, 0))
    asking = world.shell(group="-")
    asking.do("check")
    said = asking.wait("topics ")
    assert " fatal not_found " in said and f"topic {world.topics[2]} does not exist" in said
    if world.embedded:
        return  # it makes a topic that a consumer asks for
    waiting = world.shell()
    assert waiting.wait("error").startswith("error retry")
    assert not waiting.having("assigned") and not waiting.having("error fatal")


def test_a_killed_member_is_replaced(world):
    a = world.shell()
    a.wait("assigned")
    b = world.shell()
    b.wait("assigned", patience=PATIENCE)
    shared = a.wait("assigned", 2).split()[1:] + b.having("assigned")[-1].split()[1:]
    assert sorted(shared) == ["0", "1", "2", "3"]
    a.process.kill()
    deadline = time.monotonic() + PATIENCE
    while b.having("assigned")[-1] != "assigned 0 1 2 3":
        assert time.monotonic() < deadline, b.lines
        time.sleep(0.1)


def test_a_member_that_stood_still_learns_that_it_lost_all(world):
    world.fill(world.topics[0], 0, [b"1"])
    a = world.shell()
    a.wait("assigned 0 1 2 3")
    a.start_all(range(PARTITIONS))
    a.wait("record 0 0 0")
    a.process.send_signal(signal.SIGSTOP)
    b = world.shell()
    b.wait("assigned 0 1 2 3")
    world.fill(world.topics[0], 0, [b"2"])
    a.process.send_signal(signal.SIGCONT)
    told = a.wait("lost 0 1 2 3") if not a.having("revoked") else a.wait("revoked")
    assert told.endswith("0 1 2 3")
    a.wait("assigned", 2)
    # What was not started again gives nothing, whatever had been read ahead.
    time.sleep(1)
    after = a.lines[a.lines.index(told):]
    assert not [line for line in after if line.startswith(("record", "end"))]


def test_an_outage_of_the_broker_delays_and_loses_nothing(world):
    shell = world.shell()
    shell.wait("assigned")
    shell.start_all(range(PARTITIONS))
    shell.wait("end", 12)
    world.signal_broker(signal.SIGSTOP)
    world.wait_stopped()
    for i in range(100):
        shell.do("produce", world.topics[0], i % PARTITIONS, f"v{i}", i)
    time.sleep(5)
    assert not shell.having("delivered")
    world.signal_broker(signal.SIGCONT)
    shell.wait("delivered 99")
    assert shell.having("delivered") == [f"delivered {i}" for i in range(100)]
    assert not shell.having("undelivered") and not shell.having("error fatal")


def test_wrong_settings_are_refused_at_once(programs):
    done = subprocess.run([str(programs / "tests" / "contract" / "bus_shell"), "", "g", "4", "t"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    assert done.returncode == 1
    assert done.stdout.startswith("refused fatal config") and "no brokers" in done.stdout


def test_nobody_answers_is_news_and_no_end(programs, world):
    shell = Shell(programs, f"127.0.0.1:{services.free_port()}", "g", world.topics)
    world.shells.append(shell)
    assert shell.wait("error").startswith("error retry")
    shell.do("check")
    assert " retry unavailable " in shell.wait("topics ", patience=60)
    assert not shell.having("error fatal")


@only_apache
def test_aborted_records_are_gaps(world):
    producer = world.producer(**{"transactional.id": world.prefix})
    producer.init_transactions(PATIENCE)
    for name, end in (("a", "commit"), ("b", "abort"), ("c", "commit")):
        producer.begin_transaction()
        for i in range(3):
            producer.produce(world.topics[0], f"{name}{i}", partition=0)
        assert producer.flush(PATIENCE) == 0  # else the aborted ones would never leave the producer
        (producer.commit_transaction if end == "commit" else producer.abort_transaction)(PATIENCE)
    shell = world.shell()
    shell.wait("assigned")
    shell.start_all([0])
    shell.wait("end 0 0 12")  # nine records and three markers
    records = [line.split() for line in shell.having("record 0 0")]
    assert [line[-1] for line in records] == ["a0", "a1", "a2", "c0", "c1", "c2"]
    assert [int(line[3]) for line in records] == [0, 1, 2, 8, 9, 10]
    assert not shell.having("error")


@only_apache
def test_topics_are_created_as_their_purpose_asks(new_world):
    world = new_world((0, 0, 0))
    shell = world.shell()
    shell.do("create")
    assert shell.wait("topics ").startswith("topics created=3 no_admin=0 times_unverified=0  ok")
    shell.do("create")
    assert shell.wait("topics ", 2).startswith("topics created=0 no_admin=0 times_unverified=0  ok")
    producer = world.producer()
    producer.produce(world.topics[0], b"old", partition=0, timestamp=1000)
    assert producer.flush(PATIENCE) == 0
    shell.wait("assigned")
    shell.start_all([0])
    stamped = int(shell.wait("record 0 0 0").split()[4]) / 1e6
    assert abs(stamped - time.time()) < 60  # the broker's clock, not the producer's


@only_apache
def test_an_input_with_the_producers_time_is_refused(new_world):
    world = new_world()  # made by Kafka's tool, with the cluster's CreateTime
    shell = world.shell()
    shell.do("check")
    said = shell.wait("topics ")
    assert " fatal mismatch " in said and "message.timestamp.type=CreateTime" in said


@pytest.mark.skipif(APACHE, reason="about the embedded broker")
def test_a_broker_without_admin_calls_is_told_apart(new_world):
    world = new_world((4, 4, 0))
    shell = world.shell(group="-")
    shell.do("create")
    said = shell.wait("topics ")
    assert said.startswith("topics created=0 no_admin=1") and " fatal not_found " in said
    assert world.topics[2] in said


@pytest.mark.skipif(APACHE, reason="about the embedded broker")
def test_the_embedded_broker_prints_and_writes_where_it_is(programs, tmp_path):
    broker = services.Broker(tmp_path, str(programs / "loyald-broker"), {"a": 3, "b": 1})
    with broker:
        metadata = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=10)
        assert {name: len(topic.partitions) for name, topic in metadata.topics.items()} == {"a": 3, "b": 1}
        with open(broker.log) as log:
            assert f"bootstrap={broker.bootstrap}\n" in log.read()
    assert broker.process.returncode == 0
    assert not os.path.exists(broker.address_file)


@pytest.mark.parametrize("wrong, said", [(["--topics", "a:0"], "not a number of partitions"),
                                         (["--partitions", "x"], "not a count"), (["now"], "Only options")])
def test_the_embedded_broker_refuses_what_it_does_not_understand(programs, wrong, said):
    done = subprocess.run([str(programs / "loyald-broker"), *wrong], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and said in done.stderr


def test_what_is_resumed_is_read_at_once(world):
    """librdkafka's thread of a connection that fetches nothing looks around once a second, and resuming does not wake
    it: an owner began to work up to a second after it had taken over."""
    shell = world.shell()
    shell.wait("assigned")
    shell.start_all(range(PARTITIONS))
    shell.wait("end", PARTITIONS * len(TOPICS))
    took = []
    for number in range(7):
        for k in range(PARTITIONS):
            shell.do("pause", k, -1)
        world.fill(world.topics[0], 0, [f"value-{number}"])
        time.sleep(0.2)
        started = time.monotonic()
        shell.do("resume", 0, -1)
        shell.wait(f"record 0 0 {number} ")
        took.append(time.monotonic() - started)
        time.sleep(0.13 * number % 0.5)  # at any moment of that second
    assert sorted(took)[3] < 0.3, took  # the middle one: the machine may be busy


def test_a_backlog_is_read_without_rests(world):
    """A fetcher of librdkafka 2.0.2 that has enough read ahead looks again after a second: as often as it has."""
    world.fill(world.topics[0], 1, [f"{number} ".ljust(100, ".") for number in range(40000)])
    shell = world.shell()
    shell.wait("assigned")
    began = time.monotonic()
    shell.start_all(range(PARTITIONS))
    while len(shell.lines) < 40000 and time.monotonic() - began < PATIENCE:  # wait() reads all lines for each
        time.sleep(0.02)
    shell.wait("record 0 1 39999 ")
    seconds = time.monotonic() - began
    assert [int(line.split()[3]) for line in shell.having("record 0 1 ")] == list(range(40000))
    assert seconds < 4, f"40,000 records took {seconds:.1f} s"


def test_a_slow_reader_does_not_wait_for_the_fetcher(world):
    """With two answers of 1,050 records librdkafka has as many as it wants, and rests for a second. By the time that a
    reader looks it has taken some hundred of them, and must know all the same."""
    for batch in range(4):
        world.fill(world.topics[0], 1, [f"{batch} ".ljust(150, ".")] * 1050,
                   **{"linger.ms": 1000, "batch.num.messages": 1050})
    shell = world.shell()
    shell.wait("assigned")
    took = []
    for _ in range(5):
        seen = len(shell.having("record 0 1 4199 "))
        shell.start_all(range(PARTITIONS))
        shell.do("rest", 300)
        shell.wait("rested", len(took) + 1)
        began = time.monotonic()
        shell.wait("record 0 1 4199 ", seen + 1)
        took.append(time.monotonic() - began)
    assert sorted(took)[2] < 0.3, took  # the middle one: the machine may be busy
