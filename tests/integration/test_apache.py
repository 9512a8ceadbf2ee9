"""Apache Kafka itself, whatever broker the other tests use: the bus contract, a year of receipts, and what other clients
than librdkafka do with keys. Skipped, saying so, where Java or its jars cannot be had."""
import concurrent.futures
import json
import subprocess
import uuid

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource

import services
from support import events, retail

MEMBERS = 200
PURCHASES = 600


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    if why := services.Kafka.why_not():
        pytest.skip(f"Apache Kafka cannot be started: {why}")
    with services.Kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def apache_kafka(broker):
    """new_world's worlds are on this one, whatever the other tests use."""
    return broker.bootstrap


def test_the_contract_of_the_port(programs, broker):
    program = str(programs / "tests" / "contract" / "contract_bus_kafka")
    prefix = "c" + uuid.uuid4().hex[:6] + "_"

    def output(*arguments):
        return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout

    def run(history):
        done = subprocess.run([program, broker.bootstrap, prefix, history], capture_output=True, text=True, timeout=180)
        return done.returncode == 0 and f"ok {history}" in done.stdout.splitlines(), done.stdout + done.stderr

    histories = output("--list").split()
    assert len(histories) >= 17
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        failed = [said for passed, said in pool.map(run, histories) if not passed]
    assert not failed, "\n".join(failed)


def test_loyalctl_makes_the_topics(new_world, broker):
    world = new_world()  # it made them: loyalctl topics create
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    topics = admin.list_topics(timeout=10).topics
    assert all(len(topics[name].partitions) == world.partitions for name in world.topic.values())
    resources = {short: ConfigResource("topic", name) for short, name in world.topic.items()}
    configs = admin.describe_configs(list(resources.values()))
    said = {short: configs[resource].result(10) for short, resource in resources.items()}
    for short in ("events", "internal", "ticks"):
        assert said[short]["message.timestamp.type"].value == "LogAppendTime"
    assert said["balances"]["cleanup.policy"].value == "compact"
    assert world.loyalctl("topics", "check").returncode == 0


def test_keys_of_the_console_producer_are_where_they_belong(new_world, broker):
    """Java places keys as loyald does: nothing is forwarded."""
    world = new_world()
    world.start_worker()
    lines = []
    for number in range(PURCHASES):
        member = f"guest-{number % MEMBERS}"
        event = {"event_id": f"e-{number}", "source": "console", "member_id": member,
                 "occurred_at": "2026-01-01T00:00:00Z",
                 "purchase": {"order_id": f"o-{number}", "lines": [{"sku": "tea", "amount_minor": "30000"}]}}
        lines.append(f"{member}|{json.dumps(event)}\n")
    broker.tool("org.apache.kafka.tools.ConsoleProducer", "--topic", world.topic["events"], "--property",
                "parse.key=true", "--property", "key.separator=|", stdin="".join(lines))
    world.wait_drained()
    world.outcomes(applied=PURCHASES)
    check_points(world)


def test_keys_placed_by_librdkafka_are_forwarded(new_world):
    """Its default partitioner takes CRC32: most records come in elsewhere, and all have their effect once."""
    world = new_world()
    world.start_workers(2)
    producer = confluent_kafka.Producer({"bootstrap.servers": world.bootstrap})
    for number in range(PURCHASES):
        event = events.purchase(f"guest-{number % MEMBERS}", 30000)
        producer.produce(world.topic["events"], event.SerializeToString(), event.member_id)
    assert producer.flush(30) == 0
    world.wait_drained()
    totals = world.totals()
    assert totals["applied"] == PURCHASES and totals["forwarded"] > PURCHASES / 2
    world.outcomes(applied=PURCHASES, forwarded=totals["forwarded"])
    check_points(world)


def check_points(world):
    """300.00 earn 30 points in shop, pending for 14 days: those of a January are available."""
    each = PURCHASES // MEMBERS * 30
    balances = world.query("SELECT count(*), min(pending + available), max(pending + available) FROM balance")
    assert balances == [(MEMBERS, each, each)]
    assert world.dead_letters() == []
    world.audit()


def test_a_year_of_receipts(new_world, shared):
    world = new_world(programme="retail_prorata", historical_sources="retail", partitions=16)
    world.start_workers(2)
    receipts = retail.purchases(shared)
    world.publish(*receipts)
    world.wait_drained()
    applied = sum(bool(event.member_id) for event in receipts)
    world.outcomes(applied=applied, ignored=len(receipts) - applied)
    got = dict(world.query("SELECT member_id, available FROM balance WHERE wallet = 'points'"))
    expected = retail.expected(shared)
    assert {member: points for member, points in got.items() if points} == {
        member: points for member, points in expected.items() if points}
    world.audit()


LONG_SESSION = 40  # seconds: who works before they are over did not wait for them
SOON = 15


def work(world, round_, seconds=SOON):
    """Something for every partition, worked in time."""
    world.publish(*[events.purchase(f"m-{number}", 30000, order=f"{world.id}-{round_}-{number}") for number in range(200)],
                  drain=False)
    world.wait_drained(seconds)


def test_who_is_started_again_works_where_it_died(new_world):
    """It was a stranger to the group, which stood still until the session of the dead had ended."""
    world = new_world(kafka_session_timeout_ms=LONG_SESSION * 1000)
    survivor, victim = world.start_workers(2)
    world.wait_settled(4)
    before = survivor.log_text().count("event=partitions_acquired")
    work(world, "before")
    for round_ in range(2):
        victim.kill()
        world.running.remove(victim)
        victim = world.start_worker()
        work(world, f"after {round_}")
    assert survivor.log_text().count("event=partitions_acquired") == before, "the survivor was interrupted"
    world.outcomes(applied=3 * 200)
    world.audit()


def test_who_stops_in_good_order_leaves_its_seat_to_the_others(new_world):
    """A named member that only closes its client stays in the group for a session."""
    world = new_world(kafka_session_timeout_ms=LONG_SESSION * 1000)
    stays, goes = world.start_workers(2)
    world.wait_settled(4)
    goes.stop()
    assert goes.process.returncode == 0
    world.running.remove(goes)
    work(world, "after")
    assert stays.running()
    world.outcomes(applied=200)


def test_a_name_that_is_given_twice_is_given_up_by_one(new_world):
    """Each fences the other once; then one of them joins without a name, and both work."""
    world = new_world(kafka_instance="till-7")
    workers = world.start_workers(2)
    world.wait_for(lambda: any("fenced by other consumer" in worker.log_text() for worker in workers), "fenced member")
    work(world, "after", 60)
    world.wait_settled(4)
    work(world, "later", 60)
    assert all(worker.running() for worker in workers)
    world.outcomes(applied=400)
    world.audit()
