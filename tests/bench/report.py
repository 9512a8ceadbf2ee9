#!/usr/bin/python3
"""A result of bench.py for people: a table on the terminal, and docs/performance.md.

    report.py table RESULT     report.py page RESULT > docs/performance.md
"""
import json
import sys

RUNS = (("main", "from an empty database"), ("known", "the same members again"),
        ("duplicates", "1 % exact repeats"), ("budget", "one budget for all"),
        ("members_10x", "ten times the members"), ("again", "`main` once more"))
PROCESSES = ("worker", "postgres", "broker", "redis")
OTHERS_MAX = 0.05  # share of the machine that others may have used before the figures are called disturbed


def json_lines(text):
    """The objects among lines of other things. Maven leaves codes for the terminal's colours in front of one."""
    starts = ((line, line.find('{"')) for line in text.splitlines())
    return [json.loads(line[at:]) for line, at in starts if at >= 0]


def target(what, wanted, reached, met):
    """A row of what was to be reached; met: True, False, or None where it was not measured."""
    return {"what": what, "wanted": wanted, "reached": reached, "met": met}


def compare(what, wanted, value, limit, least=False, unit=""):
    if value is None:
        return target(what, wanted, "not measured", None)
    shown = f"{value:.2f}" if value < 10 else f"{value:,.1f}"
    return target(what, wanted, shown + unit, value >= limit if least else value <= limit)


def ratio(above, below):
    return above / below if above is not None and below else None


def figure(cases, *path):
    """cases[path[0]][path[1]]…, or None where a step is missing."""
    value = cases
    for step in path:
        if isinstance(value, list):
            value = value[step] if step < len(value) else None
        else:
            value = value.get(step) if value else None
    return value


def with_history(cases):
    """The slower of the two runs on top of the history."""
    rates = [figure(cases, "history", run, "per_second") for run in ("after_checkpoint", "later")]
    return min(rates) if None not in rates else None


def targets(result):
    cases = result["cases"]
    rate = figure(cases, "again", "per_second")  # main was minutes ago, and a host's pace changes by the minute
    return [
        compare("CPU time of the worker, an event", "≤ 8 µs", figure(cases, "main", "cpu_us", "worker"), 8, unit=" µs"),
        compare("CPU time of PostgreSQL, beside the minimal program's", "≤ 1.3 times",
                ratio(figure(cases, "main", "cpu_us", "postgres"), figure(cases, "minimal", "minimal_us")), 1.3),
        compare("rate, as a share of cores ÷ CPU time of all", "≥ 0.85",
                figure(cases, "main", "share_of_possible"), 0.85, least=True),
        compare("rate, beside the Java service's", "≥ 1.5 times",
                ratio(rate, figure(cases, "peer", "best", "rate")), 1.5, least=True),
        compare("latency at 20 % of the rate, p99", "≤ 50 ms", figure(cases, "latency", 0, "p99_ms"), 50, unit=" ms"),
        compare("resident memory of the worker, at its highest", "≤ 150 MiB",
                figure(cases, "main", "memory_mib", "peak"), 150, unit=" MiB"),
        compare("rate with ten times the members, beside the rate", "≥ 0.8",
                ratio(figure(cases, "members_10x", "per_second"), rate), 0.8, least=True),
        compare("rate on top of the history, beside the same without", "≥ 0.8",
                ratio(with_history(cases), figure(cases, "history", "without", "per_second")), 0.8, least=True),
        compare("rate with one budget that all events take from, beside the rate", "≥ 0.8",
                ratio(figure(cases, "budget", "per_second"), rate), 0.8, least=True),
    ]


def verdict(row):
    return {True: "yes", False: "**no**", None: "–"}[row["met"]]


def rows(lines):
    """A markdown table: the first line is its head."""
    head, *body = ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    return "\n".join([head, "|" + "---|" * len(lines[0]), *body])


def runs(result):
    """(name, figures) of each run through a filled topic."""
    cases = result["cases"]
    found = [(f"`{name}`: {text}", cases[name]) for name, text in RUNS if name in cases]
    if "history" in cases:
        size = f"{cases['history']['journal_rows']:,} journal rows"
        found += [(f"`history`: on {size}, after a checkpoint", cases["history"]["after_checkpoint"]),
                  ("`history`: again, without one between", cases["history"]["later"]),
                  ("without the history, right behind those two", cases["history"]["without"])]
    return found


def runs_table(result):
    lines = [("run", "events/s", "share of possible", *PROCESSES, "sum", "worker MiB", "WAL B", "page images",
              "others")]
    for name, run in runs(result):
        lines.append((name, f"{run['per_second']:,}", run["share_of_possible"],
                      *(run["cpu_us"][process] for process in PROCESSES), run["cpu_us_sum"],
                      run["memory_mib"]["peak"], run["write_ahead"]["bytes_an_event"],
                      f"{run['write_ahead']['full_page_images']:,}", f"{run['others_share']:.0%}"))
    return rows(lines)


def latency_table(result):
    lines = [("share of the rate", "events/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "measured", "others")]
    for run in result["cases"].get("latency", []):
        lines.append((f"{run['share']:.0%}", f"{run['per_second']:,.0f}", run["p50_ms"], run["p99_ms"],
                      run["p99.9_ms"], run["max_ms"], f"{run['measured']:,}", f"{run['others_share']:.0%}"))
    return rows(lines)


def peer_table(result):
    lines = [("run", "events/s", "worker", "postgres", "broker", "sum", "resident MiB")]
    for number, run in enumerate(result["cases"]["peer"]["runs"], 1):
        cpu = run["cpu_us"]
        lines.append((number, f"{run['rate']:,}", cpu["worker"], cpu["pg"], cpu["broker"], cpu["total"],
                      run["rss"]["VmRSS"]))
    return rows(lines)


def disturbed(result):
    """The share of the machine that others used, at its worst, where it was too much to trust the figures."""
    shares = [run["others_share"] for _, run in runs(result)]
    shares += [run["others_share"] for run in result["cases"].get("latency", [])]
    worst = max(shares, default=0)
    return worst if worst > OTHERS_MAX else None


def table(result):
    """The whole result in a few lines of text."""
    parts = [runs_table(result), latency_table(result)]
    if "peer" in result["cases"]:
        parts.append(peer_table(result))
    parts += [f"skipped: {case}: {why}" for case, why in result["skipped"].items()]
    parts.append(rows([("to be reached", "wanted", "reached", "met")]
                      + [(row["what"], row["wanted"], row["reached"], verdict(row)) for row in targets(result)]))
    if (worst := disturbed(result)) is not None:
        parts.append(f"NOTE: others used up to {worst:.0%} of the machine: measure again when it is quiet")
    return "\n\n".join(parts)


# --- docs/performance.md -------------------------------------------------------------------------------------------

HEAD = """# Performance

Generated by `make docs-performance` from `docs/performance.json`, the result of one run of `make bench KAFKA=apache`.
The figures are of one machine on one day; the ratios travel better than the rates.
"""

HOW = """## How it is measured

- **The world**: Apache Kafka, PostgreSQL with fsync on and Redis, private to the run, on the same machine as the worker;
  {partitions} partitions. PostgreSQL: {settings}.
  Kafka waits {delay} ms for more members of a group of nobody, and as long again when one came (its default is 3,000).
  They have worked before the first clock starts, as those of the Java service have: {warm_up[events]:,} purchases of
  {warm_up[members]:,} members of an installation that is dropped again.
- **A run**: the topic is filled while no worker runs ({purchases:,} purchases of one to three lines, {event_bytes} bytes
  each on average, every one of which earns). Then `CHECKPOINT`, and one worker with {threads} threads is started. The clock runs
  from the start of the process, joining the group included, until every partition's row stands at the topic's high watermark
  and every update is in the topic of updates. Outcomes and the sum of all balances are compared with what the purchases must
  earn, and after `main` `loyalctl audit --topics` must be clean: a wrong result has no speed.
- **CPU time an event**: user and system time of `/proc/PID/stat` over that interval, children included (PostgreSQL's
  backends and its background processes), divided by the purchases. The harness's own looks at the database are in PostgreSQL's.
- **Share of possible**: the rate divided by (cores ÷ sum of CPU time an event). What is missing to 1 is idle time, and what
  the harness and others used of the machine; `others` is the share that neither the run nor the harness used, steal included.
- **The checkpoint cycle**: each run begins right after a checkpoint, where full-page images cost most, but for the second
  `history` run, which has had none since the first. {checkpoints}
- **The minimal program** (`tests/bench/minimal.c`): a fence, a journal row with one entry, a member row and an outbox row by
  prepared statements on the same tables, in turns with the adapter's own commit of the same rows; no Kafka, no rules, and
  members that are there already, where `main` enrols its own.
{latency}- **The disk** is one for all. What PostgreSQL and the broker write without a sync goes to it after {writeback[expire]:g} s, looked
  for every {writeback[look]:g} s (`vm.dirty_expire_centisecs`, `vm.dirty_writeback_centisecs`; the kernel's own are 30 and 5).
- **Side by side**: a host's pace changes by the minute. Ten times the members, the budget and the Java service are compared
  with `again`, which runs between the former two and the latter.
- **Ten times the members** is as many purchases: nearly four fifths of them enrol a member, of `main`'s one fifth.
- **History**: copies of the journal's rows under keys of their own, in the heap's order, then `VACUUM ANALYZE`; compared
  with a run like `known` on a database of its own, right behind them, since none of them enrols anybody.
"""

LATENCY = """- **Latency**: a producer with a plan (open loop) publishes at a share of `main`'s rate; from a purchase's planned moment until
  its update is in a consumer's hands. The first {warm} s are left out, {seconds} s count. Producer
  and consumer are a program {client} on the same cores.
  Before it, {log_mib:,} MiB of old segments of the write-ahead log are made ready and a checkpoint is taken: a database that
  has been up for long writes into such segments, where a new one stops all commits to make each.
"""

PEER = """## The Java service

A tuned service made of kafka-clients and pgjdbc that does less (no rules, traces, stored events, returns or dead letters): whole
poll batches in one transaction, arrays, an outbox. On a broker and a PostgreSQL of its own, with ours stopped, warmed up in
its process before the clock starts; its topic has 1 % repeats. The better of its runs is compared.
"""


def machine_line(result):
    where, versions = result["machine"], result["versions"]
    dirty = " with changes that are not committed" if where["dirty"] else ""
    return (f"{where['cores']} cores of {where['model']}, {where['memory_gib']} GiB, {where['os']}, Linux {where['kernel']}; "
            f"PostgreSQL {versions['postgres']}, Apache Kafka {versions['kafka']}, {versions['redis']}; "
            f"commit `{(where['commit'] or 'unknown')[:12]}`{dirty}; {result['started_at']} to {result.get('ended_at', '?')}.")


def checkpoints(result):
    during = [name for name, run in runs(result) if run["write_ahead"]["checkpoint_during"]]
    return f"One began during {', '.join(during)}." if during else "None began during a run."


def how_latency(result):
    if "latency" not in result["cases"]:
        return ""
    options = result["options"]
    return LATENCY.format(warm=options["warm_seconds"], seconds=options["seconds"], client=result["latency_client"],
                          log_mib=result["latency_log_mib"])


def how(result):
    options, main, versions = result["options"], result["cases"]["main"], result["versions"]
    settings = ", ".join(f"{key} {value}" for key, value in versions["postgres_settings"].items())
    return HOW.format(partitions=options["partitions"], settings=settings, delay=versions["kafka_initial_rebalance_delay_ms"],
                      purchases=main["purchases"], event_bytes=main["event_bytes"], threads=options["threads"],
                      latency=how_latency(result), checkpoints=checkpoints(result), warm_up=result["warm_up"],
                      writeback=result["machine"]["writeback_seconds"])


def missed(result):
    found = [row for row in targets(result) if row["met"] is False]
    unknown = [row["what"] for row in targets(result) if row["met"] is None]
    lines = [f"- Missed: {row['what']}: {row['reached']}, where {row['wanted']} was wanted." for row in found]
    lines += [f"- Not measured in this run: {what}." for what in unknown]
    if (worst := disturbed(result)) is not None:
        lines.append(f"- **Disturbed**: others used up to {worst:.0%} of the machine meanwhile; a quiet machine does better.")
    return "\n".join(lines) or "All of it was reached."


def page(result):
    parts = [HEAD, machine_line(result), "## What was to be reached",
             rows([("", "wanted", "reached", "met")]
                  + [(row["what"], row["wanted"], row["reached"], verdict(row)) for row in targets(result)]),
             missed(result), "## Runs", "CPU time in µs an event.", runs_table(result)]
    if "minimal" in result["cases"]:
        least = result["cases"]["minimal"]
        parts.append(f"The minimal program took {least['minimal_us']} µs of PostgreSQL an event, the adapter's commit of the "
                     f"same rows {least['adapter_us']} µs ({least['ratio']} times), in batches of {least['batch']:,}.")
    if "latency" in result["cases"]:
        parts += ["## From publish to balance update", latency_table(result)]
    if "peer" in result["cases"]:
        parts += [PEER, peer_table(result)]
    parts.append(how(result))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def main():
    form, path = sys.argv[1:]
    with open(path) as file:
        result = json.load(file)
    sys.stdout.write({"table": lambda: table(result) + "\n", "page": lambda: page(result)}[form]())


if __name__ == "__main__":
    main()
