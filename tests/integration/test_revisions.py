"""Published revisions: a worker waits for the first, takes later ones up without a restart, and decides each event by
the one in force when it occurred."""
from support.events import purchase


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
