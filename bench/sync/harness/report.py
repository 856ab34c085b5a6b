"""Turns runs into Markdown: targets, then what the ratios are made of."""

import statistics
from collections import Counter

from machine import table

from .works import ALL, COPY_TO_COPY, ENGINE, ENGINES, RECIPES, ROLLBACK, WARM

MIB = 1 << 20
MET = {True: "met", False: "**missed**", None: "not measured"}


def median(runs, of):
    values = [of(run) for run in runs if not failed(run)]
    return statistics.median(values) if values else None


def failed(run):
    return any(flaw.startswith("failed") for flaw in run.flaws)


def seconds(run):
    return run.seconds


def wal(run):
    return run.wal / MIB


def processor(run):
    """CPU seconds of servers and client, which hardly depend on other load."""
    return max(0.01, run.cpu_source + run.cpu_target + run.cpu_client)


def at_target(run):
    """Seconds of the restore's steps without its JVM's start."""
    return sum(spent["seconds"] for spent in run.restore["phases"].values())


def into_staging(run):
    """Seconds from the plan to the last staged part, without the target's preflight."""
    return sum(run.dump["phases"][phase]["seconds"] for phase in ("plan", "dump", "seal")) + run.restore["phases"]["stage"]["seconds"]


def memory(run):
    return max(side["rss"] for side in (run.dump, run.restore)) / MIB


def ratio(ours, theirs, of=seconds):
    """The median over rounds of ours divided by theirs, because both were disturbed alike; the ratio of medians for one shared round."""
    ours, theirs = ([run for run in runs if not failed(run)] for runs in (ours, theirs))
    both = [of(a) / of(b) for a in ours for b in theirs if a.number == b.number]
    if len(both) > 1 or len(ours) == len(theirs) == 1:
        return statistics.median(both) if both else None
    return divided(median(ours, of), median(theirs, of))


def divided(ours, theirs):
    return ours / theirs if ours is not None and theirs else None


def wrong(run):
    return run.reader.get("empty", 0) + run.reader.get("mixed", 0) + run.reader.get("refused", 0)


def longest(run):
    """A reader's longest wait in milliseconds."""
    return run.reader["longest"] * 1e3


def line(run):
    """Describes a run in one line, for progress output."""
    text = f"{run.seconds:.1f} s, {processor(run):.1f} CPU s, {wal(run):,.0f} MiB WAL"
    phases = {**run.dump.get("phases", {}), **run.restore.get("phases", {})}
    text += "".join(f", {phase} {spent['seconds']:.2f}" for phase, spent in phases.items())
    if run.reader:
        text += f", a reader waited {longest(run):.0f} ms, {wrong(run)} wrong answers"
    return text + "".join(f"; {flaw}" for flaw in run.flaws)


def number(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def best_recipe(results, work):
    """Returns the name and runs of the manual recipe with the smallest median."""
    found = {name: median(runs, seconds) for name, runs in results.get(work, {}).items() if name in RECIPES and median(runs, seconds)}
    name = min(found, key=found.get, default=None)
    return name, results[work][name] if name else []


# Target figures: work, target, limit, form.
GOALS = {
    "copy": ("full copy into empty, with indexes and keys", "≤ 0.9 of pg_dump + pg_restore", 0.9, "{:.2f}"),
    "staged": ("rows from source into staging", "≤ 1.3 of COPY to COPY", 1.3, "{:.2f}"),
    "simplest": ("refresh under live references, all rows changed", "≤ 0.5 of the simplest safe way", 0.5, "{:.2f}"),
    "swap": ("", "≤ 1.1 of the swap by hand", 1.1, "{:.2f}"),
    "wait": ("", "longest wait of a reader polling every 10 ms under 50 ms", 50, "{:.0f} ms"),
    "answers": ("", "never an empty or mixed answer (all works)", 0, "{:.0f}"),
    "flawed": ("", "rows correct, keys valid, views and grants kept (all works)", 0, "{:.0f}"),
    "one": ("1 % changed, spread evenly, all tables", "≤ 0.35 of the best recipe by hand", 0.35, "{:.2f}"),
    "tenth": ("", "cost at the target grows with the changed rows: 0.1 % ≤ 0.5 of 1 %", 0.5, "{:.2f}"),
    "nothing": ("nothing changed", "target under 1 s", 1, "{:.2f} s"),
    "wal": ("", "target under 1 MB of WAL", 1e6 / MIB, "{:.2f} MiB"),
    "rollback": ("rollback of a 1 % sync", "same time at the target as the 1 % sync (≤ 1.1 of it)", 1.1, "{:.2f}"),
    "memory": ("memory of a worker", "under 512 MB for any table", 512e6 / MIB, "{:.0f} MiB"),
}


def reach(results, engine_name=ENGINE):
    """Returns the target figures of this engine as name → (value, ours, peer)."""

    def runs(work, contender=engine_name):
        return results.get(work, {}).get(contender, [])

    def against(work, peer, theirs=None):
        theirs = runs(work, peer) if theirs is None else theirs
        shown = number(median(theirs, seconds), f"{{:.1f}} s ({peer})")
        return ratio(runs(work), theirs), number(median(runs(work), seconds), "{:.1f} s"), shown

    def alone(name, value, peer="–"):
        return value, number(value, GOALS[name][3]), peer

    staged, copied = median(runs("100"), into_staging), median(runs("limits", COPY_TO_COPY), seconds)
    waits, swaps = (max((longest(run) for run in of if run.reader), default=None) for of in (runs("100"), runs("100", "swap")))
    engine = [run for work in results for run in runs(work)]
    readers = [run for run in engine if run.reader]
    answers = f"{sum(map(wrong, readers))} wrong of {sum(run.reader['polls'] for run in readers):,}" if readers else "–"
    flawed = sum(bool(run.flaws) for run in engine)
    one, tenth = median(runs("1"), at_target), median(runs("0.1"), at_target)
    # The rollback has a cold JVM, so it is compared with the cold sync.
    back, forth = median(runs("rollback", ROLLBACK), at_target), median(runs("1", ENGINE), at_target)
    peak, tenfold = (max((memory(run) for run in of if run.restore and run.dump), default=None) for of in (engine, runs("memory")))
    own = "{:.2f} s (its own 1 %)"
    return {
        "copy": against("empty", "pg_dump-restore"),
        "staged": (divided(staged, copied), number(staged, "{:.1f} s"), number(copied, "{:.1f} s (COPY to COPY, text)")),
        "simplest": against("100", "delete-copy"),
        "swap": against("100", "swap"),
        "wait": alone("wait", waits, number(swaps, "{:,.0f} ms (swap)")),
        "answers": (sum(map(wrong, readers)) if readers else None, answers, "–"),
        "flawed": (flawed if engine else None, f"{flawed} flawed of {len(engine)} runs", "–"),
        "one": against("1", *best_recipe(results, "1")),
        "tenth": (divided(tenth, one), number(tenth, "{:.2f} s"), number(one, own)),
        "nothing": alone("nothing", median(runs("nothing"), at_target)),
        "wal": alone("wal", median(runs("nothing"), wal)),
        "rollback": (divided(back, forth) if engine_name == ENGINE else None, number(back, "{:.2f} s"), number(forth, own)),
        "memory": (peak, f"{number(peak, '{:.0f} MiB')}; at ten times the drugs {number(tenfold, '{:.0f} MiB')}", "–"),
    }


def targets(results):
    """Returns rows of the table of targets."""
    cold, warm = reach(results), reach(results, WARM)
    for name, (work, goal, limit, form) in GOALS.items():
        shown = [(number(value, form), MET[None if value is None else value <= limit]) for value in (cold[name][0], warm[name][0])]
        yield work, goal, *cold[name][1:], *shown[0], *(shown[1] if warm[name][0] is not None else ("–", ""))


def _flaws(runs):
    counts = Counter(flaw for run in runs for flaw in run.flaws)
    return "; ".join(f"{flaw} ({count}×)" if count > 1 else flaw for flaw, count in counts.items())


# Columns of a work's table: title, median of, form.
COLUMNS = (
    ("CPU s source", lambda run: run.cpu_source, "{:.1f}"),
    ("CPU s target", lambda run: run.cpu_target, "{:.1f}"),
    ("CPU s client", lambda run: run.cpu_client, "{:.1f}"),
    ("WAL MiB", wal, "{:,.0f}"),
    ("growth MiB", lambda run: run.growth / MIB, "{:,.0f}"),
)


def _cells(name, runs, baseline):
    times = [run.seconds for run in runs if not failed(run)]
    read = [run for run in runs if run.reader]
    return [
        f"**{name}**" if name in ENGINES else name,
        number(ratio(runs, baseline)),
        number(ratio(runs, baseline, processor)),
        f"{number(median(runs, seconds), '{:.1f}')}" + (f" ({min(times):.1f}–{max(times):.1f})" if len(times) > 1 else ""),
        len(times),
        *(number(median(runs, of), form) for _, of, form in COLUMNS),
        number(max(map(longest, read), default=None), "{:,.0f}"),
        sum(map(wrong, read)) if read else "–",
    ]


def _work(work, by_name):
    by_name = {name: by_name[name] for name in (*(n for n in work.contenders if n not in ENGINES), *ENGINES) if name in by_name}
    bases = ({"empty": "pg_dump-restore", "100": "swap"}.get(work.name), best_recipe({work.name: by_name}, work.name)[0], *by_name)
    of = next(name for name in bases if name in by_name)
    columns = ("s, median (least–most)", "runs", *(title for title, *_ in COLUMNS), "longest wait ms", "wrong answers")
    rows = [_cells(name, runs, by_name[of]) for name, runs in by_name.items()]
    parts = [f"## {work.title}\n", table(("contender", f"of {of}", "of its CPU", *columns), rows)]
    notes = [f"- {name}: {_flaws(runs)}" for name, runs in by_name.items() if _flaws(runs)]
    for name, runs in by_name.items():
        answers = runs[-1].reader
        if answers.get("examples"):
            counts = ", ".join(f"{answers[kind]} {kind}" for kind in ("empty", "mixed", "refused"))
            notes.append(f"- {name}: {counts} answers in the last round, such as `{answers['examples'][0]}`")
    if notes:
        parts.append("Problems:\n\n" + "\n".join(notes) + "\n")
    parts += [_profile(name, [run for run in by_name[name] if run.restore]) for name in by_name if by_name[name][0].restore]
    return "\n".join(parts)


def _profile(name, runs):
    """Describes where its time goes."""
    rows = []
    for side in ("dump", "restore"):
        results = [getattr(run, side) for run in runs if getattr(run, side)]
        for phase in results[0]["phases"] if results else ():
            spent = [number(statistics.median(result["phases"][phase][what] for result in results)) for what in ("seconds", "engine")]
            rows.append((f"{side}: {phase}", *spent))
        if results and name != WARM:
            rows.append((f"{side}: the JVM's own", number(statistics.median(result["jvm"] for result in results)), ""))
    rows += [(f"– of publish: {kind}", number(statistics.median(run.publish[kind] for run in runs)), "") for kind in runs[0].publish]
    last = runs[-1]
    notes = [f"{last.dump['parts']} parts; {last.dump['written'] / MIB:.1f} MiB put"] if last.dump else []
    notes += [
        f"{last.restore['read'] / MIB:.1f} MiB got",
        f"{last.restore['staged_rows']:,} rows staged, {last.restore['changed_rows']:,} changed",
        "peak memory " + " and ".join(f"{side['rss'] / MIB:.0f} MiB" for side in (last.dump, last.restore) if side),
    ]
    if last.restore["tries"] > 1:
        notes.append(f"**{last.restore['tries']} tries**, because the target differed from its recorded state")
    return f"Where the seconds of {name} go:\n\n" + table(("step", "s", "CPU s engine"), rows) + "\n" + "; ".join(notes) + ".\n"


# Columns of the curve: title, engine, median of, form.
CURVE = (
    ("s", ENGINE, seconds, "{:.1f}"),
    ("s warm", WARM, seconds, "{:.1f}"),
    ("s at the target", ENGINE, at_target, "{:.2f}"),
    ("warm", WARM, at_target, "{:.2f}"),
    ("CPU s target", ENGINE, lambda run: run.cpu_target, "{:.1f}"),
    ("WAL MiB", ENGINE, wal, "{:,.1f}"),
    ("MiB put and got", ENGINE, lambda run: (run.dump["written"] + run.restore["read"]) / MIB, "{:,.1f}"),
)


def curve(results):
    for name in ("nothing", "0.01", "0.1", "1", "10", "100"):
        runs = {engine: [run for run in results.get(name, {}).get(engine, []) if run.restore] for engine in (ENGINE, WARM)}
        if runs[ENGINE]:
            best, recipe = best_recipe(results, name)
            changed = f"{runs[ENGINE][-1].restore['changed_rows']:,}"
            figures = [number(median(runs[engine], of), form) for _, engine, of, form in CURVE]
            by_hand = f"{number(median(recipe, seconds), '{:.1f}')} {best or ''}", number(ratio(runs[ENGINE], recipe))
            yield name if name == "nothing" else f"{name} %", changed, *figures, *by_hand


INTRODUCTION = """# Figures of the sync

Written by `bench/sync/run`; [bench/sync](../sync/README.md) says what is measured and how. Medians
of interleaved rounds; the tables give their number.
"""
EXPLANATION = """*measured* is the ratio to the peer where there is one, from a cold start: a JVM for the dump, one for the restore.
*warm* is a JVM that did six small syncs before, like a warm function. [Why is it not faster?](../../docs/why-not-faster.md) explains what
limits them. The time of a sync of ten rows is not measured here, because this benchmark has no state machines.
"""


def write(results, facts, sittings, volume):
    """volume is the COPY text of all tables, in bytes."""
    runs = [run for by_name in results.values() for runs in by_name.values() for run in runs]
    others = [run.others for run in runs] or [0]
    parts = [INTRODUCTION]
    if statistics.median(others) > 0.08:
        parts.append(
            f"**Noise:** in the median run other processes used {statistics.median(others):.0%} of the processors. "
            "Measure again on a quiet machine before you trust these figures.\n"
        )
    parts += ["## Targets\n", table(("work", "target", "ours", "peer", "measured", "", "warm", ""), targets(results)), EXPLANATION]
    missing = [work.title for work in ALL if work.name not in results]
    if missing:
        parts.append(f"Not measured in this run: {'; '.join(missing)}.\n")
    shares = list(curve(results))
    if shares:
        columns = [title for title, *_ in CURVE]
        head = ("changed at the source", "rows changed at the target", *columns, "best recipe by hand, s", "of it")
        parts += ["## The engine by share of changed rows\n", table(head, shares)]
    if volume and results.get("limits"):
        parts.append(_limits(results, volume))
    parts += [_work(work, results[work.name]) for work in ALL if results.get(work.name) and work.name != "limits"]
    measured = [
        f"{s['date']}, commit {s['commit']}, load average {s['load']:.2f} before"
        + (f", {s['minutes']:.0f} minutes" if "minutes" in s else "")
        for s in sittings
    ]
    noise = f"used {statistics.median(others):.1%} of the processors in the median run, {max(others):.1%} at most"
    parts += ["## Machine and programs\n", table(("", ""), [*facts, *(("measured", text) for text in measured), ("others", noise)])]
    return "\n".join(parts)


def _limits(results, volume):
    by_name = results["limits"]
    base = median(by_name.get(COPY_TO_COPY, []), seconds)
    rows = []
    for name, runs in by_name.items():
        took = median(runs, seconds)
        speed = number(divided(volume / 1e6, took), "{:,.0f}")
        cells = number(took), speed, number(divided(took, base)), number(median(runs, processor), "{:.1f}"), _flaws(runs)
        rows.append((name.removeprefix("limit-"), *cells))
    text = "## The limits\n\n" + table(("", "s", "MB/s of text", "of COPY to COPY", "CPU s total", ""), rows)
    engine = [run for run in results.get("100", {}).get(ENGINE, []) if run.restore]
    if engine and base:
        total, staged = statistics.median(map(seconds, engine)), statistics.median(map(into_staging, engine))
        text += (
            f"\nThe lower limit for transferring all rows is COPY to COPY, {base:.2f} s. The engine has them in staging after "
            f"{staged:.2f} s ({staged / base:.2f} of it), "
            f"and merged and verified after {total:.2f} s ({total / base:.2f}).\n"
        )
    return text
