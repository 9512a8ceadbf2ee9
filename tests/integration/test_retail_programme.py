"""Programme files on a real year of 18,532 receipts: each decided by the engine, against results that are not ours.

What is expected of each receipt is counted here in plain Python, whose sums have to be those of the shared data's own
README; then `loyalctl programme test` compares every single receipt.
"""
import calendar
import collections
import datetime
import json
import pathlib
import subprocess

import pytest

import services
from support import retail

PROGRAMMES = pathlib.Path(services.ROOT) / "tests" / "integration" / "programmes"
MEMBERS_A_FILE = 1000
RECEIPTS, MEMBERS = 18532, 4338
POINTS_CAPPED = 635239
AFTER_DAYS, AFTER_DAYS_MEMBERS, AFTER_MONTHS = 1054, 1001, 1027


@pytest.fixture(scope="module")
def histories(shared):
    """{member: [(moment, thousandths of a pound)]}, without the four receipts of nothing."""
    found = collections.defaultdict(list)
    for number, customer, lines in retail.invoices(shared):
        if customer is not None and not number.startswith("C"):
            total = sum(int(line["Quantity"]) * retail.milli(line["UnitPrice"]) for line in lines)
            if total > 0:
                found[customer].append((datetime.datetime.fromisoformat(lines[0]["InvoiceDate"]), total))
    for receipts in found.values():
        receipts.sort(key=lambda receipt: receipt[0])
    assert (sum(map(len, found.values())), len(found)) == (RECEIPTS, MEMBERS)
    return dict(found)


def decide(programs, folder, programme, histories, expected):
    """expected[member]: what each of their receipts is to earn. Returns how many members' examples failed."""
    members = sorted(histories)
    passed = failed = 0
    for start in range(0, len(members), MEMBERS_A_FILE):
        path = folder / f"{programme}.{start}.yaml"
        with open(path, "w", encoding="ascii") as out:
            out.write("examples:\n")
            for member in members[start:start + MEMBERS_A_FILE]:
                out.write(f"  - name: \"{member}\"\n    events:\n")
                for (moment, total), earns in zip(histories[member], expected[member]):
                    wallets = ", ".join(f"{wallet}: {points}" for wallet, points in earns.items())
                    out.write(f"      - {{at: \"{moment.isoformat()}Z\", expect: {{{wallets}}}, "
                              f"purchase: {{total: {total // 1000}.{total % 1000:03}}}}}\n")
        done = subprocess.run([programs / "loyalctl", "programme", "test", PROGRAMMES / f"{programme}.yaml", path, "--json"],
                              capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        results = [row["passed"] for row in json.loads(done.stdout)]
        assert done.returncode == (0 if all(results) else 1)
        passed, failed = passed + results.count(True), failed + results.count(False)
    assert passed + failed == len(members)
    return failed


def test_at_most_a_hundred_points_a_day(programs, tmp_path, histories):
    expected = {}
    for member, receipts in histories.items():
        today = collections.Counter()
        expected[member] = []
        for moment, total in receipts:
            points = min(total // 10000, 100 - today[moment.date()])
            today[moment.date()] += points
            expected[member].append({"points": points})
    assert sum(row["points"] for rows in expected.values() for row in rows) == POINTS_CAPPED
    assert decide(programs, tmp_path, "retail_daily_cap", histories, expected) == 0


def months_later(moment, months):
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def test_who_comes_back_after_four_months(programs, tmp_path, histories):
    expected, back = {}, set()
    for member, receipts in histories.items():
        expected[member], before = [], None
        for moment, _ in receipts:
            days = int(before is not None and moment - before > datetime.timedelta(days=120))
            months = int(before is not None and moment > months_later(before, 4))
            expected[member].append({"days": days, "months": months})
            back |= {member} if days else set()
            before = moment
    rows = [row for member in expected for row in expected[member]]
    assert sum(row["days"] for row in rows) == AFTER_DAYS and len(back) == AFTER_DAYS_MEMBERS
    assert sum(row["months"] for row in rows) == AFTER_MONTHS
    assert decide(programs, tmp_path, "retail_win_back", histories, expected) == 0


def test_one_receipt_told_wrongly_is_seen(programs, tmp_path, histories):
    member = min(histories)
    one = {member: histories[member]}
    right = [{"points": min(total // 10000, 100)} for _, total in histories[member][:1]]
    wrong = [{"points": right[0]["points"] + 1}]
    one[member] = one[member][:1]
    assert decide(programs, tmp_path, "retail_daily_cap", one, {member: right}) == 0
    assert decide(programs, tmp_path, "retail_daily_cap", one, {member: wrong}) == 1
