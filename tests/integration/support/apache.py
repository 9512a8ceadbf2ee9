"""Apache Kafka from deploy/dev/kafka in a folder of our own, for as long as the `with`."""
import os
import pathlib
import shutil
import signal
import subprocess


def why_not():
    """Why Apache Kafka cannot be started here; None: it can."""
    if not shutil.which("java"):
        return "Java is not there"
    root = pathlib.Path(__file__).resolve().parents[3]
    fetched = (root / "run" / "kafka" / "lib" / ".complete").exists() or "KAFKA_LIB" in os.environ
    return None if fetched or shutil.which("mvn") else "Maven is not there, to fetch its jars"


class ApacheKafka:
    """The jars are shared with the checkout's run/kafka (or KAFKA_LIB), the data are this folder's."""

    def __init__(self, deploy, folder):
        self.script = pathlib.Path(deploy) / "kafka.sh"
        self.folder = pathlib.Path(folder)
        shared = self.script.resolve().parents[3] / "run" / "kafka" / "lib"
        self.environment = dict(os.environ, KAFKA_RUN=str(self.folder))
        if "KAFKA_LIB" not in os.environ and (shared / ".complete").exists():
            self.environment["KAFKA_LIB"] = str(shared)
        self.bootstrap = None

    def run(self, *arguments, stdin=None):
        done = subprocess.run([str(self.script), *arguments], env=self.environment, capture_output=True, text=True,
                              input=stdin)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.strip()

    def tool(self, name, *arguments, stdin=None):
        """One of Kafka's own tools, by its class."""
        return self.run("tool", name, "--bootstrap-server", self.bootstrap, *arguments, stdin=stdin)

    def process_id(self):
        return int((self.folder / "pid").read_text())

    def signal(self, number):
        os.kill(self.process_id(), number)

    def __enter__(self):
        self.bootstrap = self.run("start")
        return self

    def __exit__(self, *_):
        self.signal(signal.SIGCONT)
        self.run("stop")
