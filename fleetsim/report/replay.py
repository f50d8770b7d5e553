"""A replayed trace as text: latency by class, attainment, rates, GPU-seconds, energy and cost."""

from typing import Any

from fleetsim.report.numbers import MISSING, count, counted, duration, percent, short, usd
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
        for metric, title in METRICS.items():
            times = each[metric]
            latency.rows.append((name, title, *(_time(times[key]) for key in ("mean", "p50", "p90", "p99"))))
        aimed = each["slo_met"] is not None and each["arrived"]
        met = percent(each["slo_met"] / each["arrived"]) if aimed else MISSING
        numbers = (count(each[key]) for key in ("arrived", "served", "rejected", "lost"))
        outcomes.rows.append((name, *numbers, met, count(each["prompt_tokens"]),
                              count(each["output_tokens"])))
    lines = [f"{counted(found['replicas'], 'replica')}, {counted(found['gpus'], 'GPU')}, "
             f"{found['profile']}, {found['routing']}, {found['span_s']:,.0f} s"]
    if found["gpu_s_per_request"] is not None:
        price = "" if found["usd_per_request"] is None else f", {usd(found['usd_per_request'])}"
        busy = percent(found["active_gpu_s"] / found["rented_gpu_s"])
        lines.append(f"Rented: {found['gpu_s_per_request']:.3g} GPU-seconds{price} per served request; "
                     f"a batch ran {busy} of the time")
        if found["energy_kwh"] is not None:
            lines.append(f"Energy of the GPUs: {short(found['energy_kwh'])} kWh, "
                         f"{short(found['joules_per_request'])} J per served request")
    return render([*lines, *_rates(found), outcomes, latency], width=width, terminal=terminal)


def _rates(found: dict[str, Any]) -> list[str]:
    """What the replicas did per second, and what is left out of it."""
    lines = [] if found["offered_load_frac"] is None else [
        f"Offered load: {percent(found['offered_load_frac'])} of what full replicas serve"]
    steady = found["steady"]
    if steady is None:
        return lines
    return [*lines, f"Rates: {short(steady['served_per_s'])} requests, "
                  f"{short(steady['prompt_tokens_per_s'])} prompt and "
                  f"{short(steady['output_tokens_per_s'])} output tokens per second over "
                  f"{duration(steady['span_s'])}; left out: warm-up {duration(steady['warm_up_s'])} with "
                  f"{count(steady['warm_up_requests'])} served, drain {duration(steady['drain_s'])} with "
                  f"{count(steady['drain_requests'])}"]


def speed_text(found: dict[str, Any]) -> str:
    """How long the simulation itself took."""
    speed = found["requests_per_cpu_s"]
    rate = "" if speed is None else f", {short(speed)} requests per CPU-second"
    return f"in the kernel: {found['kernel_cpu_s']:.3g} CPU-seconds{rate}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
