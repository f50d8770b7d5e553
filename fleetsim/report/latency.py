"""Latency as text: of a run by traffic class, and of a latency table by load."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleetsim.report.numbers import MISSING, count, percent
from fleetsim.report.table import Table, render

METRICS = {"ttft": "TTFT", "tpot": "TPOT", "e2e": "E2E"}
PERCENTILES = tuple(f"{metric}_{q}" for metric in METRICS for q in ("p50", "p99"))
HEADINGS = tuple(f"|{metric} {q}" for metric in METRICS.values() for q in ("p50", "p99"))
WORDS = ("TTFT: time to the first token, waiting included. TPOT: time per token after it. "
         "E2E: to the last token.")


def latency(summary: Mapping[str, Any]) -> Table:
    """Per class: percentiles and attainment of first attempts, over the hours whose latency is known."""
    figures = summary["figures"]
    table = Table("Latency of served messages", (
        "Class", *HEADINGS,
        "|TTFT met", "|TPOT met"), foot=[WORDS])
    last = ".ttft_p50_s"
    names = [key.split(".")[1] for key, value in figures.items()
             if key.startswith("traffic.") and key.endswith(last) and value is not None]
    for name in names:
        times = (time(figures[f"traffic.{name}.{key}_s"]) for key in PERCENTILES)
        met = (figures[f"traffic.{name}.{metric}_slo_met_frac"] for metric in ("ttft", "tpot"))
        table.rows.append((name, *times, *(MISSING if value is None else percent(value) for value in met)))
    table.lead = known_part(figures, names)
    return table


def known_part(figures: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Of how many of the served messages the table speaks, where that is not all."""
    shares = {name: figures.get(f"traffic.{name}.latency_known_frac") for name in names}
    parts = [f"{percent(share)} of the messages of {name}" for name, share in shares.items()
             if share is not None and share < 1]
    return [f"Of the hours whose latency is known, which served {', '.join(parts)}."] if parts else []


def table_text(found: Mapping[str, Any], *, width: int = 100, terminal: bool = False) -> str:
    """What `calibrate` prints: the text of a table as plain data."""
    parts: list[Table | str] = [
        f"{found['service']}, {found['profile']}, {found['routing']}, at most {found['max_batch']} "
        f"sequences: {count(found['requests_per_point'])} requests counted at each point after a warm-up of "
        f"{percent(found['warmup_frac'], 0)} of them, or longer"]
    saturation = Table("Saturation of one replica, requests per second",
                       ("GPU", "|GPUs", "|By the formula", "|Measured", "|Difference", "|Warm-up at least"))
    saturation.foot = ["Loads are shares of the formula's, which the fluid model counts with."]
    for gpu, each in found["gpus"].items():
        formula, measured = each["formula_rps"], each["measured_rps"]
        saturation.rows.append((gpu, str(each["gpus"]), f"{formula:.4g}", f"{measured:.4g}",
                                f"{100 * (measured / formula - 1):+.1f} %", time(each["settle_s"])))
    parts.append(saturation)
    for gpu in found["gpus"]:
        for name in found["mix"]:
            parts.append(_by_load(found, gpu, name))
    return render(parts, width=width, terminal=terminal)


def _by_load(found: Mapping[str, Any], gpu: str, name: str) -> Table:
    """The points of a class on a gpu type."""
    table = Table(f"{name} on {gpu}", ("|Replicas", "|Load", *HEADINGS))
    for point in found["points"]:
        if (point["gpu"], point["traffic_class"]) == (gpu, name):
            full = point["load_frac"] is None
            table.rows.append(("any" if full else str(point["replicas"]),
                               "full" if full else f"{point['load_frac']:g}",
                               *(time(point[f"{key}_s"]) for key in PERCENTILES)))
    table.foot = [WORDS, "Loads above 1: an overloaded pool, for classes that are served before others. "
                         "Full: a replica that always has somebody waiting, from admission on."]
    return table


def time(seconds: float | None) -> str:
    """A short time: 203 ms, 12.4 s."""
    if seconds is None:
        return MISSING
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"
