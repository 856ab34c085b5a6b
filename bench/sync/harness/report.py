"""Turns runs into Markdown: ratios first, then what they are made of."""

import re
import statistics
from collections import Counter

from .works import ALL, ENGINE, ENGINES, RECIPES, ROLLBACK, WARM

MIB = 1 << 20
MET = {True: "met", False: "**not met**", None: "not measured"}


def median(runs, of):
    values = [of(run) for run in runs if not failed(run)]
    return statistics.median(values) if values else None


def failed(run):
    return any(flaw.startswith("failed") for flaw in run.flaws)


def seconds(run):
    return run.seconds


def at_target(run):
    """Seconds of the restore's steps, without the start of its JVM."""
    return sum(spent["seconds"] for spent in run.restore["phases"].values())


def into_staging(run):
    """From the plan to the last staged part; the target's preflight is no part of it."""
    return sum(run.dump["phases"][phase]["seconds"] for phase in ("plan", "dump", "seal")) + run.restore["phases"]["stage"]["seconds"]


def ratio(ours, theirs, of=seconds):
    """The median over rounds of ours by theirs: both were disturbed alike."""
    both = [of(a) / b.seconds for a, b in zip(ours, theirs) if not failed(a) and not failed(b)]
    return statistics.median(both) if both else None


def processors(ours, theirs):
    """The same of processor time, of servers and client together: what hardly depends on who else is at work."""
    both = [(a.cpu_source + a.cpu_target + a.cpu_client) / max(0.01, b.cpu_source + b.cpu_target + b.cpu_client) for a, b in zip(ours, theirs) if not failed(a) and not failed(b)]
    return statistics.median(both) if both else None


def wrong(run):
    return run.reader.get("empty", 0) + run.reader.get("mixed", 0) + run.reader.get("refused", 0)


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(map(str, row)) + " |" for row in rows)]) + "\n"


def number(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def best_recipe(results, work):
    """Name and runs of the recipe by hand with the smallest median."""
    found = {name: median(runs, seconds) for name, runs in results.get(work, {}).items() if name in (*RECIPES, "swap") and median(runs, seconds)}
    if not found:
        return None, []
    name = min(found, key=found.get)
    return name, results[work][name]


def reach(results, engine_name=ENGINE):
    """(work, what is to be reached, measured of this engine, met); met is None where it was not measured."""
    rows = []

    def add(work, goal, value, limit, form="{:.2f}", note=""):
        rows.append((work, goal, number(value, form) + note, None if value is None else value <= limit))

    def runs(work, contender=engine_name):
        return results.get(work, {}).get(contender, [])

    add("full copy into empty", "≤ 0.9 of pg_dump + pg_restore", ratio(runs("empty"), runs("empty", "pg_dump-restore")), 0.9)
    copying = runs("limits", "limit-copy-to-copy-text")
    staged, limit = median(runs("100"), into_staging), median(copying, seconds)
    add("rows from source into staging", "≤ 1.3 of COPY to COPY", staged / limit if staged and limit else None, 1.3)
    add("refresh, all rows changed", "≤ 0.5 of DELETE + COPY", ratio(runs("100"), runs("100", "delete-copy")), 0.5)
    add("", "≤ 1.1 of the swap by hand", ratio(runs("100"), runs("100", "swap")), 1.1)
    everywhere = [run for by_name in results.values() for run in by_name.get(engine_name, []) if run.reader]
    waits = [run.reader["longest"] * 1e3 for run in runs("100") if run.reader]
    add("", "longest wait of a reader under 50 ms", max(waits, default=None), 50, "{:.0f} ms")
    add("", "never an empty or mixed answer (all works)", sum(map(wrong, everywhere)) if everywhere else None, 0, "{}",
        f" wrong of {sum(run.reader['polls'] for run in everywhere):,}" if everywhere else "")
    engine = [run for by_name in results.values() for run in by_name.get(engine_name, [])]
    add("", "right, keys valid, views and grants kept (all works)", sum(bool(run.flaws) for run in engine) if engine else None, 0, "{}", f" flawed of {len(engine)} runs" if engine else "")
    name, recipe = best_recipe(results, "1")
    add("1 % changed, spread evenly", "≤ 0.35 of the best recipe by hand", ratio(runs("1"), recipe), 0.35, note=f" ({name})" if name else "")
    one, ten = median(runs("1"), at_target), median(runs("0.1"), at_target)
    add("", "at the target, cost grows with the rows changed: 0.1 % ≤ 0.5 of 1 %", ten / one if one and ten else None, 0.5)
    add("nothing changed", "target under 1 s", median(runs("nothing"), at_target), 1, "{:.2f} s")
    wal = median(runs("nothing"), lambda run: run.wal / MIB)
    add("", "target under 1 MB of WAL", wal, 1e6 / MIB, "{:.2f} MiB")
    back, forth = median(runs("rollback", ROLLBACK), at_target), median(results.get("1", {}).get(ENGINE, []), at_target)
    add("rollback of a 1 % sync", "at the target as the 1 % sync (≤ 1.1 of it)", back / forth if back and forth and engine_name == ENGINE else None, 1.1)
    memory = [max(run.dump["rss"], run.restore["rss"]) / MIB for run in engine if run.restore and run.dump]
    add("memory of a worker", "under 512 MB", max(memory, default=None), 512e6 / MIB, "{:.0f} MiB")
    return rows


def _cells(name, runs, baseline):
    if not any(not failed(run) for run in runs):
        return [name, "failed", *["–"] * 9]
    spread = [run.seconds for run in runs if not failed(run)]
    return [f"**{name}**" if name in ENGINES else name, number(ratio(runs, baseline)), number(processors(runs, baseline)),
            f"{statistics.median(spread):.1f} ({min(spread):.1f}–{max(spread):.1f})",
            *(number(median(runs, of), "{:.1f}") for of in (lambda r: r.cpu_source, lambda r: r.cpu_target, lambda r: r.cpu_client)),
            number(median(runs, lambda r: r.wal / MIB), "{:,.0f}"), number(median(runs, lambda r: r.growth / MIB), "{:,.0f}"),
            *((number(max(r.reader["longest"] for r in runs if r.reader) * 1e3, "{:,.0f}"), sum(wrong(r) for r in runs if r.reader)) if any(r.reader for r in runs) else ("–", "–"))]


def _flaws(runs):
    return "; ".join(f"{flaw} ({count}×)" if count > 1 else flaw for flaw, count in Counter(flaw for run in runs for flaw in run.flaws).items())


def _work(work, by_name):
    baseline = by_name.get({"empty": "pg_dump-restore", "limits": "limit-copy-to-copy-text"}.get(work.name, "swap")) or by_name.get("stage-update") or next(iter(by_name.values()))
    of = next(name for name, runs in by_name.items() if runs is baseline)
    parts = [f"## {work.title}\n", table(("contender", f"of {of}", "of its CPU", "s, median (least–most)", "CPU s source", "CPU s target", "CPU s client", "WAL MiB", "growth MiB", "longest wait ms", "wrong answers"),
                                         [_cells(name, runs, baseline) for name, runs in by_name.items()])]
    notes = [f"- {name}: {_flaws(runs)}" for name, runs in by_name.items() if _flaws(runs)]
    if notes:
        parts.append("What is not as it should be:\n\n" + "\n".join(notes) + "\n")
    examples = [f"- {name}: {run.reader['empty']} empty, {run.reader['mixed']} mixed, {run.reader['refused']} refused, such as `{run.reader['examples'][0]}`"
                for name, runs in by_name.items() for run in runs[-1:] if run.reader and run.reader["examples"]]
    if examples:
        parts.append("Wrong answers of the last round:\n\n" + "\n".join(examples) + "\n")
    parts += [_profile(name, [run for run in by_name[name] if run.restore]) for name in ENGINES if any(run.restore for run in by_name.get(name, []))]
    return "\n".join(parts)


def _profile(name, runs):
    """Where its seconds go: its steps, and the statements that took longest in the last round."""
    rows = []
    for side in ("dump", "restore") if runs[0].dump else ("restore",):
        if name != WARM:  # whose JVM did other things before
            rows.append((f"{side}: the JVM's own", number(statistics.median(getattr(run, side)["jvm"] for run in runs)), *[""] * 3))
        for phase in getattr(runs[0], side)["phases"]:
            rows.append((f"{side}: {phase}", *(number(statistics.median(getattr(run, side)["phases"][phase][what] for run in runs)) for what in ("seconds", "engine", "source", "target"))))
    last = runs[-1]
    text = f"Where the seconds of {name} go:\n\n" + table(("step", "s", "CPU s engine", "CPU s source", "CPU s target"), rows)
    told = [f"{last.dump['parts']} parts; {last.dump['written'] / MIB:.1f} MiB put"] if last.dump else []
    told += [f"{last.restore['read'] / MIB:.1f} MiB got", f"{last.restore['staged_rows']:,} rows staged, {last.restore['changed_rows']:,} changed",
             "peak memory " + " and ".join(f"{side['rss'] / MIB:.0f} MiB" for side in (last.dump, last.restore) if side)]
    if last.restore["tries"] > 1:
        told.append(f"**{last.restore['tries']} tries**, since the target was not what was recorded of it")
    text += "\n" + "; ".join(told) + ".\n\n"
    text += table(("table", "what was recorded was", "parts unchanged", "deltas", "full parts", "KiB"),
                  [(choice["table"], "not trusted: read" if choice["read"] else "trusted", choice["unchanged"], choice["deltas"], choice["parts"], f"{choice['bytes'] / 1024:,.0f}")
                   for choice in last.restore["choices"]]) + "\n"
    sums = Counter()
    for server, milliseconds, statement in last.statements:
        sums[server, _short(statement)] += milliseconds
    text += table(("statements over 50 ms, last round, side by side", "server", "s"), [(f"`{statement}`", server, f"{total / 1e3:.2f}") for (server, statement), total in sums.most_common(12)])
    return text


def _short(statement):
    """Without what all statements of a kind have: lists of columns, the sync's own names."""
    statement = re.sub(r'"(\w+)"\."(\w+)"', r"\1.\2", statement)
    statement = re.sub(r'(?:\w+\.)?"\w+"(?:(?:, | = \w+\.)(?:\w+\.)?"\w+"(?: = \w+\."\w+")?)*', "…", statement)
    statement = re.sub(r"(staging_\d+)_[0-9a-f]+", r"\1", statement)
    return (statement if len(statement) <= 150 else statement[:149] + "…").replace("|", "\\|").replace("`", "'")


def curve(results):
    rows = []
    for name in ("nothing", "0.01", "0.1", "1", "10", "100"):
        by_name = results.get(name, {})
        engine = by_name.get(ENGINE, [])
        if not any(run.restore for run in engine):
            continue
        best, recipe = best_recipe(results, name)
        rows.append((name if name == "nothing" else f"{name} %", f"{engine[-1].restore['changed_rows']:,}", number(median(engine, seconds), "{:.1f}"), number(median(by_name.get(WARM, []), seconds), "{:.1f}"), number(median(engine, at_target)), number(median(by_name.get(WARM, []), at_target)),
                     number(median(engine, lambda r: r.cpu_target), "{:.1f}"), number(median(engine, lambda r: r.wal / MIB), "{:,.1f}"),
                     number(median(engine, lambda r: (r.dump["written"] + r.restore["read"]) / MIB), "{:,.1f}"),
                     f"{number(median(recipe, seconds), '{:.1f}')} {best or ''}", number(ratio(engine, recipe))))
    return rows


def write(results, facts, volume, rounds):
    cold, warm = reach(results), reach(results, WARM)
    parts = ["# Figures of the sync\n", f"Written by `bench/sync/run`; [bench/sync](../bench/sync/README.md) says what is measured and how. Medians of {rounds} interleaved rounds.\n"]
    noise = [run.others for by_name in results.values() for runs in by_name.values() for run in runs]
    if noise and statistics.median(noise) > 0.08:
        parts.append(f"**Noise:** in the median run others used {statistics.median(noise):.0%} of the processors. Measure again on a quiet machine before you believe any of this.\n")
    parts += ["## What is to be reached\n", table(("work", "reach", "from a cold start", "", "warm", ""),
                                            [(work, goal, value, MET[met], value_warm, MET[met_warm]) for (work, goal, value, met), (*_, value_warm, met_warm) in zip(cold, warm)]),
              "The time of a sync of ten rows is not measured here, since the state machines have no part in this bench.\n"]
    if curve(results):
        parts += ["## The engine over the part of rows changed\n",
                  table(("changed at the source", "rows changed at the target", "s", "s warm", "s at the target", "warm", "CPU s target", "WAL MiB", "MiB put and got", "best recipe by hand, s", "of it"), curve(results))]
    if volume and "limits" in results:
        parts.append(_limits(results, volume))
    parts += [_work(work, results[work.name]) for work in ALL if work.name in results and work.name != "limits"]
    parts += ["## Machine and programs\n", table(("", ""), facts)]
    return "\n".join(parts)


def _limits(results, volume):
    """volume is the COPY text of all tables, in bytes."""
    by_name = results["limits"]
    base = median(by_name.get("limit-copy-to-copy-text", []), seconds)
    rows = [(name.removeprefix("limit-"), number(median(runs, seconds)), number(median(runs, seconds) and volume / 1e6 / median(runs, seconds), "{:,.0f}"), number(median(runs, seconds) and base and median(runs, seconds) / base),
             number(median(runs, lambda r: r.cpu_source + r.cpu_target + r.cpu_client), "{:.1f}"), _flaws(runs)) for name, runs in by_name.items()]
    text = "## The limits\n\n" + table(("", "s", "MB/s of text", "of COPY to COPY", "CPU s in all", ""), rows)
    engine = [run for run in results.get("100", {}).get(ENGINE, []) if run.restore]
    if engine and base:
        total, staged = statistics.median(map(seconds, engine)), statistics.median(map(into_staging, engine))
        text += (f"\nHow near: nobody brings all rows over faster than COPY to COPY, {base:.2f} s. The engine has them in staging after {staged:.2f} s ({staged / base:.2f} of it), "
                 f"and merged and verified after {total:.2f} s ({total / base:.2f}).\n")
    return text
