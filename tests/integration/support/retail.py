"""The shared year of a British wholesaler as events: one purchase an invoice.

Amounts are in thousandths of a pound, since four of the data's prices have three decimals; the retail
programmes have a currency of that. Times are taken as UTC (the data names no zone), of an invoice's first line.
"""
import csv
import datetime
import io
import subprocess
from decimal import Decimal

from loyalty.v1 import event_pb2

FOLDER = "data/online-retail"
SOURCE = "retail"


def rows(shared, name="online_retail.csv.zst"):
    """The lines of a CSV file, as dictionaries. Unpacked by a process, so that it works with Debian's Python alone."""
    unpack = subprocess.Popen(["zstd", "-dqc", str(shared / FOLDER / name)], stdout=subprocess.PIPE)
    with unpack.stdout:
        yield from csv.DictReader(io.TextIOWrapper(unpack.stdout, encoding="utf-8", newline=""))
    assert unpack.wait() == 0


def invoices(shared):
    """(number, customer or None, lines) in file order."""
    found = {}
    for row in rows(shared):
        found.setdefault(row["InvoiceNo"], []).append(row)
    for number, lines in found.items():
        customer = lines[0]["CustomerID"]
        yield number, str(int(float(customer))) if customer else None, lines


def milli(text):
    amount = Decimal(text) * 1000
    assert amount == int(amount)
    return int(amount)


def purchase(number, customer, lines):
    """Of a receipt without a customer the sizes alone are taken: credit notes, write-offs and bad debts are among them,
    and a purchase has no amount below zero. Nothing of a record without a member is kept, so nothing hangs on them."""
    event = event_pb2.Event(event_id=number, source=SOURCE, channel="pos")
    if customer is not None:
        event.member_id = customer
    event.occurred_at.FromDatetime(datetime.datetime.fromisoformat(lines[0]["InvoiceDate"]))
    event.purchase.order_id = number
    event.purchase.currency = "GBP"
    total = 0
    for place, row in enumerate(lines, 1):
        quantity, price = int(row["Quantity"]), milli(row["UnitPrice"])
        amount = quantity * price
        if customer is None:
            quantity, price, amount = abs(quantity), abs(price), abs(amount)
        assert quantity >= 0 and amount >= 0, f"invoice {number} line {place} is below zero"
        total += amount
        event.purchase.lines.add(line_id=str(place), sku=row["StockCode"], quantity_milli=quantity * 1000,
                                 unit_price_minor=price, amount_minor=amount)
    event.purchase.total_minor = total
    return event


def purchases(shared):
    """All invoices but the credit notes of known customers, which name no purchase, in file order."""
    return [purchase(number, customer, lines) for number, customer, lines in invoices(shared)
            if customer is None or not number.startswith("C")]


def expected(shared):
    """{member: points} of "floor(amount / 10) a purchase", by an engine that is not ours."""
    return {row["customer_id"]: int(row["points_earned"]) for row in rows(shared, "expected_per_member.csv.zst")
            if int(row["purchases"]) > 0}
