"""The faults, a function a group. Each strike is a generator: it yields the moment since when partitions should be at work
again, is continued when they are, and may yield again."""
import base64
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import redis

import services
from stand import RATE, SESSION_SECONDS, state_of
from support.ledger import digest

OUTAGE_SECONDS = 6  # longer than a session
STRIKE_SECONDS = 40
# What has to happen before a point is passed; the rest is passed by any worker under load.
BEFORE = {"republish": "published_one=error,", "mark": "decide=error@1,decide=error@2,decide=error@3,",
          "marked": "decide=error@1,decide=error@2,decide=error@3,"}
AT_A_REBALANCE = ("revoked", "revoke_done")
WHEN_IDLE = ("trim", "trimmed")  # else rows are deleted by the next commit
# A record is marked when three owners came and went: until then, and for long after, everything is worked one at a time.
SLOWLY = ("mark", "marked")
SLOW_RATE = 20
LATER = {"polled": 40, "decode": 20, "decoded": 20, "published_one": 15, "delivered": 15, "commit": 3, "decide": 3}
SHORT_POINTS = {"kill": ("commit_sent", "published_one"), "error": ("acquired", "commit_sent"),
                "stop": ("pipeline",)}


def points():
    """Every point that stands in the sources."""
    names = set()
    for path in (pathlib.Path(services.ROOT) / "services").rglob("*.c"):
        names.update(re.findall(r'LOY_FAILPOINT\("([a-z_]+)"\)', path.read_text()))
    return sorted(names)


# --- a worker, at each point of the batch -----------------------------------------------------------------------------


def struck(stand, victim, action):
    """Waits until the worker has come to its point. The moment."""
    deadline = time.monotonic() + STRIKE_SECONDS
    while True:
        if action == "kill" and victim.process.poll() is not None:
            assert victim.process.returncode == -signal.SIGKILL, f"it ended with {victim.process.returncode}"
            return time.monotonic()
        if action == "stop" and state_of(victim.process) == "T":
            return time.monotonic()
        if action == "error" and f"action={action}" in victim.log_text().rpartition("event=failpoint")[2]:
            return time.monotonic()
        assert victim.process.poll() is None, f"it ended with {victim.process.returncode}"
        assert time.monotonic() < deadline, f"it never came to this point:\n{services.tail(victim.log, 5)}"
        time.sleep(0.02)


def at_point(stand, point, action):
    def strike():
        others = list(stand.world.running)
        spec = f"{BEFORE.get(point, '')}{point}={action}@{LATER.get(point, 1)}"
        stand.world.redis.command("FLUSHALL")  # so that accounts are loaded from PostgreSQL as well
        victim = stand.worker(spec, ready=False, threads=1)
        joiner = None
        if point in AT_A_REBALANCE:
            victim.wait_until_ready()
            time.sleep(0.5)
            joiner = stand.worker(ready=False)
        if point in WHEN_IDLE:
            victim.wait_until_ready()
            time.sleep(1)
            stand.load.pause()
        since = struck(stand, victim, action)
        yield since
        if action == "stop":
            time.sleep(max(0.0, since + SESSION_SECONDS + 1 - time.monotonic()))  # the group has given it up by now
            victim.process.send_signal(signal.SIGCONT)
            yield time.monotonic()
            assert victim.running(), f"woken, it ended with {victim.process.returncode}"
        if action == "kill":
            stand.world.running.remove(victim)
        for program in [victim, joiner]:
            if program and program.running():
                stand.retire(program)
        assert stand.world.running == others
    return strike


def failpoints(stand, short, only=None):
    actions = ("kill", "error", "stop")
    for action in actions:
        for number, point in enumerate(points()):
            if (short and point not in SHORT_POINTS[action]) or (only and point not in only):
                continue
            if stand.world is None or (not short and (number % 16 == 0 or point in SLOWLY)):
                stand.open_world(workers=1, rate=SLOW_RATE if point in SLOWLY else RATE)
            elif stand.load.rate != RATE:
                stand.open_world(workers=1)
            stand.fault(f"worker: {action}", point, at_point(stand, point, action))


# --- kills at random --------------------------------------------------------------------------------------------------


def kills(stand, short, count):
    if stand.kafka is None:
        stand.say({"group": "worker: SIGKILL at random, 4 workers", "fault": "kills",
                   "skipped": "the embedded broker's group waits a minute for whoever dies while it rebalances"})
        return
    count = min(count, 4) if short else count
    seeded = random.Random(20261122)
    world = stand.open_world(workers=4)
    done = 0
    while done < count:
        some = min(20, count - done)
        stopped = []

        def strike():
            for _ in range(some):
                time.sleep(seeded.uniform(0, 1.5))
                victim = seeded.choice(world.running)
                victim.kill()
                since = time.monotonic()
                world.running.remove(victim)
                stand.worker(ready=False)
                if seeded.random() < 0.5:
                    yield since
                stopped.append(stand.retry_stopped())
            yield time.monotonic()
        result = stand.fault("worker: SIGKILL at random, 4 workers", f"kills {done + 1} to {done + some}", strike)
        result["times"] = some
        result["partitions_stopped"] = sum(stopped)
        done += some
        if world is not stand.world:
            return


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------


def now():
    return [time.monotonic()]


def postgres_again(stand):
    stand.postgres.start(port=stand.postgres.port)
    return now()


def terminate(stand):
    def strike():
        for _ in range(5):
            stand.world.cut_connections()
            time.sleep(0.3)
        yield from now()
    return strike


def immediate_shutdown(stand):
    def strike():
        stand.postgres.process.send_signal(signal.SIGQUIT)
        stand.postgres.process.wait(20)
        time.sleep(OUTAGE_SECONDS)
        yield from postgres_again(stand)
    return strike


def postgres_killed(stand):
    def strike():
        children = stand.postgres.processes()[1:]
        stand.postgres.kill()
        for pid in children:  # the machine dies with all of it
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(1)
        yield from postgres_again(stand)
    return strike


def postgres_stalls(stand):
    def strike():
        stopped = stand.postgres.processes()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(OUTAGE_SECONDS)
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)
        yield from now()
    return strike


def read_only(stand):
    def strike():
        stand.postgres.psql("ALTER SYSTEM SET default_transaction_read_only = on", "postgres")
        stand.postgres.psql("SELECT pg_reload_conf()", "postgres")
        time.sleep(OUTAGE_SECONDS)
        stand.postgres.psql("ALTER SYSTEM RESET default_transaction_read_only", "postgres")
        stand.postgres.psql("SELECT pg_reload_conf()", "postgres")
        yield from now()
    return strike


class SmallDisk:
    """A file system of 64 MiB in memory, for a tablespace. Needs root."""

    def __init__(self, stand):
        self.stand = stand
        self.folder = stand.folder / "small"
        self.ballast = self.folder / "ballast"

    def mount(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0777", "none", str(self.folder)],
                              capture_output=True, text=True)
        return done.returncode == 0

    def space(self):
        data = self.folder / "data"
        data.mkdir(mode=0o777)
        data.chmod(0o777)
        if os.geteuid() == 0:
            import shutil
            shutil.chown(data, "postgres", "postgres")
        self.stand.postgres.psql(f"CREATE TABLESPACE small LOCATION '{data}'", "postgres")

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass

    def unmount(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


def disk_full(stand, disk):
    def refused():
        with open(stand.postgres.log, errors="replace") as log:
            return log.read().count("No space left on device")

    def strike():
        before = refused()
        disk.fill()
        deadline = time.monotonic() + 60
        while refused() == before:  # what is allocated already is used up first
            assert time.monotonic() < deadline, "the disk was never full"
            time.sleep(0.2)
        time.sleep(OUTAGE_SECONDS)
        disk.ballast.unlink()
        yield from now()
    return strike


def postgres(stand, short):
    stand.open_world()
    faults = [("all backends terminated, 5 times", terminate), ("immediate shutdown, back after 6 s", immediate_shutdown)]
    if not short:
        faults += [("killed with all backends, back after 1 s", postgres_killed),
                   ("stopped for 6 s (SIGSTOP)", postgres_stalls), ("read-only for 6 s", read_only)]
    for name, make in faults:
        stand.fault("PostgreSQL", name, make(stand))
    if short:
        return
    disk = SmallDisk(stand)
    if not disk.mount():
        stand.say({"group": "PostgreSQL", "fault": "disk full", "skipped": "a small file system cannot be mounted here"})
        return
    try:
        disk.space()
        stand.open_world(tablespace="small", rate=600)
        stand.fault("PostgreSQL", "disk full for 6 s", disk_full(stand, disk))
    finally:
        stand.close_world()
        stand.postgres.psql("DROP TABLESPACE IF EXISTS small", "postgres")
        disk.unmount()


# --- Kafka --------------------------------------------------------------------------------------------------------------


def broker_stalls(stand):
    def strike():
        signal_broker = stand.kafka.signal if stand.kafka else stand.world.broker.process.send_signal
        signal_broker(signal.SIGSTOP)
        time.sleep(OUTAGE_SECONDS)
        signal_broker(signal.SIGCONT)
        yield from now()
    return strike


def broker_ends(stand, how):
    def strike():
        how()
        time.sleep(2)
        stand.kafka.start()
        yield from now()
    return strike


def kafka(stand, short):
    if stand.world is None or not short:
        stand.open_world()
    stand.fault("Kafka", "stopped for 6 s (SIGSTOP)", broker_stalls(stand))
    if stand.kafka is None:
        stand.say({"group": "Kafka", "fault": "shut down; killed", "skipped": "the embedded broker forgets everything"})
        return
    stand.fault("Kafka", "shut down and started again", broker_ends(stand, stand.kafka.stop))
    stand.fault("Kafka", "killed and started again", broker_ends(stand, stand.kafka.kill))


# --- Redis --------------------------------------------------------------------------------------------------------------


def redis_killed(stand):
    def strike():
        stand.world.redis.kill()
        yield from now()
        time.sleep(2)
        stand.world.redis.start()
        yield from now()
    return strike


def redis_flushed(stand):
    def strike():
        for _ in range(50):
            stand.world.redis.command("FLUSHALL")
            time.sleep(0.03)
        yield from now()
    return strike


def redis_stalls(stand):
    def strike():
        stand.world.redis.process.send_signal(signal.SIGSTOP)
        yield from now()
        time.sleep(OUTAGE_SECONDS)
        stand.world.redis.process.send_signal(signal.SIGCONT)
        yield from now()
    return strike


def redis_full(stand):
    def strike():
        stand.world.redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        stand.world.redis.command("CONFIG", "SET", "maxmemory", "1mb")
        assert "OOM" in subprocess.run(["redis-cli", "-s", stand.world.redis.path, "SET", "a", "b"],
                                       capture_output=True, text=True).stdout, "it still takes writes"
        yield from now()
        time.sleep(2)
        stand.world.redis.command("CONFIG", "SET", "maxmemory", "256mb")
        yield from now()
    return strike


def row_of(value):
    """The account in a member's value (services/adapters/redis/row.h)."""
    text = json.loads(value)["loyald"]
    return base64.b64decode(text + "=" * (-len(text) % 4))


def value_of(row):
    text = base64.b64encode(row).decode().rstrip("=")
    return json.dumps({"version": "0", "loyald": text}, separators=(",", ":"))


def poisoned_row(key, row, state):
    """The row with another state, and every sum of it right again (services/adapters/redis/row.h)."""
    member = key.rpartition(b":")[2]
    k, n = (int.from_bytes(row[at:at + 4], "little", signed=True) for at in (11, 15))
    seq, version = (int.from_bytes(row[at:at + 8], "little", signed=True) for at in (19, 27))
    plain = row[11:35] + digest(member.decode(), k, n, seq, version, state).bytes
    words = [1]  # the incarnation
    for part in (member, plain, state):
        words += [len(part), *(int.from_bytes(part[at:at + 8], "little") for at in range(0, len(part), 8))]
    check = 0
    for word in words:
        check = (check ^ word) * 0x9E3779B97F4A7C15 % 2**64
        check ^= check >> 32
    return row[:1] + check.to_bytes(8, "little") + bytes(2) + plain + state


def redis_poisoned(stand, missed):
    """The state that each member had some seconds ago, under the sequence number and version that it has now."""
    client = redis.Redis(unix_socket_path=stand.world.redis.path)

    def rows():
        values = {key: value for key in client.keys("loyald:1:member:*") if (value := client.get(key))}
        return {key: row_of(value) for key, value in values.items()}

    def strike():
        until = time.monotonic() + 10
        while len(old := rows()) < 100 and time.monotonic() < until:  # of a world that has only begun there are few
            time.sleep(0.1)
        time.sleep(1)
        some = 0
        for _ in range(30):
            for key, row in rows().items():
                if key in old and old[key][51:] != row[51:]:
                    client.set(key, value_of(poisoned_row(key, row, old[key][51:])))
                    some += 1
            time.sleep(0.1)
        assert some > 100, f"only {some} rows were poisoned"
        yield from now()
        missed["count"] = some
    return strike


def redis_group(stand, short):
    if stand.world is None or not short:
        stand.open_world(cache_mb=0)
    missed = {}
    result = stand.fault("Redis", "poisoned: older values of the right version", redis_poisoned(stand, missed))
    result["rows_poisoned"] = missed.get("count", 0)
    if short:
        return
    stand.fault("Redis", "flushed 50 times", redis_flushed(stand))
    stand.fault("Redis", "killed, back after 2 s", redis_killed(stand))
    stand.fault("Redis", "stopped for 6 s (SIGSTOP)", redis_stalls(stand))
    stand.fault("Redis", "full (noeviction)", redis_full(stand))


# --- the network ----------------------------------------------------------------------------------------------------------


def cut(proxy):
    def strike():
        cuts = 0
        deadline = time.monotonic() + OUTAGE_SECONDS
        while cuts < 5:  # a worker connects to Redis when it first has something to ask
            assert time.monotonic() < deadline, f"only {cuts} times there was something to cut"
            cuts += proxy.cut() > 0
            time.sleep(0.3)
        yield from now()
    return strike


def delayed(proxy):
    def strike():
        proxy.delay = 0.2
        time.sleep(OUTAGE_SECONDS)
        proxy.delay = 0.0
        yield from now()
    return strike


def black_hole(proxy, ways):
    def strike():
        proxy.hold(*ways)
        time.sleep(OUTAGE_SECONDS)
        proxy.release()
        yield from now()
    return strike


def network(stand, short):
    stand.open_world(proxied=True)
    for name, proxy in stand.proxies.items():
        if name == "kafka" and stand.kafka is None:
            stand.say({"group": "network", "fault": "kafka", "skipped": "the embedded broker names its own address"})
            continue
        title = {"postgres": "PostgreSQL", "kafka": "Kafka", "redis": "Redis"}[name]
        stand.fault("network", f"{title}: all connections cut, 5 times", cut(proxy))
        if short:
            continue
        stand.fault("network", f"{title}: 0.2 s more each way for 6 s", delayed(proxy))
        for text, ways in (("requests", ("up",)), ("answers", ("down",)), ("everything", ("up", "down"))):
            stand.fault("network", f"{title}: {text} held back for 6 s", black_hole(proxy, ways))


GROUPS = {"failpoints": failpoints, "postgres": postgres, "kafka": kafka, "redis": redis_group, "network": network}
