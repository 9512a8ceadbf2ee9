#!/usr/bin/python3
"""Private services in a folder: PostgreSQL, Redis and loyald's embedded broker, on free ports, gone when we are gone.

Nothing of the system is touched: no service, no cluster, no fixed port. Every process asks the kernel to be ended with
its parent (PR_SET_PDEATHSIG), so that nothing survives a killed program. Python's own library only, since the first run
on a fresh machine uses it. Used as a module by the tests and by run.py; as a program it holds the services up:

    services.py [--folder run] [--fsync] [--partitions 16] [--programs build/cc]

prints their addresses as LOYALD_* settings and stays until Ctrl-C.
"""
import argparse
import ctypes
import fcntl
import glob
import os
import random
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # of the checkout
SOCKET_PATH_MAX = 107  # bytes of a unix socket's path (sun_path without its NUL)
STOP_SECONDS = 20
# What a session of loyald reads and writes, when nothing else is configured.
TOPICS_IN = ("loyalty.events", "loyalty.internal", "loyalty.ticks")
TOPICS_OUT = ("loyalty.updates", "loyalty.balances", "loyalty.dead-letters")


class ServiceError(Exception):
    """A service that cannot be started, with the sentence for whoever asked."""


def free_port():
    """A port that nobody has, below those that the kernel gives to clients: who stops and starts again finds it free."""
    for port in random.SystemRandom().sample(range(15000, 32768), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServiceError("no free port from 15000 to 32767 on 127.0.0.1")


def end_with_parent(name="SIGTERM"):
    """The calling process gets this signal when its parent dies."""
    ctypes.CDLL(None, use_errno=True).prctl(1, int(signal.Signals[name]))


def tail(path, lines=15):
    try:
        with open(path, errors="replace") as log:
            return "".join(log.readlines()[-lines:])
    except OSError:
        return ""


def get(port, path):
    """(status, text) of a program's HTTP port; (0, reason) when nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


class Service:
    """One process in the foreground under our control, its output in a log file of the folder."""

    name = "service"
    start_seconds = 30        # until it answers
    death_signal = "SIGTERM"  # what the kernel sends when our process dies
    stop_signal = signal.SIGTERM

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.log = os.path.join(self.folder, self.name + ".log")
        self.process = None

    def spawn(self, argv, privileges=(), **options):
        os.makedirs(self.folder, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", self.death_signal[3:], *privileges, *argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options)

    def wait_ready(self, ready, what):
        deadline = time.monotonic() + self.start_seconds
        while not ready():
            if self.process.poll() is not None:
                raise ServiceError(f"{self.name} ended at once ({self.process.returncode}):\n{tail(self.log)}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServiceError(f"{self.name}: no {what} after {self.start_seconds} s:\n{tail(self.log)}")
            time.sleep(0.02)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def processes(self):
        """Its process and that one's children (a PostgreSQL's backends are in sessions of their own)."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            return [self.process.pid] + [int(pid) for pid in children.read().split()]

    def stop(self):
        if not self.running():
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        if self.running():
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


def postgres_bin():
    """The folder with PostgreSQL's server programs: Debian keeps it out of PATH. The newest one."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if found:
        return os.path.dirname(max(found, key=lambda path: int(path.split("/")[4])))
    if shutil.which("initdb"):
        return os.path.dirname(os.path.realpath(shutil.which("initdb")))
    raise ServiceError("PostgreSQL's initdb is not there: deploy/dev/packages.sh run")


class PostgreSQL(Service):
    """A cluster of our own. As root its server runs as user postgres, since PostgreSQL refuses root."""

    name = "postgres"
    death_signal = "SIGINT"  # fast shutdown
    stop_signal = signal.SIGINT

    def __init__(self, folder, fsync=False, settings=None):
        super().__init__(folder)
        self.data = os.path.join(self.folder, "data")
        self.fsync = fsync
        self.settings = dict(settings or {})
        self.port = None
        self.password = None
        self.bin = postgres_bin()

    def privileges(self):
        """How to become the server's user; it may pass file permissions where the checkout is closed to it (/root)."""
        if os.geteuid() != 0:
            return []
        become = ["--reuid=postgres", "--regid=postgres", "--init-groups"]
        if not self.reachable(pwd.getpwnam("postgres")):
            caps = "-all,+dac_override"
            become += ["--inh-caps=" + caps, "--ambient-caps=" + caps]
        return become

    def reachable(self, user):
        path = self.folder
        while path != "/":
            path = os.path.dirname(path)
            mode = os.stat(path)
            if not mode.st_mode & stat.S_IXOTH and mode.st_uid != user.pw_uid:
                return False
        return True

    def run_as_server(self, argv):
        done = subprocess.run(["setpriv", *self.privileges(), *argv], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, cwd=self.folder, env=self.environment())
        if done.returncode:
            raise ServiceError(f"{os.path.basename(argv[0])} failed:\n{done.stdout}{done.stderr}")

    @staticmethod
    def environment():
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def initialise(self):
        os.makedirs(self.folder, exist_ok=True)
        secret = os.path.join(self.folder, "password")
        if os.path.exists(os.path.join(self.data, "PG_VERSION")):
            with open(secret) as file:
                self.password = file.read().strip()
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.password = secrets.token_hex(16)
        with open(secret, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self.password + "\n")
        os.makedirs(self.data, mode=0o700)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (self.folder, self.data, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
        # Who can open the socket may connect; over TCP the password is asked, since any local user reaches that.
        self.run_as_server([os.path.join(self.bin, "initdb"), "-D", self.data, "-U", "loyald", "-E", "UTF8",
                            "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256",
                            "--pwfile=" + secret, "--no-sync"])

    def start(self, port=None):
        """On a free port; or on the one it had, when it comes back for those who know it."""
        self.initialise()
        self.port = port or free_port()
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_permissions": "0700",
            "unix_socket_directories": self.folder if self.has_socket() else "",
            "fsync": "on" if self.fsync else "off", "full_page_writes": "on" if self.fsync else "off",
            # Full-page images after a checkpoint cost more than anything else.
            "max_wal_size": "4GB", "checkpoint_timeout": "30min", "shared_buffers": "256MB", "max_connections": 200,
            "timezone": "UTC", "log_timezone": "UTC", **self.settings}
        argv = [os.path.join(self.bin, "postgres"), "-D", self.data]
        for key, value in settings.items():
            argv += ["-c", f"{key}={value}"]
        self.spawn(argv, self.privileges(), cwd=self.folder, env=self.environment())
        self.wait_ready(self.ready, "answer to a connection")

    def has_socket(self):
        return len(os.fsencode(os.path.join(self.folder, ".s.PGSQL.65535"))) <= SOCKET_PATH_MAX

    def ready(self):
        asked = subprocess.run([os.path.join(self.bin, "pg_isready"), "-q", "-d", self.conninfo("postgres")])
        return asked.returncode == 0

    def conninfo(self, database="loyald"):
        where = f"host={self.folder}" if self.has_socket() else f"host=127.0.0.1 password={self.password}"
        return f"{where} port={self.port} user=loyald dbname={database}"

    def psql(self, query, database="loyald"):
        """Rows of text: what psql prints, a list a row."""
        command = ["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", query, self.conninfo(database)]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise ServiceError(f"psql: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]


class Redis(Service):
    """A cache in memory alone, on a unix socket; on a port where the folder's path is too long for one."""

    name = "redis"

    def __init__(self, folder):
        super().__init__(folder)
        self.path = os.path.join(self.folder, "redis.sock")
        self.port = 0
        if len(os.fsencode(self.path)) > SOCKET_PATH_MAX:
            self.path, self.port = None, free_port()

    @property
    def url(self):
        return f"unix://{self.path}" if self.path else f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        where = ["--port", str(self.port), "--bind", "127.0.0.1"]
        if self.path:
            where += ["--unixsocket", self.path, "--unixsocketperm", "700"]
        os.makedirs(self.folder, exist_ok=True)
        self.spawn(["redis-server", *where, "--dir", self.folder, "--save", "", "--appendonly", "no",
                    "--daemonize", "no", "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"])
        self.wait_ready(self.ready, "answer to PING")

    def command(self, *words):
        """A command's answer as redis-cli prints it."""
        where = ["-s", self.path] if self.path else ["-p", str(self.port)]
        return subprocess.run(["redis-cli", *where, "--raw", *words], capture_output=True, text=True, check=True,
                              stdin=subprocess.DEVNULL).stdout.rstrip("\n")

    def ready(self):
        try:
            return self.command("PING") == "PONG"
        except subprocess.CalledProcessError:
            return False


class Broker(Service):
    """loyald-broker: librdkafka's mock cluster. Topics: a dictionary of name -> partitions."""

    name = "broker"

    def __init__(self, folder, program, topics):
        super().__init__(folder)
        self.program = program
        self.topics = topics
        self.address_file = os.path.join(self.folder, "broker.address")
        self.bootstrap = None

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        if os.path.exists(self.address_file):
            os.unlink(self.address_file)
        names = ",".join(f"{name}:{count}" for name, count in self.topics.items())
        self.spawn([self.program, "--topics", names, "--address-file", self.address_file])
        self.wait_ready(self.ready, "address")

    def ready(self):
        try:
            with open(self.address_file) as file:
                text = file.read()
        except OSError:
            return False
        if not text.endswith("\n"):
            return False
        self.bootstrap = text.strip().removeprefix("bootstrap=")
        return True


class Kafka(Service):
    """One node of Apache Kafka from deploy/dev/kafka. Its jars are the checkout's, in run/kafka, fetched once.

    settings: lines for server.properties; ports: of clients and of the controller, for one that is to come back where
    it was."""

    name = "kafka"
    start_seconds = 90  # four programs in Java, one after the other
    script = os.path.join(ROOT, "deploy", "dev", "kafka", "kafka.sh")
    lib = os.environ.get("KAFKA_LIB", os.path.join(ROOT, "run", "kafka", "lib"))

    def __init__(self, folder, heap="512m", settings="", ports=()):
        super().__init__(folder)
        self.environment = {"KAFKA_HEAP": heap, **os.environ, "KAFKA_LIB": self.lib, "KAFKA_RUN": self.folder,
                            "KAFKA_SETTINGS": settings, "KAFKA_PORTS": " ".join(str(port) for port in ports)}
        self.bootstrap = None

    @classmethod
    def why_not(cls):
        """Why it cannot be started here; None: it can."""
        if not shutil.which("java"):
            return "Java 17 is not there"
        fetched = os.path.exists(os.path.join(cls.lib, ".complete")) or "KAFKA_LIB" in os.environ
        return None if fetched or shutil.which("mvn") else "Maven is not there, to fetch its jars"

    def start(self):
        if why := self.why_not():
            raise ServiceError(f"Apache Kafka cannot be started: {why}: deploy/dev/packages.sh kafka")
        if subprocess.run([self.script, "fetch"], env=self.environment, stdin=subprocess.DEVNULL).returncode:
            raise ServiceError("Apache Kafka's jars were not fetched")
        address = os.path.join(self.folder, "address")
        if os.path.exists(address):
            os.unlink(address)
        self.spawn([self.script, "run"], env=self.environment)
        self.wait_ready(lambda: self.answers(address), "answer")

    def answers(self, address):
        if not os.path.exists(address):
            return False
        with open(address) as file:
            self.bootstrap = file.read().strip()
        try:
            asked = subprocess.run(["kcat", "-b", self.bootstrap, "-L"], timeout=2, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return False
        return asked.returncode == 0

    def tool(self, name, *arguments, stdin=None):
        """What one of Kafka's own tools prints, by its class."""
        done = subprocess.run([self.script, "tool", name, "--bootstrap-server", self.bootstrap, *arguments],
                              env=self.environment, capture_output=True, text=True, input=stdin)
        if done.returncode:
            raise ServiceError(f"{name} failed:\n{done.stderr}{done.stdout}")
        return done.stdout.strip()


class Program(Service):
    """A program of ours in the background: a worker, a scheduler."""

    def __init__(self, folder, name, argv, env):
        self.name = name
        super().__init__(folder)
        self.argv = argv
        self.env = env
        self.http_port = None
        self.expected_to_live = True

    def start(self):
        self.http_port = free_port()
        self.spawn(self.argv, env={**self.env, "LOYALD_HTTP_PORT": str(self.http_port)})

    def get(self, path):
        return get(self.http_port, path)

    def wait_until_ready(self):
        self.wait_ready(lambda: self.get("/readyz")[0] == 200, "readiness")

    def stop(self):
        self.expected_to_live = False
        super().stop()
        return self.process.returncode

    def kill(self):
        self.expected_to_live = False
        super().kill()

    def log_text(self):
        with open(self.log, errors="replace") as log:
            return log.read()


class Folder:
    """The folder that services live in: one session at a time."""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        os.makedirs(self.path, exist_ok=True)
        self.lock = open(os.path.join(self.path, "lock"), "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(f"another session uses {self.path}: end it first, or name another folder") from None

    def at(self, *names):
        return os.path.join(self.path, *names)


def session_topics(partitions):
    return {name: partitions for name in TOPICS_IN + TOPICS_OUT}


def main():
    parser = argparse.ArgumentParser(description="holds PostgreSQL, Redis and the embedded broker up until Ctrl-C")
    parser.add_argument("--folder", default="run")
    parser.add_argument("--programs", default="build/cc", help="folder with loyald-broker")
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--fsync", action="store_true", help="PostgreSQL waits for the disk at every commit")
    options = parser.parse_args()
    end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = Folder(options.folder)
    program = os.path.join(options.programs, "loyald-broker")
    with PostgreSQL(folder.at("postgres"), options.fsync) as postgres, Redis(folder.at("redis")) as redis:
        if not postgres.psql("SELECT 1 FROM pg_database WHERE datname = 'loyald'", "postgres"):
            postgres.psql("CREATE DATABASE loyald", "postgres")
        with Broker(folder.at("broker"), program, session_topics(options.partitions)) as broker:
            print(f"LOYALD_KAFKA_BROKERS='{broker.bootstrap}'\nLOYALD_POSTGRES='{postgres.conninfo()}'\n"
                  f"LOYALD_REDIS='{redis.url}'\nLOYALD_PARTITIONS={options.partitions}", flush=True)
            while all(service.running() for service in (postgres, redis, broker)):
                time.sleep(0.5)
            raise ServiceError("a service ended by itself; its log lies in " + folder.path)


if __name__ == "__main__":
    try:
        main()
    except ServiceError as error:
        sys.exit(f"services: {error}")
    except KeyboardInterrupt:
        pass
