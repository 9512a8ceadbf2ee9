"""The private services: gone with whoever started them, and startable where only their owner may look."""
import os
import signal
import subprocess
import sys
import time

import pytest

import services

HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
import services
with services.PostgreSQL(sys.argv[2] + "/postgres") as postgres, services.Redis(sys.argv[2] + "/redis") as redis:
    print(postgres.process.pid, redis.process.pid, flush=True)
    time.sleep(600)
"""


def ended(pid):
    """Gone, or a zombie that waits for whoever adopted it."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_nothing_survives_a_killed_parent(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, os.path.dirname(services.__file__), str(tmp_path)],
                              stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in holder.stdout.readline().split()]
    assert len(pids) == 2 and not any(ended(pid) for pid in pids)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    deadline = time.monotonic() + 20
    while not all(ended(pid) for pid in pids):
        assert time.monotonic() < deadline, "a service outlived its parent"
        time.sleep(0.05)


def test_the_same_folder_starts_again_with_its_data(tmp_path):
    for expected in ([], [["kept"]]):
        with services.PostgreSQL(tmp_path / "postgres") as postgres:
            postgres.psql("CREATE TABLE IF NOT EXISTS thing (name text)", "postgres")
            assert postgres.psql("SELECT name FROM thing", "postgres") == expected
            postgres.psql("INSERT INTO thing VALUES ('kept')", "postgres")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's checkout can be closed to the server's user")
def test_postgresql_starts_below_a_folder_that_its_user_cannot_enter(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with services.PostgreSQL(closed / "postgres") as postgres:
        assert postgres.psql("SELECT 1", "postgres") == [["1"]]


def test_one_session_a_folder(tmp_path):
    first = services.Folder(tmp_path)
    with pytest.raises(services.ServiceError, match="another session uses"):
        services.Folder(tmp_path)
    first.lock.close()
    services.Folder(tmp_path)
