"""A trace as a person reads it: what was imported, what it is like, and the traffic class that fits it."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fleetsim.report.numbers import MISSING, count, counted, duration, percent, significant
from fleetsim.report.table import Table, render

Data = Mapping[str, Any]
STANDARD_ERRORS = 3
"""An index of dispersion so far above 1 is called burstier than Poisson."""


def import_text(data: Data, out: str) -> str:
    """What an import wrote, in a few lines."""
    lines = [f"{out}: {count(data['kept'])} of {count(data['read'])} rows, {duration(data['span_s'])}, "
             + several(data["classes"])]
    if data["out_of_order"]:
        lines.append(f"out of order, sorted in: {count(data['out_of_order'])}")
    if data["duplicates"]:
        lines.append(f"equal to an earlier row, kept: {count(data['duplicates'])}")
    return "\n".join(lines)


def several(classes: Mapping[str, int]) -> str:
    """`class requests`, or the classes with their rows."""
    if len(classes) == 1:
        return f"class {next(iter(classes))}"
    shown = [f"{name} {count(rows)}" for name, rows in list(classes.items())[:8]]
    return f"{len(classes)} classes: {', '.join(shown)}{', ...' if len(classes) > len(shown) else ''}"


def dropped_text(data: Data, reasons: Mapping[str, str]) -> str:
    """The dropped rows by reason, with the places of the first of each; nothing when all are good."""
    parts = []
    for reason, rows in data["dropped"].items():
        shown = data["bad_rows"][reason]
        parts.append(f"dropped {counted(rows, 'row')}, {reason}: {reasons[reason]}")
        parts += [f"  {data['source']}:{row['line']}: {row['value']}" for row in shown]
        if rows > len(shown):
            parts.append(f"  and {count(rows - len(shown))} more")
    return "\n".join(parts)


def describe_text(parts: Sequence[Data], metadata: Data, *, width: int = 100, terminal: bool = False) -> str:
    """Rates, burstiness and lengths."""
    whole = parts[0]
    start = f", from {metadata['start'][:19]}Z" if metadata.get("start") else ""
    lead = (f"{metadata['source']} ({metadata['format']}): {counted(whole['requests'], 'request')} in "
            f"{duration(whole['span_s'])}{start}")
    rates = Table("Arrivals", ("Class", "|Requests", "|Mean/s", "|Peak 1 s", "|Peak 1 min", "|CV of gaps",
                               "|Dispersion 1 s", "|60 s"))
    lengths = Table("Tokens per request", ("Class", "", "|Mean", "|CV", "|p50", "|p90", "|p99", "|Max"))
    for part in parts:
        rates.rows.append((part["name"], count(part["requests"]), figure(part["mean_rps"]),
                           figure(part["peak_1s_rps"]), figure(part["peak_60s_rps"]),
                           figure(part["gap_cv"]), figure(part["dispersion_1s"]),
                           figure(part["dispersion_60s"])))
        for kind in ("prompt", "output"):
            own = part[f"{kind}_tokens"]
            lengths.rows.append((part["name"], kind, count(own["mean"], 1), figure(own["cv"]),
                                 *(count(own[key]) for key in ("p50", "p90", "p99", "max"))))
    rates.foot = ["Poisson arrivals at a constant rate have 1 in the last three columns."]
    return render([lead, rates, lengths], width=width, terminal=terminal)


def figure(value: float | None) -> str:
    """Three significant digits."""
    return MISSING if value is None else significant(value, 3) if value < 1000 else count(value)


def fit_text(data: Data, *, pool: str, service: str) -> str:
    """A traffic class in YAML, to be put under `traffic:` of a scenario; comments say how well it fits."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", data["class_name"]).strip("-")[:100] or "requests"
    said = f"{counted(data['requests'], 'request')} in {duration(data['span_s'])}"
    lines = [f"# {said}; put this under `traffic:`"]
    lines += [f"# {line}" for line in honesty(data)]
    lines += [f"{name}:", f"  pool: {pool}", f"  service: {service}"]
    if data["anchors"]:
        lines += ["  messages_per_day:", "    anchors:"]
        lines += [f"      {date}: {value:.10g}" for date, value in data["anchors"].items()]
    else:
        lines.append(f"  messages_per_day: {data['messages_per_day']:.6g}")
    for kind in ("prompt_tokens", "output_tokens"):
        lines.append(f"  {kind}: {{mean: {data[kind]['mean']:.6g}, cv: {data[kind]['cv']:.4g}}}")
    lines.append("  calls_per_message: 1")
    return "\n".join(lines) + "\n"


def honesty(data: Data) -> list[str]:
    """What of the trace the class has, and what it has not."""
    lines = []
    for kind in ("prompt", "output"):
        own = data[f"{kind}_tokens"]
        beside = ", ".join(f"{name} {count(theirs)} ({count(ours)})"
                           for name, (theirs, ours) in own["quantiles"].items())
        lines.append(f"{kind} tokens: lognormal off by at most {percent(own['ks_distance'])} of requests (KS "
                     f"distance {own['ks_distance']:.3f}); trace (lognormal): {beside}")
    second, minute = data["dispersion_1s"], data["dispersion_60s"]
    lines.append(f"arrivals: CV of gaps {figure(data['gap_cv'])}, index of dispersion {figure(second)} at "
                 f"1 s and {figure(minute)} at 60 s; this class has 1, 1 and 1")
    # Of Poisson counts the index has the standard error sqrt(2 / (windows - 1)).
    bursty = [value > 1 + STANDARD_ERRORS * math.sqrt(2 / (data["span_s"] // window_s - 1))
              for value, window_s in ((second, 1), (minute, 60)) if value is not None]
    if not bursty:
        lines.append("the trace is too short to tell whether it is burstier than that")
    elif any(bursty):
        lines.append("the trace is burstier than that: its queues are longer than this class's, so replay it "
                     "for latency")
    if not data["anchors"]:
        lines.append("the rate is the mean of the trace, constant; it has no shape of a day")
    else:
        lines.append("the rate moves from day to day; the shape of a day is not fitted")
    return lines
