"""A replayed trace as text: latency by class, attainment, GPU-seconds and cost."""

from typing import Any

from fleetsim.report.numbers import count, percent, usd
from fleetsim.report.table import Table, render

METRICS = {"ttft_s": "TTFT", "tpot_s": "TPOT", "e2e_s": "E2E"}


def replay_text(found: dict[str, Any], *, width: int = 100, terminal: bool = False) -> str:
    """The text of `Replay.as_dict()`."""
    latency = Table("Latency", ("Class", "Metric", "|Mean", "|p50", "|p90", "|p99"), foot=[
        "TTFT: time to the first token, waiting included. TPOT: time per token after it. "
        "E2E: to the last token."])
    outcomes = Table("Requests", ("Class", "|Arrived", "|Served", "|Rejected", "|Left", "|SLO met",
                                  "|Tokens in", "|Tokens out"))
    for name, each in found["classes"].items():
        for metric, short in METRICS.items():
            times = each[metric]
            latency.rows.append((name, short, *(_time(times[key]) for key in ("mean", "p50", "p90", "p99"))))
        met = percent(each["slo_met"] / each["arrived"]) if each["arrived"] else "-"
        numbers = (count(each[key]) for key in ("arrived", "served", "rejected", "lost"))
        outcomes.rows.append((name, *numbers, met, count(each["prompt_tokens"]),
                              count(each["output_tokens"])))
    lines = [f"{found['replicas']} replicas, {found['gpus']} GPUs, {found['profile']}, {found['routing']}, "
             f"{found['span_s']:,.0f} s"]
    if found["gpu_s_per_request"] is not None:
        price = "" if found["usd_per_request"] is None else f", {usd(found['usd_per_request'])}"
        busy = percent(found["active_gpu_s"] / found["rented_gpu_s"])
        lines.append(f"Rented: {found['gpu_s_per_request']:.3g} GPU-seconds{price} per served request; "
                     f"a batch ran {busy} of the time")
    return render([*lines, outcomes, latency], width=width, terminal=terminal)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
