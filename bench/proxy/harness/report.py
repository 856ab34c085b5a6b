"""Writes the results as Markdown: targets, ratios, then figures.
A ratio compares two runs of the same round; the median over rounds is reported."""

import statistics

from .contenders import CADDY, GATEWAY, NGINX
from .load import KEEPALIVE_REQUESTS
from .measure import RATE, SATURATION


def good(runs, load):
    """Replaces runs that must not be averaged with None, so that rounds stay aligned."""
    return [None if run.flaw(load) else run for run in runs]


def paired(ours, theirs, load, combine):
    """Returns combine(our run, their run) for each round in which both are valid."""
    return [combine(a, b) for a, b in zip(good(ours, load), good(theirs, load)) if a and b]


def ratios(by_name, load, ours, theirs):
    return paired(by_name[ours], by_name[theirs], load, lambda a, b: a.rate / b.rate)


def added(by_name, load, name, percentile):
    """Returns by how many seconds a contender's percentile exceeds that of nginx alone."""
    return paired(by_name[name], by_name[NGINX], load, lambda a, b: getattr(a, percentile) - getattr(b, percentile))


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
    by_name = measured.results.get(SATURATION, {})
    for other, least in ((CADDY, 1.3), (NGINX, 0.5)):
        values = ratios(by_name, SATURATION, GATEWAY, other) if GATEWAY in by_name and other in by_name else []
        rows.append(
            (
                f"{GATEWAY} ≥ {least} × {other}, requests/s ({SATURATION.name()})",
                spread(values, "{:.2f}".format) if values else "not measured",
                statistics.median(values) >= least if values else None,
            )
        )
    by_name = measured.results.get(RATE, {})
    for percentile, most in (("p50", 0.3e-3), ("p99", 1e-3)):
        values = added(by_name, RATE, GATEWAY, percentile) if GATEWAY in by_name and NGINX in by_name else []
        rows.append(
            (
                f"added {percentile} < {most * 1e3:g} ms over {NGINX} ({RATE.name()})",
                spread(values, milliseconds) + " ms" if values else "not measured",
                statistics.median(values) < most if values else None,
            )
        )
    if len(measured.flat) >= 8:
        growth = flatness(measured.flat)
        rows.append(
            (
                f"{GATEWAY}'s memory flat: last quarter ≤ 1.05 × second quarter of {len(measured.flat) // 2} s under load",
                f"**{growth:.3f}**",
                growth <= 1.05,
            )
        )
    return rows


def milliseconds(seconds):
    return f"{seconds * 1e3:.3f}"


def mebibytes(size):
    return f"{size / 2**20:.1f}"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def write(measured, names, facts, plan):
    """facts are pairs (what, value) about the machine and the programs."""
    saturated = [load for load in measured.results if not load.rate]
    steady = [load for load in measured.results if load.rate]
    disturbed = [run.others for by_name in measured.results.values() for runs in by_name.values() for run in runs]
    parts = [
        "# Figures of the first hop\n",
        "Written by `bench/proxy/run`; README.md says how to read them. Medians of the rounds, smallest and largest in brackets.\n",
    ]
    if disturbed and statistics.median(disturbed) > 0.1:
        parts.append(
            f"**Noise:** in the median run {statistics.median(disturbed):.0%} of the machine was used by others. "
            "Measure again on a quiet one.\n"
        )
    parts += [
        "## Targets\n",
        table(
            ("target", "measured", ""),
            [(what, value, {True: "reached", False: "**not reached**", None: "–"}[ok]) for what, value, ok in targets(measured)],
        ),
    ]
    if NGINX in names and saturated:
        parts += [
            f"## Saturation: requests per second over those of {NGINX}\n",
            table(
                ("load", *names),
                [
                    (load.name(), *(spread(ratios(measured.results[load], load, name, NGINX), "{:.2f}".format) for name in names))
                    for load in saturated
                ],
            ),
        ]
    if NGINX in names and steady:
        others = [name for name in names if name != NGINX]
        parts += [
            f"## Fixed rate: milliseconds added over {NGINX}\n",
            table(
                ("load", *others),
                [
                    (
                        f"{load.name()}, {percentile}",
                        *(spread(added(measured.results[load], load, name, percentile), milliseconds) for name in others),
                    )
                    for load in steady
                    for percentile in ("p50", "p99")
                ],
            ),
        ]
    if measured.memory:
        parts += [
            "## Memory in MiB (proportional set size of all of a contender's processes)\n",
            table(
                ("", "fresh", "largest under saturation-h1-512", "3 s after"),
                [(name, mebibytes(m.before), mebibytes(m.under), mebibytes(m.after)) for name, m in measured.memory.items()],
            ),
        ]
    if saturated:
        parts += [
            "## Saturation: requests per second\n",
            table(
                ("load", *names),
                [
                    (
                        load.name(),
                        *(spread([r.rate for r in good(measured.results[load][name], load) if r], "{:,.0f}".format) for name in names),
                    )
                    for load in saturated
                ],
            ),
        ]
    if steady:
        parts += [
            "## Fixed rate: milliseconds, p50 and p99\n",
            table(
                ("load", *names),
                [
                    (
                        f"{load.name()}, {percentile}",
                        *(
                            spread([getattr(r, percentile) for r in good(measured.results[load][name], load) if r], milliseconds)
                            for name in names
                        ),
                    )
                    for load in steady
                    for percentile in ("p50", "p99")
                ],
            ),
        ]
    parts += [
        "## Microseconds of processor time per request: contender + upstream + load tool\n",
        table(
            ("load", *names),
            [(load.name(), *(_cost(good(measured.results[load][name], load)) for name in names)) for load in measured.results],
        ),
    ]
    flagged = [
        (load.name(), name, str(number + 1), run.flaw(load))
        for load, by_name in measured.results.items()
        for name, runs in by_name.items()
        for number, run in enumerate(runs)
        if run.flaw(load)
    ]
    parts.append("## Flagged runs, left out above\n")
    parts.append(table(("load", "contender", "round", "why"), flagged) if flagged else "None.\n")
    reconnects = sum(run.reconnects for by_name in measured.results.values() for runs in by_name.values() for run in runs)
    parts.append(
        f"Not errors: {reconnects} HTTP/2 connections that nginx ended after {KEEPALIVE_REQUESTS} requests, as it does by default.\n"
    )
    parts += ["## Machine and programs\n", table(("", ""), [(what, str(value)) for what, value in facts])]
    parts.append(f"{plan.rounds} rounds; {plan.seconds} s a run at saturation, {plan.rate_seconds} s at a fixed rate.\n")
    return "\n".join(parts)


def _cost(runs):
    runs = [run for run in runs if run]
    if not runs:
        return "flagged"
    return " + ".join(f"{statistics.median(getattr(run, part) for run in runs) * 1e6:.0f}" for part in ("cpu", "upstream_cpu", "load_cpu"))
