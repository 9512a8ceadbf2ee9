#!/usr/bin/python3
"""`make faults`: faults on real components, each under load, each judged. Exit status: 0 all good; 1 something was wrong
or late; 2 asked wrongly.

A fault is good when every partition is at work again in time (session time-out + 2 s), every record has the outcome it must
have and every member the points, and `loyalctl audit --topics` finds nothing.
"""
import argparse
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "dev"), str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "bench"),
                str(ROOT / "tests" / "faults")]

from support import protos  # noqa: E402

protos.generate(ROOT / "proto", ROOT / "build" / "python")

import machine  # noqa: E402
import services  # noqa: E402
import wreck  # noqa: E402
from stand import BOUND_SECONDS, SESSION_SECONDS, Stand  # noqa: E402

LATE_ON_A_BUSY_MACHINE_SECONDS = 30  # the short form runs beside other tests: there only this is a failure


def say(result):
    if "skipped" in result:
        line = f"skipped: {result['skipped']}"
    else:
        times = result["recovered_seconds"]
        line = f"{result['times']:4} {'never' if not times else f'{max(times):5.2f} s':>8} " \
               f"{'clean' if not result['wrong'] else 'WRONG'}"
    print(f"{result['group']:38} {result['fault']:46} {line}", flush=True)
    for text in result.get("wrong", ()):
        print(f"    {text}", flush=True)


def commit():
    def git(*words):
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True).stdout.strip()
    return git("rev-parse", "--short=12", "HEAD") + (" and changes" if git("status", "--porcelain", "-uno") else "")


def judged(results, bound):
    wrong = [result for result in results if result["wrong"]]
    late = [result for result in results if max(result["recovered_seconds"], default=0) > bound]
    return wrong, late


def write(options, found):
    """After each group: what was seen is not lost with what comes after."""
    pathlib.Path(options.json).parent.mkdir(parents=True, exist_ok=True)
    with open(options.json, "w") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--programs", default=str(ROOT / "build" / "cc-failpoints"), help="built with FAILPOINTS=1")
    parser.add_argument("--kafka", choices=("apache", "embedded"), default="apache")
    parser.add_argument("--short", action="store_true", help="a choice of them, in two minutes")
    parser.add_argument("--kills", type=int, default=200, help="workers killed at random moments")
    parser.add_argument("--only", help="groups, by comma: " + ", ".join([*wreck.GROUPS, "kills"]))
    parser.add_argument("--points", help="of the failpoints these only, by comma")
    parser.add_argument("--json", help="where the result goes", default=str(ROOT / "run" / "faults" / "result.json"))
    options = parser.parse_args()
    groups = options.only.split(",") if options.only else [*wreck.GROUPS, "kills"]
    if set(groups) - {*wreck.GROUPS, "kills"}:
        parser.error(f"--only {options.only}: a group of that name is not there")
    services.end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.kafka == "apache" and (why := services.Kafka.why_not()):
        print(f"faults: {why}, so the embedded broker is used: no kill of the broker, no network to it")
        options.kafka = "embedded"
    folder = tempfile.mkdtemp(prefix="loyald-faults-")
    os.chmod(folder, 0o755)
    about = {"commit": commit(), "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
             "machine": machine.describe(str(ROOT), str(ROOT)), "kafka": options.kafka, "short": options.short,
             "session_seconds": SESSION_SECONDS, "bound_seconds": BOUND_SECONDS}
    print(f"{'group':38} {'fault':46} {'times':>4} {'back in':>7}  audit and totals")
    try:
        with Stand(folder, options.programs, options.kafka == "apache", say) as stand:
            for name in groups:
                if name == "failpoints":
                    wreck.failpoints(stand, options.short, options.points and options.points.split(","))
                elif name == "kills":
                    wreck.kills(stand, options.short, options.kills)
                else:
                    wreck.GROUPS[name](stand, options.short)
                write(options, {**about, "results": stand.results})
            results = stand.results
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wrong, late = judged(results, LATE_ON_A_BUSY_MACHINE_SECONDS if options.short else BOUND_SECONDS)
    total = sum(result["times"] for result in results)
    print(f"faults: {total} tried, {len(wrong)} wrong, {len(late)} late")
    return 1 if wrong or late else 0


if __name__ == "__main__":
    sys.exit(main())
