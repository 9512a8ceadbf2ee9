"""What goes wrong with records, and what becomes of them: the right outcome, a dead letter that says why, and the next
event of the same member is processed. Then what keeps a worker from starting, and what it says."""
import datetime
import itertools
import time

import pytest

from support import events
from support.murmur2 import partition_of
from support.world import OUTCOMES, World

PARTITIONS = 8
INT64_MAX = (1 << 63) - 1
HEADER = "__connect.errors."
members = (f"guest-{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def hotel(tmp_path_factory, postgres, programs, apache_kafka):
    """One world for all records: each test has a member of its own and looks at what it changed."""
    with World("how_it_fails", tmp_path_factory.mktemp("fails") / "world", postgres, programs, bootstrap=apache_kafka,
               partitions=PARTITIONS) as world:
        world.start_worker()
        yield world


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, payload):
    """A length-delimited protobuf field, as the wire has it."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def purchase_bytes(member, **fields):
    return events.purchase(member, 10000, **fields).SerializeToString()


def unknown_kind(member):
    envelope = events.purchase(member)
    envelope.ClearField("purchase")
    return envelope.SerializeToString() + field(45, b"\x0a\x03abc")


def two_mib(member):
    envelope = events.purchase(member)
    envelope.attributes["note"] = "x" * (2 << 20)
    return envelope.SerializeToString()


def many_lines(member):
    return events.purchase(member, *[100] * 10000).SerializeToString()


def other_currency(member):
    event = events.purchase(member, 10000)
    event.purchase.currency = "XTS"
    return event.SerializeToString()


# name: what makes the record's value for a member, the reason of its dead letter, what the message has to name
BAD_VALUES = {
    "unknown kind": (unknown_kind, "unknown_kind", ""),
    "cut-off protobuf": (lambda member: purchase_bytes(member)[:-7], "malformed", ""),
    "neither protobuf nor JSON": (lambda member: b"\xff" * 50, "malformed", ""),
    "payload of 2 MiB": (two_mib, "too_large", ""),
    "invalid UTF-8": (lambda member: purchase_bytes(member, channel="abcdef").replace(b"abcdef", b"abc\xff\xfef"),
                      "invalid_text", "channel"),
    "U+0000": (lambda member: purchase_bytes(member, channel="po\0s"), "invalid_text", "channel"),
    "member id too long": (lambda member: purchase_bytes("m" * 65), "invalid_member", "member_id"),
    "member id with a tilde": (lambda member: purchase_bytes("~" + member), "invalid_member", "~"),
    "overflow": (lambda member: events.purchase(member, INT64_MAX, INT64_MAX).SerializeToString(), "overflow", ""),
    "unknown currency": (other_currency, "unknown_currency", "RUB"),
    "total is not the sum of the lines": (lambda member: events.purchase(member, 3000, 4000, total=7001)
                                          .SerializeToString(), "total_differs", "7001"),
    "10,000 lines": (many_lines, "too_large", "lines"),
}


class Watch:
    """What changes in a world from now on."""

    def __init__(self, world):
        self.world = world
        self.totals = world.totals()
        self.letters = len(world.dead_letters())

    def outcomes(self, **expected):
        self.world.wait_drained()
        now = self.world.totals()
        assert {name: now[name] - self.totals[name] for name in OUTCOMES} == {
            name: expected.get(name, 0) for name in OUTCOMES}

    def dead_letters(self, count=1):
        return self.world.wait_for(
            lambda: len(letters := self.world.dead_letters()) >= self.letters + count and letters, "dead letter")


def letter_of(letters, value):
    found = [letter for letter in letters if letter.value() == value]
    assert len(found) == 1, "the dead letter has other bytes than the record"
    return found[0], {name: value.decode() for name, value in found[0].headers() if value is not None}


def good_one(member):
    """A record where it belongs."""
    return {"value": events.purchase(member, 1200000).SerializeToString(), "key": member.encode(),
            "partition": partition_of(member, PARTITIONS)}


def check_next_is_processed(world, member):
    """12,000.00 in shop's currency: 10 points for each full 100.00, held for 14 days."""
    assert world.balance(member) == (0, 1200)


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_bad_record_becomes_a_dead_letter(hotel, name):
    make, reason, detail = BAD_VALUES[name]
    member = next(members)
    k = partition_of(member, PARTITIONS)
    watch = Watch(hotel)
    value = make(member)
    headers = [("trace", b"abc"), ("none", None)]
    hotel.publish({"value": value, "key": member.encode(), "partition": k, "headers": headers}, good_one(member))
    watch.outcomes(rejected=1, applied=1)
    letter, headers = letter_of(watch.dead_letters(), value)
    assert letter.key() == member.encode()
    assert headers["trace"] == "abc" and ("none", None) in letter.headers()
    assert headers[HEADER + "topic"] == hotel.topic["events"]
    assert headers[HEADER + "partition"] == str(k)
    assert headers[HEADER + "offset"].isdigit()
    assert headers[HEADER + "exception.class.name"] == reason
    assert detail in headers[HEADER + "exception.message"]
    check_next_is_processed(hotel, member)


@pytest.mark.parametrize("name", ["no member", "tombstone"])
def test_a_record_for_nobody_is_ignored(hotel, name):
    member = next(members)
    k = partition_of(member, PARTITIONS)
    watch = Watch(hotel)
    value = purchase_bytes(None) if name == "no member" else None
    hotel.publish({"value": value, "key": None if name == "no member" else member.encode(), "partition": k},
                  good_one(member))
    watch.outcomes(ignored=1, applied=1)
    assert len(hotel.dead_letters()) == watch.letters
    check_next_is_processed(hotel, member)


@pytest.mark.parametrize("name", ["wrong key", "right key on the wrong partition"])
def test_a_record_found_elsewhere_is_forwarded(hotel, name):
    member = next(members)
    k = partition_of(member, PARTITIONS)
    elsewhere = (k + 3) % PARTITIONS
    key = member if name.startswith("right") else f"not-{member}"
    watch = Watch(hotel)
    record = {**good_one(member), "key": key.encode(), "partition": elsewhere}
    hotel.publish(record)
    watch.outcomes(forwarded=1, applied=1)
    check_next_is_processed(hotel, member)
    [(topic, part, found_k)] = hotel.query("SELECT topic, part, k FROM journal JOIN member USING (k, n) "
                                           "WHERE member_id = %s", member)
    assert (topic, part, found_k) == (0, elsewhere, k), "the journal names the position where it came in first"
    hotel.publish(record, {**record, "key": member.encode(), "partition": k})
    watch.outcomes(forwarded=2, applied=1, duplicate=2)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_that_nobody_believes_is_judged_as_of_arrival(hotel, year):
    member = next(members)
    watch = Watch(hotel)
    hotel.publish(events.purchase(member, 1200000, at=datetime.datetime(year, 1, 1)))
    watch.outcomes(applied=1)
    check_next_is_processed(hotel, member)
    [(release,)] = hotel.query("SELECT due.at - now() FROM due JOIN member USING (k, n) WHERE member_id = %s", member)
    assert datetime.timedelta(days=13) < release < datetime.timedelta(days=15)


def test_a_time_outside_the_years_is_rejected(hotel):
    member = next(members)
    watch = Watch(hotel)
    event = events.purchase(member)
    event.occurred_at.seconds = 253402300800  # the first second of the year 10000
    hotel.publish(event, events.purchase(member, 1200000))
    watch.outcomes(rejected=1, applied=1)
    _, headers = letter_of(watch.dead_letters(), event.SerializeToString())
    assert headers[HEADER + "exception.class.name"] == "invalid_time"
    check_next_is_processed(hotel, member)


def test_an_event_id_with_other_content_is_rejected(hotel):
    member = next(members)
    watch = Watch(hotel)
    first = events.activity(member, "check_in")
    reused = events.activity(member, "app_install")
    reused.event_id = first.event_id
    hotel.publish(first, first)
    hotel.wait_drained()  # so that the next one meets a row of the journal, not one of its own batch
    hotel.publish(reused, events.purchase(member, 1200000))
    watch.outcomes(applied=2, duplicate=1, rejected=1)
    _, headers = letter_of(watch.dead_letters(), reused.SerializeToString())
    assert headers[HEADER + "exception.class.name"] == "event_id_reused"
    check_next_is_processed(hotel, member)


def test_an_event_id_with_other_content_is_rejected_within_a_batch(hotel):
    member = next(members)
    watch = Watch(hotel)
    order = f"order-of-{member}"
    first = events.purchase(member, 1200000, order=order, event_id=f"one-{member}")
    reused = events.purchase(member, 2400000, order=order, event_id=f"one-{member}")
    second_channel = events.purchase(member, 2400000, order=order, event_id=f"two-{member}", source="web")
    hotel.publish(first, reused, second_channel, first)
    watch.outcomes(applied=1, rejected=1, duplicate=2)
    letter_of(watch.dead_letters(), reused.SerializeToString())
    check_next_is_processed(hotel, member)


def test_after_all_of_that_the_audit_is_clean(hotel):
    hotel.wait_drained()
    hotel.audit()
    assert hotel.totals()["applied"] > 0


# --- what keeps a worker from starting ---------------------------------------------------------------------------


def refusal(world, **settings):
    """What a worker says that has to refuse to start."""
    worker = world.start_worker(ready=False, **settings)
    worker.expected_to_live = False
    code = worker.process.wait(30)
    text = worker.log_text()
    assert code not in (0, None) and code > 0, f"ended with {code}:\n{text}"
    return text


def test_refuses_topics_of_different_partition_counts(new_world):
    world = new_world(topic_partitions={"internal": 4})
    text = refusal(world)
    assert f"{world.topic['internal']} has 4 partitions, not 8" in text


def test_refuses_a_schema_that_is_not_migrated(new_world):
    world = new_world(migrate=False)
    assert "loyalctl migrate up" in refusal(world)
    world.loyalctl("migrate", "up")
    world.publish_programme("shop")
    world.start_worker()
    world.publish(events.purchase("guest", 1200000))
    world.wait_drained()
    check_next_is_processed(world, "guest")


def test_refuses_a_schema_that_is_half_migrated(new_world):
    world = new_world()
    world.loyalctl("migrate", "down")
    assert "loyalctl migrate up" in refusal(world)


@pytest.mark.parametrize("login, words", [("password=wrong", "password authentication failed"),
                                          ("user=nobody-of-this-name password=x", "nobody-of-this-name")])
def test_refuses_to_wait_where_its_login_is_refused(new_world, postgres, login, words):
    """A wrong password at the start will not get better by waiting."""
    world = new_world()
    world.postgres.psql(f"CREATE ROLE {world.id} LOGIN PASSWORD 'another' IN ROLE loyald_worker", "postgres")
    started = time.monotonic()
    text = refusal(world, postgres=f"host=127.0.0.1 port={postgres.port} dbname={world.id} user={world.id} {login}")
    assert words in text and "password=" not in text
    assert time.monotonic() - started < 15, "it waited as for an outage, which is 30 s"


def test_a_password_that_changes_while_working_is_an_outage(new_world, postgres):
    """One that is changed in the wrong order delays events: the worker says so, and waits."""
    world = new_world()
    password = "open-sesame"
    world.postgres.psql(f"CREATE ROLE {world.id} LOGIN PASSWORD '{password}' IN ROLE loyald_worker", "postgres")
    dsn = f"host=127.0.0.1 port={postgres.port} user={world.id} dbname={world.id} password={password}"
    worker = world.start_worker(postgres=dsn)
    world.postgres.psql(f"ALTER ROLE {world.id} PASSWORD 'another'", "postgres")
    world.postgres.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{world.id}'", "postgres")
    world.publish(events.purchase("guest", 1200000))
    world.wait_for(lambda: "password authentication failed" in worker.log_text(), "word of the password")
    world.postgres.psql(f"ALTER ROLE {world.id} PASSWORD '{password}'", "postgres")
    world.wait_drained()
    check_next_is_processed(world, "guest")
    assert password not in worker.log_text(), "a log line holds the password"


def test_refuses_an_installation_that_is_another_one(new_world):
    world = new_world()
    world.start_worker().stop()
    text = refusal(world, group="somebody-else")
    assert "somebody-else" in text and world.id in text


def test_refuses_a_setting_that_does_not_exist(new_world):
    world = new_world()
    text = refusal(world, kafka_borkers="localhost:9092")
    assert "KAFKA_BORKERS" in text.upper() and "KAFKA_BROKERS" in text.upper()
