"""What every integration test stands on: generated protobuf classes, a private PostgreSQL for the session, and worlds.

Several processes may run files of tests beside each other (pytest-xdist, `make integration` does): each has services of
its own, and no test writes into the checkout.

Settings, by environment: PROGRAMS (folder with the built programs, default build/cc), KAFKA=apache (Apache Kafka from
deploy/dev/kafka instead of the embedded broker), LOYALD_SHARED (shared data, default ../shared; absent: skipped).
"""
import os
import pathlib
import subprocess
import sys
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "dev"), str(pathlib.Path(__file__).parent)]

import services  # noqa: E402  (found by the path above)


def pytest_configure(config):
    """protobuf's Python classes of this checkout, made once, before the processes that run tests beside each other start."""
    from support import protos
    folder = pathlib.Path(config.rootpath) / "build" / "python"
    if hasattr(config, "workerinput"):
        protos.use(folder)
    else:
        protos.generate(ROOT / "proto", folder)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call":
        item.call_failed = report.failed


def pytest_terminal_summary(terminalreporter):
    """The line that `make test` adds up."""
    count = {name: len(terminalreporter.getreports(name)) for name in ("passed", "failed", "error", "skipped")}
    terminalreporter.write_line(f"integration: {count['passed']} passed, {count['failed'] + count['error']} failed, "
                                f"{count['skipped']} skipped")


@pytest.fixture(scope="session")
def programs():
    """The folder with loyald-worker and the others. A program that is not built fails the test that needs it."""
    return pathlib.Path(os.environ.get("PROGRAMS", ROOT / "build" / "cc")).resolve()


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("loyald")


@pytest.fixture(scope="session")
def postgres(session_folder):
    with services.PostgreSQL(session_folder / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def apache_kafka(session_folder):
    """None for the embedded broker; else the address of an Apache Kafka that lives as long as the session."""
    if os.environ.get("KAFKA", "embedded") != "apache":
        yield None
        return
    with services.Kafka(session_folder / "kafka") as broker:
        yield broker.bootstrap


@pytest.fixture
def database(postgres, programs):
    """A migrated database without an installation, for commands that need no workers."""
    name = "tools_" + uuid.uuid4().hex[:8]
    postgres.psql(f"CREATE DATABASE {name}", "postgres")
    conninfo = postgres.conninfo(name)
    subprocess.run([str(programs / "loyalctl"), "migrate", "up"], check=True, stdout=subprocess.DEVNULL,
                   env={"PATH": "/usr/bin:/bin", "LOYALD_POSTGRES": conninfo})
    yield conninfo
    postgres.psql(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


@pytest.fixture
def new_world(request, tmp_path, postgres, programs, apache_kafka):
    """Makes worlds: a migrated database, topics, Redis and whatever workers the test starts. See support/world.py."""
    from support.world import World
    worlds = []

    def make(**options):
        world = World(f"{request.node.name}", tmp_path / f"world{len(worlds)}", postgres, programs,
                      bootstrap=apache_kafka, **options)
        worlds.append(world)
        world.open()
        return world

    yield make
    for world in worlds:
        if getattr(request.node, "call_failed", True):
            world.print_logs()
        world.close()


@pytest.fixture
def world(new_world):
    return new_world()


@pytest.fixture(scope="session")
def shared():
    """Shared data from outside. A test that needs it is skipped where it is absent."""
    folder = pathlib.Path(os.environ.get("LOYALD_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"shared data is not there: {folder} (LOYALD_SHARED)")
    return folder
