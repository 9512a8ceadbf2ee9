"""A worker from its start to its stop, and what it shows of itself."""
import datetime
import re
import signal
import threading
import time

from support import events
from support.world import newest


def sample(text, name):
    """The sum of a metric over its labels."""
    values = re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.MULTILINE)
    assert values, f"{name} is not on the page"
    return sum(float(value) for value in values)


def purchases(count, prefix, members=50, amount=30000):
    return [events.purchase(f"{prefix}-{number % members}", amount) for number in range(count)]


def test_stops_in_time_and_loses_nothing(new_world):
    world = new_world()
    published, left = 0, []
    for _ in range(3):
        worker = world.start_worker()
        worker.expected_to_live = False
        stopping = threading.Timer(0.3, worker.process.send_signal, [signal.SIGTERM])
        stopping.start()
        world.publish(*purchases(4000, "m"), drain=False)  # SIGTERM comes into it
        published += 4000
        stopping.join()
        started = time.monotonic()
        assert worker.process.wait(15) == 0, worker.log_text()
        assert time.monotonic() - started < 10
        left.append(world.lag())
    assert any(left), "it was never stopped in the middle of its work"
    world.start_worker()
    world.wait_drained()
    world.outcomes(applied=published)
    world.audit()


def test_shows_what_the_database_says(new_world):
    world = new_world()
    worker = world.start_worker()
    assert worker.get("/livez")[0] == 200
    good = purchases(500, "m")
    world.publish(*good, *good[:50], {"value": b"\xff", "key": b"m-1"}, {"value": None, "key": b"m-2"})
    world.wait_drained()
    world.outcomes(applied=500, duplicate=50, rejected=1, ignored=1)

    def shown():
        page = worker.get("/metrics")[1]
        return {name: int(sample(page, f"loyald_events_{name}_total"))
                for name in ("applied", "duplicate", "ignored", "forwarded", "rejected")}
    expected = {"applied": 500, "duplicate": 50, "ignored": 1, "forwarded": 0, "rejected": 1}
    world.wait_for(lambda: shown() == expected, f"metrics {expected}; they are {shown()}", 10)
    page = worker.get("/metrics")[1]
    assert sample(page, "loyald_event_latency_seconds_count") >= 500
    assert sample(page, "loyald_publish_seconds_count") > 0
    assert all(line.startswith("#") or re.fullmatch(r"[a-z_]+(\{[^}]*\})? [0-9.e+-]+|.*\+Inf.*", line)
               for line in page.splitlines() if line)


def test_not_ready_without_its_database(new_world, postgres):
    world = new_world()
    worker = world.start_worker()
    world.postgres.psql(f"ALTER DATABASE {world.id} ALLOW_CONNECTIONS false", "postgres")
    world.cut_connections()
    world.publish(*purchases(10, "m"), drain=False)
    world.wait_for(lambda: worker.get("/readyz")[0] == 503, "503 of /readyz")
    assert worker.get("/livez")[0] == 200, "an outage is no reason to be restarted"
    world.postgres.psql(f"ALTER DATABASE {world.id} ALLOW_CONNECTIONS true", "postgres")
    world.wait_for(lambda: worker.get("/readyz")[0] == 200, "200 of /readyz", 60)
    world.reconnect()
    world.wait_drained()
    world.outcomes(applied=10)


def test_its_log_names_no_member(new_world):
    world = new_world()
    worker = world.start_worker(log_level="debug")
    world.publish(*purchases(100, "somebody", amount=777777), {"value": b"\xff", "key": b"somebody-1"})
    world.wait_drained()
    worker.stop()
    log = worker.log_text()
    assert log and "somebody" not in log and "777777" not in log


def test_json_in_json_out(new_world):
    world = new_world(output_format="json")
    world.start_worker()
    text = ('{"eventId": "e1", "source": "web", "memberId": "m-1", "occurredAt": "2026-01-01T00:00:00Z", '
            '"purchase": {"orderId": "o1", "lines": [{"sku": "tea", "amountMinor": "1200000"}]}}')
    names = text.replace("eventId", "event_id").replace("memberId", "member_id").replace("occurredAt", "occurred_at") \
        .replace("orderId", "order_id").replace("amountMinor", "amount_minor")
    world.publish({"value": text.encode(), "key": b"m-1"}, {"value": names.encode(), "key": b"m-1"})
    world.wait_drained()
    world.outcomes(applied=1, duplicate=1)
    [message] = world.wait_for(lambda: world.read("updates"), "balance update")
    assert message.key() == b"m-1"
    assert b'"member_id":"m-1"' in message.value().replace(b" ", b"")


def test_kinds_whose_effects_come_later_are_applied_without_effect(world):
    world.start_worker()
    joined = events.activity("m-1", "joined")
    joined.ClearField("activity")
    joined.member_change.joined.SetInParent()
    world.publish(events.activity("m-1"), joined)
    world.wait_drained()
    world.outcomes(applied=2)
    assert world.query("SELECT seq, version FROM member") == [(2, 0)]
    assert world.updates() == []


def test_unknown_members_may_be_refused(new_world):
    world = new_world(enrol="false")
    world.start_worker()
    world.publish(events.purchase("stranger", 30000))
    world.wait_drained()
    world.outcomes(rejected=1)
    [letter] = world.wait_for(world.dead_letters, "dead letter")
    assert dict(letter.headers())["__connect.errors.exception.class.name"] == b"unknown_member"
    assert world.query("SELECT count(*) FROM member") == [(0,)]


def test_every_member_has_an_update_of_the_last_version(world):
    world.start_workers(2)
    world.publish(*purchases(2000, "m"))
    world.wait_drained()
    balances = {member: (pending, version) for member, pending, version in
                world.query("SELECT member_id, pending, version FROM balance")}

    def told():
        return {member: (update.balance.wallets[0].pending, update.version)
                for member, update in newest(world.updates()).items()}
    world.wait_for(lambda: told() == balances, "updates that agree with the balances")
    compacted = {message.key().decode() for message in world.read("balances")}
    assert compacted == set(balances)


def test_what_the_read_model_says(world):
    """Redis has each member's latest balance as JSON, for other services (docs/redis.md)."""
    world.start_worker()
    world.publish(*purchases(200, "m", members=20))
    world.wait_drained()
    for member, pending in world.query("SELECT member_id, pending FROM balance"):
        key = f"loyald:1:member:{member}"
        world.wait_for(lambda: f'"pending":"{pending}"' in world.redis.command("GET", key).replace(" ", ""),
                       f"balance {pending} of {member} in Redis", 5)


def test_a_card_that_everybody_uses_loses_no_point(new_world):
    """5,000 purchases of one member, pending for 14 days, each from another second: more than a state can tell apart."""
    world = new_world()
    world.start_worker()
    begin = datetime.datetime.utcnow() - datetime.timedelta(days=13)
    world.publish(*(events.purchase("house-card", 30000, at=begin + datetime.timedelta(seconds=220 * number))
                    for number in range(5000)))
    world.wait_drained()
    world.outcomes(applied=5000)
    assert world.query("SELECT available, pending FROM balance") == [(0, 150000)]
    [(bytes_kept, joins)] = world.query(
        "SELECT (SELECT octet_length(state) FROM member), (SELECT count(*) FROM ledger WHERE entry = 'join_pending')")
    assert bytes_kept <= 4096 and joins > 4000
    world.audit()
    for update in world.updates():
        assert {change.entry for change in update.balance.changes} == {"earn_pending"}
