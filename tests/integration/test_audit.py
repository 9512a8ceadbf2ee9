"""`loyalctl audit` over a ledger that is right, and over the same ledger after each of many ways to damage it."""
import json
import subprocess
import uuid

import psycopg
import pytest

import services
from support import ledger as writer


@pytest.fixture(scope="module")
def template(postgres, programs):
    """A database with the story in it; each test works on a copy."""
    name = "audit_template"
    postgres.psql(f"CREATE DATABASE {name}", "postgres")
    subprocess.run([str(programs / "loyalctl"), "migrate", "up", "--postgres", postgres.conninfo(name)], check=True,
                   cwd=services.ROOT)
    with psycopg.connect(postgres.conninfo(name)) as db:
        story = writer.story()
        story.write(db, outbox=(2,))
    yield name, story
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


@pytest.fixture
def copy(postgres, template):
    name = "audit_" + uuid.uuid4().hex[:8]
    postgres.psql(f"CREATE DATABASE {name} TEMPLATE {template[0]}", "postgres")
    yield name
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


def audit(programs, postgres, name, *options):
    done = subprocess.run([str(programs / "loyalctl"), "audit", *options, "--postgres", postgres.conninfo(name)],
                          capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    assert done.stderr == "", done.stderr
    return done


def problems(programs, postgres, name):
    done = audit(programs, postgres, name, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["ok"] else 1)
    assert report["problem_count"] == len(report["problems"])
    return report["problems"]


def test_a_ledger_that_is_right_has_no_problems(programs, postgres, template, copy):
    _, story = template
    done = audit(programs, postgres, copy)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("audit: 0 problems; 4 partitions, 41 members,")
    report = json.loads(audit(programs, postgres, copy, "--json").stdout)
    members = story.members.values()
    assert report["members"] == len(members)
    assert report["journal_rows"] == sum(len(member.journal) for member in members)
    assert report["entries"] == sum(len(row[6]) for member in members for row in member.journal)
    assert report["lots"] == sum(len(member.state["lots"]) for member in members)
    assert report["due_rows"] == sum(member.due() is not None for member in members)
    assert report["outbox_rows"] == 2


def with_state(change):
    """Changes a member's state, and its digest with it: what a mistake in the program would do."""
    def damage(db, story, member):
        state = json.loads(json.dumps(member.state))
        change(state)
        encoded = writer.encode(state)
        db.execute("UPDATE member SET state = %s, digest = %s WHERE member_id = %s",
                   (encoded, writer.digest(member.id, member.k, member.n, member.seq, member.version, encoded), member.id))
    return damage


def sql(statement):
    """A statement with the member's place in it."""
    def damage(db, story, member):
        done = db.execute(statement.format(k=member.k, n=member.n, id=member.id))
        assert done.rowcount > 0, "nothing was damaged"
    return damage


def lose_a_lot(state):
    del state["lots"][0]


def swap_two_lots(state):
    state["lots"][0]["points"] += 1
    state["lots"][1]["points"] -= 1


def turn_the_clock_on(state):
    state["clock"] += 400 * writer.DAY * 1_000_000


def turn_the_clock_back(state):
    state["clock"] -= 1_000_000


def raise_a_balance(state):
    state["balances"][0][0] += 1


def forget_a_lot_number(state):
    state["next_lot"] -= 1


def move_to_another_partition(db, story, member):
    to = (member.k + 1) % 4
    n = db.execute("UPDATE partition SET next_n = next_n + 1 WHERE k = %s RETURNING next_n - 1", (to,)).fetchone()[0]
    for table in ("member", "journal", "due"):
        db.execute(f"UPDATE {table} SET k = {to}, n = {n} WHERE k = {member.k} AND n = {member.n}")


JOURNAL = "WHERE k = {k} AND n = {n}"
EXPIRES = "m002"    # three lots that expire after a year, and time has passed
PENDS = "m003"      # four lots, all of them pending
JOINED = "m-joined"

# What is done, to whom, and which checks have to name it: no others.
DAMAGE = {
    "a balance in its column is raised":
        (sql("UPDATE member SET available[1] = available[1] + 1 WHERE member_id = '{id}'"), EXPIRES,
         {"balance_entries", "balance_state"}),
    "a balance in its column is negative":
        (sql("UPDATE member SET reserved[1] = -5 WHERE member_id = '{id}'"), EXPIRES,
         {"balance_entries", "balance_state", "negative"}),
    "a balance in the state is raised":
        (with_state(raise_a_balance), EXPIRES, {"balance_state", "lot_sum"}),
    "a wallet is missing from a column":
        (sql("UPDATE member SET pending = pending[1:1] WHERE member_id = '{id}'"), EXPIRES, {"balance_state"}),
    "a lot is lost":
        (with_state(lose_a_lot), JOINED, {"lot_sum", "lot_entries"}),
    "points move from one lot to another":
        (with_state(swap_two_lots), EXPIRES, {"lot_entries"}),
    "the next lot's number was given out already":
        (with_state(forget_a_lot_number), JOINED, {"lot_number"}),
    "a lot is left past its expiry":
        (with_state(turn_the_clock_on), EXPIRES, {"expired"}),
    "a lot is pending past its release":
        (with_state(turn_the_clock_on), PENDS, {"expired"}),
    "an account's clock goes back":
        (with_state(turn_the_clock_back), EXPIRES, {"clock"}),
    "a digest is not that of its state":
        (sql("UPDATE member SET digest = gen_random_uuid() WHERE member_id = '{id}'"), EXPIRES, {"digest"}),
    "a state is cut off":
        (sql("UPDATE member SET state = substring(state for length(state) - 1) WHERE member_id = '{id}'"), EXPIRES,
         {"state", "digest"}),
    "an amount of the ledger is changed":
        (sql("UPDATE journal SET entries[1].amount = entries[1].amount + 7 " + JOURNAL + " AND seq = 2"), JOINED,
         {"balance_entries", "lot_entries"}),
    "an amount of the ledger is more than a bigint holds twice":
        (sql("UPDATE journal SET entries[1].amount = 9223372036854775807 " + JOURNAL), JOINED,
         {"balance_entries", "lot_entries"}),
    "an entry is of another lot":
        (sql("UPDATE journal SET entries[1].lot = 5 " + JOURNAL + " AND seq = 1"), JOINED, {"lot_entries"}),
    "an entry is of another wallet":
        (sql("UPDATE journal SET entries[1].wallet = 1 " + JOURNAL + " AND seq = 1"), JOINED,
         {"balance_entries", "lot_entries"}),
    "an entry is of no known kind":
        (sql("UPDATE journal SET entries[1].kind = 99 " + JOURNAL + " AND seq = 1"), JOINED,
         {"entry", "balance_entries", "lot_entries"}),
    "a row of the journal is lost":
        (sql("DELETE FROM journal " + JOURNAL + " AND seq = 3"), JOINED,
         {"seq", "version", "applied", "balance_entries", "lot_entries"}),
    "a row of the journal stands there twice":
        (sql("INSERT INTO journal SELECT k, n, gen_random_uuid(), seq, version, topic, part, off, arrival, occurred_at, "
             "revision, engine, kind, applied, subject, entries, event, trace FROM journal " + JOURNAL + " AND seq = 3"),
         JOINED, {"seq", "applied", "position_twice", "version", "balance_entries", "lot_entries"}),
    "a version is given out twice":
        (sql("UPDATE journal SET version = version - 1 " + JOURNAL + " AND seq = 3"), JOINED, {"version"}),
    "a member's version is too high":
        (sql("UPDATE member SET version = version + 1 WHERE member_id = '{id}'"), EXPIRES, {"version", "digest"}),
    "a member's seq is too low":
        (sql("UPDATE member SET seq = seq - 1 WHERE member_id = '{id}'"), EXPIRES, {"seq", "digest"}),
    "a decision names a revision that is none":
        (sql("UPDATE journal SET revision = 9 " + JOURNAL + " AND seq = 2"), JOINED, {"revision"}),
    "a due row is lost":
        (sql("DELETE FROM due WHERE k = {k} AND n = {n}"), PENDS, {"due"}),
    "a due row is too late":
        (sql("UPDATE due SET at = at + interval '1 second' WHERE k = {k} AND n = {n}"), PENDS, {"due"}),
    "a due row is nobody's":
        (sql("INSERT INTO due VALUES ({k}, 9999, now())"), PENDS, {"orphan"}),
    "a member is lost":
        (sql("DELETE FROM member WHERE member_id = '{id}'"), JOINED, {"orphan"}),
    "a member lies in another partition":
        (move_to_another_partition, EXPIRES, {"place", "applied", "digest"}),
    "a partition would give a member's number out again":
        (sql("UPDATE partition SET next_n = 1 WHERE k = {k}"), EXPIRES, {"number"}),
    "an offset is skipped":
        (sql("UPDATE partition SET next_offset[1] = next_offset[1] + 1 WHERE k = {k}"), EXPIRES, {"offsets"}),
    "an outcome is counted as another one":
        (sql("UPDATE partition SET outcome_totals[1] = outcome_totals[1] + 1, outcome_totals[2] = outcome_totals[2] - 1 "
             "WHERE k = {k}"), EXPIRES, {"applied"}),
    "an outcome's total is negative":
        (sql("UPDATE partition SET outcome_totals[5] = -1, outcome_totals[6] = outcome_totals[6] + 2 WHERE k = {k}"),
         EXPIRES, {"totals"}),
    "a partition's row lacks a topic":
        (sql("UPDATE partition SET next_offset = next_offset[1:2] WHERE k = {k}"), JOINED, None),
    "a position stands in two rows of the journal":
        (sql("UPDATE journal SET off = (SELECT min(off) FROM journal WHERE part = {k} AND topic = 0) WHERE off = "
             "(SELECT max(off) FROM journal WHERE part = {k} AND topic = 0) AND part = {k} AND topic = 0"), EXPIRES,
         {"position_twice"}),
    "a position was never read":
        (sql("UPDATE journal SET off = 100000 " + JOURNAL + " AND seq = 1"), JOINED, {"position_unread"}),
    "a position is of no topic":
        (sql("UPDATE journal SET topic = 7 " + JOURNAL + " AND seq = 1"), JOINED, {"position_unread"}),
    "an outbox row is beyond the partition's":
        (sql("INSERT INTO outbox VALUES (2, 8, 'x')"), EXPIRES, {"outbox"}),
    "an outbox row is lost before it was published":
        (sql("DELETE FROM outbox WHERE k = 2 AND seq = 7"), EXPIRES, {"outbox"}),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_named(programs, postgres, template, copy, what):
    damage, who, expected = DAMAGE[what]
    _, story = template
    member = story.members[who]
    with psycopg.connect(postgres.conninfo(copy)) as db:
        damage(db, story, member)
    found = problems(programs, postgres, copy)
    names = {problem["check"] for problem in found}
    if expected is None:  # one row that cannot be read: what rests on it is missing too
        assert "installation" in names
        return
    assert names == expected, found
    place = f"k {member.k}, n {member.n}"
    assert any(who in problem["where"] or place in problem["where"] or "partition" in problem["where"]
               or "n 9999" in problem["where"] for problem in found), found


def test_text_names_the_member_and_both_figures(programs, postgres, template, copy):
    member = template[1].members[JOINED]
    with psycopg.connect(postgres.conninfo(copy)) as db:
        db.execute("UPDATE member SET available[1] = 1 WHERE member_id = %s", (JOINED,))
    points = member.state["balances"][0][0]
    done = audit(programs, postgres, copy)
    assert done.returncode == 1
    assert (f"I2 balance_entries: member {JOINED} (k {member.k}, n {member.n}): expected wallet 0 available {points} "
            "(its entries add up to that), found 1\n") in done.stdout


def test_many_problems_of_one_kind_are_counted_and_few_are_shown(programs, postgres, copy):
    with psycopg.connect(postgres.conninfo(copy)) as db:
        db.execute("UPDATE member SET digest = gen_random_uuid()")
    done = audit(programs, postgres, copy, "--show", "3")
    assert done.returncode == 1
    assert done.stdout.count("I2 digest:") == 3
    assert "digest: 41 problems in all, 3 of them shown" in done.stdout


def test_an_installation_that_never_started_is_said_to_be_one(programs, postgres, copy):
    with psycopg.connect(postgres.conninfo(copy)) as db:
        db.execute("DELETE FROM installation")
    done = subprocess.run([str(programs / "loyalctl"), "audit", "--postgres", postgres.conninfo(copy)],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "no worker has started here" in done.stderr


def test_a_database_that_is_not_migrated_is_said_to_be_one(programs, postgres):
    done = subprocess.run([str(programs / "loyalctl"), "audit", "--postgres", postgres.conninfo("postgres")],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "loyalctl migrate up" in done.stderr


BUDGET = """programme: shop
currency: RUB
wallets: {points: {}, cashback: {unit: money}}
earning:
  - {id: base, trigger: purchase, reward: {points: 1}, budget: {points: %d}}
"""
GRANTED = ("SELECT sum(e.amount)::bigint FROM journal, unnest(entries) AS e JOIN entry_kind ON number = e.kind "
           "WHERE e.rule = 1 AND name IN ('earn', 'earn_pending')")


@pytest.mark.parametrize("damage, checks", [
    (None, set()),
    ("UPDATE counter SET used = used + 1", {"counter"}),
    ("UPDATE counter SET used = used - 1", {"counter"}),
    ("UPDATE journal SET entries[1].rule = 2 WHERE k = 1 AND n = 1 AND seq = 1", {"counter"}),
    ("UPDATE programme_revision SET programme = replace(programme, '1000000', '10')", {"budget"}),
    ("INSERT INTO counter VALUES (9, 'nobody.budget', 5)", {"counter", "budget"})])
def test_counters_are_what_their_rules_have_granted(programs, postgres, copy, damage, checks):
    with psycopg.connect(postgres.conninfo(copy)) as db:
        db.execute("UPDATE programme_revision SET programme = %s", (BUDGET % 1000000,))
        db.execute(f"INSERT INTO counter VALUES (1, 'base.budget', ({GRANTED}))")
        if damage:
            assert db.execute(damage).rowcount == 1
    assert {problem["check"] for problem in problems(programs, postgres, copy)} == checks


def test_a_revision_that_cannot_be_read_leaves_bounds(programs, postgres, copy):
    with psycopg.connect(postgres.conninfo(copy)) as db:
        db.execute("INSERT INTO counter VALUES (1, 'base.budget', 7)")
    done = audit(programs, postgres, copy)
    assert done.returncode == 0 and "budgets: 1 revisions that granted points cannot be read" in done.stdout
    with psycopg.connect(postgres.conninfo(copy)) as db:
        db.execute("ALTER TABLE counter DROP CONSTRAINT counter_used_check")
        db.execute("UPDATE counter SET used = -1")
    assert {problem["check"] for problem in problems(programs, postgres, copy)} == {"counter", "budget"}
