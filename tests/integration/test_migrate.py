"""loyalctl migrate: dbmate's files, up and down and up again, errors with their place."""
import pathlib
import subprocess
import threading
import uuid

import psycopg
import pytest

import services

MIGRATIONS = pathlib.Path(services.ROOT) / "migrations"
VERSIONS = [path.name.split("_")[0] for path in sorted(MIGRATIONS.glob("*.sql"))]


class Database:
    def __init__(self, postgres, programs):
        self.postgres, self.programs = postgres, programs
        self.name = "migrate_" + uuid.uuid4().hex[:8]
        postgres.psql(f"CREATE DATABASE {self.name}", "postgres")
        self.conninfo = postgres.conninfo(self.name)
        self.db = psycopg.connect(self.conninfo, autocommit=True)

    def migrate(self, *words):
        done = subprocess.run([self.programs / "loyalctl", "migrate", *words], env={"LOYALD_POSTGRES": self.conninfo},
                              cwd=services.ROOT, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def up(self, folder):
        return self.migrate("up", "--folder", str(folder))

    def done(self, *words):
        code, out, err = self.migrate(*words)
        assert code == 0, out + err
        return out

    def schema(self):
        """Without the random words that newer pg_dumps put at the ends."""
        dump = subprocess.run([pathlib.Path(self.postgres.bin) / "pg_dump", "--schema-only", self.conninfo],
                              check=True, capture_output=True, text=True).stdout
        return [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]

    def versions(self):
        return [row[0] for row in self.db.execute("SELECT version FROM schema_migrations ORDER BY 1")]

    def tables(self):
        return [row[0] for row in self.db.execute("SELECT relname FROM pg_class WHERE relkind = 'r' "
                                                  "AND relnamespace = 'public'::regnamespace ORDER BY 1")]


@pytest.fixture
def database(postgres, programs):
    database = Database(postgres, programs)
    yield database
    database.db.close()
    postgres.psql(f"DROP DATABASE {database.name} WITH (FORCE)", "postgres")


@pytest.fixture
def folder(tmp_path):
    """write(name, text) puts a migration there."""
    class Folder(type(tmp_path)):
        def write(self, name, text):
            (self / name).write_text(text)
            return self
    return Folder(tmp_path)


def test_every_down_undoes_its_up(database, folder):
    """Step by step: the schema after n downs is the schema before n ups, privileges included."""
    before = []
    for path in sorted(MIGRATIONS.glob("*.sql")):
        folder.write(path.name, path.read_text())
        before.append(database.schema())
        assert database.up(folder)[0] == 0
    # The first dump is from before schema_migrations, which stays.
    before[0] = None
    full = database.schema()
    for version in reversed(VERSIONS):
        assert version in database.done("down")
        expected = before.pop()
        if expected is not None:
            assert database.schema() == expected
    assert database.tables() == ["schema_migrations"] and database.versions() == []
    database.done("up")
    assert database.schema() == full


def test_status_tells_what_is_pending(database):
    code, out, _ = database.migrate("status")
    assert code == 1
    assert [line.split()[:2] for line in out.splitlines()] == [["pending", version] for version in VERSIONS]
    assert database.tables() == []  # it changed nothing
    database.done("up")
    code, out, _ = database.migrate("status")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()] == [["applied", version] for version in VERSIONS]
    database.db.execute("INSERT INTO schema_migrations VALUES ('20991231000000')")
    assert "database is ahead" in database.done("status")


def test_up_again_does_nothing(database):
    database.done("up")
    assert "nothing to do" in database.done("up")
    assert database.versions() == VERSIONS


def test_what_dbmate_applied_is_not_applied_again(database):
    database.db.execute("CREATE TABLE schema_migrations (version character varying(128) NOT NULL PRIMARY KEY)")
    for path in sorted(MIGRATIONS.glob("*.sql"))[:2]:
        database.db.execute(path.read_text().split("-- migrate:down")[0])
        database.db.execute("INSERT INTO schema_migrations VALUES (%s)", [path.name.split("_")[0]])
    left = [word for path in sorted(MIGRATIONS.glob("*.sql"))[2:] for word in ("applied", path.name)]
    assert database.done("up").split() == left


@pytest.mark.parametrize("text, line, says", [
    ("-- migrate:up\nCREATE TABLE a (x int);\n\nCREATE TABLE a (y int);\n-- migrate:down\n", 2, "already exists"),
    ("-- migrate:up\n-- счёт ÷\nSELECT 1;\nSELEC 2;\n-- migrate:down\n", 4, "syntax error"),
    ("-- migrate:up\nSELECT nothing;\n", 2, "nothing"),
    ("-- migrate:up\nSELECT 1;\n-- migrate:up\n", 3, "stands there already"),
    ("SELECT 1;\n", 1, "migrate:up"),
    ("-- migrate:up transactions:no\n", 1, "unknown option"),
])
def test_an_error_names_file_and_line_and_leaves_nothing(database, folder, text, line, says):
    folder.write("1_good.sql", "-- migrate:up\nCREATE TABLE good (x int);\n-- migrate:down\nDROP TABLE good;\n")
    folder.write("2_bad.sql", text)
    code, out, err = database.up(folder)
    assert code == 1 and f"2_bad.sql:{line}:" in err and says in err, err
    assert database.tables() == ["good", "schema_migrations"]
    assert database.versions() == ["1"]
    assert "applied 1_good.sql" in out


def test_versions_are_numbers_and_the_order_is_theirs(database, folder):
    folder.write("10_b.sql", "-- migrate:up\nALTER TABLE a ADD y int;\n-- migrate:down\nALTER TABLE a DROP y;\n")
    folder.write("9_a.sql", "-- migrate:up\nCREATE TABLE a (x int);\n-- migrate:down\nDROP TABLE a;\n")
    folder.write("notes.txt", "no migration")
    assert database.up(folder)[1].split() == ["applied", "9_a.sql", "applied", "10_b.sql"]
    code, out, _ = database.migrate("down", "--steps", "2", "--folder", str(folder))
    assert (code, out.split()) == (0, ["undone", "10_b.sql", "undone", "9_a.sql"])


def test_outside_a_transaction_where_the_file_says_so(database, folder):
    folder.write("1_a.sql", "-- migrate:up\nCREATE TABLE a (x int);\n-- migrate:down\nDROP TABLE a;\n")
    folder.write("2_i.sql", "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON a (x);\n"
                            "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n")
    assert database.up(folder)[0] == 0
    assert database.db.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass").fetchone()[0]
    assert database.migrate("down", "--folder", str(folder))[0] == 0
    folder.write("2_i.sql", "-- migrate:up\nCREATE INDEX CONCURRENTLY i ON a (x);\n")
    code, _, err = database.up(folder)
    assert code == 1 and "2_i.sql:2:" in err and "transaction block" in err


def test_what_cannot_be_undone_says_so(database, folder):
    folder.write("1_a.sql", "-- migrate:up\nCREATE TABLE a (x int);\n")
    assert database.up(folder)[0] == 0
    code, _, err = database.migrate("down", "--folder", str(folder))
    assert code == 1 and "cannot be undone" in err
    (folder / "1_a.sql").unlink()
    folder.write("2_b.sql", "-- migrate:up\n")
    code, _, err = database.migrate("down", "--folder", str(folder))
    assert code == 1 and "no file of version 1" in err


def test_two_at_once_apply_each_once(database):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(database.migrate("up"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [code for code, _, _ in answers] == [0] * 4, answers
    assert sum(out.count("applied") for _, out, _ in answers) == len(VERSIONS)
    assert database.versions() == VERSIONS
