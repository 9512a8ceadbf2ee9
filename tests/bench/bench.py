#!/usr/bin/python3
"""`make bench KAFKA=apache`: events a second end to end, CPU time an event, latency and memory, in one run.

Apache Kafka, PostgreSQL (fsync on) and Redis of its own in a folder; nothing of the system is touched. The cases:

  (first, not measured: a warm-up of all services, whose database and topics go again)
  main         the topic holds EVENTS purchases of MEMBERS members; then one worker starts on an empty database
  known        as many again, of the same members: nobody is enrolled
  minimal      tests/bench/minimal: the least that could be called a ledger, and the adapter's commit, on the same schema
  latency      from publish to balance update, at 20 % and 50 % of main's rate, on the database of `known`
  duplicates   as main, one record in a hundred a second time
  budget       as main, with one budget that every purchase takes from
  members_10x  as main, of ten times the members
  again        main once more: the two before it and the Java service behind it are compared with this one
  history      (--history N) as known, on top of N journal rows: once right after a checkpoint, once without one, and
               right behind them as known again, on a database of its own that has no more than main's rows
  peer         (--peer) the Java service of $LOYALD_SHARED/peer; skipped, saying so, where that is absent

Writes result.json; report.py makes a table and docs/performance.md of it.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "dev"), str(pathlib.Path(__file__).parent)]

import machine  # noqa: E402  (found by the path above)
import report  # noqa: E402
import services  # noqa: E402
from installation import BenchError, Installation, environment_of_nobody, measure  # noqa: E402

CASES = ("main", "known", "minimal", "latency", "duplicates", "budget", "members_10x", "again", "history", "peer")
# As much as a run: a broker that is new compiles itself for its first million messages, on a core that the run is not
# given, and PostgreSQL makes its first segments. The second of the Java service's runs has as much behind it.
WARM_EVENTS, WARM_MEMBERS = 500_000, 100_000
LATENCY_SHARES = (0.2, 0.5)  # of main's rate
DUPLICATES = 0.01
SEGMENT_BYTES = 16 * 2**20  # of PostgreSQL's write-ahead log
EVENT_LOG_BYTES = 1000      # that an event writes to it where transactions are small
WRITEBACK_SECONDS_MAX = 5    # with more the tail of the latency is the disk's
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "32GB", "checkpoint_timeout": "1h"}
SOURCE = pathlib.Path(os.environ.get("LOYALD_SHARED", ROOT.parent / "shared")) / "peer"


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = services.Folder(options.folder)
        self.result = {"started_at": now(), "machine": machine.describe(ROOT, self.folder.path),
                       "options": {key: str(value) if isinstance(value, pathlib.Path) else value
                                   for key, value in vars(options).items()
                                   if key not in ("programs", "folder")}, "cases": {}, "skipped": {}}
        self.services = {}

    def wants(self, case):
        return case in self.options.cases

    def keep(self, case, figures):
        self.result["cases"][case] = figures
        self.write()

    def say(self, text):
        print(f"bench: {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def write(self):
        path = pathlib.Path(self.folder.at("result.json"))
        path.with_suffix(".new").write_text(json.dumps(self.result, indent=2) + "\n")
        path.with_suffix(".new").replace(path)

    def start_services(self, stack):
        for name in ("postgres", "redis", "kafka", *CASES):
            shutil.rmtree(self.folder.at(name), ignore_errors=True)
        self.services["postgres"] = stack.enter_context(
            services.PostgreSQL(self.folder.at("postgres"), fsync=True, settings=SETTINGS))
        self.services["redis"] = stack.enter_context(services.Redis(self.folder.at("redis")))
        self.services["broker"] = stack.enter_context(services.Kafka(self.folder.at("kafka"), heap="1g"))
        self.result["versions"] = {
            "loyald": machine.first_line(str(self.options.programs / "loyald-worker"), "--version"),
            "postgres": self.services["postgres"].psql("SHOW server_version", "postgres")[0][0],
            "postgres_settings": {"fsync": "on", **SETTINGS},
            "redis": machine.first_line("redis-server", "--version"),
            "kafka": kafka_version(services.Kafka.lib),
            "kafka_initial_rebalance_delay_ms": initial_rebalance_delay_ms(self.services["broker"].folder),
            "java": machine.first_line("java", "-version")}

    # --- cases -------------------------------------------------------------------------------------------------------

    def run(self):
        with contextlib.ExitStack() as stack:
            self.say("starting PostgreSQL, Redis and Apache Kafka")
            self.start_services(stack)
            self.warm_up()
            self.same_members()
            if self.wants("minimal"):
                self.minimal()
            if self.wants("duplicates"):
                self.fresh("duplicates", self.options.members, DUPLICATES)
            if self.wants("budget"):
                self.budget()
            if self.wants("members_10x"):
                self.fresh("members_10x", 10 * self.options.members)
            if self.wants("again"):
                self.fresh("again", self.options.members)
        if self.wants("peer"):
            self.peer()
        self.result["ended_at"] = now()
        self.write()

    def warm_up(self):
        """What the Java service's get too: a broker and a PostgreSQL that have done a run before one is measured."""
        events = min(WARM_EVENTS, self.options.events)
        self.say(f"warm-up: {events:,} purchases of members that nobody sees again")
        with Installation("warm", self) as installation:
            measure(installation, installation.fill(events, WARM_MEMBERS, "warm"))
            installation.drop()
        self.result["warm_up"] = {"events": events, "members": WARM_MEMBERS}

    def case(self, name, installation, members, duplicates=0.0, tag=None, checkpoint=True):
        tag = tag or name
        self.say(f"{name}: filling the topic with {self.options.events:,} purchases of {members:,} members")
        wanted = installation.fill(self.options.events, members, tag, duplicates)
        self.say(f"{name}: a worker with {self.options.threads} threads")
        figures = {"members": members, **measure(installation, wanted, checkpoint)}
        self.say(f"{name}: {figures['per_second']:,} events/s, {figures['cpu_us_sum']} us an event")
        return figures

    def fresh(self, name, members, duplicates=0.0):
        with Installation(name, self) as installation:
            self.keep(name, self.case(name, installation, members, duplicates))
            installation.drop()

    def budget(self):
        """The shop's programme, its one rule from a budget that lasts: all threads charge the same counter."""
        path = pathlib.Path(self.folder.at("budget.yaml"))
        text = (ROOT / "docs" / "examples" / "shop.yaml").read_text()
        rule = "  - id: base\n"
        if text.count(rule) != 1:
            raise BenchError("docs/examples/shop.yaml has not the one rule that is to have a budget")
        path.write_text(text.replace(rule, rule + "    budget: {points: 1000000000000}\n"))
        with Installation("budget", self, programme=path) as installation:
            figures = self.case("budget", installation, self.options.members)
            charged = installation.db.execute("SELECT used FROM counter").fetchall()
            if charged != [(figures["points"],)]:
                raise BenchError(f"the counter was charged {charged}, not {figures['points']}")
            self.keep("budget", figures)
            installation.drop()

    def same_members(self):
        """main, and what is measured on the database that it leaves."""
        with Installation("main", self) as installation:
            main = self.case("main", installation, self.options.members)
            self.keep("main", main)
            installation.stop_worker()
            self.say("main: loyalctl audit")
            installation.ctl("audit", "--topics")
            main["audit"] = "clean"
            if self.wants("known"):
                installation.db.execute("VACUUM ANALYZE")
                self.keep("known", self.case("known", installation, self.options.members, tag="known"))
            if self.wants("latency"):
                self.latency(installation, main["per_second"])
            installation.stop_worker()
            if self.wants("history"):
                self.history(installation)
            installation.drop()

    def recycle_write_ahead_log(self, db, rate):
        """As in a database that has been up for long, what is written goes into old segments of the log. In a new one
        each has to be made before: 16 MiB of zeros and a sync, every second or two, that all commits wait for."""
        events = sum(LATENCY_SHARES) * rate * (self.options.warm_seconds + self.options.seconds)
        segments = int(events * EVENT_LOG_BYTES / SEGMENT_BYTES) + 2
        self.say(f"latency: {segments} segments of the write-ahead log are made ready")
        db.execute(f"ALTER SYSTEM SET min_wal_size = '{segments * SEGMENT_BYTES // 2**20}MB'")
        db.execute("SELECT pg_reload_conf()")
        for _ in range(segments):
            db.execute("SELECT pg_logical_emit_message(false, 'bench', '')")
            db.execute("SELECT pg_switch_wal()")
        db.execute("CHECKPOINT")
        db.execute("ALTER SYSTEM RESET min_wal_size")
        db.execute("SELECT pg_reload_conf()")
        self.result["latency_log_mib"] = segments * SEGMENT_BYTES // 2**20

    def latency(self, installation, rate):
        if self.result["machine"]["writeback_seconds"]["expire"] > WRITEBACK_SECONDS_MAX:
            self.say(f"latency: the disk has what was written {self.result['machine']['writeback_seconds']['expire']:.0f} s "
                     "later, all at once, and commits wait for it: see \"Updates are late now and then\" in docs/runbook.md")
        self.recycle_write_ahead_log(installation.db, rate)
        if installation.worker is None:
            installation.start_worker()
            installation.worker.wait_until_ready()
        found = []
        self.result["latency_client"] = "in C (linger 5 ms, a fetch every 5 ms)"  # as pace.c sets it
        for share in LATENCY_SHARES:
            self.say(f"latency: {share:.0%} of {rate:,} a second for {self.options.seconds} s")
            found.append({"share": share, **self.pace(installation, rate * share, f"lat{int(share * 100)}")})
            self.say(f"latency: p50 {found[-1]['p50_ms']} ms, p99 {found[-1]['p99_ms']} ms")
        self.keep("latency", found)

    def pace(self, installation, rate, tag):
        pids = {name: service.process.pid for name, service in self.services.items()}
        meter = machine.Meter({**pids, "worker": installation.worker.process.pid})
        meter.start()
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "bench" / "pace.py"),
             str(self.options.programs / "tests" / "bench" / "pace"), self.services["broker"].bootstrap,
             installation.topic["events"], installation.topic["updates"], str(self.options.partitions),
             str(round(rate, 1)), str(self.options.warm_seconds), str(self.options.seconds),
             str(self.options.members), tag], capture_output=True, text=True)
        if done.returncode:
            raise BenchError(f"pace.py: {done.stderr}")
        figures = json.loads(done.stdout)
        if figures["answered"] != figures["published"]:
            raise BenchError(f"{figures['answered']} of {figures['published']} purchases had an update")
        used, others = meter.stop()
        return {**figures, "cpu_us": {name: round(value * 1e6 / figures["published"], 2)
                                      for name, value in used.items()}, "others_share": others}

    def minimal(self):
        self.say("minimal: the least that could be called a ledger, and the adapter's commit")
        postgres = self.services["postgres"]
        postgres.psql("CREATE DATABASE minimal", "postgres")
        conninfo = postgres.conninfo("minimal")
        environment = {**environment_of_nobody(), "LOYALD_POSTGRES": conninfo}
        subprocess.run([self.options.programs / "loyalctl", "migrate", "up"], check=True, stdout=subprocess.DEVNULL,
                       env=environment, cwd=ROOT)
        batch = max(1, min(1000, self.options.members // 10))
        done = subprocess.run([self.options.programs / "tests" / "bench" / "minimal", conninfo,
                               str(self.options.events), str(self.options.members), str(batch)],
                              check=True, stdout=subprocess.PIPE, text=True)
        self.keep("minimal", json.loads(done.stdout))
        postgres.psql("DROP DATABASE minimal WITH (FORCE)", "postgres")

    def history(self, installation):
        """Journal rows of earlier times are copies of those there are, under keys of their own, in the heap's order: what
        the journal and its index weigh is real, though no audit would be clean after it."""
        wanted = self.options.history
        db = installation.db
        there = db.execute("SELECT count(*) FROM journal").fetchone()[0]
        self.say(f"history: {there:,} journal rows grow to {wanted:,}")
        copy = 0
        while there < wanted:
            copy += 1
            there += db.execute(
                "INSERT INTO journal SELECT k, n, md5(event_key::text || %s)::uuid, seq, version, topic, part, off, "
                "arrival - interval '1 day', occurred_at - interval '1 day', revision, engine, kind, applied, subject, "
                "entries, event, trace FROM (SELECT * FROM journal WHERE arrival > now() - interval '12 hours' "
                "LIMIT %s) AS recent", (str(copy), wanted - there)).rowcount
        db.execute("VACUUM ANALYZE")
        figures = {"journal_rows": there,
                   "journal_mib": round(db.execute("SELECT pg_total_relation_size('journal')").fetchone()[0] / 2**20)}
        figures["after_checkpoint"] = self.case("history", installation, self.options.members, tag="hist1")
        installation.stop_worker()
        figures["later"] = self.case("history", installation, self.options.members, tag="hist2", checkpoint=False)
        installation.stop_worker()
        figures["without"] = self.without_history()
        self.keep("history", figures)

    def without_history(self):
        """`known` was minutes ago, and a host's pace changes by the minute: what is compared lies side by side."""
        with Installation("bare", self) as installation:
            self.case("bare", installation, self.options.members)
            installation.stop_worker()
            installation.db.execute("VACUUM ANALYZE")
            figures = self.case("without", installation, self.options.members)
            installation.drop()
        return figures

    def peer(self):
        """The Java service does as many purchases on services of its own, with none of ours up."""
        if not (SOURCE / "peer.sh").exists():
            self.result["skipped"]["peer"] = f"{SOURCE} is not there (LOYALD_SHARED)"
        elif not shutil.which("java") or not shutil.which("mvn"):
            self.result["skipped"]["peer"] = "Java or Maven is not there"
        if "peer" in self.result["skipped"]:
            self.say("peer: skipped: " + self.result["skipped"]["peer"])
            return
        self.say("peer: the Java service, on a broker and a PostgreSQL of its own")
        folder = self.folder.at("peer")
        command = ["bash", str(SOURCE / "peer.sh"), folder, "V2", "threads=3", "batch=5000"]
        if self.options.events < 500_000:
            command += [f"target={self.options.events}", "verify=0"]  # it verifies whole topics only
        done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        runs = report.json_lines(done.stdout)
        if done.returncode or not runs:
            self.result["skipped"]["peer"] = f"peer.sh ended with {done.returncode}"
            return
        self.keep("peer", {"runs": runs, "best": max(runs, key=lambda run: run["rate"])})


def initial_rebalance_delay_ms(folder):
    """How long that Kafka's group of nobody waits for more members: part of a worker's start."""
    lines = pathlib.Path(folder, "server.properties").read_text().splitlines()
    found = [line.split("=", 1)[1] for line in lines if line.startswith("group.initial.rebalance.delay.ms=")]
    return int(found[-1]) if found else None


def kafka_version(lib):
    found = sorted(pathlib.Path(lib).glob("kafka_2.13-*.jar"))
    return found[0].stem.removeprefix("kafka_2.13-") if found else None


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default=ROOT / "build" / "cc", type=pathlib.Path)
    parser.add_argument("--folder", default=ROOT / "run" / "bench", type=pathlib.Path)
    parser.add_argument("--events", default=500_000, type=int)
    parser.add_argument("--members", default=100_000, type=int)
    parser.add_argument("--threads", default=3, type=int, help="of the worker; PostgreSQL has the same cores")
    parser.add_argument("--partitions", default=3, type=int, help="each has its own requests, which cost the broker")
    parser.add_argument("--seconds", default=30, type=int, help="that latency is measured, at each rate")
    parser.add_argument("--warm-seconds", default=60, type=int,
                        help="before that: the broker's Java, warm from full batches, compiles anew for small ones")
    parser.add_argument("--history", default=0, type=int, metavar="ROWS", help="journal rows to measure on top of")
    parser.add_argument("--peer", action="store_true", help="also run the Java service")
    parser.add_argument("--cases", type=lambda text: text.split(","), help="only these (main is always run)")
    options = parser.parse_args()
    options.programs = options.programs.resolve()
    always = [case for case in CASES if case not in ("history", "peer")]
    options.cases = options.cases or always + ["history"] * bool(options.history) + ["peer"] * options.peer
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    return options


def main():
    options = read_options()
    if os.environ.get("KAFKA") != "apache":
        sys.exit("bench: KAFKA=apache is wanted: the embedded broker keeps 5 MiB a partition and is no measure")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bench = Bench(options)
    bench.run()
    print(report.table(bench.result))


if __name__ == "__main__":
    try:
        main()
    except (BenchError, services.ServiceError) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
