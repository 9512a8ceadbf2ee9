"""One installation of loyald on the bench's services: a database, topics, a worker, and what is measured of them."""
import os
import pathlib
import re
import subprocess
import time

import confluent_kafka
import psycopg
from confluent_kafka import TopicPartition

import machine
import purchases
import services

OUTCOMES = ("applied", "duplicate", "ignored", "forwarded", "rejected", "gap")  # partition.outcome_totals
STALL_SECONDS = 120  # without progress the bench gives up
LOOK_SECONDS = 0.5   # each look costs PostgreSQL something, so they are rare until the end is near
LOOK_NEAR_SECONDS = 0.02
NEAR = 0.93          # share of the records from which on it looks often
TOTALS = ("SELECT (i - 1) % 6, sum(total) FROM partition, unnest(outcome_totals) WITH ORDINALITY AS t(total, i) "
          "GROUP BY 1")
COUNTERS = ("batches", "acquires", "guard_partition", "guard_journal", "guard_member", "guard_counter", "store_outages",
            "account_cache_hits", "account_redis_hits", "accounts_loaded", "members_enrolled", "messages_published")


class BenchError(Exception):
    """What ended the bench, as a sentence."""


def environment_of_nobody():
    """The environment without settings of whoever runs the bench."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("LOYALD_", "PG"))}


class Installation:
    def __init__(self, name, bench, programme="docs/examples/shop.yaml"):
        self.name = name
        self.programme = programme
        self.options = bench.options
        self.services = bench.services
        self.folder = pathlib.Path(bench.folder.at(name))
        self.topic = {short: f"{name}.{short}" for short in
                      ("events", "internal", "ticks", "updates", "balances", "dead-letters")}
        self.worker = None
        self.db = None
        self.reader = None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        # Its keys name members only: those of another installation would be wrong guesses, and each cost a commit.
        self.services["redis"].command("FLUSHALL")
        self.services["postgres"].psql(f"CREATE DATABASE {self.name}", "postgres")
        self.conninfo = self.services["postgres"].conninfo(self.name)
        self.ctl("migrate", "up")
        self.ctl("programme", "publish", str(self.programme), "--author", "bench", "--reason", "bench")
        self.ctl("topics", "create")
        self.db = psycopg.connect(self.conninfo, autocommit=True)
        self.reader = confluent_kafka.Consumer({
            "bootstrap.servers": self.services["broker"].bootstrap, "group.id": f"{self.name}.bench",
            "enable.auto.commit": False, "log.connection.close": False})
        return self

    def __exit__(self, *_):
        self.stop_worker()
        for client in (self.db, self.reader):
            if client is not None:
                client.close()

    def drop(self):
        """Gives the disk back: a later case shall not meet what an earlier one left."""
        self.__exit__()
        self.services["postgres"].psql(f"DROP DATABASE {self.name} WITH (FORCE)", "postgres")

    def environment(self):
        ours = {"kafka_brokers": self.services["broker"].bootstrap, "postgres": self.conninfo,
                "topics": self.topic["events"], "topic_internal": self.topic["internal"],
                "topic_ticks": self.topic["ticks"], "topic_updates": self.topic["updates"],
                "topic_balances": self.topic["balances"], "topic_dead_letters": self.topic["dead-letters"],
                "partitions": self.options.partitions, "group": self.name, "redis": self.services["redis"].url,
                "threads": self.options.threads}
        return {**environment_of_nobody(), **{f"LOYALD_{key.upper()}": str(value) for key, value in ours.items()}}

    def ctl(self, *arguments):
        done = subprocess.run([str(self.options.programs / "loyalctl"), *arguments], env=self.environment(),
                              capture_output=True, text=True, cwd=services.ROOT, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise BenchError(f"loyalctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    # --- records -----------------------------------------------------------------------------------------------------

    def fill(self, events, members, tag, duplicates=0.0):
        """Publishes purchases while no worker runs; returns what must come of them."""
        path = self.folder / f"{tag}.events"
        wanted = purchases.write_file(path, events, members, tag, tag, duplicates)
        said = self.ctl("load", "--format", "protobuf", "--max-lag", "0", str(path))
        published = re.match(r"published (\d+) ", said)
        if not published or int(published.group(1)) != wanted["records"]:
            raise BenchError(f"the topic was not filled: {said}")
        path.unlink()
        return wanted

    def end_of(self, short):
        """The sum of a topic's high watermarks."""
        return sum(self.reader.get_watermark_offsets(TopicPartition(self.topic[short], k), timeout=10)[1]
                   for k in range(self.options.partitions))

    def worked(self):
        """Records of the event topic that have an outcome."""
        return int(self.db.execute("SELECT coalesce(sum(next_offset[1]), 0) FROM partition").fetchone()[0])

    def totals(self):
        rows = dict(self.db.execute(TOTALS).fetchall())
        return {name: int(rows.get(number, 0)) for number, name in enumerate(OUTCOMES)}

    def balances(self):
        row = self.db.execute("SELECT coalesce(sum(available + pending), 0), count(*) FROM balance").fetchone()
        return {"points": int(row[0]), "members": int(row[1])}

    # --- the worker ----------------------------------------------------------------------------------------------------

    def start_worker(self):
        self.worker = services.Program(str(self.folder), "worker", [str(self.options.programs / "loyald-worker")],
                                       self.environment())
        self.worker.start()
        return self.worker.process.pid

    def stop_worker(self):
        if self.worker is not None:
            self.worker.stop()
            self.worker = None

    def counters(self):
        status, text = self.worker.get("/metrics")
        if status != 200:
            raise BenchError(f"the worker's /metrics: {status} {text}")
        return {name: sum(int(float(value)) for value in
                          re.findall(rf"^loyald_{name}_total(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))
                for name in COUNTERS}

    def watch(self, first, last, updates):
        """Until the records from `first` to `last` have their outcomes and `updates` messages are out.

        Returns the progress: [(moment, records worked)], and the moment of the end."""
        progress, looked = [], LOOK_SECONDS
        while not progress or progress[-1][1] < last:
            time.sleep(looked)
            done = self.worked()
            if not progress or done > progress[-1][1]:
                progress.append((time.monotonic(), done))
            self.check(progress[-1][0], f"{done - first:,} of {last - first:,} records worked")
            looked = LOOK_NEAR_SECONDS if done - first >= NEAR * (last - first) else LOOK_SECONDS
        while self.end_of("updates") < updates:
            time.sleep(LOOK_NEAR_SECONDS)
            self.check(progress[-1][0], "not all updates are published")
        return progress, time.monotonic()

    def check(self, moved_at, where):
        if not self.worker.running():
            raise BenchError(f"the worker ended: {services.tail(self.worker.log)}")
        if time.monotonic() - moved_at > STALL_SECONDS:
            raise BenchError(f"{where}, and nothing moved for {STALL_SECONDS} s: {services.tail(self.worker.log)}")


# --- one measured case ---------------------------------------------------------------------------------------------

def write_ahead(db):
    return [int(value) for value in db.execute("SELECT wal_bytes, wal_fpi FROM pg_stat_wal").fetchone()] + [
        str(db.execute("SELECT checkpoint_lsn FROM pg_control_checkpoint()").fetchone()[0])]


def steady_rate(progress):
    """Records a second between the first tenth of the looks and the last: start and end of the run left out."""
    inner = progress[1:-1]
    if len(inner) < 3:
        return None
    (began, first), (ended, last) = inner[0], inner[-1]
    return round((last - first) / (ended - began)) if ended > began else None


def measure(installation, wanted, checkpoint=True):
    """Starts a worker on a filled topic and measures until all is in the ledger and published. The worker lives on."""
    db = installation.db
    if checkpoint:
        db.execute("CHECKPOINT")
    before, first, published = installation.totals(), installation.worked(), installation.end_of("updates")
    points_before = installation.balances()["points"]
    last = installation.end_of("events")
    wal = write_ahead(db)
    meter = machine.Meter({name: service.process.pid for name, service in installation.services.items()})
    meter.start()
    began = time.monotonic()
    pid = installation.start_worker()
    meter.add("worker", pid)
    progress, ended = installation.watch(first, last, published + wanted["purchases"])
    used, others = meter.stop()
    memory = machine.memory_mib(pid)
    outcomes = {name: total - before[name] for name, total in installation.totals().items()}
    check_results(installation, wanted, outcomes, points_before)
    return {**wanted, **costs(used, wanted["purchases"], ended - began), "steady_per_second": steady_rate(progress),
            "first_progress_s": round(progress[0][0] - began, 2), "memory_mib": memory, "others_share": others,
            "outcomes": outcomes, "counters": installation.counters(),
            "write_ahead": wal_cost(wal, write_ahead(db), wanted["purchases"], checkpoint)}


def costs(used, events, seconds):
    """Figures of a run of `events` in `seconds` with these CPU seconds by process."""
    each = {name: round(value * 1e6 / events, 2) for name, value in used.items()}
    total = sum(used.values()) * 1e6 / events
    possible = os.cpu_count() * 1e6 / total if total else 0
    return {"seconds": round(seconds, 2), "per_second": round(events / seconds), "cpu_us": each,
            "cpu_us_sum": round(total, 2), "possible_per_second": round(possible),
            "share_of_possible": round(events / seconds / possible, 3) if possible else None}


def wal_cost(before, after, events, checkpoint):
    return {"bytes_an_event": round((after[0] - before[0]) / events), "full_page_images": after[1] - before[1],
            "checkpoint_just_before": checkpoint, "checkpoint_during": before[2] != after[2]}


def check_results(installation, wanted, outcomes, points_before):
    """A wrong result has no speed."""
    repeated = wanted["records"] - wanted["purchases"]
    expected = {**dict.fromkeys(OUTCOMES, 0), "applied": wanted["purchases"], "duplicate": repeated}
    if outcomes != expected:
        raise BenchError(f"outcomes are {outcomes}, not {expected}")
    points = installation.balances()["points"] - points_before
    if points != wanted["points"]:
        raise BenchError(f"balances grew by {points}, not by {wanted['points']}")
