"""A record that is the end of its workers: it is marked before it is worked, stops its partition and no other, and a
person says what becomes of it. What ends the workers here is kill -9, while a lock keeps the record's commit open."""
import contextlib
import json
import re

import psycopg

from support import events
from support.murmur2 import partition_of

PARTITIONS = 8
ATTEMPTS = 3  # acquires at unchanged offsets, from which on records are worked alone
WORKERS = 3   # that one record ends before its partition stops


@contextlib.contextmanager
def journal_locked(world):
    """Until then no event can be committed."""
    with psycopg.connect(world.conninfo()) as other:
        other.execute("LOCK TABLE journal IN SHARE MODE")
        yield
        # What the dead have submitted would be committed else.
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                      "AND pid NOT IN (%s, %s)", (other.info.backend_pid, world.db.info.backend_pid))
        other.rollback()


def row(world, k):
    return world.query("SELECT alone, alone_topic, alone_offset, attempts FROM partition WHERE k = %s", k)[0]


def listed(world):
    return {one["partition"]: one for one in json.loads(world.loyalctl("partition", "list", "--json").stdout)}


def stopped_partition(world, event):
    """A world in which the event has ended three workers; the partition's number."""
    k = partition_of(event.member_id, PARTITIONS)
    first = world.start_worker(threads=1)
    first.stop()
    # The workers that end with whole batches, before anybody suspects the record, would only take time here.
    world.db.execute("UPDATE partition SET attempts = %s WHERE k = %s", (ATTEMPTS, k))
    world.publish(event)
    with journal_locked(world):
        for workers in range(1, WORKERS + 1):
            victim = world.start_worker(threads=1)
            world.wait_for(lambda: row(world, k)[0] == workers, f"mark number {workers}")
            victim.kill()
    return k


def gauge(worker, name):
    return int(re.search(rf"^{name} (\d+)$", worker.get("/metrics")[1], re.M).group(1))


def test_a_record_that_ends_workers_stops_its_partition_until_it_is_skipped(new_world):
    world = new_world(partitions=PARTITIONS)
    guilty, after = events.purchase("anna", 50000), events.purchase("anna", 30000)
    k = stopped_partition(world, guilty)
    others = [events.purchase(f"m-{number}", 10000) for number in range(40)]
    others = [event for event in others if partition_of(event.member_id, PARTITIONS) != k]

    worker = world.start_worker()
    world.publish(after, *others)
    world.wait_for(lambda: world.totals()["applied"] == len(others), "work on the other partitions")
    assert row(world, k)[:3] == (WORKERS, 0, 0)
    assert gauge(worker, "loyald_partitions_stopped") == 1
    assert gauge(worker, "loyald_partitions_owned") == PARTITIONS - 1
    said = re.findall(r"partition_stopped owner=(\S+)", worker.log_text())
    assert said and len(said) == len(set(said)), "each thread that had it says so, once"
    assert f"loyalctl partition skip {k} --yes" in worker.log_text()
    shown = listed(world)
    assert [one for one in shown.values() if one["state"] == "stopped"] == [shown[k]]
    assert (shown[k]["topic"], shown[k]["offset"]) == (world.topic["events"], 0)

    assert world.loyalctl("partition", "skip", str(k), check=False).returncode == 2  # without --yes
    assert world.loyalctl("partition", "skip", str((k + 1) % PARTITIONS), "--yes", check=False).returncode == 1
    assert row(world, k)[0] == WORKERS
    world.loyalctl("partition", "skip", str(k), "--yes")
    world.wait_drained(30)
    world.outcomes(applied=len(others) + 1, rejected=1)
    letter, = world.dead_letters()
    assert letter.value() == guilty.SerializeToString()
    assert dict(letter.headers())["__connect.errors.exception.message"] == b"skipped by an operator"
    assert listed(world)[k]["state"] == "fine"
    assert gauge(worker, "loyald_partitions_stopped") == 0
    world.audit()


def test_retry_works_the_record_after_a_repair(new_world):
    world = new_world(partitions=PARTITIONS)
    k = partition_of("anna", PARTITIONS)
    world.start_worker().stop()
    world.db.execute("UPDATE partition SET alone = %s WHERE k = %s", (WORKERS, k))
    world.publish(events.purchase("anna", 50000))
    worker = world.start_worker()
    world.wait_for(lambda: gauge(worker, "loyald_partitions_stopped") == 1, "stop")
    world.loyalctl("partition", "retry", str(k), "--yes")
    world.wait_drained(30)
    world.outcomes(applied=1)
    assert row(world, k)[0] == 0
    world.audit()
