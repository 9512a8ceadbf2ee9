#!/usr/bin/python3
"""`make run`: loyald at work on a simulated year of a shop, with everything it needs, in one folder.

Starts private services (services.py) and two workers, plays a seeded year through the broker, kills one worker in the
middle, and shows what came of it. Every figure is read from the database when it is shown; the same seed gives the same
figures (those of time excepted). Stays up until Ctrl-C. Python's own library only: it runs on a fresh machine.

The year lies in the past, from a source declared historical: it is judged as of its own days, so that figures do not
depend on today. The live purchases that follow are judged as of now: by then all points of the year have been released.
"""
import argparse
import contextlib
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import services

PROGRAMME = "docs/examples/shop.yaml"
PARTITIONS = 16
YEAR = 2024
SESSION_TIMEOUT_MS = 3000  # how long the group waits for a dead worker; the embedded broker, at every change of members
THREADS = 2
SETTLE_SECONDS = 60
STEADY_SECONDS = 3         # without a partition changing hands: the group has settled
LAG_MAX = 6000             # records that the loader lets wait, so that the kill falls into the work
LIVE_EVENTS = 1000
LIVE_RATE = 250
DRAIN_SECONDS = 120
OUTCOMES = ("applied", "duplicate", "ignored", "forwarded", "rejected", "gap")


class Screen:
    """Prints for people: colour and a moving bar on a terminal, plain lines elsewhere."""

    def __init__(self):
        self.terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.terminal and "NO_COLOR" not in os.environ
        self.bar_shown = False

    def line(self, text=""):
        self.clear()
        print(text, flush=True)

    def title(self, text):
        self.line("\n" + (f"\033[1m{text}\033[0m" if self.colour else text))

    def row(self, name, *values, note=""):
        self.line((f"  {name:<14}" + "".join(f"{value:>14}" for value in values) + "  " + note).rstrip())

    def bar(self, done, total, note):
        if not self.terminal:
            return
        width = max(10, min(40, shutil.get_terminal_size().columns - len(note) - 24))
        filled = min(width, width * done // total)
        blocks = "█" * filled + "·" * (width - filled)
        if self.colour:
            blocks = f"\033[32m{blocks}\033[0m"
        print(f"\r\033[K  {blocks} {done:>9,} of {total:,} {note}", end="", flush=True)
        self.bar_shown = True

    def clear(self):
        if self.bar_shown:
            print("\r\033[K", end="")
            self.bar_shown = False


class Database:
    """One psql that stays open: a question costs no process."""

    def __init__(self, conninfo):
        self.psql = subprocess.Popen(["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", conninfo], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def rows(self, query):
        self.psql.stdin.write(query.rstrip("; \n") + ";\n\\echo end-of-rows\n")
        self.psql.stdin.flush()
        found = []
        for line in self.psql.stdout:
            if line == "end-of-rows\n":
                return found
            found.append(line.rstrip("\n").split("\t"))
        raise services.ServiceError(f"psql ended at: {query}")

    def numbers(self, query):
        return [int(value or 0) for value in self.rows(query)[0]]

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()
        self.psql.stdout.close()


TOTALS = """SELECT """ + ", ".join(
    f"coalesce(sum(total) FILTER (WHERE (i - 1) % {len(OUTCOMES)} = {place}), 0) AS {name}"
    for place, name in enumerate(OUTCOMES)) + " FROM partition, unnest(outcome_totals) WITH ORDINALITY AS t(total, i)"
OFFSETS = "SELECT coalesce(sum(next - start), 0) FROM partition, unnest(next_offset, start_offset) AS t(next, start)"
TAKEN_OVER = """SELECT count(*), coalesce(max(extract(epoch FROM acquired_at)) - {at}, 0) FROM partition
  WHERE k IN ({ks}) AND acquired_at > to_timestamp({at})"""
# A commit's moment: this PostgreSQL runs with track_commit_timestamp.
RATE = """SELECT count(*), extract(epoch FROM max(done) - min(done)) FROM (SELECT pg_xact_commit_timestamp(xmin) AS done
  FROM journal) AS j WHERE done < to_timestamp({until})"""
LATENCY = """SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY ms),
  percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)
  FROM (SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - arrival) * 1000 AS ms
        FROM journal WHERE subject LIKE 'live-%') AS l"""
LEDGER = "SELECT sum(available), sum(pending) FROM ledger"
BALANCES = "SELECT sum(available), sum(pending) FROM balance"
STATES = "SELECT encode(state, 'hex') FROM member"
TOP = "SELECT member_id, available, pending, version FROM balance ORDER BY available + pending DESC, member_id LIMIT 5"
HISTORY = """SELECT to_char(occurred_at, 'YYYY-MM-DD HH24:MI'), entry, amount, coalesce(subject, '') FROM ledger
  WHERE member_id = '{member}' ORDER BY seq DESC, ordinal DESC LIMIT 6"""
INTERESTING = """SELECT subject FROM ledger WHERE rule = 'coffee' AND subject IS NOT NULL
  ORDER BY amount DESC, occurred_at, subject LIMIT 1"""


def lots_of(state):
    """(available, pending) of an account's lots: reads services/engine/account.h's formats, lots alone."""
    numbers, value, shift = [], 0, 0
    for byte in state[1:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value, shift = 0, 0
    fields = iter(numbers)
    for _ in range(2):  # the clock and the next lot's number
        next(fields)
    for _ in range(3 * next(fields)):  # the wallets' balances
        next(fields)
    sums = [0, 0]
    for _ in range(next(fields)):
        next(fields), next(fields)
        flags, points = next(fields), next(fields)
        sums[flags & 1] += points
        for _ in range((flags & 1) + (flags >> 1 & 1)):
            next(fields)
    return sums


class Shop:
    """One session: services, workers, and what is asked of them."""

    def __init__(self, options, screen, stack):
        self.options = options
        self.screen = screen
        self.stack = stack
        self.folder = services.Folder(options.folder)
        self.workers = []

    def program(self, name):
        return os.path.join(os.path.abspath(self.options.programs), name)

    def start_services(self):
        for name in ("postgres", "redis", "broker", "kafka/data", "worker-1", "worker-2"):  # beside them: Kafka's jars
            shutil.rmtree(self.folder.at(name), ignore_errors=True)
        self.postgres = self.stack.enter_context(services.PostgreSQL(
            self.folder.at("postgres"), settings={"track_commit_timestamp": "on"}))
        self.redis = self.stack.enter_context(services.Redis(self.folder.at("redis")))
        self.broker = self.stack.enter_context(
            services.Kafka(self.folder.at("kafka")) if self.options.kafka == "apache" else services.Broker(
                self.folder.at("broker"), self.program("loyald-broker"), services.session_topics(PARTITIONS)))
        self.postgres.psql("CREATE DATABASE loyald", "postgres")
        settings = {"KAFKA_BROKERS": self.broker.bootstrap, "POSTGRES": self.postgres.conninfo(),
                    "REDIS": self.redis.url, "PARTITIONS": PARTITIONS, "HISTORICAL_SOURCES": "generator",
                    "OUTPUT_FORMAT": "json", "KAFKA_SESSION_TIMEOUT_MS": SESSION_TIMEOUT_MS, "THREADS": THREADS}
        self.env = {**{key: value for key, value in os.environ.items() if not key.startswith(("LOYALD_", "PG"))},
                    **{"LOYALD_" + key: str(value) for key, value in settings.items()}}
        with open(self.folder.at("env"), "w") as file:
            file.writelines(f"export LOYALD_{key}='{value}'\n" for key, value in settings.items())

    def ctl(self, *arguments, **options):
        return subprocess.Popen([self.program("loyalctl"), *arguments], env=self.env, cwd=services.ROOT,
                                start_new_session=True, stdin=subprocess.DEVNULL, **options)

    def ctl_to_end(self, *arguments, **options):
        process = self.ctl(*arguments, stderr=subprocess.PIPE, **options)
        said = process.communicate()[1]
        if process.returncode:
            raise services.ServiceError(f"loyalctl {arguments[0]} failed:\n{said.decode()}")

    def start_workers(self):
        for number in (1, 2):
            worker = services.Program(self.folder.at(f"worker-{number}"), f"worker-{number}",
                                      [self.program("loyald-worker")], self.env)
            self.workers.append(self.stack.enter_context(worker))
        for worker in self.workers:
            worker.wait_until_ready()
        self.db = Database(self.postgres.conninfo())
        self.stack.callback(self.db.close)
        self.wait_until_settled()

    def wait_until_settled(self):
        """Until each worker has its half of the partitions: a group takes a few rounds to see all its members."""
        deadline = time.monotonic() + SETTLE_SECONDS
        known, since = None, time.monotonic()
        while True:
            owners = self.db.rows("SELECT k, epoch, owner FROM partition ORDER BY k")
            if owners != known:
                known, since = owners, time.monotonic()
            each = [sum(f"/{worker.process.pid}/" in owner for _, _, owner in owners) for worker in self.workers]
            if each == [PARTITIONS // 2] * 2 and time.monotonic() - since > STEADY_SECONDS:
                return
            if time.monotonic() > deadline:
                raise services.ServiceError(f"the workers have {each} of {PARTITIONS} partitions after {SETTLE_SECONDS} s")
            time.sleep(0.1)

    def prepare(self):
        broker = {"apache": "Apache Kafka", "embedded": "the embedded broker"}[self.options.kafka]
        self.screen.line(f"starting PostgreSQL, Redis, {broker} and two workers in " + os.path.relpath(self.folder.path))
        self.start_services()
        self.ctl_to_end("migrate", "up", stdout=subprocess.DEVNULL)
        if self.options.kafka == "apache":
            self.ctl_to_end("topics", "create", stdout=subprocess.DEVNULL)
        self.ctl_to_end("programme", "publish", PROGRAMME, "--author", "run.py", "--reason", "first",
                        stdout=subprocess.DEVNULL)
        self.start_workers()
        self.screen.line(f"generating a year of a shop: {self.options.events:,} events, seed {self.options.seed}")
        self.year = self.folder.at("year.events")
        with open(self.year, "wb") as file:
            self.ctl_to_end("generate", "--members", str(max(1, self.options.events // 10)), "--events",
                            str(self.options.events), "--seed", str(self.options.seed), "--start", f"{YEAR}-01-01",
                            "--days", "366", "--duplicates", "2", "--no-member", "3", "--broken", "1", "--format",
                            "protobuf", stdout=file)

    # --- the work --------------------------------------------------------------------------------------------------

    def done(self):
        return sum(self.db.numbers(TOTALS))

    def watch(self, loader, total, stop):
        """Shows progress until stop(done) or all `total` records have their outcome; returns how many have."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while True:
            done = self.done()
            self.screen.bar(done, total, "events")
            if done >= total or stop(done):
                return done
            if loader.poll() not in (None, 0):
                raise services.ServiceError(f"loyalctl load failed:\n{services.tail(self.folder.at('load.log'))}")
            if not any(worker.running() for worker in self.workers):
                raise services.ServiceError(f"no worker is left:\n{services.tail(self.workers[-1].log)}")
            if time.monotonic() > deadline:
                raise services.ServiceError(f"{done:,} of {total:,} after {DRAIN_SECONDS} s: {self.workers[-1].log}")
            time.sleep(0.03)

    def load(self, *arguments):
        log = self.stack.enter_context(open(self.folder.at("load.log"), "ab"))
        return self.ctl("load", *arguments, stdout=log, stderr=log)

    def play_the_year(self):
        loader = self.load("--max-lag", str(LAG_MAX), self.year)
        self.stack.callback(end, loader)
        self.kill_after = self.watch(loader, self.options.events, lambda done: done >= self.options.events // 2)
        self.killed = self.workers[0]
        pid = self.killed.process.pid
        owned = self.db.rows("SELECT k, owner FROM partition ORDER BY k")
        self.kill_ks = [k for k, owner in owned if f"/{pid}/" in owner]
        self.kill_at = time.time()
        self.killed.kill()
        self.screen.line(f"killed worker-1 (process {pid}, SIGKILL) after {self.kill_after:,} events")
        self.watch(loader, self.options.events, lambda done: False)
        if loader.wait() != 0:
            raise services.ServiceError(f"loyalctl load failed:\n{services.tail(self.folder.at('load.log'))}")
        self.screen.line(f"played {self.options.events:,} events")

    def play_live(self):
        """Purchases of now at a steady rate, by members of the year: what a till would wait."""
        members = [row[0] for row in self.db.rows(
            f"SELECT member_id FROM member ORDER BY member_id LIMIT {LIVE_EVENTS // 4}")]
        path = self.folder.at("live.jsonl")
        now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        with open(path, "w") as file:
            for number in range(LIVE_EVENTS):
                file.write(json.dumps(live_purchase(f"live-{number}", members[number % len(members)], now)) + "\n")
        loader = self.load("--rate", str(LIVE_RATE), path)
        self.stack.callback(end, loader)
        self.watch(loader, self.options.events + LIVE_EVENTS, lambda done: False)
        self.screen.line(f"published {LIVE_EVENTS:,} purchases of now, {LIVE_RATE} a second")

    # --- what came of it -------------------------------------------------------------------------------------------

    def show_speed(self):
        self.screen.title("Speed")
        count, seconds = self.db.rows(RATE.format(until=self.kill_at))[0]
        self.screen.line(f"  {int(count) / max(float(seconds), 0.001):,.0f} events/s applied by two workers of this "
                         f"machine ({int(count):,} in {float(seconds):.1f} s, until the kill)")
        count, p50, p99 = self.db.rows(LATENCY)[0]
        self.screen.line(f"  publish → balance of {int(count):,} live purchases: p50 {float(p50):.1f} ms, "
                         f"p99 {float(p99):.1f} ms")
        self.screen.title("Take-over")
        ks = ", ".join(self.kill_ks)
        count, seconds = self.db.rows(TAKEN_OVER.format(ks=ks or "NULL", at=self.kill_at))[0]
        self.screen.line(f"  worker-2 took over {int(count)} of worker-1's {len(self.kill_ks)} partitions within "
                         f"{float(seconds):.1f} s (session time-out {SESSION_TIMEOUT_MS / 1000:.0f} s)")

    def show_outcomes(self):
        self.screen.title("Outcomes")
        totals = dict(zip(OUTCOMES, self.db.numbers(TOTALS)))
        names = {"ignored": "no member", "rejected": "dead letters"}
        for name, total in totals.items():
            if total or name not in ("forwarded", "gap"):
                self.screen.row(names.get(name, name), f"{total:,}")
        offsets = self.db.numbers(OFFSETS)[0]
        published = self.options.events + LIVE_EVENTS
        together = sum(totals.values())
        self.screen.row("together", f"{together:,}", note=verdict(together == offsets == published,
                                                                 f"{offsets:,} offsets, {published:,} published"))

    def show_points(self):
        self.screen.title("Points")
        ledger, balances = self.db.numbers(LEDGER), self.db.numbers(BALANCES)
        lots = [0, 0]
        for (state,) in self.db.rows(STATES):
            lots = [sum(pair) for pair in zip(lots, lots_of(bytes.fromhex(state)))]
        self.screen.row("", "available", "pending")
        for name, sums in (("ledger", ledger), ("balances", balances), ("lots", lots)):
            note = "" if name == "ledger" else verdict(sums == ledger, "ledger")
            self.screen.row(name, *(f"{number:,}" for number in sums), note=note)

    def show_members(self):
        self.screen.title("Top members")
        self.screen.row("member", "available", "pending", "version")
        top = self.db.rows(TOP)
        for member, *numbers in top:
            self.screen.row(member, *(f"{int(number):,}" for number in numbers))
        member = top[0][0]
        self.screen.title(f"The latest of {member}")
        for at, entry, amount, order in self.db.rows(HISTORY.format(member=member.replace("'", "''"))):
            self.screen.line(f"  {at}  {entry:<13}{int(amount):>8,}  {order}")
        return member

    def show_why(self):
        """What was recorded when it was decided, in words: a purchase that more than one rule looked at."""
        self.screen.title("Why")
        order = self.db.rows(INTERESTING)
        if order:
            shown = subprocess.run([self.program("loyalctl"), "explain", "--order", order[0][0]], env=self.env,
                                   cwd=services.ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if shown.returncode:
                raise services.ServiceError(f"loyalctl explain failed:\n{shown.stderr}")
            for line in shown.stdout.rstrip("\n").split("\n"):
                self.screen.line("  " + line)

    def show_next(self, member):
        self.screen.title("Your turn")
        event = json.dumps(live_purchase("mine-1", member, "NOW"), separators=(",", ":")).replace(
            '"NOW"', '"\'$(date -u +%FT%TZ)\'"')
        where = f"kcat -q -b {self.broker.bootstrap}"
        self.screen.line(f"""  see balance updates come out:
    {where} -C -t loyalty.updates -o end -u
  publish a purchase of your own, in another terminal:
    echo '{event}' | {where} -P -t loyalty.events -k {member} -X topic.partitioner=murmur2_random
  look around:
    . {os.path.relpath(self.folder.at("env"))}; {os.path.relpath(self.program("loyalctl"))} member {member}
    psql "{self.postgres.conninfo()}"
    curl http://127.0.0.1:{self.workers[1].http_port}/metrics""")

    def show(self):
        self.show_speed()
        self.show_outcomes()
        self.show_points()
        member = self.show_members()
        self.show_why()
        self.show_next(member)


def live_purchase(order, member, at):
    return {"event_id": order, "source": "till", "member_id": member, "occurred_at": at, "channel": "pos", "purchase": {
        "order_id": order, "lines": [{"sku": "tea", "category": "grocery", "amount_minor": "125000"}]}}


def verdict(good, what):
    return f"= {what}" if good else f"DIFFERS: {what}"


def end(process):
    if process.poll() is None:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description="loyald at work on a simulated year of a shop")
    parser.add_argument("--programs", default="build/cc", help="folder with the programs")
    parser.add_argument("--folder", default="run", help="where everything lives")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=50000)
    parser.add_argument("--kafka", choices=("embedded", "apache"), default=os.environ.get("KAFKA") or "embedded",
                        help="which broker (default: $KAFKA)")
    parser.add_argument("--once", action="store_true", help="end after the figures")
    options = parser.parse_args()
    services.end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts jobs in the background has it ignored
    screen = Screen()
    with contextlib.ExitStack() as stack:
        shop = Shop(options, screen, stack)
        shop.prepare()
        shop.play_the_year()
        shop.play_live()
        shop.show()
        if not options.once:
            screen.line("\nup until Ctrl-C")
            signal.pause()


if __name__ == "__main__":
    try:
        main()
    except services.ServiceError as error:
        sys.exit(f"run: {error}")
    except KeyboardInterrupt:
        print("\nstopped")
