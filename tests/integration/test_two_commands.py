"""`make run`, as somebody sees it who has just cloned this: on a terminal, and down a pipe. Its figures are computed
again with psql."""
import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

import services

EVENTS = 20000
UP = "up until Ctrl-C"


class Session:
    """`make run` in a folder of its own, on a pseudo-terminal or a pipe."""

    def __init__(self, folder, terminal, seed=5):
        self.folder = folder
        self.text = ""
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("MAKE", "MFLAGS", "NO_COLOR"))}
        environment["TERM"] = "xterm"
        if terminal:
            self.reader, end = pty.openpty()
        else:
            self.reader, end = os.pipe()
        self.make = subprocess.Popen(["make", "run", f"RUN={folder}", f"EVENTS={EVENTS}", f"SEED={seed}"], stdout=end,
                                     stderr=end, stdin=subprocess.DEVNULL, cwd=services.ROOT, env=environment,
                                     start_new_session=True)
        os.close(end)

    def read_until(self, wanted, seconds=120):
        deadline = time.monotonic() + seconds
        while wanted not in self.text:
            assert time.monotonic() < deadline, f"no {wanted!r} after {seconds} s:\n{self.text}"
            if not self.read(1):
                raise AssertionError(f"make run ended:\n{self.text}")
        return self.text

    def read(self, seconds):
        """False at the end."""
        if not select.select([self.reader], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.reader, 65536)
        except OSError:  # what a terminal says when its last writer has gone
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def interrupt(self):
        """Ctrl-C, as a terminal gives it to everybody in the foreground."""
        os.killpg(self.make.pid, signal.SIGINT)
        while self.read(20):
            pass
        self.make.wait(30)

    def query(self, sql):
        text = subprocess.run(["psql", "-XqAt", "-F", " ", "-c", sql, self.conninfo()], check=True, capture_output=True,
                              text=True).stdout
        return [line.split(" ") for line in text.splitlines()]

    def conninfo(self):
        return re.search(r'psql "([^"]+)"', self.text)[1]


@contextlib.contextmanager
def session(folder, terminal, **options):
    run = Session(folder, terminal, **options)
    try:
        yield run
    finally:
        if run.make.poll() is None:
            run.interrupt()
        os.close(run.reader)


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r\n", "\n")


def number(text):
    return int(text.replace(",", ""))


def rows_under(text, title):
    """The lines of a section of figures."""
    section = plain(text).split(f"\n{title}\n", 1)[1].split("\n\n", 1)[0]
    return [line.strip() for line in section.splitlines()]


def check_outcomes(run):
    shown = {re.split(r"  +", line)[0]: number(re.split(r"  +", line)[1]) for line in rows_under(run.text, "Outcomes")}
    # six numbers a topic: applied, duplicate, ignored, forwarded, rejected, gap
    totals = [number(row[0]) for row in run.query(
        "SELECT sum(t) FROM partition, unnest(outcome_totals) WITH ORDINALITY AS u(t, i) GROUP BY (i - 1) % 6 "
        "ORDER BY (i - 1) % 6")]
    assert [shown["applied"], shown["duplicate"], shown["no member"], shown["dead letters"]] == [
        totals[0], totals[1], totals[2], totals[4]]
    assert totals[3] == totals[5] == 0
    assert shown["together"] == sum(totals) == EVENTS + 1000
    assert all(shown[name] > 0 for name in ("duplicate", "no member", "dead letters"))
    assert run.query("SELECT count(*) FROM journal") == [[str(totals[0])]]


def check_against_what_was_made(run, programs):
    """The generator says how many records of each sort it made; the shop's options are those of run.py."""
    counts = run.folder / "counts"
    with open(run.folder / "year.events", "rb") as year:
        made = subprocess.run([programs / "loyalctl", "generate", "--members", str(EVENTS // 10), "--events", str(EVENTS),
                               "--seed", "5", "--start", "2024-01-01", "--days", "366", "--duplicates", "2",
                               "--no-member", "3", "--broken", "1", "--format", "protobuf", "--counts", counts],
                              check=True, capture_output=True).stdout
        assert made == year.read()
    made = json.loads(counts.read_text())
    [totals] = run.query("SELECT sum(t) FILTER (WHERE i % 6 = 1), sum(t) FILTER (WHERE i % 6 = 2), "
                         "sum(t) FILTER (WHERE i % 6 = 3), sum(t) FILTER (WHERE i % 6 = 5) "
                         "FROM partition, unnest(outcome_totals) WITH ORDINALITY AS u(t, i)")
    broken = sum(made[sort] for sort in ("cut_off", "wrong_total", "unknown_kind", "invalid_utf8", "bad_member"))
    assert [number(total) for total in totals] == [made["valid"] + 1000, made["duplicate"], made["no_member"], broken]


def check_points(run):
    shown = {words[0]: [number(word) for word in words[1:3]] for line in rows_under(run.text, "Points")
             if (words := line.split()) and words[0] in ("ledger", "balances", "lots")}
    [ledger] = run.query("SELECT sum(e.amount) FILTER (WHERE e.kind IN (1, 3, 4)), sum(CASE e.kind WHEN 2 "
                         "THEN e.amount WHEN 3 THEN -e.amount ELSE 0 END) FROM journal, unnest(entries) AS e")
    [balances] = run.query("SELECT sum(available[1]), sum(pending[1]) FROM member")
    assert shown == {name: [number(word) for word in balances] for name in ("ledger", "balances", "lots")}
    assert ledger == balances and shown["ledger"][0] > 0


def check_top_members(run):
    shown = [[words[0]] + [number(word) for word in words[1:]] for words in
             (line.split() for line in rows_under(run.text, "Top members")[1:])]
    top = run.query("SELECT member_id, available[1], pending[1], version FROM member "
                    "ORDER BY available[1] + pending[1] DESC, member_id LIMIT 5")
    assert shown == [[row[0]] + [int(word) for word in row[1:]] for row in top]
    return top[0][0]


def check_why(run):
    lines = [line.split() for line in rows_under(run.text, "Why")]
    granted = {words[0]: number(words[1]) for words in lines if words[0] in ("base", "coffee")}
    member = next(words[words.index("member") + 1].rstrip(",") for words in lines if "member" in words)
    assert set(granted) == {"base", "coffee"}
    assert [str(granted["base"]), str(granted["coffee"])] in run.query(
        "SELECT base.amount, coffee.amount FROM ledger base JOIN ledger coffee USING (member_id, seq) "
        f"WHERE member_id = '{member}' AND base.rule = 'base' AND coffee.rule = 'coffee'")


def check_take_over(run):
    [line] = rows_under(run.text, "Take-over")
    count, of, seconds = re.match(r"worker-2 took over (\d+) of worker-1's (\d+) partitions within ([0-9.]+) s",
                                  line).groups()
    assert int(count) == int(of) > 0
    assert 0 < float(seconds) < 30
    # whoever owns them now is the one that lives
    assert len(run.query("SELECT DISTINCT split_part(owner, '/', 2) FROM partition")) == 1


def check_own_event(run, member):
    """The two kcat commands that are printed, as printed: a balance update of that purchase comes out."""
    listen = re.search(r"kcat .* -C -t loyalty.updates .*", plain(run.text))[0]
    publish = re.search(r"echo .* -P -t loyalty.events .*", plain(run.text))[0]
    listener = subprocess.Popen(["sh", "-c", "exec " + listen], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(2)  # from the topic's end on: it has to have found it
        subprocess.run(["sh", "-c", publish], check=True)
        assert select.select([listener.stdout], [], [], 20)[0], "no balance update came out"
        update = json.loads(listener.stdout.readline())
    finally:
        listener.kill()
        listener.wait()
    assert (update["member_id"], update["cause"]["event_id"]) == (member, "mine-1")
    return update


def processes_of(folder):
    """Processes whose command line names the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as line:
            if str(folder).encode() in line.read():
                found.append(int(pid))
    return [pid for pid in found if pid != os.getpid()]


def test_make_run_on_a_terminal(tmp_path, programs):
    with session(tmp_path / "run", terminal=True) as run:
        text = run.read_until(UP)
        assert "█" in text and "\x1b[1m" in text, "a terminal gets a bar and colour"
        assert "DIFFERS" not in text
        broker = "Apache Kafka" if os.environ.get("KAFKA") == "apache" else "the embedded broker"
        assert f"Redis, {broker} and" in text
        check_outcomes(run)
        check_against_what_was_made(run, programs)
        check_points(run)
        check_take_over(run)
        check_why(run)
        member = check_top_members(run)
        check_own_event(run, member)
        run.interrupt()
        assert processes_of(tmp_path / "run") == [], "something was left running"


def figures(text):
    """What has to be the same for the same seed: all but times, addresses and processes."""
    return {title: rows_under(text, title) for title in ("Outcomes", "Points", "Top members")}


def test_make_run_down_a_pipe_gives_the_same_figures_without_colour(tmp_path):
    texts = []
    for name in ("first", "second"):
        with session(tmp_path / name, terminal=False) as run:
            text = run.read_until(UP)
            assert "\x1b" not in text and "█" not in text and "\r" not in text
            texts.append(text)
    assert figures(texts[0]) == figures(texts[1])


def test_make_run_twice_in_one_folder_is_refused(tmp_path):
    lock = services.Folder(tmp_path / "run")
    with session(tmp_path / "run", terminal=False) as run:
        with pytest.raises(AssertionError, match="make run ended"):
            run.read_until(UP, 60)
    assert "another session uses" in run.text
    lock.lock.close()
