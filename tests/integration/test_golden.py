"""tests/golden: a story a feature, as a programme and what its members do, through the real engine."""
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = sorted(p for p in (ROOT / "tests" / "golden").glob("*.yaml") if not p.name.endswith(".tests.yaml"))


def run(path):
    loyalctl = Path(os.environ["PROGRAMS"]) / "loyalctl"
    return subprocess.run([loyalctl, "programme", "test", path], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_a_story_comes_out_as_it_is_told(path):
    result = run(path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 failed" in result.stdout


def test_a_story_told_wrongly_is_seen(tmp_path):
    for name in ("steps.yaml", "steps.tests.yaml"):
        text = (ROOT / "tests" / "golden" / name).read_text()
        (tmp_path / name).write_text(text.replace("points: 90", "points: 91"))
    assert run(tmp_path / "steps.yaml").returncode != 0
