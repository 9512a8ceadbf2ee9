"""What time alone changes: loyald-scheduler sends a tick, the worker books what is due, subscribers hear of it."""
import datetime
import os
import re

import pytest

import services
from support.events import purchase


def start_scheduler(world, **settings):
    program = services.Program(world.folder, f"scheduler{len(world.running)}",
                               [os.path.join(world.programs, "loyald-scheduler")], world.env(scan_interval_ms=100, **settings))
    world.running.append(program)
    program.start()
    return program


def metric(program, name):
    return int(re.search(rf"^{name} (\d+)$", program.get("/metrics")[1], re.M).group(1))


def days_ago(days):
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)


@pytest.mark.parametrize("schedulers", [1, 2])
def test_pending_points_are_released_where_no_event_comes(new_world, schedulers):
    world = new_world(historical_sources="import", partitions=4)
    world.start_worker()
    members = [f"quiet-{number}" for number in range(20)]
    world.publish(*[purchase(member, 100000, source="import", at=days_ago(15)) for member in members],
                  purchase("recent", 100000))
    world.wait_drained()
    assert {world.balance(member) for member in [*members, "recent"]} == {(0, 100)}
    for _ in range(schedulers):
        start_scheduler(world)
    world.wait_for(lambda: {world.balance(member) for member in members} == {(100, 0)}, "release of what is due")
    world.wait_drained()
    assert world.balance("recent") == (0, 100)
    assert world.query("SELECT count(*) FROM due") == [(1,)]
    world.wait_for(lambda: {one.member_id for one in world.updates() if one.version == 2} == set(members),
                   "update of each release")
    world.audit()


def test_a_scheduler_that_finds_nothing_sends_nothing(new_world):
    world = new_world(partitions=4)
    world.start_worker()
    world.publish(purchase("recent", 100000))
    world.wait_drained()
    scheduler = start_scheduler(world)
    scheduler.wait_until_ready()
    world.wait_for(lambda: metric(scheduler, "loyald_scheduler_scans_total") > 5, "looks at what is due")
    assert metric(scheduler, "loyald_scheduler_ticks_total") == 0
    assert world.balance("recent") == (0, 100)
