"""A budget's end, raced for by eight workers, a hundred times: it is spent to the point, and no point more."""
import re

from support.events import purchase
from support.murmur2 import partition_of

RACES, WORKERS, WANTED, LIMIT, EVENTS = 100, 8, 7, 1000, 25  # of each race: events a partition


def programme(path):
    """A campaign with a budget for each race; the odd ones refuse what does not fit, the others cut it."""
    campaigns = "".join(
        f"  - id: race_{race:02}\n    trigger: purchase\n    lines: {{category: [race_{race:02}]}}\n"
        f"    reward: {{points: {WANTED}}}\n"
        f"    budget: {{points: {LIMIT}, when_short: {'refuse' if race % 2 else 'partial'}}}\n"
        for race in range(RACES))
    path.write_text("programme: races\ncurrency: RUB\nwallets: {points: {}}\n"
                    f"earning: [{{id: base, trigger: purchase, reward: {{points: 1}}}}]\ncampaigns:\n{campaigns}")
    return path


def members_of(k):
    """Some members of partition k."""
    return [name for name in (f"runner-{i}" for i in range(100)) if partition_of(name, WORKERS) == k][:5]


def race_events(race):
    runners = [members_of(k) for k in range(WORKERS)]
    for i in range(EVENTS):
        for k in range(WORKERS):
            event = purchase(runners[k][i % 5], 5000)
            event.purchase.lines[0].category = f"race_{race:02}"
            yield event


def metric(worker, name):
    return int(re.search(rf"^{name} (\d+)$", worker.get("/metrics")[1], re.M).group(1))


def test_eight_workers_spend_each_of_a_hundred_budgets_to_the_point(new_world, tmp_path):
    world = new_world(programme=programme(tmp_path / "races.yaml"), partitions=WORKERS, threads=1, redis=False)
    workers = world.start_workers(WORKERS)
    world.wait_for(lambda: all(metric(worker, "loyald_partitions_owned") == 1 for worker in workers),
                   "worker with a partition of its own")
    for race in range(RACES):
        world.publish(*race_events(race), drain=False)
        if race % 20 == 19:
            world.wait_drained()
    world.wait_drained()
    spent = {name.removesuffix(".budget"): used for name, used in world.query("SELECT name, used FROM counter")}
    granted = dict(world.query("SELECT rule, sum(amount)::bigint FROM ledger WHERE rule LIKE 'race%%' GROUP BY 1"))
    assert spent == granted and len(spent) == RACES
    for race in range(RACES):  # refused: as many whole grants as fit
        assert spent[f"race_{race:02}"] == (LIMIT - LIMIT % WANTED if race % 2 else LIMIT)
    cut = world.query("SELECT rule, count(*) FROM ledger WHERE rule LIKE 'race%%' AND amount <> %s GROUP BY 1", WANTED)
    assert sorted(cut) == [(f"race_{race:02}", 1) for race in range(0, RACES, 2)]  # the last one of each, and no other
    met = sum(metric(worker, "loyald_guard_counter_total") for worker in workers)
    print(f"{RACES} races of {WORKERS} workers, {RACES * EVENTS * WORKERS} events: "
          f"others were faster {met} times")
    assert met > RACES / 2
    world.audit()
