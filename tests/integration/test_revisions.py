"""Published revisions: a worker waits for the first, takes later ones up without a restart, and decides each event by
the one in force when it occurred."""
import datetime
import itertools
import shutil
import subprocess
import threading
import time

import psycopg
from support.events import purchase

SHOP = """programme: shop
currency: RUB
wallets:
  points: {}
earning:
  - {id: base, trigger: purchase, reward: {points: %d, per: 100}}
"""
WRONG_REVISION = """SELECT count(*) FROM journal j WHERE j.revision <>
  (SELECT max(number) FROM programme_revision r WHERE r.from_at <= j.occurred_at)"""


def shop(tmp_path, points):
    """A programme file that gives so many points per 100.00."""
    path = tmp_path / f"shop{points}.yaml"
    path.write_text(SHOP % points)
    return path


def not_ready(worker):
    """What /readyz says is missing; "" when nothing is."""
    status, text = worker.get("/readyz")
    return "" if status == 200 else text


def test_a_worker_waits_for_the_first_programme_and_says_so(new_world):
    world = new_world(programme=None, partitions=2)
    worker = world.start_worker(ready=False)
    world.publish(purchase("waiting", 125000), drain=False)
    world.wait_for(lambda: "loyalctl programme publish" in not_ready(worker), "word of the missing programme")
    assert worker.running() and world.balance("waiting") is None
    world.publish_programme("shop")
    world.wait_drained()
    assert world.balance("waiting") == (0, 120)
    assert world.query("SELECT revision, count(*) FROM journal GROUP BY 1") == [(1, 1)]
    world.wait_for(lambda: not_ready(worker) == "", "readiness")
    assert "event=waiting_for_programme" in worker.log_text()
    world.audit()


def by_revision(world):
    return dict(world.query("SELECT revision, count(*) FROM journal GROUP BY 1"))


def test_a_revision_is_taken_up_under_load_without_a_restart(new_world, tmp_path):
    world = new_world(programme=shop(tmp_path, 10), partitions=8)
    workers = world.start_workers(2)
    stop = threading.Event()

    def buy():
        for number in itertools.count():
            if stop.is_set():
                return
            world.produce("events", **world.record(purchase(f"m{number % 50}", 10000)))
            time.sleep(0.004)

    buyer = threading.Thread(target=buy)
    buyer.start()
    try:
        world.wait_for(lambda: sum(by_revision(world).values()) > 300, "purchases under revision 1")
        epochs = world.query("SELECT k, epoch FROM partition ORDER BY k")
        world.publish_programme(shop(tmp_path, 20))
        world.wait_for(lambda: by_revision(world).get(2, 0) > 300, "purchases under revision 2")
        world.loyalctl("programme", "rollback", "1", "--author", "test", "--reason", "too dear")
        world.wait_for(lambda: by_revision(world).get(3, 0) > 300, "purchases under revision 3")
    finally:
        stop.set()
        buyer.join()
        world.producer.flush(30)
    world.wait_drained()
    assert world.query(WRONG_REVISION) == [(0,)]
    counts = by_revision(world)
    assert set(counts) == {1, 2, 3} and world.totals()["rejected"] == 0
    assert world.query("SELECT sum(available) FROM balance") == [(10 * counts[1] + 20 * counts[2] + 10 * counts[3],)]
    assert all(worker.running() for worker in workers)
    world.audit()


def test_a_batch_waits_for_a_publication_under_way_and_is_decided_by_it(new_world, tmp_path):
    world = new_world(programme=shop(tmp_path, 10), partitions=2)
    world.start_worker()
    with psycopg.connect(world.conninfo()) as publisher:
        assert publisher.execute("SELECT next_revision()").fetchone() == (2,)
        publisher.execute("INSERT INTO programme_revision (number, from_at, programme, author, reason) "
                          "VALUES (2, clock_timestamp(), %s, 'test', 'by hand')", [SHOP % 20])
        world.publish(purchase("between", 10000), drain=False)
        world.wait_for(lambda: world.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                           "AND query LIKE '%no_newer_revision%' AND datname = current_database()"),
                       "commit that waits")
        assert by_revision(world) == {}
    world.wait_drained()
    assert by_revision(world) == {2: 1} and world.balance("between") == (20, 0)
    world.audit()


def test_a_publication_waits_for_the_batches_under_way(new_world, tmp_path):
    world = new_world(programme=shop(tmp_path, 10), partitions=2)
    world.start_worker()
    with psycopg.connect(world.conninfo()) as other:
        other.execute("LOCK TABLE journal IN SHARE MODE")  # the batch has asked for the revision and stops there
        world.publish(purchase("between", 10000), drain=False)
        world.wait_for(lambda: world.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                           "AND query LIKE '%add_journal%' AND datname = current_database()"),
                       "batch under way")
        publish = subprocess.Popen([str(world.programs / "loyalctl"), "programme", "publish", shop(tmp_path, 20),
                                    "--author", "test", "--reason", "test"], env=world.env())
        time.sleep(2)
        assert publish.poll() is None
        assert world.query("SELECT count(*) FROM programme_revision") == [(1,)]
    assert publish.wait(30) == 0
    world.wait_drained()
    assert by_revision(world) == {1: 1} and world.query(WRONG_REVISION) == [(0,)]
    world.publish(purchase("after", 10000))
    world.wait_drained()
    assert by_revision(world) == {1: 1, 2: 1}


def test_a_revision_that_cannot_be_run_here_stops_only_what_it_concerns(new_world, tmp_path):
    world = new_world(programme=shop(tmp_path, 10), partitions=2)
    worker = world.start_worker()
    insert = ("INSERT INTO programme_revision (number, from_at, programme, author, reason) "
              "VALUES (%s, %s::timestamptz, 'programme: of_tomorrow', 'test', 'a newer loyalctl') RETURNING "
              """to_char(from_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""")
    world.query(insert, 2, "2100-01-01T00:00:00Z")
    world.wait_for(lambda: "revision 2 cannot be run" in not_ready(worker), "word of the revision")
    world.publish(purchase("before", 10000))
    world.wait_drained()
    assert by_revision(world) == {1: 1}
    [(since,)] = world.query(insert, 3, "now")
    world.publish(purchase("after", 10000), drain=False)
    world.wait_for(lambda: "event=revision_wanted" in worker.log_text(), "worker that waits")
    time.sleep(1)
    assert worker.running() and by_revision(world) == {1: 1}
    world.publish_programme(shop(tmp_path, 20), "--from", since)
    world.wait_drained()
    assert by_revision(world) == {1: 1, 4: 1}
    world.wait_for(lambda: not_ready(worker) == "", "readiness")
    world.audit()


HOURS = """programme: hours
time_zone: Europe/Moscow
currency: RUB
wallets:
  points: {}
earning:
  - {id: here, trigger: purchase, when: "event.hour == 15", reward: {points: 1}}
  - {id: there, trigger: purchase, when: "event.at.getHours('Asia/Tokyo') == 21", reward: {points: 10}}
"""


def test_workers_decide_by_the_zones_of_the_publication_and_not_by_their_own(new_world, tmp_path):
    path = tmp_path / "hours.yaml"
    path.write_text(HOURS)
    world = new_world(programme=path, partitions=2)
    elsewhere = tmp_path / "zoneinfo"
    for name in ("Europe/Moscow", "Asia/Tokyo"):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/usr/share/zoneinfo/Pacific/Auckland", elsewhere / name)
    noon = datetime.datetime.now(datetime.timezone.utc).replace(hour=12, minute=0) - datetime.timedelta(days=2)

    def worker_at(zoneinfo, member):
        worker = world.start_worker(environment={"TZDIR": str(zoneinfo)})
        world.publish(purchase(member, 10000, at=noon))
        world.wait_drained()
        worker.stop()
        return world.balance(member), worker.log_text()

    [(zones,)] = world.query("SELECT zones FROM programme_revision")
    assert [line.split()[0] for line in zones.splitlines()] == ["Europe/Moscow", "Asia/Tokyo"]
    for zoneinfo in elsewhere, tmp_path / "nothing":  # another database, and none at all
        balance, log = worker_at(zoneinfo, zoneinfo.name)
        assert balance == (11, 0) and "zones_not_frozen" not in log
    world.query("UPDATE programme_revision SET zones = NULL RETURNING 1")  # as an older loyalctl left it
    balance, log = worker_at(elsewhere, "older")
    assert balance is None or balance == (0, 0), "the other database makes no difference: this test shows nothing"
    assert "event=zones_not_frozen" in log and "revision=1" in log
    world.audit()
