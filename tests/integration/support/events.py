"""Events as a back end would publish them."""
import datetime
import itertools

from loyalty.v1 import event_pb2

serial = itertools.count(1)


def stamp(event, at=None):
    event.occurred_at.FromDatetime(at or datetime.datetime.now(datetime.timezone.utc))


def purchase(member, *amounts_minor, order=None, event_id=None, source="pos", at=None, total=None, **fields):
    """A purchase with a line for each amount."""
    number = next(serial)
    event = event_pb2.Event(event_id=event_id or f"event-{number}", source=source, **fields)
    if member is not None:
        event.member_id = member
    stamp(event, at)
    event.purchase.order_id = order or f"order-{number}"
    for place, amount in enumerate(amounts_minor or (10000,), 1):
        event.purchase.lines.add(line_id=str(place), sku=f"sku-{place}", category="grocery", amount_minor=amount)
    if total is not None:
        event.purchase.total_minor = total
    return event


def activity(member, name="check_in", **fields):
    event = event_pb2.Event(event_id=f"event-{next(serial)}", source="app", member_id=member, **fields)
    stamp(event)
    event.activity.name = name
    return event
