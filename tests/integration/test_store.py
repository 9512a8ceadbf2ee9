"""The store on PostgreSQL: the contract that it shares with the simulated one, its privileges, the installation."""
import concurrent.futures
import re
import subprocess
import time
import uuid

import psycopg
import pytest

import services

ROLES = ("worker", "scheduler", "publisher", "reader")
TOPICS = "a.events,a.internal,a.ticks"


@pytest.fixture
def database(postgres, programs):
    """conninfo of a migrated database of this test's own, as the owner."""
    name = "store_" + uuid.uuid4().hex[:8]
    postgres.psql(f"CREATE DATABASE {name}", "postgres")
    conninfo = postgres.conninfo(name)
    migrate(programs, conninfo, "up")
    yield conninfo
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


@pytest.fixture
def logins(postgres, database):
    """conninfo of a login that is a member of each role, by role."""
    suffix = uuid.uuid4().hex[:8]
    for role in ROLES:
        postgres.psql(f"CREATE ROLE {role}_{suffix} LOGIN PASSWORD '{postgres.password}' IN ROLE loyald_{role}",
                      "postgres")
    yield {role: database.replace("user=loyald", f"user={role}_{suffix}") for role in ROLES}
    for role in ROLES:
        postgres.psql(f"DROP ROLE {role}_{suffix}", "postgres")


def migrate(programs, conninfo, *words):
    done = subprocess.run([programs / "loyalctl", "migrate", *words], env={"LOYALD_POSTGRES": conninfo},
                          cwd=services.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contract(programs, *conninfos):
    done = subprocess.run([programs / "tests" / "contract" / "store_pg", *conninfos], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    passed, running = (sum(int(number) for number in re.findall(words + r" (\d+) test", done.stdout))
                       for words in (r"\[  PASSED  \]", "Running"))
    assert passed == running > 30, done.stdout  # none was skipped


def test_the_contract_holds_for_the_least_privileged_login(programs, database, logins):
    """Ending a stalled client is part of it: the worker may do so to logins like itself."""
    contract(programs, database, logins["worker"])


def test_no_statement_reads_a_table_from_end_to_end(programs, database):
    """Statistics from when the tables were empty, or held one row, must not make a plan that reads everything."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("INSERT INTO member SELECT 1, 1, 'x', 1, 1, gen_random_uuid(), NULL, '{}', '{}', '{}', ''")
        for table in ("member", "journal", "due", "outbox", "partition"):
            db.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
            db.execute(f"ANALYZE {table}")
        db.execute("SELECT pg_stat_reset()")
        contract(programs, database)
        db.execute("SELECT pg_stat_clear_snapshot()")
        tables = db.execute("SELECT relname, seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables "
                            "WHERE relname IN ('member', 'journal', 'due')").fetchall()
        indexes = db.execute("SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes "
                             "WHERE relname IN ('member', 'due')").fetchall()
    assert {name: read for name, read, _ in tables} == {"member": 0, "journal": 0, "due": 0}
    # Nor an index from end to end, for each row: one row a look, and the few scans of what is due.
    assert all(read <= 2 * scans + 10000 for _, scans, read in indexes), indexes


REFUSED = {
    "worker": ("UPDATE journal SET seq = 0", "DELETE FROM journal", "TRUNCATE journal", "DELETE FROM member",
               "DELETE FROM partition", "UPDATE outbox SET seq = 0", "UPDATE installation SET incarnation = 2",
               "DELETE FROM installation", "UPDATE programme_revision SET programme = ''", "DROP TABLE counter",
               "INSERT INTO programme_revision VALUES (1, '-infinity', '', '', '')",
               "INSERT INTO dictionary VALUES ('rule', 9, 'x')", "SELECT next_revision()",
               "UPDATE dictionary SET id = ''", "INSERT INTO entry_kind VALUES (9, 'x', 1, 1, 1)",
               "DELETE FROM counter", "DELETE FROM schema_migrations", "CREATE TABLE mine (x int)"),
    "publisher": ("SELECT member_id FROM member", "SELECT event FROM journal", "UPDATE programme_revision SET reason = ''",
                  "DELETE FROM programme_revision", "UPDATE dictionary SET id = ''", "UPDATE counter SET used = 0",
                  "INSERT INTO counter VALUES (1, 'x', 5)", "SELECT acquire_partitions(ARRAY[1], 'me')"),
    "scheduler": ("SELECT state FROM member", "SELECT available FROM member", "SELECT * FROM balance",
                  "SELECT * FROM ledger", "SELECT event FROM journal", "SELECT payload FROM outbox",
                  "SELECT next_offset FROM partition", "DELETE FROM due", "UPDATE due SET at = now()",
                  "INSERT INTO due VALUES (1, 1, now())", "UPDATE member SET seq = 0", "INSERT INTO outbox VALUES (1, 1, '')",
                  "SELECT acquire_partitions(ARRAY[1], 'me')"),
    "reader": ("INSERT INTO journal (k) VALUES (1)", "UPDATE member SET seq = 0", "DELETE FROM outbox",
               "UPDATE partition SET epoch = 0", "SELECT acquire_partitions(ARRAY[1], 'me')", "DELETE FROM due",
               "INSERT INTO programme_revision VALUES (2, now(), '', '', '')", "UPDATE counter SET used = 0"),
}
ALLOWED = {
    "worker": ("SELECT * FROM partition", "SELECT * FROM counter", "SELECT no_newer_revision(1, now())"),
    "publisher": ("SELECT next_revision()", "INSERT INTO programme_revision VALUES (1, '-infinity', '', '', '')",
                  "INSERT INTO dictionary VALUES ('rule', 9, 'x')", "INSERT INTO counter (id, name) VALUES (9, 'x')"),
    "scheduler": ("SELECT d.k, m.member_id, d.at FROM due d JOIN member m USING (k, n)", "SELECT * FROM installation",
                  "SELECT version FROM schema_migrations"),
    "reader": tuple(f"SELECT * FROM {table}" for table in
                    ("installation", "dictionary", "programme_revision", "partition", "member", "entry_kind", "journal",
                     "outbox", "due", "counter", "ledger", "balance", "schema_migrations")),
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_its_own_work_and_no_more(database, logins, role):
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("INSERT INTO partition VALUES (1, 1, '', NULL, 0, '{0}', '{0}', '{0,0,0,0,0,0}')")
    with psycopg.connect(logins[role], autocommit=True) as db:
        for statement in ALLOWED[role]:
            db.execute(statement)
        for statement in REFUSED[role]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(statement)


# --- the installation ---------------------------------------------------------------------------------------------------


def agree(programs, conninfo, how="create", topics=TOPICS, partitions=8, group="g"):
    done = subprocess.run([programs / "tests" / "contract" / "pg_agree", conninfo, how, topics, str(partitions), group],
                          capture_output=True, text=True)
    return done.stdout.strip()


def test_the_first_start_writes_the_installation_and_others_find_it(programs, database, logins):
    assert agree(programs, logins["scheduler"], "check").startswith("not_found: ")
    assert agree(programs, logins["worker"]) == "incarnation 1, revision 0, created"
    assert agree(programs, logins["worker"]) == "incarnation 1, revision 0, found"
    assert agree(programs, logins["scheduler"], "check") == "incarnation 1, revision 0, found"
    with psycopg.connect(database) as db:
        rows = db.execute("SELECT k, epoch, start_offset, next_offset, outcome_totals, next_n FROM partition "
                          "ORDER BY k").fetchall()
        assert rows == [(k, 0, [0] * 3, [0] * 3, [0] * 18, 1) for k in range(8)]
        assert db.execute("SELECT count(*) FROM programme_revision").fetchone() == (0,)  # loyalctl publishes


def test_many_workers_that_start_at_once_write_it_once(programs, database):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(lambda _: agree(programs, database), range(8)))
    assert answers == ["incarnation 1, revision 0, created"] + ["incarnation 1, revision 0, found"] * 7


@pytest.mark.parametrize("other, values", [
    ({"topics": "a.events,a.internal,b.ticks"}, (TOPICS, "a.events,a.internal,b.ticks")),
    ({"topics": "a.internal,a.events,a.ticks"}, (TOPICS, "a.internal,a.events,a.ticks")),
    ({"partitions": 9}, ("8", "9")),
    ({"group": "h"}, ("g", "h")),
])
def test_a_difference_is_refused_with_both_values(programs, database, other, values):
    agree(programs, database)
    answer = agree(programs, database, **other)
    assert answer.startswith("mismatch: ")
    for value in values:
        assert re.search(rf"\b{re.escape(value)}\b", answer), answer


def test_a_schema_that_is_not_the_programs_is_refused(programs, postgres, database):
    migrate(programs, database, "down")
    answer = agree(programs, database)
    assert answer.startswith("mismatch: ") and "run `loyalctl migrate up`" in answer
    migrate(programs, database, "up")
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("INSERT INTO schema_migrations VALUES ('20991231000000')")
        answer = agree(programs, database)
        assert answer.startswith("mismatch: ") and "20991231000000" in answer
        db.execute("DROP TABLE schema_migrations")
    answer = agree(programs, database)
    assert answer.startswith("mismatch: ") and "has no tables of loyald" in answer


def test_no_server_is_an_outage_and_says_where(programs):
    answer = agree(programs, "host=127.0.0.1 port=1 user=x password=hidden dbname=x")
    assert answer.startswith("unavailable: ") and "127.0.0.1" in answer and "hidden" not in answer
    answer = agree(programs, "host=127.0.0.1 nonsense password=hidden")
    assert answer.startswith("config: ") and "hidden" not in answer


def test_a_refused_login_is_no_outage(programs, postgres, database):
    answer = agree(programs, psycopg.conninfo.make_conninfo(database, host="127.0.0.1", user="stranger", password="hidden"))
    assert answer.startswith("config: ") and "stranger" in answer and "hidden" not in answer


def test_whoever_stops_inside_a_transaction_is_waited_for_one_second(programs, database):
    """Two seconds and the group's round were more than partitions may stand still for after a session."""
    agree(programs, database)
    with psycopg.connect(database) as stopped, psycopg.connect(database, autocommit=True) as successor:
        stopped.execute("UPDATE partition SET attempts = attempts WHERE k IN (0, 1)")
        started = time.monotonic()
        taken = successor.execute("SELECT k, epoch FROM acquire_partitions('{0,1}', 'successor')").fetchall()
        assert [k for k, _ in taken] == [0, 1]
        assert 0.9 < time.monotonic() - started < 1.9
        with pytest.raises(psycopg.OperationalError):
            stopped.execute("SELECT 1")
