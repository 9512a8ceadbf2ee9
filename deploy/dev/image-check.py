#!/usr/bin/python3
"""`make image-check`: what can be shown of the containers without Docker and without a registry.

1. podman-compose reads docker-compose.yml. 2. buildah builds deploy/Dockerfile on a debootstrapped Debian 13. 3. That
image migrates a database and publishes a programme, and its worker turns a purchase into a balance, with services of
this machine, as a user without rights on a read-only root file system. Images live in build/image; as root, with network.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import services

STORAGE = os.path.join(services.ROOT, "build", "image")
BASE, IMAGE = "localhost/loyald-base", "localhost/loyald"
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
# Plain folders instead of an overlay, which a container that runs this may not mount.
STORE = ["--root", os.path.join(STORAGE, "root"), "--runroot", os.path.join(STORAGE, "run"), "--storage-driver", "vfs"]
MEMBER = "guest-1"


def run(*argv, **options):
    print("+ " + " ".join(argv), flush=True)
    return subprocess.run(argv, check=True, cwd=services.ROOT, **options)


def check_compose():
    """podman-compose of Debian 12 has no `config`; a dry `pull` reads and resolves the same."""
    has_config = "config" in subprocess.run(["podman-compose", "help"], capture_output=True, text=True).stdout
    command = ["config"] if has_config else ["--dry-run", "pull"]
    done = run("podman-compose", *command, capture_output=True, text=True)
    text = done.stdout + done.stderr
    missing = [name for name in ("apache/kafka", "postgres:17", "redis:8", "prom/prometheus") if name not in text]
    if missing:
        raise services.ServiceError(f"docker-compose.yml: {missing} not found in:\n{text}")


def build_base():
    if subprocess.run(["buildah", *STORE, "inspect", "--type", "image", BASE], capture_output=True).returncode == 0:
        return
    with tempfile.TemporaryDirectory(prefix="loyald-base-") as root:
        run("debootstrap", "--variant=minbase", "--include=ca-certificates", "trixie", root,
            os.environ.get("MIRROR", "http://deb.debian.org/debian"), stdout=subprocess.DEVNULL)
        container = run("buildah", *STORE, "from", "scratch", capture_output=True, text=True).stdout.strip()
        run("buildah", *STORE, "add", "--quiet", container, root, "/", stdout=subprocess.DEVNULL)
        run("buildah", *STORE, "commit", "--quiet", container, BASE, stdout=subprocess.DEVNULL)
        run("buildah", *STORE, "rm", container, stdout=subprocess.DEVNULL)


def build_image():
    run("buildah", *STORE, "bud", "--isolation", "chroot", "--build-arg", "BASE=" + BASE, "--pull-never", "-f",
        "deploy/Dockerfile", "-t", IMAGE, ".")


class Worker(services.Service):
    name = "image-worker"

    def start(self):
        self.spawn(self.argv)
        self.wait_ready(self.ready, "readiness")

    def ready(self):
        return services.get(self.http_port, "/readyz")[0] == 200


def podman(settings, *command):
    environment = [word for key, value in settings.items() for word in ("--env", f"LOYALD_{key}={value}")]
    return ["podman", *STORE, "--runtime", "runc", "run", "--rm", "--read-only",
            *LIMITS, "--network", "host", "--cap-drop", "all", "--volume",
            os.path.join(services.ROOT, "docs", "examples") + ":/programmes:ro", *environment, IMAGE, *command]


def purchase():
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"event_id": "1", "source": "till", "member_id": MEMBER, "occurred_at": now, "purchase": {
        "order_id": "1", "lines": [{"sku": "tea", "amount_minor": "125000"}]}})


def check_image(programs, folder):
    with services.PostgreSQL(folder + "/postgres") as postgres, \
            services.Broker(folder + "/broker", os.path.join(programs, "loyald-broker"),
                            services.session_topics(4)) as broker:
        postgres.psql("CREATE DATABASE loyald", "postgres")
        worker = Worker(folder)
        worker.http_port = services.free_port()
        settings = {
            "KAFKA_BROKERS": broker.bootstrap, "PARTITIONS": 4, "HTTP_PORT": worker.http_port,
            "POSTGRES": f"host=127.0.0.1 port={postgres.port} user=loyald dbname=loyald password={postgres.password}"}
        run(*podman(settings, "loyalctl", "migrate", "up"))
        run(*podman(settings, "loyalctl", "programme", "publish", "/programmes/shop.yaml", "--author", "check", "--reason",
                    "check"))
        worker.argv = podman(settings)
        with worker:
            run("kcat", "-q", "-P", "-b", broker.bootstrap, "-t", "loyalty.events", "-k", MEMBER, "-X",
                "topic.partitioner=murmur2_random", input=purchase(), text=True)
            deadline = time.monotonic() + 30
            while not (rows := postgres.psql("SELECT member_id, available, pending FROM balance")):
                if time.monotonic() > deadline:
                    raise services.ServiceError(f"no balance after 30 s:\n{services.tail(worker.log)}")
                time.sleep(0.1)
            if rows != [[MEMBER, "0", "120"]]:
                raise services.ServiceError(f"the balance is not what the purchase gives: {rows}")
            print("a purchase of 1,250.00 through the image's worker: " + " ".join(rows[0]))


def main():
    parser = argparse.ArgumentParser(description="builds the image and runs its worker")
    parser.add_argument("--programs", default="build/cc")
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise services.ServiceError("as root: buildah and podman work in folders of their own here")
    if not shutil.which("podman-compose"):
        run("deploy/dev/packages.sh", "system")
    services.end_with_parent()
    check_compose()
    build_base()
    build_image()
    with tempfile.TemporaryDirectory(prefix="loyald-image-") as folder:
        os.chmod(folder, 0o711)
        check_image(os.path.abspath(options.programs), folder)


if __name__ == "__main__":
    try:
        main()
    except (services.ServiceError, subprocess.CalledProcessError) as error:
        sys.exit(f"image-check: {error}")
