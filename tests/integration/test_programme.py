"""loyalctl programme: the examples of docs/, an independent validator of the schema, mistakes, and publishing."""
import concurrent.futures
import json
import os
import pathlib
import subprocess

import jsonschema
import psycopg
import pytest
import yaml

import services

ROOT = pathlib.Path(services.ROOT)
EXAMPLES = ROOT / "docs" / "examples"
MISTAKES = ROOT / "tests" / "golden" / "mistakes"
PROGRAMMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml") if not path.name.endswith(".tests.yaml"))
ALL_IN_FORCE = [name for name in PROGRAMMES if name != "malina"]


def loyalctl(programs, *words, conninfo=""):
    done = subprocess.run([str(programs / "loyalctl"), *map(str, words)], capture_output=True, text=True, cwd=ROOT,
                          env={"PATH": "/usr/bin:/bin", "LOYALD_POSTGRES": conninfo})
    return done.returncode, done.stdout, done.stderr


def report(programs, path):
    code, out, err = loyalctl(programs, "programme", "check", "--json", path)
    assert err == ""
    parsed = json.loads(out)
    assert code == (0 if parsed["ok"] else 1)
    return parsed


def test_there_are_six_programmes():
    assert PROGRAMMES == ["coalition", "coffee", "malina", "shop", "smallest", "supermarket"]


@pytest.mark.parametrize("name", PROGRAMMES)
def test_an_example_is_in_order_and_its_tests_pass(programs, name):
    path = EXAMPLES / f"{name}.yaml"
    assert report(programs, path)["errors"] == 0
    code, out, err = loyalctl(programs, "programme", "test", path)
    assert code == 0 and ", 0 failed" in out, out + err


def test_an_example_that_expects_something_else_fails(programs, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((EXAMPLES / "smallest.tests.yaml").read_text().replace("points: 12", "points: 13"))
    code, out, _ = loyalctl(programs, "programme", "test", EXAMPLES / "smallest.yaml", wrong)
    assert code == 1 and "expected 13, was 12" in out


# --- the schema, by another implementation ---

class Texts(yaml.SafeLoader):
    """YAML without its dates, as editors read it for a JSON Schema."""


Texts.yaml_implicit_resolvers = {first: [(tag, regexp) for tag, regexp in resolvers
                                         if tag != "tag:yaml.org,2002:timestamp"]
                                 for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


@pytest.fixture(scope="module")
def validator(programs):
    code, out, _ = loyalctl(programs, "programme", "schema")
    assert code == 0
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


EVERY_FILE = [path for folder in (EXAMPLES, ROOT / "tests" / "golden", ROOT / "tests" / "integration" / "programmes")
              for path in sorted(folder.glob("*.yaml")) if not path.name.endswith(".tests.yaml")]


@pytest.mark.parametrize("path", EVERY_FILE, ids=lambda path: path.stem)
def test_the_schema_takes_every_programme_that_check_takes(programs, validator, path):
    assert report(programs, path)["errors"] == 0
    document = yaml.load(path.read_text(), Texts)
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("old,new", [("trigger: purchase", "triger: purchase"), ("currency: EUR", "currency: []"),
                                     ("reward: {points: 1", "reward: {points: many"), ("id: base", "id: Base")])
def test_the_schema_refuses_mistakes(validator, old, new):
    text = (EXAMPLES / "smallest.yaml").read_text()
    assert old in text
    assert list(validator.iter_errors(yaml.load(text.replace(old, new), Texts)))


# --- mistakes: name, file, what is written, what it was; each reported on its line, the report reviewed ---

SEEDED = [
    ("unknown_key", "smallest", "trigger: purchase", "triger: purchase"),
    ("unknown_top_key", "supermarket", "campaigns:", "campagns:"),
    ("bare_on", "supermarket", "trigger: activity", "on: activity"),
    ("bare_yes", "coffee", "multiplied: false", "multiplied: no"),
    ("bare_hours", "coffee", 'hours: "14:00-16:00"', "hours: 18:00"),
    ("underscore", "supermarket", "points: 5000000", "points: 5_000_000"),
    ("octal", "supermarket", "minimum: 1000", "minimum: 01000"),
    ("nothing", "smallest", "currency: EUR", "currency: ~"),
    ("twice", "smallest", "{id: base, trigger", "{id: base, id: base, trigger"),
    ("anchor", "smallest", "points: {title", "points: &p {title"),
    ("alias", "smallest", "points: {title: Points}", "points: *p"),
    ("tag", "smallest", "currency: EUR", "currency: !!str EUR"),
    ("merge", "smallest", "points: {title", "points: {<<: {}, title"),
    ("unclosed", "smallest", "points: 1, per: 1}}", "points: 1, per: 1}"),
    ("condition_not_quoted", "supermarket", '"member.days_since_purchase >= 120"', "member.days_since_purchase >= 120"),
    ("unknown_fact", "supermarket", "purchase.total >=", "purchase.totl >="),
    ("not_a_condition", "coffee", "\"purchase.total >= money('40')\"", "\"purchase.total + money('40')\""),
    ("attribute_not_kept", "coffee", "\"purchase.total >= money('40')\"", "\"member.attributes['shoe'] == '41'\""),
    ("segment_of_nothing", "supermarket", "\nearning:", "\n  staff: {title: Staff}\nearning:"),
    ("change_of_a_purchase", "smallest", "trigger: purchase", "trigger: purchase, change: profile"),
    ("money_of_nothing", "coffee", "money('40')", "money('forty')"),
    ("syntax", "supermarket", "member.last_90_days.purchases >= 3", "member.last_90_days.purchases >= "),
    ("no_zone", "coffee", "Europe/Berlin", "Europe/Brelin"),
    ("no_currency", "coffee", "currency: EUR", "currency: euro"),
    ("no_wallet", "coffee", "wallet: stamps", "wallet: stamp"),
    ("no_segment", "supermarket", "segment: silent", "segment: silnt"),
    ("id_twice", "coffee", "id: cups", "id: base"),
    ("id_across", "coffee", "id: happy_hour", "id: base"),
    ("two_forms", "supermarket", "reward: {points: 3000}", "reward: {points: 3000, multiply: 2}"),
    ("empty_period", "supermarket", "until: 2026-12-01", "until: 2026-10-01"),
    ("kopecks", "supermarket", "minimum: 300", "minimum: 300.005"),
    ("no_date", "supermarket", "from: 2026-11-01", "from: 2026-02-30"),
    ("choice", "supermarket", "per: month}", "per: mnth}"),
    ("range", "supermarket", "limit: {times: 1, per: day}", "limit: {times: 0, per: day}"),
    ("length", "supermarket", "pending: 14 days", "pending: 14 dys"),
    ("order_of_an_activity", "supermarket", "activity: app_install", "activity: app_install\n    minimum: 100"),
    ("missing", "smallest", ", reward: {points: 1, per: 1}", ""),
    ("budget_otherwise", "coalition", "budget: {id: winter, points: 1000000, when_short: partial}\n    funder: books",
     "budget: {id: winter, points: 2000000, when_short: partial}\n    funder: books"),
]


def line_of_change(before, after):
    for number, (old, new) in enumerate(zip(before.splitlines() + [""], after.splitlines() + [""]), 1):
        if old != new:
            return number
    raise AssertionError("nothing was changed")


@pytest.mark.parametrize("name,file,old,new", SEEDED, ids=[seeded[0] for seeded in SEEDED])
def test_a_mistake_is_reported_at_its_place(programs, tmp_path, name, file, old, new):
    text = (EXAMPLES / f"{file}.yaml").read_text()
    assert old in text
    path = tmp_path / f"{file}.yaml"
    path.write_text(text.replace(old, new, 1))
    found = report(programs, path)
    line = line_of_change(text, path.read_text())
    # A bracket that is not closed shows at the end of the file.
    assert found["errors"] and any(abs(issue["line"] - line) <= 1 for issue in found["issues"]
                                   if issue["kind"] == "error"), found
    code, out, _ = loyalctl(programs, "programme", "check", path)
    assert code == 1
    shown = out.replace(str(tmp_path) + "/", "")
    snapshot = MISTAKES / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(shown)
    assert shown == snapshot.read_text()


def test_all_mistakes_of_a_file_are_reported_at_once(programs, tmp_path):
    text = (EXAMPLES / "supermarket.yaml").read_text()
    # Without those that hide others: a section that is not read, a rule without a trigger, a date that is none.
    hiding = ("unknown_top_key", "bare_on", "empty_period")
    seeded = [row for row in SEEDED if row[1] == "supermarket" and row[0] not in hiding]
    for _, _, old, new in seeded:
        text = text.replace(old, new, 1)
    path = tmp_path / "all.yaml"
    path.write_text(text)
    assert report(programs, path)["errors"] == len(seeded)


# --- publishing ---

def publish(programs, database, file, *options):
    return loyalctl(programs, "programme", "publish", file, "--author", "Ann", "--reason", "spring", *options,
                    conninfo=database)


def test_a_revision_is_published_listed_shown_and_rolled_back(programs, database, tmp_path):
    code, out, err = publish(programs, database, EXAMPLES / "supermarket.yaml")
    assert code == 0, out + err
    assert "revision 1 of programme 'supermarket'" in out
    changed = tmp_path / "changed.yaml"
    changed.write_text((EXAMPLES / "supermarket.yaml").read_text().replace("points: 10, per: 100", "points: 20, per: 100")
                       .replace("id: own_brand", "id: own_label"))
    code, out, err = publish(programs, database, changed, "--from", "2027-01-01T00:00:00Z", "--approved-by", "Bob")
    assert code == 0 and "revision 2" in out, err
    code, out, _ = loyalctl(programs, "programme", "show", 2, conninfo=database)
    assert code == 0 and out == changed.read_text()
    code, out, err = loyalctl(programs, "programme", "rollback", 1, "--author", "Ann", "--reason", "too dear", "--json",
                              conninfo=database)
    assert code == 0 and json.loads(out)["revision"] == 3, err
    code, out, _ = loyalctl(programs, "programme", "list", "--json", conninfo=database)
    rows = json.loads(out)
    assert [row["revision"] for row in rows] == [1, 2, 3] and rows[0]["from"] == "-infinity"
    assert rows[1]["reason"] == "spring (approved by Bob)"
    with psycopg.connect(database) as db:
        numbers = dict(db.execute("SELECT id, number FROM dictionary WHERE kind = 'rule'").fetchall())
        texts = [row[0] for row in db.execute("SELECT programme FROM programme_revision ORDER BY number")]
        counters = db.execute("SELECT id, name, used FROM counter").fetchall()
    # Numbers stay; the new rule's stands behind them.
    assert numbers["base"] == 1 and numbers["own_label"] == max(numbers.values()) == len(numbers)
    assert texts[0] == texts[2] == (EXAMPLES / "supermarket.yaml").read_text()
    assert counters == [(1, "come_back.budget", 0)]


def test_what_is_not_in_force_is_published_only_when_told(programs, database):
    code, _, err = publish(programs, database, EXAMPLES / "malina.yaml")
    assert code == 1 and "--allow-inactive" in err
    code, out, err = publish(programs, database, EXAMPLES / "malina.yaml", "--allow-inactive")
    assert code == 0 and "revision 1" in out, err


def test_nothing_is_published_that_is_wrong_or_leaves_a_wallet_out(programs, database, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text((EXAMPLES / "smallest.yaml").read_text().replace("trigger", "triger"))
    code, _, err = publish(programs, database, path)
    assert code == 1 and "did you mean 'trigger'?" in err
    assert publish(programs, database, EXAMPLES / "coffee.yaml")[0] == 0
    text = (EXAMPLES / "coffee.yaml").read_text()
    path.write_text(text.replace("  beans: {title: Beans, expiry: 365 days}\n", "").replace("  - id: cups", "  - id: c"))
    code, _, err = publish(programs, database, path)
    assert code == 1 and "a wallet of an earlier revision" in err
    with psycopg.connect(database) as db:
        assert db.execute("SELECT count(*) FROM programme_revision").fetchone() == (1,)


def test_author_and_reason_are_wanted_and_a_second_person_is_another_one(programs, database):
    file = EXAMPLES / "smallest.yaml"
    code, _, err = loyalctl(programs, "programme", "publish", file, conninfo=database)
    assert code == 2 and "--author" in err
    assert publish(programs, database, file, "--approved-by", "Ann")[0] == 2


def test_a_second_person_is_wanted_where_the_programme_or_the_one_before_says_so(programs, database, tmp_path):
    strict, loose = tmp_path / "strict.yaml", EXAMPLES / "smallest.yaml"
    strict.write_text(loose.read_text() + "approval: required\n")
    assert publish(programs, database, loose)[0] == 0
    code, _, err = publish(programs, database, strict)
    assert code == 2 and "--approved-by" in err
    assert publish(programs, database, strict, "--approved-by", "Bob")[0] == 0
    # Taking the setting out wants the second person too, and so does going back.
    assert publish(programs, database, loose)[0] == 2
    assert loyalctl(programs, "programme", "rollback", 1, "--author", "Ann", "--reason", "x", conninfo=database)[0] == 2
    assert publish(programs, database, loose, "--approved-by", "Bob")[0] == 0
    assert publish(programs, database, loose)[0] == 0
    with psycopg.connect(database) as db:
        assert db.execute("SELECT count(*) FROM programme_revision").fetchone() == (4,)


def test_levels_keep_their_numbers(programs, database, tmp_path):
    ladder = "tiers:\n  - id: club\n    levels: [{id: green}, {id: gold, multiply: 2}]\n"
    path = tmp_path / "p.yaml"
    path.write_text((EXAMPLES / "smallest.yaml").read_text() + ladder)
    code, out, err = publish(programs, database, path)
    assert code == 0, out + err
    path.write_text(path.read_text().replace("{id: green}", "{id: basic}, {id: green}, {id: silver}"))
    code, out, err = publish(programs, database, path)
    assert code == 0, out + err
    with psycopg.connect(database) as db:
        levels = dict(db.execute("SELECT id, number FROM dictionary WHERE kind = 'level'").fetchall())
    assert levels == {"green": 1, "gold": 2, "basic": 3, "silver": 4}


# --- diff and preview ---

def test_a_difference_in_words_and_baskets(programs, tmp_path):
    path = tmp_path / "dearer.yaml"
    path.write_text((EXAMPLES / "smallest.yaml").read_text().replace("points: 1, per: 1", "points: 3, per: 1"))
    code, out, _ = loyalctl(programs, "programme", "diff", EXAMPLES / "smallest.yaml", path)
    assert code == 0
    assert out.splitlines() == ["earning base.reward.points: was 1, becomes 3",
                                "a basket of 100 EUR of a new member: 100 points before, 300 after",
                                "a basket of 1000 EUR of a new member: 1000 points before, 3000 after",
                                "a basket of 10000 EUR of a new member: 10000 points before, 30000 after",
                                "a basket of 100 EUR of a regular (six like it before, a fortnight apart): 100 points before, 300 after",
                                "a basket of 1000 EUR of a regular (six like it before, a fortnight apart): 1000 points before, 3000 after",
                                "a basket of 10000 EUR of a regular (six like it before, a fortnight apart): 10000 points before, 30000 after"]
    code, out, _ = loyalctl(programs, "programme", "diff", "--json", EXAMPLES / "smallest.yaml", EXAMPLES / "smallest.yaml")
    assert code == 0 and json.loads(out)[0] == "nothing changes"


def test_a_difference_for_regulars_and_levels_only(programs, tmp_path):
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    before.write_text("""programme: club
currency: EUR
wallets: {points: {}}
tiers: [{id: club, levels: [{id: green}, {id: gold, multiply: 1.5}]}]
earning: [{id: base, trigger: purchase, reward: {points: 1, per: 10}}]
campaigns: [{id: sixth, trigger: purchase, when: "member.last_90_days.purchases >= 6", reward: {points: 10}}]
""")
    after.write_text(before.read_text().replace("multiply: 1.5", "multiply: 2").replace("points: 10}", "points: 25}"))
    code, out, _ = loyalctl(programs, "programme", "diff", before, after)
    assert code == 0
    regular = "of a regular (six like it before, a fortnight apart)"
    for line in ("a basket of 1000 EUR of a new member: 100 points before, 100 after",
                 f"a basket of 100 EUR {regular}: 20 points before, 35 after",
                 f"a basket of 1000 EUR {regular}: 110 points before, 125 after",
                 "a basket of 1000 EUR of a new member of level green: 100 points before, 100 after",
                 "a basket of 1000 EUR of a new member of level gold: 150 points before, 200 after"):
        assert line in out.splitlines(), out


def basket(tmp_path, amount):
    path = tmp_path / "basket.json"
    path.write_text(json.dumps({
        "event_id": "e1", "source": "pos", "member_id": "m1", "occurred_at": "2026-11-04T15:30:00Z", "channel": "pos",
        "purchase": {"order_id": "o1", "lines": [{"line_id": "1", "sku": "a", "category": "food",
                                                  "quantity_milli": 1000, "amount_minor": amount}]}}))
    return path


def test_a_preview_names_what_is_granted_and_the_nearest_misses(programs, database, tmp_path):
    file = EXAMPLES / "supermarket.yaml"
    code, out, err = loyalctl(programs, "preview", basket(tmp_path, 98000), "--programme", file)
    assert code == 0, err
    assert "points                     90" in out and "(20.00 more)" in out
    assert out.endswith("nearest\n  20.00 more and evening gives 50 points\n")
    code, out, err = loyalctl(programs, "preview", basket(tmp_path, 98000), "--programme", file, "--json")
    assert code == 0, err
    assert json.loads(out)["nearest"] == [{"more_minor": 2000, "points": 50, "rule": "evening", "wallet": "points"}]
    assert publish(programs, database, file)[0] == 0
    code, out, err = loyalctl(programs, "preview", "--json", basket(tmp_path, 100000), conninfo=database)
    assert code == 0, err
    assert json.loads(out)["wallets"] == {"points": 150, "cashback": 0}
    with psycopg.connect(database) as db:
        assert db.execute("SELECT count(*) FROM member").fetchone() == (0,)
        assert db.execute("SELECT used FROM counter").fetchall() == [(0,)]


def test_a_preview_of_nobody_and_of_what_no_rule_concerns(programs, tmp_path):
    def told(**event):
        path = tmp_path / "event.json"
        path.write_text(json.dumps({"event_id": "p1", "source": "till", "occurred_at": "2026-12-04T15:30:00Z", **event}))
        code, out, err = loyalctl(programs, "preview", path, "--programme", EXAMPLES / "shop.yaml")
        assert code == 0, err
        return out.splitlines()

    lines = [{"amount_minor": 100000}]
    assert told(purchase={"order_id": "o", "lines": lines}) == [
        "new member would earn:", "  points                    100", "granted", "  base                      100 points  on 1,000.00"]
    assert told(member_id="m1", activity={"name": "visit"}) == [
        "new member m1 would earn:", "  points                      0", "no rule concerns it"]


def test_the_reference_in_the_docs_is_what_the_table_says(programs):
    code, out, _ = loyalctl(programs, "programme", "reference")
    assert code == 0
    assert (ROOT / "docs" / "programme.md").read_text().endswith(out)


# --- explain ---

SHOPPED = {"event_id": "e1", "source": "pos", "member_id": "m1", "occurred_at": "2026-11-04T15:30:00Z", "channel": "pos"}
LINE = {"line_id": "1", "sku": "a", "category": "food", "quantity_milli": 1000}


def test_an_explanation_says_what_every_rule_did_and_why(new_world, programs, tmp_path):
    programme = tmp_path / "explained.yaml"
    programme.write_text((EXAMPLES / "supermarket.yaml").read_text().replace("historical_sources", "#")
                         + "historical_sources: [pos]\n")
    world = new_world(programme=programme)
    world.start_workers(1)
    events = tmp_path / "events.jsonl"
    with open(events, "w", encoding="ascii") as out:
        for number, total in enumerate([100000, 130000, 75000], 1):
            event = {**SHOPPED, "event_id": f"e{number}", "occurred_at": f"2026-11-04T1{4 + number}:30:00Z",
                     "purchase": {"order_id": f"o{number}", "lines": [{**LINE, "amount_minor": total}]}}
            print(json.dumps(event), file=out)
    world.loyalctl("load", str(events))
    world.wait_drained()

    def explain(*words):
        done = subprocess.run([str(programs / "loyalctl"), "explain", *words], env=world.env(), capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    first, second, third = (explain(f"e{number}", "--member", "m1") for number in (1, 2, 3))
    assert "  booked points +150 (earn_pending)\n" in first
    assert "  base                      100 points  on 1,000.00\n" in first
    assert "  evening                    50 points  on 1,000.00\n" in first
    assert "  come_back                   0 points  the member is in none of its segments: silent: " \
           "member.days_since_purchase is not known\n" in first
    assert "  3 other rules did not concern it: --all says why\n" in first
    assert "  evening                     0 of 50 points  on 1,300.00  granted as many times as allowed\n" in second
    assert "silent: member.days_since_purchase was 0, needed 120: 120 short" in second
    assert "  evening                     0 points  on 750.00  less than the minimum (250.00 more)\n" in third
    shown = (ROOT / "docs" / "programme.md").read_text().split("```text\n")[1].split("```")[0]
    assert second[second.index("  booked"):] == shown[shown.index("  booked"):]
    everything = explain("--order", "o1", "--all")
    assert "  coffee                      -  no line of category coffee\n" in everything
    assert "  app                         -  only events of kind activity\n" in everything
    parsed = json.loads(explain("--order", "o1", "--all", "--json"))[0]
    assert [rule["rule"] for rule in parsed["rules"]] == ["base", "bigger_basket", "come_back", "evening"]
    assert {rule["rule"] for rule in parsed["not_concerned"]} == {"coffee", "own_brand", "app"}
    # Another revision and another member leave every word as it is.
    every = [("e1",), ("e2", "--all"), ("--order", "o3", "--json"), ("--order", "o1", "--all")]
    before = [explain(*words) for words in every]
    changed = programme.read_text().replace("reward: {points: 50}", "reward: {points: 7}").replace("food", "feed")
    programme.write_text(changed.replace("id: evening", "id: night").replace(">= 120", ">= 12"))
    world.publish_programme(programme)
    with psycopg.connect(world.conninfo()) as db:
        assert db.execute("SELECT count(*) FROM programme_revision").fetchone() == (2,)
        db.execute("UPDATE member SET available = ARRAY[7], level = '{1}', seq = seq + 1")
    assert [explain(*words) for words in every] == before
    other = subprocess.run([str(programs / "loyalctl"), "explain", "e1", "--member", "m2"], env=world.env(),
                           capture_output=True, text=True)
    assert other.returncode == 1 and "no such event" in other.stderr


def test_an_explanation_stays_byte_for_byte_whatever_changes_later(new_world, programs, tmp_path):
    world = new_world(historical_sources="generator")
    world.start_workers(1)
    events = tmp_path / "events.jsonl"
    with open(events, "wb") as out:
        subprocess.run([str(programs / "loyalctl"), "generate", "--events", "60", "--members", "5"], check=True,
                       stdout=out, env=world.env())
    world.loyalctl("load", str(events))
    world.wait_drained()
    records = [json.loads(line) for line in events.read_text().splitlines()]
    purchase = next(record for record in records if "purchase" in record)
    event_id = purchase.get("event_id") or purchase["eventId"]
    order = purchase["purchase"].get("order_id") or purchase["purchase"]["orderId"]

    def explain(*words):
        done = subprocess.run([str(programs / "loyalctl"), "explain", *words], env=world.env(), capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = explain(event_id)
    assert f"purchase {event_id} of member" in before and "decided by revision 1" in before and "base" in before
    parsed = json.loads(explain("--order", order, "--json"))
    assert parsed[0]["event_id"] == event_id and parsed[0]["rules"][0]["rule"] == "base"
    world.publish_programme("smallest")
    with psycopg.connect(world.conninfo()) as db:
        db.execute("UPDATE member SET available = ARRAY[7], seq = seq + 1")
    assert explain(event_id) == before
    missing = subprocess.run([str(programs / "loyalctl"), "explain", "no-such-event"], env=world.env(),
                             capture_output=True, text=True)
    assert missing.returncode == 1 and "no such event" in missing.stderr


def test_examples_that_contradict_themselves_fail(programs, tmp_path):
    path = tmp_path / "x.tests.yaml"
    path.write_text("""examples:
  - {name: a level that there is not, level: gold, events: [{at: 2026-11-03, purchase: {total: 100}, rules: {base: 10}}]}
  - name: two things at once
    events: [{at: 2026-11-03, activity: visit, purchase: {total: 100}, rules: {base: 10}}]
  - name: another total
    events:
      - {at: 2026-11-03, purchase: {total: 100, lines: [{amount: 99.5}]}}
      - {at: 2026-11-03, purchase: {total: 100, lines: [{amount: 99.5}, {amount: 0.5}]}, rules: {base: 10}}
""")
    code, out, _ = loyalctl(programs, "programme", "test", EXAMPLES / "shop.yaml", path)
    assert code == 1 and out.splitlines()[:6] == [
        "FAIL a level that there is not", "  line 2: the programme has no level 'gold'",
        "FAIL two things at once", "  line 4: an event is one of purchase, feedback, member and activity",
        "FAIL another total", "  line 7: total is 100.00, and the lines add up to 99.50"]


def test_output_that_cannot_be_written_is_a_failure(programs):
    with open("/dev/full", "w") as full:  # what is larger than a buffer fails before the end, what is smaller at the end
        for words in (["schema"], ["check", str(ROOT / "docs/examples/shop.yaml")]):
            done = subprocess.run([str(programs / "loyalctl"), "programme", *words], stdout=full, stderr=subprocess.PIPE, text=True)
            assert (done.returncode, done.stderr) == (1, "loyalctl: standard output cannot be written\n")


def test_publishers_at_once_get_a_number_each(programs, database, tmp_path):
    text = (EXAMPLES / "smallest.yaml").read_text()
    assert publish(programs, database, EXAMPLES / "smallest.yaml")[0] == 0

    def one(place):  # each with a rule of its own, which wants a number in the dictionary too
        path = tmp_path / f"p{place}.yaml"
        path.write_text(text + f"  - {{id: extra_{place}, trigger: purchase, reward: {{points: 1}}}}\n")
        return publish(programs, database, path)

    with concurrent.futures.ThreadPoolExecutor(8) as several:
        answers = list(several.map(one, range(8)))
    assert [code for code, _, _ in answers] == [0] * 8, answers
    with psycopg.connect(database) as db:
        rows = db.execute("SELECT number, programme FROM programme_revision ORDER BY number").fetchall()
        numbers = db.execute("SELECT number FROM dictionary WHERE kind = 'rule' ORDER BY number").fetchall()
    assert [number for number, _ in rows] == list(range(1, 10)) and len({text for _, text in rows}) == 9
    assert [number for (number,) in numbers] == list(range(1, 10))


def test_going_back_to_what_is_not_in_force_wants_the_same_word(programs, database, tmp_path):
    path = tmp_path / "p.yaml"
    text = (EXAMPLES / "smallest.yaml").read_text()
    path.write_text(text + "salt: spring\n")
    assert publish(programs, database, path, "--allow-inactive")[0] == 0
    assert publish(programs, database, EXAMPLES / "smallest.yaml")[0] == 0
    back = ("programme", "rollback", 1, "--author", "Ann", "--reason", "x")
    code, _, err = loyalctl(programs, *back, conninfo=database)
    assert code == 1 and "'salt' is not in force" in err and "--allow-inactive" in err
    code, out, err = loyalctl(programs, *back, "--allow-inactive", conninfo=database)
    assert code == 0 and "revision 3" in out, err
    code, _, err = loyalctl(programs, "programme", "rollback", 9, "--author", "Ann", "--reason", "x", conninfo=database)
    assert code == 1 and "there is no revision 9" in err
