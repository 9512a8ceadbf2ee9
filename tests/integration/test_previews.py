"""A till asks what a basket would earn, and is answered on a topic; nothing is left behind."""
import pytest

from loyalty.v1 import update_pb2

from support import events


def ask(member, *amounts_minor, correlation="till-5", **fields):
    event = events.purchase(member, *amounts_minor, **fields)
    event.preview = True
    event.correlation_id = correlation
    return event


def told(world):
    """{correlation id: answer}; asked once, answered once."""
    updates = [update_pb2.Update.FromString(message.value()) for message in world.read("previews")]
    assert all(update.WhichOneof("kind") == "preview" and not update.HasField("version") for update in updates)
    answers = {update.preview.correlation_id: update for update in updates}
    assert len(answers) == len(updates)
    return answers


def by_rule(update):
    return {change.rule: change.amount for change in update.preview.changes}


@pytest.fixture
def world(new_world):
    return new_world(programme="shop")


def test_a_preview_is_answered_and_leaves_no_trace(world):
    world.start_worker()
    world.publish(ask("anna", 99900, correlation="new"))  # she has never bought here, and is not enrolled by asking
    world.wait_drained()
    assert world.query("SELECT count(*) FROM member") == [(0,)]
    world.publish(events.purchase("anna", 20000, order="o-1"))
    world.publish(ask("anna", 30000, order="o-2", correlation="before"))
    world.publish(events.purchase("anna", 30000, order="o-2"))
    world.publish(ask("anna", 30000, order="o-2", correlation="after"))  # the order stands in the journal by now
    world.publish(ask("anna", 9900, correlation="short"))
    world.wait_drained()
    answers = told(world)
    assert {id: by_rule(answer) for id, answer in answers.items()} == {
        "new": {"base": 90}, "before": {"base": 30}, "after": {"base": 30}, "short": {}}
    answer = answers["before"]
    assert (answer.member_id, answer.cause.kind, answer.cause.order_id) == ("anna", "purchase", "o-2")
    [change] = answer.preview.changes
    assert (change.entry, change.wallet, change.title) == ("earn_pending", "points", "Points for your purchase")
    [miss] = answers["short"].preview.nearest_misses
    assert (miss.rule, miss.points, miss.more_minor, miss.wallet) == ("base", 10, 100, "points")
    world.outcomes(applied=2, ignored=4)
    assert world.balance("anna") == (0, 50)
    assert [update.version for update in world.updates()] == [1, 2]
    world.audit()


def test_a_preview_on_a_wrong_partition_finds_its_member(world):
    world.start_worker()
    world.publish(events.purchase("anna", 20000))
    world.wait_drained()
    [(home,)] = world.query("SELECT k FROM member")
    asked = ask("anna", 30000)
    world.publish({"value": asked.SerializeToString(), "key": None, "partition": (home + 1) % world.partitions})
    world.wait_drained()
    assert by_rule(told(world)["till-5"]) == {"base": 30}
    world.outcomes(applied=1, forwarded=1, ignored=1)


def test_a_preview_of_what_cannot_be_decided_is_a_dead_letter(world):
    world.start_worker()
    asked = ask("anna", 30000)
    asked.purchase.currency = "USD"  # the shop has no rate for it
    world.publish(asked)
    world.wait_drained()
    assert "unknown_currency" in str(world.dead_letters()[0].headers())
    world.outcomes(rejected=1)


def test_where_no_topic_is_named_previews_are_ignored(world):
    world.start_worker(topic_previews="")
    world.publish(ask("anna", 30000))
    world.wait_drained()
    world.outcomes(ignored=1)
    assert not told(world) and world.query("SELECT count(*) FROM member") == [(0,)]
