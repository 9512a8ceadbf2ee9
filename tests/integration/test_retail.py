"""Real input: a year of 22,246 receipts through the broker, against results of an engine that is not ours."""
import collections
import random
import threading

import pytest

from support import retail

RECEIPTS_OF_MEMBERS = 18536  # four of them of zero: they earn nothing and are not rejected
RECEIPTS_OF_NOBODY = 3710
POINTS_PRORATA = 882061
POINTS_FULL_STEPS = 807000
POINTS_WITHOUT_SERVICES = 867070
POINTS_CAPPED = 635239
SERVICES = ("POST", "D", "M", "BANK CHARGES", "DOT", "CRUK", "PADS", "C2")


@pytest.fixture(scope="module")
def receipts(shared):
    events = retail.purchases(shared)
    nobody = sum(not event.member_id for event in events)
    assert (len(events) - nobody, nobody) == (RECEIPTS_OF_MEMBERS, RECEIPTS_OF_NOBODY)
    return events


@pytest.fixture
def retail_world(new_world):
    def make(programme="retail_prorata"):
        return new_world(programme=programme, historical_sources="retail", partitions=16)
    return make


def points(world):
    return dict(world.query("SELECT member_id, available FROM balance WHERE wallet = 'points'"))


def by_rule(receipts, rule):
    """The naive answer: for rules that the shared data has a sum for, but no figures member by member."""
    sums = collections.Counter()
    for event in receipts:
        if event.member_id:
            sums[event.member_id] += rule(event.purchase.lines)
    return dict(sums)


def check(world, expected, copies=1):
    """Every member's points, what became of every record, and the audit of the whole."""
    world.wait_drained()
    world.outcomes(applied=RECEIPTS_OF_MEMBERS, ignored=RECEIPTS_OF_NOBODY * copies,
                   duplicate=RECEIPTS_OF_MEMBERS * (copies - 1))
    got = points(world)
    wrong = {member: (got.get(member), want) for member, want in expected.items() if got.get(member) != want}
    assert not wrong, f"{len(wrong)} members differ (found, expected): {dict(list(wrong.items())[:5])}"
    assert all(got[member] == 0 for member in got.keys() - expected.keys())
    assert world.dead_letters() == []
    world.audit()


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_points_of_every_member(retail_world, receipts, shared, workers):
    expected = retail.expected(shared)
    assert sum(expected.values()) == POINTS_PRORATA
    world = retail_world()
    world.start_workers(workers)
    world.publish(*receipts)
    check(world, expected)
    assert sum(points(world).values()) == POINTS_PRORATA


def test_the_whole_file_twice(retail_world, receipts, shared):
    world = retail_world()
    world.start_workers(2)
    world.publish(*receipts)
    world.publish(*receipts)
    check(world, retail.expected(shared), copies=2)


def test_a_worker_killed_ten_times(retail_world, receipts, shared):
    """Two workers; one of them dies by SIGKILL at ten moments and comes back each time."""
    world = retail_world()
    world.start_worker()
    stop, kills = threading.Event(), []
    seeded = random.Random(20101201)

    def kill_and_start_again():
        while not stop.is_set() and len(kills) < 10:
            worker = world.start_worker(ready=False)
            stop.wait(seeded.uniform(0.3, 1.5))
            worker.kill()
            kills.append(worker.process.returncode)

    killer = threading.Thread(target=kill_and_start_again)
    killer.start()
    try:
        step = len(receipts) // 10 + 1
        for start in range(0, len(receipts), step):
            world.publish(*receipts[start:start + step])
            done = min(start // step + 1, 10)
            world.wait_for(lambda: len(kills) >= done, f"kill number {done}", 60)
    finally:
        stop.set()
        killer.join()
    assert kills == [-9] * 10
    check(world, retail.expected(shared))


def test_full_hundreds(retail_world, receipts):
    expected = by_rule(receipts, lambda lines: 10 * (sum(line.amount_minor for line in lines) // 100000))
    assert sum(expected.values()) == POINTS_FULL_STEPS
    world = retail_world("retail_full_steps")
    world.start_workers(2)
    world.publish(*receipts)
    check(world, expected)


def test_service_codes_earn_nothing(retail_world, receipts):
    expected = by_rule(receipts, lambda lines: sum(line.amount_minor for line in lines
                                                   if line.sku not in SERVICES) // 10000)
    assert sum(expected.values()) == POINTS_WITHOUT_SERVICES
    world = retail_world("retail_without_services")
    world.start_workers(2)
    world.publish(*receipts)
    check(world, expected)


def test_at_most_a_hundred_points_a_day(retail_world, receipts):
    days = collections.Counter()
    for event in receipts:
        if event.member_id:
            days[event.member_id, event.occurred_at.ToDatetime().date()] += event.purchase.total_minor // 10000
    expected = collections.Counter()
    for (member, _), earned in days.items():
        expected[member] += min(earned, 100)
    assert expected.total() == POINTS_CAPPED
    world = retail_world("retail_daily_cap")
    world.start_workers(2)
    world.publish(*receipts)
    check(world, expected)


def test_who_comes_back_after_four_months(retail_world, receipts):
    world = retail_world("retail_win_back")
    world.start_workers(2)
    world.publish(*receipts)
    world.wait_drained()
    found = world.query("SELECT wallet, sum(available), count(*) FILTER (WHERE available > 0) FROM balance GROUP BY wallet")
    assert {wallet: int(purchases) for wallet, purchases, _ in found} == {"days": 1054, "months": 1027}
    assert dict((wallet, members) for wallet, _, members in found)["days"] == 1001
    world.audit()


def test_updates_tell_the_same_as_the_ledger(retail_world, receipts):
    """A subscriber who keeps the highest version of each member has every balance, and saw versions 1, 2, 3 …"""
    world = retail_world()
    world.start_workers(2)
    world.publish(*receipts[:4000])
    world.wait_drained()
    balances = {member: (available, version) for member, available, version in
                world.query("SELECT member_id, available, version FROM balance WHERE version > 0")}
    seen = collections.defaultdict(set)
    latest = {}

    def all_there():
        for update in world.updates():
            seen[update.member_id].add(update.version)
            if update.version == max(seen[update.member_id]):
                latest[update.member_id] = (update.balance.wallets[0].available, update.version)
        return latest == balances
    world.wait_for(all_there, "complete set of updates")
    assert all(versions == set(range(1, len(versions) + 1)) for versions in seen.values())
