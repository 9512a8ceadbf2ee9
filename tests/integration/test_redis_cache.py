"""Redis decides nothing: whatever happens to it, the ledger is the same; and what it shows to others is right."""
import base64
import json
import os
import re
import signal
import subprocess
import time

import pytest
import redis

from support import events

MEMBERS = 60


def purchases(world, rounds, amount=10000):
    return [events.purchase(f"m-{number}", amount, order=f"{world.id}-{rounds}-{number}", event_id=f"{rounds}-{number}")
            for number in range(MEMBERS)]


@pytest.fixture
def client(world):
    """The test's own connection."""
    return redis.Redis(unix_socket_path=world.redis.path) if world.redis.path else redis.Redis(port=world.redis.port)


def incarnation(world):
    return world.query("SELECT incarnation FROM installation")[0][0]


def key(world, member):
    return f"loyald:{incarnation(world)}:member:{member}"


def row_of(client, name):
    """loyald's own part of a value."""
    text = json.loads(client.get(name))["loyald"]
    return base64.b64decode(text + "=" * (-len(text) % 4))


def put_row(client, name, row):
    value = {**json.loads(client.get(name)), "loyald": base64.b64encode(row).decode().rstrip("=")}
    client.set(name, json.dumps(value, separators=(",", ":")))


def metric(worker, name):
    return float(re.search(rf"^{name} (\S+)$", worker.get("/metrics")[1], re.M).group(1))


def check(world, rounds):
    world.wait_drained()
    world.outcomes(applied=MEMBERS * rounds)
    assert world.dead_letters() == []
    rows = world.query("SELECT count(*), min(pending), max(pending) FROM balance")
    assert rows[0][0] == MEMBERS and rows[0][1] == rows[0][2], "members with equal purchases have equal points"
    versions = world.query("SELECT min(version), max(version), min(seq), max(seq) FROM member")
    assert versions == [(rounds,) * 4]
    world.audit()


def publish(world, rounds):
    world.publish(*purchases(world, rounds))
    world.wait_drained()


def fresh_worker(world, **settings):
    """Without anything in its own cache: what it does not find in Redis it reads from PostgreSQL."""
    return world.start_worker(cache_mb=0, **settings)


def test_the_contract_holds_on_redis_and_on_the_simulated_cache(programs):
    done = subprocess.run([programs / "tests" / "contract" / "cache_redis"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_other_services_read_the_latest_balance(world, client):
    worker = world.start_worker(redis_ttl_hours=168)
    publish(world, 1)
    publish(world, 2)
    world.wait_for(lambda: metric(worker, "loyald_redis_rows_written_total") == 2 * MEMBERS, "write of all balances")
    latest = {update.member_id: update for update in world.updates()}
    for number in range(MEMBERS):
        balance = json.loads(client.get(key(world, f"m-{number}")))
        assert balance["member_id"] == f"m-{number}"
        assert int(balance["version"]) == 2 == latest[f"m-{number}"].version
        assert int(balance["incarnation"]) == incarnation(world)
        assert 167 * 3600 < client.ttl(key(world, f"m-{number}")) <= 168 * 3600
    check(world, 2)


def test_a_worker_without_accounts_of_its_own_finds_them_in_redis(world):
    publish_with = fresh_worker(world)
    publish(world, 1)
    world.wait_for(lambda: metric(publish_with, "loyald_redis_rows_written_total") == MEMBERS, "writes")
    publish(world, 2)
    assert metric(publish_with, "loyald_account_redis_hits_total") >= MEMBERS
    check(world, 2)


def scribble(client, world, poison):
    for number in range(MEMBERS):
        poison(client, key(world, f"m-{number}"), key(world, f"m-{(number + 1) % MEMBERS}"))


def swapped(client, mine, other):
    put_row(client, mine, row_of(client, other))


def garbage(client, mine, _):
    put_row(client, mine, os.urandom(300))


def cut(client, mine, _):
    put_row(client, mine, row_of(client, mine)[:-1])


def one_bit(client, mine, _):
    row = bytearray(row_of(client, mine))
    row[-1] ^= 1
    put_row(client, mine, bytes(row))


def other_type(client, mine, _):
    client.delete(mine)
    client.lpush(mine, "x")


def oversized(client, mine, _):
    put_row(client, mine, b"x" * 100000)


def test_wrong_values_of_the_right_version(world, client):
    worker = fresh_worker(world)
    publish(world, 1)
    rounds = 1
    for poison in (swapped, garbage, cut, one_bit, other_type, oversized):
        world.wait_for(lambda: metric(worker, "loyald_redis_rows_written_total") == rounds * MEMBERS, "writes")
        refused = metric(worker, "loyald_redis_rows_refused_total")
        scribble(client, world, poison)
        rounds += 1
        publish(world, rounds)
        assert metric(worker, "loyald_redis_rows_refused_total") >= refused + MEMBERS, poison.__name__
        assert metric(worker, "loyald_guard_member_total") == 0, poison.__name__
    check(world, rounds)


def test_old_rows_put_back(world, client):
    """As a replica that was behind: rows that are well-formed, of the right member, and out of date."""
    worker = fresh_worker(world)
    publish(world, 1)
    world.wait_for(lambda: metric(worker, "loyald_redis_rows_written_total") == MEMBERS, "writes")
    old = {number: row_of(client, key(world, f"m-{number}")) for number in range(MEMBERS)}
    publish(world, 2)
    world.wait_for(lambda: metric(worker, "loyald_redis_rows_written_total") == 2 * MEMBERS, "writes")
    for number, row in old.items():
        put_row(client, key(world, f"m-{number}"), row)
    publish(world, 3)
    assert metric(worker, "loyald_guard_member_total") > 0, "the stale rows were used and refused by the guard"
    check(world, 3)


def forgetful(world, client):
    client.flushall()


def killed(world, client):
    world.redis.kill()


def killed_and_back(world, client):
    world.redis.kill()
    world.redis.start()


def stalled(world, client):
    world.redis.process.send_signal(signal.SIGSTOP)


def password_set(world, client):
    client.config_set("requirepass", "hush")
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def full(world, client):
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)


@pytest.mark.parametrize("harm", [forgetful, killed, killed_and_back, stalled, password_set, full])
def test_redis_is_harmed_in_the_middle(world, client, harm):
    fresh_worker(world)
    publish(world, 1)
    harm(world, client)
    started = time.monotonic()
    for rounds in range(2, 8):
        publish(world, rounds)
    # Rounds with a dead Redis wait for it once or twice, not in each of their batches.
    assert time.monotonic() - started < 10
    if harm is stalled:
        world.redis.process.send_signal(signal.SIGCONT)
    check(world, 7)


def test_a_worker_starts_without_redis_and_finds_it_later(world):
    world.redis.kill()
    worker = fresh_worker(world)
    publish(world, 1)
    assert "redis_unavailable" in worker.log_text()
    assert metric(worker, "loyald_redis_connections") == 0
    world.redis.start()
    rounds = 1
    deadline = time.monotonic() + 60
    while metric(worker, "loyald_redis_rows_written_total") == 0:
        assert time.monotonic() < deadline
        rounds += 1
        publish(world, rounds)
        time.sleep(0.5)
    check(world, rounds)


@pytest.mark.parametrize("url, words", [("localhost:6379", "redis://"), ("redis://h/x", "redis://[user:password@]host")])
def test_an_address_that_cannot_work_stops_the_start(new_world, url, words):
    world = new_world(redis=False)
    worker = world.start_worker(ready=False, redis=url)
    worker.expected_to_live = False
    world.wait_for(lambda: not worker.running(), "end of the worker")
    assert worker.process.returncode != 0
    assert words in worker.log_text()


def test_without_redis_the_ledger_is_the_same(new_world):
    """The same events, with Redis and without: the same entries, states and versions, byte for byte."""
    ledgers = []
    for has_redis in (True, False):
        world = new_world(redis=has_redis)
        fresh_worker(world)
        for rounds in range(1, 4):
            batch = [events.purchase(f"m-{number}", 12345 + rounds, order=f"o-{rounds}-{number}",
                                     event_id=f"{rounds}-{number}") for number in range(MEMBERS)]
            for event in batch:
                event.occurred_at.FromSeconds(int(time.time()) - 3600)
            world.publish(*batch)
            world.wait_drained()
        ledgers.append(world.query("SELECT member_id, seq, version, available, pending, reserved FROM member "
                                   "ORDER BY member_id"))
    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0]) == MEMBERS
