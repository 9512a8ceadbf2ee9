"""What other systems tell of a member, through Kafka into the state, and out of it into decisions."""
import datetime

import services
from support import events
from support.world import newest


def change(member, event_id, fill):
    event = events.event_pb2.Event(event_id=event_id, source="crm", member_id=member)
    events.stamp(event)
    fill(event.member_change)
    return event


def test_what_a_crm_tells_decides_later_purchases_of_any_worker(new_world):
    world = new_world(programme=f"{services.ROOT}/tests/golden/members.yaml")
    worker = world.start_worker()

    def moves(fields):
        fields.profile.city = "Kazan"
        fields.profile.language = "ru"
        fields.profile.consents.append("email")

    world.publish(change("anna", "m-1", lambda fields: fields.joined.SetInParent()))
    moved = change("anna", "m-2", moves)
    world.publish(moved, moved)
    world.publish(change("anna", "m-3", lambda fields: fields.segments.enter.append("staff")))
    world.publish(change("anna", "m-4", lambda fields: setattr(fields.level_change, "level", "gold")))
    world.publish(change("anna", "m-5", lambda fields: setattr(fields.level_change, "level", "none_such")))
    world.wait_drained()
    assert world.balance("anna") == (100 + 30, 0)  # for joining, and for a profile whose birthday was not known
    worker.stop()
    world.redis.stop()  # the next worker knows what PostgreSQL keeps
    world.start_worker()
    world.publish(events.purchase("anna", 30000))  # half of 30 for staff, twice for gold; 1 for Kazan; 3 for the letter
    world.wait_drained()
    assert world.balance("anna") == (130 + 30 + 1 + 3, 0)
    world.publish(change("anna", "m-6", lambda fields: fields.erase.SetInParent()))
    world.publish(events.purchase("anna", 30000))
    world.wait_drained()
    assert world.balance("anna") == (164 + 60, 0)  # no staff any more: the CRM's segments are gone too
    world.outcomes(applied=7, duplicate=1, rejected=1)
    [(state,)] = world.query("SELECT state FROM member")
    assert b"Kazan" not in bytes(state)
    world.audit()
    [letter] = world.dead_letters()
    assert "there is no level 'none_such'" in str(letter.headers())
    assert newest(world.updates())["anna"].version == 4


def test_what_was_bought_on_monday_decides_on_friday(new_world):
    world = new_world(programme=f"{services.ROOT}/tests/golden/together.yaml")
    worker = world.start_worker()
    monday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=5)

    def bought(category, amount, at):
        event = events.purchase("anna", amount, at=at)
        event.purchase.lines[0].category = category
        return event

    world.publish(bought("phone", 100000, monday))
    world.wait_drained()
    worker.stop()
    world.redis.stop()  # the next worker knows what PostgreSQL keeps
    world.start_worker()
    world.publish(bought("case", 10000, monday + datetime.timedelta(days=4)))
    world.wait_drained()
    assert world.balance("anna") == (10 + 1 + 70, 0)
    world.audit()
