#!/usr/bin/python3
"""Runs tests/bench/minimal on a PostgreSQL of its own, with fsync, and prints its line of JSON."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "dev"))
import services  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--programs", default=ROOT / "build" / "cc", type=pathlib.Path)
parser.add_argument("--events", default=400000, type=int)
parser.add_argument("--members", default=100000, type=int)
parser.add_argument("--batch", default=1000, type=int)
options = parser.parse_args()
# A setting of ours that nobody knows would stop loyalctl.
kept = {key: value for key, value in os.environ.items() if not key.startswith(("LOYALD_", "PG"))}

with tempfile.TemporaryDirectory(prefix="loyald-bench-") as folder:
    os.chmod(folder, 0o755)  # the server's user must pass
    with services.PostgreSQL(os.path.join(folder, "postgres"), fsync=True) as server:
        server.psql("CREATE DATABASE bench", "postgres")
        conninfo = server.conninfo("bench")
        subprocess.run([options.programs / "loyalctl", "migrate", "up"], check=True, stdout=subprocess.DEVNULL,
                       env={**kept, "LOYALD_POSTGRES": conninfo}, cwd=ROOT)
        subprocess.run([options.programs / "tests" / "bench" / "minimal", conninfo, str(options.events),
                        str(options.members), str(options.batch)], check=True)
