"""Writes the results as Markdown: targets, ratios, then figures.
A ratio compares two runs of the same round; the median over rounds is reported."""

import statistics
from operator import ge, le, lt

from machine import table

from .contenders import CADDY, GATEWAY, NGINX
from .load import KEEPALIVE_REQUESTS
from .measure import RATE, SATURATION

PERCENTILES = ("p50", "p99")
MET = {True: "reached", False: "**not reached**", None: "–"}


def good(runs, load):
    """Replaces runs that must not be averaged with None, so that rounds stay aligned."""
    return [None if run.flaw(load) else run for run in runs]


def paired(by_name, load, ours, theirs, combine):
    """Returns combine(our run, their run) for each round in which both are valid."""
    rounds = zip(good(by_name.get(ours, []), load), good(by_name.get(theirs, []), load))
    return [combine(a, b) for a, b in rounds if a and b]


def ratios(by_name, load, ours, theirs):
    return paired(by_name, load, ours, theirs, lambda a, b: a.rate / b.rate)


def added(by_name, load, name, percentile):
    """Returns by how many seconds a contender's percentile exceeds that of nginx alone."""
    return paired(by_name, load, name, NGINX, lambda a, b: getattr(a, percentile) - getattr(b, percentile))


def spread(values, show):
    if not values:
        return "flagged"
    low, high = min(values), max(values)
    return f"**{show(statistics.median(values))}** ({show(low)} – {show(high)})" if len(values) > 1 else f"**{show(low)}**"


def flatness(samples):
    """Returns the median of the last quarter divided by that of the second, which excludes the warm-up."""
    quarter = len(samples) // 4
    return statistics.median(samples[3 * quarter :]) / statistics.median(samples[quarter : 2 * quarter])


def targets(measured):
    """Returns rows of (target, measured, reached or None if not measured)."""
    rows = []

    def target(what, values, show, compare, limit):
        rows.append(
            (what, spread(values, show) if values else "not measured", compare(statistics.median(values), limit) if values else None)
        )

    by_name = measured.results.get(SATURATION, {})
    for other, least in ((CADDY, 1.3), (NGINX, 0.5)):
        what = f"{GATEWAY} ≥ {least} × {other}, requests/s ({SATURATION.name()})"
        target(what, ratios(by_name, SATURATION, GATEWAY, other), "{:.2f}".format, ge, least)
    by_name = measured.results.get(RATE, {})
    for percentile, most in zip(PERCENTILES, (0.3e-3, 1e-3)):
        what = f"added {percentile} < {most * 1e3:g} ms over {NGINX} ({RATE.name()})"
        target(what, added(by_name, RATE, GATEWAY, percentile), milliseconds, lt, most)
    if len(measured.flat) >= 8:
        what = f"{GATEWAY}'s memory flat: last quarter ≤ 1.05 × second quarter of {len(measured.flat) // 2} s under load"
        target(what, [flatness(measured.flat)], "{:.3f}".format, le, 1.05)
    return rows


def milliseconds(seconds):
    return f"{seconds * 1e3:.3f}"


def mebibytes(size):
    return f"{size / 2**20:.1f}"


def write(measured, names, facts, plan):
    """facts are pairs (what, value) about the machine and the programs."""
    results = measured.results
    saturated, steady = [load for load in results if not load.rate], [load for load in results if load.rate]
    runs = [(load, name, number, run) for load in results for name in names for number, run in enumerate(results[load].get(name, []), 1)]
    parts = [
        "# Figures of the first hop\n",
        "Written by `bench/proxy/run`; README.md says how to read them. Medians of the rounds, smallest and largest in brackets.\n",
    ]

    def section(title, head, rows):
        if rows:
            parts.extend([f"## {title}\n", table(head, rows)])

    def by_load(title, loads, names, cell, percentiles=("",)):
        """A table with a row for each load, or each percentile of it, and a column for each contender."""
        rows = [(load, percentile) for load in loads for percentile in percentiles]
        section(
            title,
            ("load", *names),
            [(", ".join(filter(None, (load.name(), p))), *(cell(load, name, p) for name in names)) for load, p in rows],
        )

    def figure(load, name, of, show):
        return spread([of(run) for run in good(results[load][name], load) if run], show)

    noise = statistics.median(run.others for *_, run in runs) if runs else 0
    if noise > 0.1:
        parts.append(f"**Noise:** in the median run {noise:.0%} of the machine was used by others. Measure again on a quiet one.\n")
    section("Targets", ("target", "measured", ""), [(what, value, MET[ok]) for what, value, ok in targets(measured)])
    if NGINX in names:
        title = f"Saturation: requests per second over those of {NGINX}"
        by_load(title, saturated, names, lambda load, name, _: spread(ratios(results[load], load, name, NGINX), "{:.2f}".format))
        by_load(
            f"Fixed rate: milliseconds added over {NGINX}",
            steady,
            [name for name in names if name != NGINX],
            lambda load, name, percentile: spread(added(results[load], load, name, percentile), milliseconds),
            PERCENTILES,
        )
    section(
        "Memory in MiB (proportional set size of all of a contender's processes)",
        ("", "fresh", "largest under saturation-h1-512", "3 s after"),
        [(name, mebibytes(m.before), mebibytes(m.under), mebibytes(m.after)) for name, m in measured.memory.items()],
    )
    title = "Saturation: requests per second"
    by_load(title, saturated, names, lambda load, name, _: figure(load, name, lambda run: run.rate, "{:,.0f}".format))
    by_load(
        "Fixed rate: milliseconds, p50 and p99",
        steady,
        names,
        lambda load, name, percentile: figure(load, name, lambda run: getattr(run, percentile), milliseconds),
        PERCENTILES,
    )
    title = "Microseconds of processor time per request: contender + upstream + load tool"
    by_load(title, results, names, lambda load, name, _: _cost([run for run in good(results[load][name], load) if run]))
    flagged = [(load.name(), name, number, run.flaw(load)) for load, name, number, run in runs if run.flaw(load)]
    section("Flagged runs, left out above", ("load", "contender", "round", "why"), flagged)
    reconnects = sum(run.reconnects for *_, run in runs)
    parts.append(
        f"Not errors: {reconnects} HTTP/2 connections that nginx ended after {KEEPALIVE_REQUESTS} requests, as it does by default.\n"
    )
    section("Machine and programs", ("", ""), facts)
    parts.append(f"{plan.rounds} rounds; {plan.seconds} s a run at saturation, {plan.rate_seconds} s at a fixed rate.\n")
    return "\n".join(parts)


def _cost(runs):
    if not runs:
        return "flagged"
    return " + ".join(f"{statistics.median(getattr(run, part) for run in runs) * 1e6:.0f}" for part in ("cpu", "upstream_cpu", "load_cpu"))
