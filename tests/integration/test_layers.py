"""The proof that the pure rooms are pure: it must see what is planted in them."""
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def libraries(programs, tmp_path):
    """A copy of the built libraries that a test may spoil."""
    shutil.copytree(pathlib.Path(programs) / "lib", tmp_path / "build" / "lib")
    return tmp_path / "build"


def layers(build):
    return subprocess.run([ROOT / "tests/checks/layers.sh", build], cwd=ROOT, capture_output=True, text=True)


def plant(build, tmp_path, source):
    code = tmp_path / "planted.c"
    code.write_text(source)
    subprocess.run(["cc", "-c", "-o", tmp_path / "planted.o", code], check=True)
    subprocess.run(["ar", "r", build / "lib/libloy-engine.a", tmp_path / "planted.o"], check=True, capture_output=True)


def test_the_built_libraries_are_pure(libraries):
    done = layers(libraries)
    assert done.returncode == 0, done.stderr


def test_a_clock_in_the_engine_is_seen(libraries, tmp_path):
    plant(libraries, tmp_path, "long time(long *); long loy_planted(void) { return time(0); }")
    done = layers(libraries)
    assert done.returncode == 1
    assert "engine calls time (planted.o)" in done.stderr


def test_memory_between_two_decisions_is_seen(libraries, tmp_path):
    plant(libraries, tmp_path, "static int counter; int loy_planted(void) { return ++counter; }")
    done = layers(libraries)
    assert done.returncode == 1
    assert "engine has the writable global counter" in done.stderr
