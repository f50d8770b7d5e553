"""The fewest replicas that meet service levels, as text: every number tried, the answer, its price."""

from typing import Any

from fleetsim.report.numbers import count, counted, percent, price, usd
from fleetsim.report.table import BAD, Cell, Table, render


def size_text(found: dict[str, Any], *, width: int = 100, terminal: bool = False) -> str:
    """The text of `Size.as_dict()`."""
    tried = Table("Replicas tried", ("|Replicas", "|GPUs", *(f"|{term}" for term in found["slo"]), "Holds"))
    for each in found["tried"]:
        cells = [_value(value, name, met) for value, name, met in
                 zip(each["values"], found["terms"], each["met"], strict=True)]
        mark = " <-" if each["replicas"] == found["replicas"] else ""
        tried.rows.append((count(each["replicas"]), count(each["gpus"]), *cells,
                           ("yes" if each["holds"] else "no") + mark))
    tried.foot = [_monotone(found)]
    replay = found["replay"]
    head = (f"{counted(found['replicas'], 'replica')}, {counted(found['gpus'], 'GPU')}, {replay['profile']}, "
            f"{replay['routing']}: the fewest that meet {', '.join(found['slo'])}")
    rented = Table("Rented", ("", "|GPU-hours", *(["|Cost"] if _priced(found) else [])))
    for what, hours, cost in (("trace", "rented_gpu_hours", "usd_of_trace"),
                              ("month of 730 h", "gpu_hours_per_month", "usd_per_month"),
                              ("year of 8,760 h", "gpu_hours_per_year", "usd_per_year")):
        hours_said = count(found[hours], 1 if found[hours] < 1_000 else 0)
        rented.rows.append((what, hours_said, *([usd(found[cost])] if _priced(found) else [])))
    if _priced(found):
        rented.foot = [f"{price(found['usd_per_gpu_hour'])} per GPU-hour, "
                       f"{usd(found['usd_per_request'])} per served request of the trace", *_contract(found)]
    return render([head, tried, rented], width=width, terminal=terminal)


def _priced(found: dict[str, Any]) -> bool:
    return found["usd_per_gpu_hour"] is not None


def _value(value: float | None, name: str, met: bool) -> Cell:
    if value is None:
        text = "-"
    elif name.endswith("_frac"):
        text = percent(value, 3 if value not in (0.0, 1.0) else 1)
    else:
        text = f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"
    return Cell(text, "" if met else BAD)


def _monotone(found: dict[str, Any]) -> str:
    if found["not_monotone"]:
        above = ", ".join(count(number) for number in found["not_monotone"])
        return f"More is not always better here: {above} replicas fail, {count(found['replicas'])} hold."
    if found["next_smaller_fails"] is None:
        return "There is no smaller number, and none that was tried above it fails."
    return (f"{count(found['replicas'] - 1)} fail, and no number that was tried above "
            f"{count(found['replicas'])} does.")


def _contract(found: dict[str, Any]) -> list[str]:
    contract = found["contract"]
    if contract is None:
        return []
    lines = [f"Under {', '.join(contract['names'])}, rated by the ledger for a flat fleet in use all of the "
             f"year from {contract['year_start']}: effective {usd(contract['effective_usd_per_year'])}, cash "
             f"{usd(contract['billed_usd_per_year'])}"]
    if contract["covered_frac"] < COVERED:
        lines.append(f"These contracts bill {percent(contract['covered_frac'])} of its GPU-hours; the price "
                     "is that of those.")
    if contract["unused_usd_per_year"]:
        share = contract["unused_usd_per_year"] / contract["effective_usd_per_year"]
        lines.append(f"Of it {percent(share)} is committed and not used by so few GPUs.")
    return [*lines, *contract["remarks"]]


COVERED = 0.999_999
"""Share from which all GPU-hours are billed."""
