#!/usr/bin/python3
"""The figures of docs/reliability.md, from what was measured.

    report.py collect FAULTS.json[,MORE.json …] [SIM.txt COMMIT DATE] > docs/reliability.json
    report.py page docs/reliability.json docs/reliability.md [--check]     writes what stands between the page's marks
"""
import json
import re
import sys

BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
POINT_GROUPS = ("worker: kill", "worker: error", "worker: stop")


def collect(faults, sim=None, commit=None, date=None):
    runs = []
    for name in faults.split(","):  # of the same programs, group by group
        with open(name) as file:
            runs.append(json.load(file))
    latest = {}
    for run in runs:  # what was run again after the driver was mended counts as it was the last time
        groups = {result["group"] for result in run["results"] if result["fault"].startswith("kills ")}
        latest = {key: result for key, result in latest.items() if key[0] not in groups}
        latest.update({(result["group"], result["fault"]): result for result in run["results"]})
    collected = {"faults": {**runs[0], "results": list(latest.values())}}
    if sim:
        with open(sim) as file:
            text = file.read()
        seeds, failed = re.search(r"^sim: (\d+) seeds, (\d+) failed", text, re.M).groups()
        counts = dict(re.findall(r"^([a-z0-9_]+) +(\d+)$", text, re.M))
        collected["simulator"] = {"commit": commit, "date": date, "seeds": int(seeds), "failed": int(failed),
                                  "happened": {name: int(count) for name, count in counts.items()}}
    return collected


def seconds(result):
    times = result["recovered_seconds"]
    wrong = "" if not result["wrong"] else " **wrong**"
    return (f"{max(times):.1f} s" if times else "never") + wrong


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def of_points(results):
    cells = {}
    for result in results:
        cells.setdefault(result["fault"], {})[result["group"]] = seconds(result)
    return table(("point", "SIGKILL", "an error returned", "stopped past its session, woken"),
                 [(point, *(found.get(group, "not tried") for group in POINT_GROUPS))
                  for point, found in sorted(cells.items())])


def of_faults(results):
    rows = {}
    for result in results:
        name = (result["group"], re.sub(r"^kills .*", "at random moments", result["fault"]))
        row = rows.setdefault(name, {"times": 0, "longest": 0.0, "wrong": 0})
        row["times"] += result["times"]
        row["longest"] = max([row["longest"], *result["recovered_seconds"]])
        row["wrong"] += bool(result["wrong"])
    return table(("what", "fault", "times", "at work again within", "records, points and audit"),
                 [(*name, row["times"], f"{row['longest']:.1f} s", "right" if not row["wrong"] else "**wrong**")
                  for name, row in rows.items()])


def of_simulator(simulator):
    happened = simulator["happened"]
    lines = [f"### The simulator: {simulator['seeds']:,} worlds, {simulator['failed']} in which something was wrong", "",
             f"Commit {simulator['commit']}, {simulator['date']}. What happened in them, and how often:", ""]
    names = sorted(happened)
    half = (len(names) + 1) // 2
    rows = []
    for at in range(half):
        left, right = names[at], names[at + half] if at + half < len(names) else None
        rows.append((left, f"{happened[left]:,}", right or "", f"{happened[right]:,}" if right else ""))
    return lines + table(("what", "times", "what", "times"), rows)


def page(collected):
    faults = collected["faults"]
    results = faults["results"]
    late = [one for one in results if max(one["recovered_seconds"], default=0) > faults["bound_seconds"]]
    wrong = [one for one in results if one["wrong"]]
    machine = faults["machine"]
    lines = [f"### Real components: {sum(one['times'] for one in results)} faults, after {len(wrong)} of them something "
             "was wrong", "",
             f"Commit {faults['commit']}, {faults['date']}; {faults['kafka']} Kafka, PostgreSQL with fsync; "
             f"{machine['cores']} cores ({machine['model']}), load {machine['load_at_start']} at the start; session "
             f"time-out {faults['session_seconds']:g} s. "
             f"{len(late)} took longer than the {faults['bound_seconds']:g} s that are the aim.", "",
             "A worker, at each point of its batch; beside it, how long until every partition was at work again:", ""]
    points = [one for one in results if one["group"] in POINT_GROUPS]
    lines += of_points(points) + ["", "Everything else:", ""]
    lines += of_faults([one for one in results if one["group"] not in POINT_GROUPS])
    if "simulator" in collected:
        lines += ["", *of_simulator(collected["simulator"])]
    return "\n".join(lines) + "\n"


def merge(text, figures):
    before, rest = text.split(BEGIN)
    return before + BEGIN + figures + END + rest.split(END)[1]


def main():
    words = sys.argv[1:]
    if len(words) in (2, 5) and words[0] == "collect":
        json.dump(collect(*words[1:]), sys.stdout, indent=1)
        print()
        return 0
    if len(words) < 3 or words[0] != "page":
        print(__doc__, file=sys.stderr)
        return 2
    with open(words[1]) as file:
        figures = page(json.load(file))
    with open(words[2]) as file:
        text = file.read()
    if "--check" in words:
        return 0 if merge(text, figures) == text else 1
    with open(words[2], "w") as file:
        file.write(merge(text, figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
