"""Topics made by the tests themselves, there when the call returns: a broker says "made" before it says where they are."""
import time

from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE = 40  # seconds


def make(bootstrap, counts, **settings):
    """counts: partitions by topic."""
    client = AdminClient({"bootstrap.servers": bootstrap, **settings})
    if not counts:
        return
    for made in client.create_topics([NewTopic(name, count, 1) for name, count in counts.items()]).values():
        made.result(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while not all(is_there(client, name, count) for name, count in counts.items()):
        assert time.monotonic() < deadline, f"topics {counts} are not there after {PATIENCE} s"
        time.sleep(0.02)


def is_there(client, name, count):
    found = client.list_topics(timeout=PATIENCE).topics.get(name)
    return (found is not None and found.error is None and len(found.partitions) == count
            and all(partition.leader >= 0 for partition in found.partitions.values()))
