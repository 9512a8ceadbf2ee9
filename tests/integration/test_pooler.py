"""PgBouncer in transaction mode: every transaction may meet another session than the one before."""
import os
import shutil

import pytest

import services

from support import events


class PgBouncer(services.Service):
    """In front of a PostgreSQL, with fewer sessions than it has clients."""

    name = "pgbouncer"
    death_signal = "SIGINT"

    def __init__(self, folder, server, sessions):
        super().__init__(folder)
        self.server = server
        self.sessions = sessions
        self.port = services.free_port()

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, "pgbouncer.ini")
        with open(path, "w") as file:
            file.write(f"[databases]\n* = host=127.0.0.1 port={self.server.port} user=loyald "
                       f"password={self.server.password}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                       f"listen_port = {self.port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
                       f"default_pool_size = {self.sessions}\nignore_startup_parameters = extra_float_digits\n")
        self.spawn([shutil.which("pgbouncer"), path], self.server.privileges(), cwd=self.folder)
        self.wait_ready(lambda: "process up" in services.tail(self.log), "listening socket")

    def conninfo(self, database):
        return f"host=127.0.0.1 port={self.port} user=loyald dbname={database}"


@pytest.fixture
def pooler(tmp_path, postgres):
    if not shutil.which("pgbouncer"):
        pytest.skip("pgbouncer is not there: deploy/dev/packages.sh test")
    with PgBouncer(tmp_path / "pgbouncer", postgres, sessions=3) as running:
        yield running


def test_workers_share_a_few_sessions(new_world, pooler):
    world = new_world(programme="shop")
    world.start_workers(2, postgres=pooler.conninfo(world.id))
    world.wait_settled(4)
    for turn in range(20):
        world.publish(*(events.purchase(f"m{n}", 10000, order=f"o-{turn}-{n}") for n in range(20)))
    world.wait_drained()
    world.outcomes(applied=400)
    assert world.balance("m7") == (0, 200)
    world.audit()
