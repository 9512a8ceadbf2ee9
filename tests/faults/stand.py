"""What faults are tried on: a PostgreSQL that syncs, a broker, Redis, workers built with failpoints, and the judgement
after each fault: partitions at work again, every record with the outcome it must have, `loyalctl audit --topics` clean."""
import pathlib
import subprocess
import time

import psycopg

import services
from load import Load
from proxy import Proxy
from support.world import World

PARTITIONS = 8
SESSION_SECONDS = 3.0
BOUND_SECONDS = SESSION_SECONDS + 2  # of partitions at work again
GIVE_UP_SECONDS = 90
RATE = 150  # records a second while a fault happens


class Kafka(services.Kafka):
    """Keeps its address when it comes back, and has a second listener that a proxy stands before."""

    def __init__(self, folder, proxied_port):
        port, control, self.proxied = (services.free_port() for _ in range(3))
        super().__init__(folder, ports=(port, control), settings=(
            f"listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{self.proxied},"
            f"CONTROLLER://127.0.0.1:{control}\n"
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxied_port}\n"
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n"))

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)


def state_of(process):
    """Its letter in /proc: T when it is stopped."""
    with open(f"/proc/{process.pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


class Stand:
    def __init__(self, folder, programs, apache, say):
        self.folder = pathlib.Path(folder)
        self.programs = pathlib.Path(programs)
        self.say = say
        self.results = []
        self.worlds = 0
        self.world = self.load = None
        self.proxies = {name: Proxy() for name in ("postgres", "kafka", "redis")}
        self.postgres = services.PostgreSQL(self.folder / "postgres", fsync=True)
        self.kafka = Kafka(self.folder / "kafka", self.proxies["kafka"].port) if apache else None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.postgres.start()
            if self.kafka:
                self.kafka.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.close_world()
        for proxy in self.proxies.values():
            proxy.close()
        if self.kafka:
            self.kafka.stop()
        self.postgres.stop()

    # --- a world: one installation, its load and its workers ----------------------------------------------------------

    def open_world(self, workers=2, proxied=False, rate=RATE, tablespace=None, **settings):
        """A new installation: another database, other topics. proxied: its workers reach everything through a proxy."""
        self.close_world()
        self.worlds += 1
        world = World("faults", self.folder / f"world{self.worlds}", self.postgres, self.programs,
                      bootstrap=self.kafka.bootstrap if self.kafka else None, partitions=PARTITIONS,
                      kafka_session_timeout_ms=int(SESSION_SECONDS * 1000), threads=2, **settings)
        world.log_level = 2  # that the broker is away, is known
        if proxied:
            world.redis.path, world.redis.port = None, services.free_port()
        self.world = world
        self.open_database(world, tablespace)
        if proxied:
            self.through_proxies(world)
        self.load = Load(world, rate)
        world.start_workers(workers)
        self.wait_recovered(time.monotonic())  # everybody has met: what is measured begins behind that
        return world

    def open_database(self, world, tablespace):
        """The tables go where a new table goes by default."""
        if tablespace:
            self.postgres.psql(f"ALTER SYSTEM SET default_tablespace = {tablespace}", "postgres")
            self.postgres.psql("SELECT pg_reload_conf()", "postgres")
        world.open()
        if tablespace:
            self.postgres.psql("ALTER SYSTEM RESET default_tablespace", "postgres")
            self.postgres.psql("SELECT pg_reload_conf()", "postgres")

    def through_proxies(self, world):
        proxies = self.proxies
        proxies["postgres"].upstream = self.postgres.port
        proxies["redis"].upstream = world.redis.port
        world.settings["postgres"] = (f"host=127.0.0.1 port={proxies['postgres'].port} user=loyald "
                                      f"dbname={world.id} password={self.postgres.password}")
        world.settings["redis"] = f"redis://127.0.0.1:{proxies['redis'].port}/0"
        if self.kafka:
            proxies["kafka"].upstream = self.kafka.proxied
            world.settings["kafka_brokers"] = f"127.0.0.1:{proxies['kafka'].port}"

    def close_world(self):
        if self.world:
            if self.load:
                self.load.pause()
            self.load = None  # with its producer, before the broker goes
            self.world.producer = None
            self.world.close()
            self.world = None

    def worker(self, failpoint=None, ready=True, **settings):
        """One more worker, with something waiting for it at a point."""
        world = self.world
        environment = world.env(**settings)
        if failpoint:
            environment["LOY_FAILPOINT"] = failpoint
        program = services.Program(world.folder, f"worker{len(world.running)}",
                                   [str(self.programs / "loyald-worker")], environment)
        program.expected_to_live = failpoint is None
        world.running.append(program)
        program.start()
        if ready:
            program.wait_until_ready()
        return program

    def retire(self, program):
        """A worker that has played its part leaves the group in good order."""
        program.stop()
        self.world.running.remove(program)

    # --- a fault --------------------------------------------------------------------------------------------------------

    def progress(self):
        """{k: next offset of the events}; None while PostgreSQL does not answer."""
        try:
            if self.world.db.closed:
                self.world.reconnect()
            return dict(self.world.query("SELECT k, next_offset[1] FROM partition"))
        except psycopg.Error:
            self.world.db.close()
            return None

    def wait_recovered(self, since):
        """Publishes a mark for each partition, and waits until all of them have their outcome. Seconds since then."""
        marks = self.load.mark()
        while True:
            now = time.monotonic()
            done = self.progress()
            if done is not None and all(done.get(k, 0) > offset for k, offset in marks.items()):
                return now - since
            assert now - since < GIVE_UP_SECONDS, f"not at work again after {GIVE_UP_SECONDS} s: {marks} {done}"
            time.sleep(0.03)

    def judge(self):
        """What is wrong once everything was worked: nothing, it is to be hoped."""
        self.progress()
        self.wait_published()
        wrong = self.load.differences()
        audit = self.world.loyalctl("audit", "--topics", check=False)
        deadline = time.monotonic() + 20
        while audit.returncode and "outbox" in audit.stdout and time.monotonic() < deadline:
            time.sleep(0.5)  # the last messages are still under way
            audit = self.world.loyalctl("audit", "--topics", check=False)
        if audit.returncode:
            wrong.append("audit: " + " ".join((audit.stdout + audit.stderr).split())[:500])
        return wrong

    def wait_published(self):
        """Every record has its outcome and every message is out. What is forwarded twice after a crash hides from
        wait_drained that another one is still in the outbox: so both are waited for, in turn."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            self.world.wait_drained()
            if self.world.query("SELECT count(*) FROM outbox") == [(0,)] and self.world.lag() == 0:
                return
            assert time.monotonic() < deadline, "the outbox does not become empty"
            time.sleep(0.1)

    def retry_stopped(self):
        """Kills that are no record's fault may stop a partition all the same: what an operator does then. How many."""
        rows = self.world.query("SELECT k FROM partition WHERE alone >= 3")
        for (k,) in rows:
            self.world.loyalctl("partition", "retry", str(k), "--yes")
        return len(rows)

    def fault(self, group, name, strike, judged=True):
        """Tries one fault under load. strike() does it and returns since when the partitions should be at work again
        (the death of a worker, the end of an outage), or several moments, each of which is measured."""
        started = time.monotonic()
        result = {"group": group, "fault": name, "times": 1, "recovered_seconds": [], "wrong": []}
        self.load.start()
        try:
            time.sleep(0.3)
            for since in strike():
                result["recovered_seconds"].append(round(self.wait_recovered(since), 2))
            self.load.stop()
            if judged:
                result["wrong"] = self.judge()
            self.world.check_workers()
        except (AssertionError, services.ServiceError, psycopg.Error, subprocess.SubprocessError) as error:
            result["wrong"].append(f"{type(error).__name__}: {error}"[:2000])
            self.load.pause()
        result["seconds"] = round(time.monotonic() - started, 1)
        self.results.append(result)
        self.say(result)
        if result["wrong"]:
            self.world.print_logs()
            self.open_world()
        return result
