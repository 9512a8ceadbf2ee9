"""What the benchmark says of itself: purchases that decode, percentiles, verdicts. The measuring needs a quiet machine."""
import copy
import pathlib
import sys

import pytest
from loyalty.v1 import event_pb2

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "bench"))

import pace  # noqa: E402  (found by the path above)
import purchases  # noqa: E402
import report  # noqa: E402


def read_records(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield data[at:at + length]
        at += length


def test_purchases_decode_and_earn_what_is_expected_of_them(tmp_path):
    wanted = purchases.write_file(tmp_path / "file", 2000, 50, "seed", "main", duplicates=0.01)
    records = list(read_records(tmp_path / "file"))
    events = {record: event_pb2.Event.FromString(record) for record in records}
    assert (wanted["purchases"], wanted["records"]) == (2000, 2020)
    assert (len(events), len(records)) == (2000, 2020)
    totals = [event.purchase.total_minor for event in events.values()]
    assert totals == [sum(line.amount_minor for line in event.purchase.lines) for event in events.values()]
    assert wanted["points"] == sum(total // 10000 * 10 for total in totals)
    assert min(totals) >= 10000  # each earns, so that each has its update
    assert len({event.event_id for event in events.values()}) == 2000
    assert {len(event.event_id) for event in events.values()} == {36}
    assert {event.member_id for event in events.values()} == {f"M{number:08d}" for number in range(50)}


@pytest.mark.parametrize("share, expected", [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000)])
def test_a_percentile_is_the_nearest_rank(share, expected):
    assert pace.percentile(list(range(1, 1001)), share) == expected
    assert pace.percentile([7.0], share) == 7.0


def run_of(rate, **fields):
    return {"purchases": 500000, "event_bytes": 200, "per_second": rate, "share_of_possible": 0.9,
            "cpu_us": {"worker": 7.5, "postgres": 25.0, "broker": 2.0, "redis": 1.0}, "cpu_us_sum": 35.5,
            "memory_mib": {"resident": 90, "peak": 100}, "others_share": 0.01,
            "write_ahead": {"bytes_an_event": 900, "full_page_images": 10, "checkpoint_just_before": True,
                            "checkpoint_during": False}, **fields}


RESULT = {
    "started_at": "2026-11-22T00:00:00+00:00", "ended_at": "2026-11-22T00:08:00+00:00",
    "machine": {"cores": 2, "model": "CPU", "memory_gib": 8, "kernel": "6.1", "os": "Debian", "commit": "0123456789abcdef",
                "dirty": False, "writeback_seconds": {"expire": 30, "look": 5}},
    "versions": {"postgres": "15", "kafka": "4.1.0", "redis": "Redis 7", "postgres_settings": {"fsync": "on"},
                 "kafka_initial_rebalance_delay_ms": 50},
    "warm_up": {"events": 500000, "members": 100000}, "latency_log_mib": 1600, "latency_client": "in C",
    "options": {"partitions": 16, "threads": 4, "warm_seconds": 5, "seconds": 30}, "skipped": {},
    "cases": {"main": run_of(40000), "known": run_of(42000), "members_10x": run_of(33000),
              "budget": run_of(34000), "again": run_of(40000),
              "minimal": {"minimal_us": 23.0, "adapter_us": 24.0, "ratio": 1.04, "batch": 1000},
              "latency": [{"share": 0.2, "per_second": 8000, "p50_ms": 8, "p99_ms": 30, "p99.9_ms": 45, "max_ms": 60,
                           "measured": 240000, "others_share": 0.01}],
              "history": {"journal_rows": 5000000, "after_checkpoint": run_of(36000), "later": run_of(41000),
                          "without": run_of(42000)},
              "peer": {"runs": [], "best": {"rate": 26000}}}}


def verdicts(result):
    return [row["met"] for row in report.targets(result)]


def test_all_is_reached_where_all_is():
    assert verdicts(RESULT) == [True] * 9
    assert "All of it was reached." in report.page(RESULT)


def worsen(path, value):
    result = copy.deepcopy(RESULT)
    *steps, last = path
    at = result["cases"]
    for step in steps:
        at = at[step]
    at[last] = value
    return result


@pytest.mark.parametrize("place, path, value", [
    (0, ("main", "cpu_us", "worker"), 8.1), (1, ("main", "cpu_us", "postgres"), 30.1),
    (2, ("main", "share_of_possible"), 0.84), (3, ("peer", "best", "rate"), 26700),
    (3, ("again", "per_second"), 38999),
    (4, ("latency", 0, "p99_ms"), 50.1), (5, ("main", "memory_mib", "peak"), 150.1),
    (6, ("members_10x", "per_second"), 31999), (7, ("history", "after_checkpoint", "per_second"), 33599),
    (7, ("history", "later", "per_second"), 33599), (7, ("history", "without"), run_of(45001)),
    (8, ("budget", "per_second"), 31999)])
def test_each_miss_is_said(place, path, value):
    result = worsen(path, value)
    expected = [True] * 9
    expected[place] = False
    assert verdicts(result) == expected
    assert report.page(result).count("- Missed: ") == 1
    assert "**no**" in report.table(worsen(path, value) | {"skipped": {"peer": "absent"}})


def test_what_was_not_measured_is_not_called_reached():
    result = copy.deepcopy(RESULT)
    for case in ("peer", "history", "minimal"):
        del result["cases"][case]
    assert [place for place, met in enumerate(verdicts(result)) if met is None] == [1, 3, 7]
    assert report.page(result).count("- Not measured in this run: ") == 3


def test_a_result_behind_colour_codes_is_not_lost():
    assert report.json_lines('\x1b[0m\x1b[0m{"rate": 1}\n[INFO] x\n{"rate": 2}\n') == [{"rate": 1}, {"rate": 2}]


def test_a_disturbed_run_says_so():
    assert "others used up to 30%" in report.page(worsen(("main", "others_share"), 0.3))
    assert "others used" not in report.table(RESULT)
