"""The short form of `make faults`, and that what is shipped has none of its points."""
import os
import re
import subprocess
import sys

import pytest

import services


@pytest.fixture(scope="session")
def breakable(programs):
    """The folder with programs that have failpoints, built when they are not there."""
    subprocess.run(["make", "-s", "-j2", "FAILPOINTS=1", "all"], cwd=services.ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    return programs.parent / (programs.name + "-failpoints")


def names_of_points():
    found = set()
    for folder, _, files in os.walk(os.path.join(services.ROOT, "services")):
        for name in files:
            if name.endswith(".c"):
                with open(os.path.join(folder, name)) as source:
                    found.update(re.findall(r'LOY_FAILPOINT\("([a-z_]+)"\)', source.read()))
    return found


def test_what_is_shipped_has_no_failpoints(programs, breakable):
    assert len(names_of_points()) >= 18
    for name in ("loyald-worker", "loyald-scheduler", "loyalctl", "loyald-broker"):
        symbols = subprocess.run(["nm", programs / name], capture_output=True, text=True, check=True).stdout
        assert "main" in symbols and "failpoint" not in symbols
        assert b"LOY_FAILPOINT" not in (programs / name).read_bytes()
    with_points = (breakable / "loyald-worker").read_bytes()
    assert all(point.encode() + b"\0" in with_points for point in names_of_points())


def test_a_failpoint_that_is_not_understood_is_said(new_world, breakable):
    world = new_world()
    done = subprocess.run([breakable / "loyald-worker"], env={**world.env(), "LOY_FAILPOINT": "decide=explode"},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and 'LOY_FAILPOINT: "decide=explode" is not point=' in done.stderr


def test_faults_in_their_short_form(breakable, tmp_path):
    done = subprocess.run([sys.executable, os.path.join(services.ROOT, "tests", "faults", "run.py"), "--short",
                           "--kafka", os.environ.get("KAFKA", "embedded"), "--programs", str(breakable), "--json",
                           str(tmp_path / "result.json")], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 wrong, 0 late" in done.stdout
