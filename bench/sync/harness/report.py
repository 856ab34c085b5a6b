"""Turns runs into Markdown: targets, why a target was missed, then what the ratios are made of."""

import re
import statistics
from collections import Counter
from dataclasses import dataclass

from .works import ALL, COPY_TO_COPY, ENGINE, ENGINES, RECIPES, ROLLBACK, WARM

MIB = 1 << 20
PROCESSORS = 2  # the number of CPUs that the target figures assume; the load is reported for the machine's actual number
MET = {True: "met", False: "**missed**", None: "not measured"}


def median(runs, of):
    values = [of(run) for run in runs if not failed(run)]
    return statistics.median(values) if values else None


def failed(run):
    return any(flaw.startswith("failed") for flaw in run.flaws)


def seconds(run):
    return run.seconds


def processor(run):
    """CPU seconds of servers and client, which hardly depend on other load."""
    return max(0.01, run.cpu_source + run.cpu_target + run.cpu_client)


def at_target(run):
    """Seconds of the restore's steps without its JVM's start."""
    return sum(spent["seconds"] for spent in run.restore["phases"].values())


def into_staging(run):
    """Seconds from the plan to the last staged part, without the target's preflight."""
    return sum(run.dump["phases"][phase]["seconds"] for phase in ("plan", "dump", "seal")) + run.restore["phases"]["stage"]["seconds"]


def ratio(ours, theirs, of=seconds):
    """The median over rounds of ours divided by theirs, because both were disturbed alike; the ratio of medians for one shared round."""
    ours, theirs = ([run for run in runs if not failed(run)] for runs in (ours, theirs))
    both = [of(a) / of(b) for a in ours for b in theirs if a.number == b.number]
    if len(both) > 1 or len(ours) == len(theirs) == 1:
        return statistics.median(both) if both else None
    return median(ours, of) / median(theirs, of) if ours and theirs else None


def wrong(run):
    return run.reader.get("empty", 0) + run.reader.get("mixed", 0) + run.reader.get("refused", 0)


def steps(run):
    """Returns (step, seconds) of an engine's run; the publish step is split by its statements."""
    found = []
    for side in ("dump", "restore"):
        result = getattr(run, side)
        if not result:
            continue
        if "jvm" in result:
            found.append((f"{side}: start of the JVM", result["jvm"]))
        for phase, spent in result["phases"].items():
            if phase == "publish" and run.publish:
                found += [(kind, value) for kind, value in run.publish.items()]
                found.append(("publish: the rest", spent["seconds"] - sum(run.publish.values())))
            else:
                found.append((phase if phase != "dump" else "read, compress, put", spent["seconds"]))
    return found


def line(run):
    """Describes a run in one line, for progress output."""
    text = f"{run.seconds:.1f} s, {processor(run):.1f} CPU s, {run.wal / MIB:,.0f} MiB WAL"
    if run.restore:
        text += " (" + ", ".join(f"{step} {spent:.2f}" for step, spent in steps(run) if spent >= 0.005) + ")"
    if run.reader:
        text += f", a reader waited {run.reader['longest'] * 1e3:.0f} ms, {wrong(run)} wrong answers"
    return text + "".join(f"; {flaw}" for flaw in run.flaws)


def table(head, rows):
    return (
        "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(map(str, row)) + " |" for row in rows)])
        + "\n"
    )


def number(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def best_recipe(results, work):
    """Returns the name and runs of the manual recipe with the smallest median."""
    found = {
        name: median(runs, seconds) for name, runs in results.get(work, {}).items() if name in (*RECIPES, "swap") and median(runs, seconds)
    }
    if not found:
        return None, []
    name = min(found, key=found.get)
    return name, results[work][name]


@dataclass
class Figure:
    """One target figure. of names the work whose runs explain why it was missed."""

    work: str
    goal: str
    limit: float
    value: float
    form: str = "{:.2f}"
    ours: str = "–"
    peer: str = "–"
    of: str = ""
    note: str = ""

    @property
    def met(self):
        return None if self.value is None else self.value <= self.limit

    @property
    def shown(self):
        return number(self.value, self.form) + self.note


def reach(results, engine_name=ENGINE):
    """Returns the target figures of this engine."""
    figures = []

    def runs(work, contender=engine_name):
        return results.get(work, {}).get(contender, [])

    def against(work, goal, limit, of, peer, theirs, ours=None):
        ours = runs(of) if ours is None else ours
        figures.append(
            Figure(
                work,
                goal,
                limit,
                ratio(ours, theirs),
                ours=number(median(ours, seconds), "{:.1f} s"),
                peer=f"{median(theirs, seconds):.1f} s ({peer})" if median(theirs, seconds) else "–",
                of=of,
            )
        )

    against(
        "full copy into empty, with indexes and keys",
        "≤ 0.9 of pg_dump + pg_restore",
        0.9,
        "empty",
        "pg_dump-restore",
        runs("empty", "pg_dump-restore"),
    )
    staged, limit = median(runs("100"), into_staging), median(runs("limits", COPY_TO_COPY), seconds)
    figures.append(
        Figure(
            "rows from source into staging",
            "≤ 1.3 of COPY to COPY",
            1.3,
            staged / limit if staged and limit else None,
            ours=number(staged, "{:.1f} s"),
            peer=f"{number(limit, '{:.1f} s')} (COPY to COPY, text)",
            of="100",
        )
    )
    against(
        "refresh under live references, all rows changed",
        "≤ 0.5 of the simplest safe way",
        0.5,
        "100",
        "delete-copy",
        runs("100", "delete-copy"),
    )
    against("", "≤ 1.1 of the swap by hand", 1.1, "100", "swap", runs("100", "swap"))
    readers = [run for by_name in results.values() for run in by_name.get(engine_name, []) if run.reader]
    waits = [run.reader["longest"] * 1e3 for run in runs("100") if run.reader]
    peers = [run.reader["longest"] * 1e3 for run in runs("100", "swap") if run.reader]
    figures.append(
        Figure(
            "",
            "longest wait of a reader polling every 10 ms under 50 ms",
            50,
            max(waits, default=None),
            "{:.0f} ms",
            ours=number(max(waits, default=None), "{:.0f} ms"),
            peer=number(max(peers, default=None), "{:,.0f} ms (swap)"),
            of="100",
        )
    )
    figures.append(
        Figure(
            "",
            "never an empty or mixed answer (all works)",
            0,
            sum(map(wrong, readers)) if readers else None,
            "{:.0f}",
            ours=f"{sum(map(wrong, readers))} wrong of {sum(run.reader['polls'] for run in readers):,}" if readers else "–",
        )
    )
    engine = [run for by_name in results.values() for run in by_name.get(engine_name, [])]
    flawed = sum(bool(run.flaws) for run in engine)
    figures.append(
        Figure(
            "",
            "rows correct, keys valid, views and grants kept (all works)",
            0,
            flawed if engine else None,
            "{:.0f}",
            ours=f"{flawed} flawed of {len(engine)} runs",
        )
    )
    name, recipe = best_recipe(results, "1")
    against("1 % changed, spread evenly, all tables", "≤ 0.35 of the best recipe by hand", 0.35, "1", name, recipe)
    one, tenth = median(runs("1"), at_target), median(runs("0.1"), at_target)
    figures.append(
        Figure(
            "",
            "cost at the target grows with the changed rows: 0.1 % ≤ 0.5 of 1 %",
            0.5,
            tenth / one if one and tenth else None,
            ours=number(tenth, "{:.2f} s"),
            peer=number(one, "{:.2f} s (its own 1 %)"),
            of="0.1",
        )
    )
    nothing = median(runs("nothing"), at_target)
    figures.append(Figure("nothing changed", "target under 1 s", 1, nothing, "{:.2f} s", ours=number(nothing, "{:.2f} s"), of="nothing"))
    wal = median(runs("nothing"), lambda run: run.wal / MIB)
    figures.append(Figure("", "target under 1 MB of WAL", 1e6 / MIB, wal, "{:.2f} MiB", ours=number(wal, "{:.2f} MiB"), of="nothing"))
    # The rollback has a cold JVM, so it is compared with the cold sync.
    back, forth = median(runs("rollback", ROLLBACK), at_target), median(runs("1", ENGINE), at_target)
    figures.append(
        Figure(
            "rollback of a 1 % sync",
            "same time at the target as the 1 % sync (≤ 1.1 of it)",
            1.1,
            back / forth if back and forth and engine_name == ENGINE else None,
            ours=number(back, "{:.2f} s"),
            peer=number(forth, "{:.2f} s (its own 1 %)"),
            of="rollback",
        )
    )
    memory = [max(run.dump["rss"], run.restore["rss"]) / MIB for run in engine if run.restore and run.dump]
    tenfold = [max(run.dump["rss"], run.restore["rss"]) / MIB for run in runs("memory") if run.restore and run.dump]
    figures.append(
        Figure(
            "memory of a worker",
            "under 512 MB for any table",
            512e6 / MIB,
            max(memory, default=None),
            "{:.0f} MiB",
            ours=f"{number(max(memory, default=None), '{:.0f} MiB')}; "
            f"at ten times the drugs {number(max(tenfold, default=None), '{:.0f} MiB')}",
        )
    )
    return figures


def _cells(name, runs, baseline):
    if not any(not failed(run) for run in runs):
        return [name, "failed", *["–"] * 10]
    spread = [run.seconds for run in runs if not failed(run)]
    return [
        f"**{name}**" if name in ENGINES else name,
        number(ratio(runs, baseline)),
        number(ratio(runs, baseline, processor)),
        f"{statistics.median(spread):.1f}" + (f" ({min(spread):.1f}–{max(spread):.1f})" if len(spread) > 1 else ""),
        len(spread),
        *(number(median(runs, of), "{:.1f}") for of in (lambda r: r.cpu_source, lambda r: r.cpu_target, lambda r: r.cpu_client)),
        number(median(runs, lambda r: r.wal / MIB), "{:,.0f}"),
        number(median(runs, lambda r: r.growth / MIB), "{:,.0f}"),
        *(
            (number(max(r.reader["longest"] for r in runs if r.reader) * 1e3, "{:,.0f}"), sum(wrong(r) for r in runs if r.reader))
            if any(r.reader for r in runs)
            else ("–", "–")
        ),
    ]


def _flaws(runs):
    return "; ".join(
        f"{flaw} ({count}×)" if count > 1 else flaw for flaw, count in Counter(flaw for run in runs for flaw in run.flaws).items()
    )


def _baseline(work, by_name):
    names = ({"empty": "pg_dump-restore", "100": "swap"}.get(work.name), best_recipe({work.name: by_name}, work.name)[0], *by_name)
    return next(name for name in names if name in by_name)


def _work(work, by_name):
    by_name = {name: by_name[name] for name in (*(n for n in work.contenders if n not in ENGINES), *ENGINES) if name in by_name}
    of = _baseline(work, by_name)
    parts = [
        f"## {work.title}\n",
        table(
            (
                "contender",
                f"of {of}",
                "of its CPU",
                "s, median (least–most)",
                "runs",
                "CPU s source",
                "CPU s target",
                "CPU s client",
                "WAL MiB",
                "growth MiB",
                "longest wait ms",
                "wrong answers",
            ),
            [_cells(name, runs, by_name[of]) for name, runs in by_name.items()],
        ),
    ]
    notes = [f"- {name}: {_flaws(runs)}" for name, runs in by_name.items() if _flaws(runs)]
    if notes:
        parts.append("Problems:\n\n" + "\n".join(notes) + "\n")
    examples = [
        f"- {name}: {run.reader['empty']} empty, {run.reader['mixed']} mixed, "
        f"{run.reader['refused']} refused, such as `{run.reader['examples'][0]}`"
        for name, runs in by_name.items()
        for run in runs[-1:]
        if run.reader and run.reader["examples"]
    ]
    if examples:
        parts.append("Wrong answers of the last round:\n\n" + "\n".join(examples) + "\n")
    parts += [
        _profile(name, [run for run in by_name[name] if run.restore])
        for name in ENGINES
        if any(run.restore for run in by_name.get(name, []))
    ]
    return "\n".join(parts)


def _profile(name, runs):
    """Describes where its time goes: its steps, and the longest statements of the last round."""
    rows = []
    for side in ("dump", "restore") if runs[0].dump else ("restore",):
        if name != WARM:
            rows.append((f"{side}: the JVM's own", number(statistics.median(getattr(run, side)["jvm"] for run in runs)), *[""] * 3))
        for phase in getattr(runs[0], side)["phases"]:
            rows.append(
                (
                    f"{side}: {phase}",
                    *(
                        number(statistics.median(getattr(run, side)["phases"][phase][what] for run in runs))
                        for what in ("seconds", "engine", "source", "target")
                    ),
                )
            )
            if phase == "publish":
                rows += [
                    (f"– of which {kind}", number(statistics.median(run.publish.get(kind, 0.0) for run in runs)), *[""] * 3)
                    for kind in runs[0].publish
                ]
    last = runs[-1]
    text = f"Where the seconds of {name} go:\n\n" + table(("step", "s", "CPU s engine", "CPU s source", "CPU s target"), rows)
    notes = [f"{last.dump['parts']} parts; {last.dump['written'] / MIB:.1f} MiB put"] if last.dump else []
    notes += [
        f"{last.restore['read'] / MIB:.1f} MiB got",
        f"{last.restore['staged_rows']:,} rows staged, {last.restore['changed_rows']:,} changed",
        "peak memory " + " and ".join(f"{side['rss'] / MIB:.0f} MiB" for side in (last.dump, last.restore) if side),
    ]
    if last.restore["tries"] > 1:
        notes.append(f"**{last.restore['tries']} tries**, because the target differed from its recorded state")
    text += "\n" + "; ".join(notes) + ".\n\n"
    text += (
        table(
            ("table", "recorded state", "parts unchanged", "deltas", "full parts", "KiB"),
            [
                (
                    choice["table"],
                    "not trusted: read" if choice["read"] else "trusted",
                    choice["unchanged"],
                    choice["deltas"],
                    choice["parts"],
                    f"{choice['bytes'] / 1024:,.0f}",
                )
                for choice in last.restore["choices"]
            ],
        )
        + "\n"
    )
    sums = Counter()
    for server, step, milliseconds, statement in last.statements:
        sums[server, step.removeprefix("lockstep "), _short(statement)] += milliseconds
    text += table(
        ("statements over 50 ms, last round, side by side", "server", "step", "s"),
        [(f"`{statement}`", server, step, f"{total / 1e3:.2f}") for (server, step, statement), total in sums.most_common(12)],
    )
    return text


def _short(statement):
    """Removes what statements of one kind have in common: column lists and the sync's names."""
    statement = re.sub(r'"(\w+)"\."(\w+)"', r"\1.\2", statement)
    statement = re.sub(r'(?:\w+\.)?"\w+"(?:(?:, | = \w+\.)(?:\w+\.)?"\w+"(?: = \w+\."\w+")?)*', "…", statement)
    statement = re.sub(r"(staging_\d+)_(goes_)?[0-9a-f]{8,}", r"\1 \2", statement)
    return (statement if len(statement) <= 150 else statement[:149] + "…").replace("|", "\\|").replace("`", "'")


def _missed(results, figures, processors):
    """Explains missed figures of one work: the engine's steps, how busy the machine was, and the distance from the limits."""
    of = figures[0].of
    title = next((work.title for work in ALL if work.name == of), "All works")
    parts = [f"### {title}\n", "\n".join(f"- {figure.goal}: {figure.shown}" for figure in figures) + "\n"]
    runs = [run for run in results.get(of, {}).get(ROLLBACK if of == "rollback" else ENGINE, []) if run.restore]
    if not runs:
        return "\n".join(parts)
    total = statistics.median(map(seconds, runs))
    spent = sorted(
        ((name, statistics.median(dict(steps(run)).get(name, 0.0) for run in runs)) for name, _ in steps(runs[0])),
        key=lambda step: -step[1],
    )
    warm = [run for run in results[of].get(WARM, []) if run.restore]
    parts.append(
        table(
            ("step", "s", "of all", "s warm"),
            [
                (
                    name,
                    f"{value:.2f}",
                    f"{value / total:.0%}",
                    number(median(warm, lambda run, name=name: dict(steps(run)).get(name, 0.0)) if warm else None),
                )
                for name, value in spent
                if value >= 0.01 * total
            ],
        )
    )
    busy, others = (
        statistics.median(processor(run) / run.seconds / processors for run in runs),
        statistics.median(run.others for run in runs),
    )
    text = f"{total:.2f} s in total; servers and engine kept the processors busy for {busy:.0%} of it, other processes for {others:.0%}"
    text += ": only less work would make it faster" if busy > 0.85 else ""
    copying = median(results.get("limits", {}).get(COPY_TO_COPY, []), seconds)
    if copying and of in ("empty", "100"):
        text += f". COPY to COPY of all rows, the lower limit, takes {copying:.2f} s: this is {total / copying:.1f} times that"
    scan = median(results.get("limits", {}).get("limit-copy-out-text-2", []), seconds)
    if scan and of not in ("empty", "100"):
        text += f". Reading all rows of the source once, without a digest, takes {scan:.2f} s: this is {total / scan:.1f} times that"
    if any("wait" in figure.goal for figure in figures):
        slowest = max((run for run in runs if run.reader), key=lambda run: run.reader["longest"])
        text += (
            f". The longest wait, {slowest.reader['longest'] * 1e3:.0f} ms, began {slowest.reader['after']:.1f} s after the start, "
            f"{_while(slowest)}; "
            f"{slowest.reader['slow']} of {slowest.reader['polls']:,} answers took more than 50 ms, "
            f"99 % came within {slowest.reader['p99'] * 1e3:.0f} ms"
        )
    parts.append(text + ".\n")
    return "\n".join(parts)


def _while(run):
    """Returns the step during which the longest wait began."""
    at = run.reader["at"]
    for side in (run.dump, run.restore):
        for phase, spent in side.get("phases", {}).items():
            if spent["began"] <= at < spent["began"] + spent["seconds"]:
                return f"during {phase}"
    return "between two steps, as a JVM started or ended"


def curve(results):
    rows = []
    for name in ("nothing", "0.01", "0.1", "1", "10", "100"):
        by_name = results.get(name, {})
        engine = [run for run in by_name.get(ENGINE, []) if run.restore]
        if not engine:
            continue
        warm = [run for run in by_name.get(WARM, []) if run.restore]
        best, recipe = best_recipe(results, name)
        rows.append(
            (
                name if name == "nothing" else f"{name} %",
                f"{engine[-1].restore['changed_rows']:,}",
                number(median(engine, seconds), "{:.1f}"),
                number(median(warm, seconds), "{:.1f}"),
                number(median(engine, at_target)),
                number(median(warm, at_target)),
                number(median(engine, lambda r: r.cpu_target), "{:.1f}"),
                number(median(engine, lambda r: r.wal / MIB), "{:,.1f}"),
                number(median(engine, lambda r: (r.dump["written"] + r.restore["read"]) / MIB), "{:,.1f}"),
                f"{number(median(recipe, seconds), '{:.1f}')} {best or ''}",
                number(ratio(engine, recipe)),
            )
        )
    return rows


def write(results, facts, sittings, volume):
    processors = next((int(value.split()[0]) for name, value in facts if name == "processors"), PROCESSORS)
    cold, warm = reach(results), reach(results, WARM)
    parts = [
        "# Figures of the sync\n",
        (
            "Written by `bench/sync/run`; [bench/sync](../sync/README.md) says what is measured and how. "
            "Medians of interleaved rounds; the tables give their number.\n"
        ),
    ]
    runs = [run for by_name in results.values() for runs in by_name.values() for run in runs]
    noise = statistics.median(run.others for run in runs) if runs else 0
    if noise > 0.08:
        parts.append(
            f"**Noise:** in the median run other processes used {noise:.0%} of the processors. "
            f"Measure again on a quiet machine before you trust these figures.\n"
        )
    parts += [
        "## Targets\n",
        table(
            ("work", "target", "ours", "peer", "measured", "", "warm", ""),
            [
                (
                    f.work,
                    f.goal,
                    f.ours,
                    f.peer,
                    f.shown,
                    MET[f.met],
                    w.shown if w.value is not None else "–",
                    MET[w.met] if w.value is not None else "",
                )
                for f, w in zip(cold, warm)
            ],
        ),
        (
            "*measured* is the ratio to the peer where there is one, from a cold start: a JVM for the dump, one for the restore. "
            "*warm* is a JVM that did six small syncs before, like a warm function.\n"
        ),
        "The time of a sync of ten rows is not measured here, because this benchmark has no state machines.\n",
    ]
    missing = [work.title for work in ALL if work.name not in results]
    if missing:
        parts.append(f"Not measured in this run: {'; '.join(missing)}.\n")
    if curve(results):
        parts += [
            "## The engine by share of changed rows\n",
            table(
                (
                    "changed at the source",
                    "rows changed at the target",
                    "s",
                    "s warm",
                    "s at the target",
                    "warm",
                    "CPU s target",
                    "WAL MiB",
                    "MiB put and got",
                    "best recipe by hand, s",
                    "of it",
                ),
                curve(results),
            ),
        ]
    if volume and results.get("limits"):
        parts.append(_limits(results, volume))
    missed = [figure for figure in cold if figure.met is False]
    if missed:
        parts += [
            "## Targets missed from a cold start, and why\n",
            "The steps that took the time; [Why is it not faster?](../../docs/why-not-faster.md) explains what limits them.\n",
            *(
                _missed(results, [figure for figure in missed if figure.of == of], processors)
                for of in dict.fromkeys(figure.of for figure in missed)
            ),
        ]
    parts += [_work(work, results[work.name]) for work in ALL if results.get(work.name) and work.name != "limits"]
    parts += [
        "## Machine and programs\n",
        table(
            ("", ""),
            [
                *facts,
                *(
                    (
                        "measured",
                        f"{s['date']}, commit {s['commit']}, load average {s['load']:.2f} before"
                        + (f", {s['minutes']:.0f} minutes" if "minutes" in s else ""),
                    )
                    for s in sittings
                ),
                (
                    "others",
                    f"used {noise:.1%} of the processors in the median run, {max((run.others for run in runs), default=0):.1%} at most",
                ),
            ],
        ),
    ]
    return "\n".join(parts)


def _limits(results, volume):
    """volume is the COPY text of all tables, in bytes."""
    by_name = results["limits"]
    base = median(by_name.get(COPY_TO_COPY, []), seconds)
    rows = [
        (
            name.removeprefix("limit-"),
            number(median(runs, seconds)),
            number(median(runs, seconds) and volume / 1e6 / median(runs, seconds), "{:,.0f}"),
            number(median(runs, seconds) and base and median(runs, seconds) / base),
            number(median(runs, processor), "{:.1f}"),
            _flaws(runs),
        )
        for name, runs in by_name.items()
    ]
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
