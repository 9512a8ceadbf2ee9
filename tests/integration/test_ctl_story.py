"""loyalctl around running workers: generate, load, member, dead-letters, and audit while they work and afterwards."""
import json
import pathlib
import signal
import subprocess
import time

import pytest
from loyalty.v1 import update_pb2

EVENTS, MEMBERS = 4000, 300


def generate(world, path, *options):
    """Makes a file; returns how many records of each sort it has."""
    counts = pathlib.Path(str(path) + ".counts")
    with open(path, "wb") as out:
        subprocess.run([str(world.programs / "loyalctl"), "generate", "--counts", str(counts), *options], check=True,
                       stdout=out, env=world.env())
    return json.loads(counts.read_text())


@pytest.fixture(scope="module")
def played(request, tmp_path_factory, postgres, programs, apache_kafka):
    """A world where two workers have worked a generated file, audited all the while."""
    from support.world import World
    folder = tmp_path_factory.mktemp("played")
    world = World("ctl_story", folder / "world", postgres, programs, bootstrap=apache_kafka,
                  historical_sources="generator", threads=2)
    with world:
        world.start_workers(2)
        world.file = folder / "events"
        world.counts = generate(world, world.file, "--events", str(EVENTS), "--members", str(MEMBERS), "--duplicates",
                                "3", "--no-member", "2", "--broken", "2", "--format", "protobuf")
        loader = subprocess.Popen([str(programs / "loyalctl"), "load", "--rate", "800", str(world.file)],
                                  env=world.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        world.audits = []
        while loader.poll() is None:
            world.audits.append(world.loyalctl("audit", "--topics", "--json", check=False))
        world.loaded = loader.communicate() + (loader.returncode,)
        world.wait_drained()
        yield world


def test_load_says_what_it_published(played):
    out, err, status = played.loaded
    assert status == 0 and err == ""
    assert out.startswith(f"published {EVENTS} records ({played.counts['no_member']} without a key) to "
                          f"{played.topic['events']} in ")


def test_every_record_has_the_outcome_that_it_was_made_for(played):
    made = played.counts
    assert sum(made.values()) == EVENTS and all(made.values())
    broken = sum(made[sort] for sort in ("cut_off", "wrong_total", "unknown_kind", "invalid_utf8", "bad_member"))
    # A record that is cut off inside its member id, or has a bad one, may lie on another partition: nothing forwards it.
    played.outcomes(applied=made["valid"], duplicate=made["duplicate"], ignored=made["no_member"], rejected=broken)


def test_the_audit_finds_nothing_while_workers_work(played):
    assert len(played.audits) >= 2
    for done in played.audits:
        assert done.returncode == 0 or "no worker has started" in done.stderr, done.stdout + done.stderr
    assert any(0 < json.loads(done.stdout)["journal_rows"] < played.counts["valid"] for done in played.audits
               if done.stdout), "no audit ran in the middle of the work"


def test_the_audit_finds_nothing_afterwards_and_counts_everything(played):
    deadline = time.monotonic() + 20
    while played.query("SELECT count(*) FROM outbox")[0][0] and time.monotonic() < deadline:
        time.sleep(0.1)
    report = json.loads(played.loyalctl("audit", "--topics", "--json").stdout)
    assert report["ok"] and report["problem_count"] == 0
    assert report["journal_rows"] == played.counts["valid"]
    assert report["members"] == played.query("SELECT count(*) FROM member")[0][0]
    assert report["messages"] >= played.query("SELECT sum(version) FROM member")[0][0]


def test_dead_letters_are_listed_with_their_reasons(played):
    letters = json.loads(played.loyalctl("dead-letters", "list", "--limit", "0", "--json").stdout)
    # A batch may be published twice when partitions change hands: the same record is the same letter.
    assert len({(letter["topic"], letter["position"]) for letter in letters}) == played.totals()["rejected"]
    reasons = {letter["error"] for letter in letters}
    assert reasons == {"malformed", "total_differs", "unknown_kind", "invalid_text", "invalid_member"}
    text = played.loyalctl("dead-letters", "list", "--limit", "3").stdout.splitlines()
    assert len(text) == 4 and text[-1] == f"{len(letters)} dead letters, the latest are shown"


def test_a_dead_letter_is_shown_whole(played):
    letter = json.loads(played.loyalctl("dead-letters", "list", "--json").stdout)[-1]
    place = f"{letter['partition']}:{letter['offset']}"
    shown = json.loads(played.loyalctl("dead-letters", "show", place, "--json").stdout)
    message = next(message for message in played.dead_letters()
                   if (message.partition(), message.offset()) == (letter["partition"], letter["offset"]))
    assert bytes.fromhex(shown["value_hex"]) == message.value()
    assert shown["headers"]["__connect.errors.exception.class.name"] == letter["error"]
    assert f"__connect.errors.exception.message: {letter['reason']}" in played.loyalctl(
        "dead-letters", "show", place).stdout
    missing = played.loyalctl("dead-letters", "show", "0:999999", check=False)
    assert missing.returncode == 1 and "no dead letter at 0:999999" in missing.stderr


def test_a_member_is_shown_as_the_database_has_it(played):
    member, available, pending = played.query(
        "SELECT member_id, available, pending FROM balance ORDER BY pending DESC, member_id LIMIT 1")[0]
    shown = json.loads(played.loyalctl("member", member, "--json", "--history", "0").stdout)
    assert shown["member_id"] == member
    assert shown["balances"] == [{"wallet": "points", "available": available, "pending": pending, "reserved": 0}]
    for state, points in (("available", available), ("pending", pending)):
        assert sum(lot["points"] for lot in shown["lots"] if lot["state"] == state) == points
    ledger = played.query("SELECT seq, entry, amount FROM ledger WHERE member_id = %s ORDER BY seq DESC, ordinal DESC",
                          member)
    assert [(row["seq"], row["entry"], row["amount"]) for row in shown["history"]] == ledger
    text = played.loyalctl("member", member).stdout
    assert text.startswith(f"member {member} (partition ") and f"{available}" in text
    unknown = played.loyalctl("member", "nobody", check=False)
    assert unknown.returncode == 1 and unknown.stderr == "loyalctl member: there is no member 'nobody'\n"


def update(member, version, points=0):
    message = update_pb2.Update(member_id=member, incarnation=1, version=version)
    message.balance.wallets.add(wallet="points", available=points)
    return {"value": message.SerializeToString(), "key": member.encode()}


def found(world):
    """{(check, member or topic that it names)}"""
    report = json.loads(world.loyalctl("audit", "--topics", "--json", check=False).stdout)
    return {(problem["check"], problem["where"].split()[1].rstrip(",")) for problem in report["problems"]}


def test_what_was_published_wrongly_is_named(new_world):
    from support.events import purchase
    world = new_world(partitions=2, programme="retail_full_steps", redis=False)
    worker = world.start_worker()
    members = ["gap", "ahead", "behind", "balance", "fine"]
    world.publish(*(purchase(member, 200000) for member in members for _ in range(3)))
    world.wait_drained()
    # One that a rebalance met on its way is published a second time.
    world.wait_for(lambda: len({(one.member_id, one.version) for one in world.updates()}) == 15, "fifteen updates")
    world.wait_for(lambda: not world.query("SELECT 1 FROM outbox"), "trimmed outbox", 60)
    worker.stop()
    assert found(world) == set()
    world.publish(update("gap", 5), update("ahead", 4), update("stranger", 1), update("fine", 2),
                  {"value": b"\xff\xff\xff", "key": b"fine"}, topic="updates", drain=False)
    world.publish(update("balance", 4, points=1), topic="balances", drain=False)
    world.publish(update("balance", 4), topic="updates", drain=False)
    world.db.execute("UPDATE member SET version = version + 1 WHERE member_id IN ('behind', 'balance')")
    assert found(world) == {
        ("updates_gap", "gap"), ("updates_ahead", "gap"), ("updates_ahead", "ahead"), ("updates_ahead", "stranger"),
        ("topic_record", world.topic["updates"]), ("updates_behind", "behind"), ("balances_topic", "balance"),
        *((check, member) for check in ("version", "digest") for member in ("behind", "balance"))}


def test_load_waits_for_workers_who_are_behind(new_world, tmp_path):
    world = new_world(partitions=2, redis=False, historical_sources="generator")
    world.start_worker().stop()  # makes the installation
    generate(world, tmp_path / "events", "--events", "3000", "--members", "50")
    loader = subprocess.Popen([str(world.programs / "loyalctl"), "load", "--max-lag", "500", str(tmp_path / "events")],
                              env=world.env(), stdout=subprocess.PIPE, text=True)
    world.wait_for(lambda: world.lag() == 500, "load that waits at 500")
    time.sleep(1)
    assert world.lag() == 500 and loader.poll() is None
    world.start_worker()
    out, _ = loader.communicate(timeout=60)
    assert loader.returncode == 0 and out.startswith("published 3000 records")
    world.wait_drained()
    assert world.totals()["applied"] == 3000


def test_an_interrupted_load_goes_on_where_it_stopped(new_world, tmp_path):
    world = new_world(partitions=2, redis=False, historical_sources="generator")
    world.start_worker()
    generate(world, tmp_path / "events", "--events", "3000", "--members", "50")
    state = tmp_path / "state"
    command = [str(world.programs / "loyalctl"), "load", "--resume", str(state), "--rate", "1000",
               str(tmp_path / "events")]
    first = subprocess.Popen(command, env=world.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    world.wait_for(lambda: sum(world.high_watermarks().values()) > 500, "a part of the file")
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=30)
    assert first.returncode == 1 and "goes on from" in said
    fields = state.read_text().split()
    kept = int(fields[fields.index("records") + 1])
    assert 500 < kept < 3000
    second = subprocess.run(command, env=world.env(), capture_output=True, text=True, check=True)
    assert second.stdout.startswith(f"published {3000 - kept} records")
    world.wait_drained()
    world.outcomes(applied=3000)
    third = subprocess.run(command, env=world.env(), capture_output=True, text=True, check=True)
    assert third.stdout.startswith("published 0 records")
    (tmp_path / "events").write_text("{}\n")
    other = subprocess.run(command, env=world.env(), capture_output=True, text=True)
    assert other.returncode == 2 and "was kept for a file of" in other.stderr


def test_a_file_is_published_as_often_as_asked(new_world, tmp_path):
    world = new_world(partitions=2, redis=False, historical_sources="generator")
    world.start_worker()
    generate(world, tmp_path / "events", "--events", "200")
    assert world.loyalctl("load", "--repeat", "3", str(tmp_path / "events")).stdout.startswith("published 600 records")
    world.wait_drained()
    world.outcomes(applied=200, duplicate=400)


def test_what_cannot_work_is_said(programs):
    for arguments, status, said in [
            (["load", "/nowhere"], 1, "/nowhere cannot be read"),
            (["load", "-", "--repeat", "2"], 2, "want a file that can be read again"),
            (["load", "/dev/null", "--rate", "fast"], 2, "--rate is 'fast': a whole number from 0"),
            (["load", "/dev/null", "--format", "xml"], 2, "auto, jsonl or protobuf is wanted"),
            (["load", "/dev/null", "--kafka-brokers", "localhost:1"], 1, "Kafka cannot be reached at localhost:1"),
            (["member", "m1", "--postgres", "host=/nowhere"], 1, "PostgreSQL cannot be reached"),
            (["member"], 2, "something is missing: loyalctl member ID"),
            (["audit", "everything"], 2, "'everything' is one word too many"),
            (["dance"], 2, "there is no command 'dance'"),
            (["--log-level", "warn"], 2, "loyalctl [--key value …] COMMAND"),
            (["audit", "--postgre", "x"], 2, "postgre"),
            (["generate", "--start", "tomorrow"], 2, "a date such as 2026-01-01 is wanted"),
            (["generate", "--broken", "101"], 2, "a percentage from 0 to 100")]:
        done = subprocess.run([str(programs / "loyalctl"), *arguments], capture_output=True, text=True, input="",
                              env={"PATH": "/usr/bin:/bin"})
        assert (done.returncode, said in done.stderr) == (status, True), (arguments, done.returncode, done.stderr)
        assert done.stdout == ""
