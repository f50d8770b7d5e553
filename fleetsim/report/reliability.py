"""What failures cost, as text: a year by state and without them, spares, checkpoint intervals, jobs."""

from decimal import Decimal
from typing import Any

from fleetsim.output.training_tables import HELD
from fleetsim.report.numbers import MISSING, count, counted, duration, percent, price, short, usd
from fleetsim.report.table import GOOD, Cell, Table, render

Data = dict[str, Any]
TOLD_APART = 3.0
"""Standard errors."""
OFF_FRAC = 0.03
"""Of a cost: less is not worth a remark, and what whole intervals may make the formula differ by."""


def reliability_text(found: Data, *, width: int = 100, terminal: bool = False) -> str:
    """The text of `Reliability.as_dict()`."""
    parts: list[Table | str] = []
    for fleet in found["fleets"]:
        parts += [_head(found, fleet), *_failures(fleet["failures_per_year"]),
                  _spares(fleet["spares_per_year"]), *map(_intervals, fleet["checkpoints"]),
                  _jobs(fleet["cost_per_job"]), *fleet["notes"]]
    return render(parts, width=width, terminal=terminal)


def _head(found: Data, fleet: Data) -> str:
    return (f"{found['name']}, fleet {fleet['fleet']}: {counted(fleet['jobs'], 'job')}, effective "
            f"{price(fleet['usd_per_gpu_hour'])} per rented GPU-hour; "
            f"{counted(fleet['replications'], 'replication')} of seed {found['seed']}, the same random "
            "numbers in every variant. +- is one standard error of a mean.")


def _failures(year: Data) -> list[Table]:
    """Bookkeeping by state, and the price."""
    by_state = Table("Failures a year of 8,760 h, by state: where GPU-hours went",
                     ("State", "|GPU-hours", "|+-", "|Cost", "|+-"))
    by_state.rows = [_both(state, each) for state, each in year["by_state"].items()]
    by_state.rows.append(_both("sum", year["by_state_sum"]))
    by_state.totals = 1
    sound = year["without_failures"]
    kept = sound["checkpoints_kept"]
    by_state.foot = ["Restarting has first starts and preempted jobs in it." + (
        "" if kept else " Checkpoints are written, and spares kept, because of failures alone.")]
    without = Table("The same jobs a year without failures: the price of failures",
                    ("", "|GPU-hours", "|+-", "|Cost", "|+-"))
    without.rows = [_both("more productive", sound["productive_more"]),
                    _both("more idle", sound["idle_more"]), _both("price of failures", sound["price"])]
    without.totals = 1
    without.foot = [
        "No spares are kept. Checkpoints are, because outages, spot or preemption stop jobs, too." if kept
        else "No spares are kept, and no checkpoints written but the last.",
        "More productive: work that is not done today. More idle: GPUs that the same jobs leave free, money "
        "only where others use them or fewer are rented."]
    return [by_state, without]


def _both(what: str, each: Data) -> tuple[str, ...]:
    hours, cost = each["gpu_hours"], each["usd"]
    return (what, short(hours["mean"]), _error(hours, short), usd(cost["mean"]), _error(cost, usd))


def _error(estimate: Data, said: Any) -> str:
    error = estimate["standard_error"]
    return MISSING if error is None else str(said(error))


def _spares(year: Data) -> Table:
    table = Table("Spare nodes, a year: each number rents so many nodes more or less than given",
                  ("|Spares", "|Productive", "|Blocked", "|Queued", "|$/prod. h", "|Net", "|+-",
                   "|One more", "|+-"))
    for each in year["tried"]:
        marks = [word for word, number in (("given", year["given"]), ("best", year["best"]))
                 if number == each["spare_nodes"]]
        number = " ".join([*marks, count(each["spare_nodes"])])
        more = each["one_more_net_usd"]
        table.rows.append((
            Cell(number, GOOD if "best" in marks else ""), short(each["productive_gpu_hours"]["mean"]),
            short(each["blocked_gpu_hours"]), short(each["queued_gpu_hours"]),
            price(each["usd_per_productive_gpu_hour"]), usd(each["net_usd"]["mean"]),
            _error(each["net_usd"], usd), MISSING if more is None else _signed(more["mean"]),
            MISSING if more is None else _error(more, usd)))
    value = year["usd_per_productive_gpu_hour"]
    table.foot = [
        f"Productive, blocked, queued in GPU-hours. Net: productive ones more than given at {price(value)}, "
        f"what the fleet pays for one, less the rent of more nodes, {usd(year['node_usd_per_year'])} each. "
        "One more: net value of one node more, in the mean up to the next number. Idle nodes stand in for "
        "failed ones, too; spares are filled up before a job that waits gets GPUs.",
        _best_spares(year)]
    return table


def _best_spares(year: Data) -> str:
    out = f"{count(year['expected_out_nodes'], 1)} nodes are expected to be in repair."
    best = next(each for each in year["tried"] if each["spare_nodes"] == year["best"])
    if year["best"] == year["given"]:
        return f"{out} Of these numbers the given one, {count(year['given'])}, is best."
    gain = f"{usd(best['net_usd']['mean'])} a year more than {count(year['given'])}"
    if year["best_told_apart"]:
        return f"{out} Of these numbers {count(year['best'])} is best, {gain}."
    if best["net_usd"]["standard_error"] is None:
        return f"{out} {count(year['best'])} comes out best, {gain}, in one replication: more --seeds tell."
    return (f"{out} {count(year['best'])} comes out best, {gain}, but within two standard errors: more "
            "--seeds tell.")


def _intervals(job: Data) -> Table:
    table = Table(f"Checkpoint interval of {job['job']}, alone on its fleet: cost of all its work",
                  ("Interval", "|Work between", "|Expected", "|than own", "|Simulated", "|than own", "|+-"))
    own = next(each for each in job["tried"] if "own" in each["names"])
    for each in job["tried"]:
        found, more, expected = each["simulated_usd"], each["more_usd"], each["expected_usd"]
        known = expected is not None and own["expected_usd"] is not None
        best = each["interval_s"] == job["best_interval_s"] and expected is not None
        table.rows.append((
            Cell(", ".join(each["names"]) + (" <-" if best else ""), GOOD if best else ""),
            duration(each["interval_s"]), usd(expected),
            _signed(expected - own["expected_usd"]) if known else MISSING,
            usd(None if found is None else found["mean"]),
            MISSING if more is None else _signed(more["mean"]),
            MISSING if more is None else _error(more, usd)))
    table.lead = [f"{count(job['gpus'])} GPUs, a failure every {duration(job['mtbf_s'])}, "
                  f"{duration(job['back_s'])} back to work, {duration(job['stop_s'])} a checkpoint, "
                  f"{short(job['work_gpu_hours'])} GPU-hours of work."]
    table.foot = [_own(job, own), *_simulated(job, own)]
    if any("shortest" in each["names"] for each in job["tried"]):
        table.foot.append("shortest: no rule gives less work between two checkpoints.")
    return table


def _simulated(job: Data, own: Data) -> list[str]:
    """Where the simulation says something else than the formula."""
    found, formula = own["simulated_usd"], own["expected_usd"]
    if found is None:
        return ["Simulated, the job does no work with its own interval."]
    said, error = [], found["standard_error"]
    if formula is not None and error is not None and abs(found["mean"] - formula) > max(
            TOLD_APART * error, OFF_FRAC * formula):
        said.append(f"Simulated, its work costs {usd(found['mean'])} with the own interval: the formula "
                    "knows no spot, outages or maintenance, and no node that is waited for.")
    cheaper = [each for each in job["tried"] if each["more_usd"] is not None
               and each["more_usd"]["standard_error"] is not None
               and -each["more_usd"]["mean"] > max(TOLD_APART * each["more_usd"]["standard_error"],
                                                   OFF_FRAC * found["mean"])]
    if cheaper:
        least = min(cheaper, key=lambda each: float(each["more_usd"]["mean"]))
        less = f"{usd(-least['more_usd']['mean'])} (+- {_error(least['more_usd'], usd)})"
        said.append(f"Simulated, {duration(least['interval_s'])} costs {less} less than the own interval.")
    return said


def _own(job: Data, own: Data) -> str:
    more = job["own_more_usd"]
    if more is None:
        return "By the formula the job does not end with its own interval."
    best = duration(job["best_interval_s"])
    if more <= 1e-4 * own["expected_usd"]:
        return f"By the formula the own interval costs no more than the best, {best}."
    return (f"By the formula the own interval costs {usd(more)} ({percent(more / own['expected_usd'], 2)}) "
            f"more than the best, {best}.")


def _signed(value: float) -> str:
    text = usd(round(value, 2))
    return text if value < 0 or text == "$0" else f"+{text}"


def _jobs(costs: Data) -> Table:
    table = Table("Cost per job over the run: what it did with its GPUs, and its share of those nobody held",
                  ("Job", "|Productive", "|Checkpoint", "|Lost", "|Restart", "|Blocked", "|Idle share",
                   "|Total", "|$/prod. h"))
    for each in costs["jobs"]:
        name = each["name"] if each["jobs"] == 1 else f"{each['name']} ({count(each['jobs'])})"
        productive = None if costs["with_warm_up"] else each["productive_gpu_hours"]
        table.rows.append((name, *_amounts(each, productive)))
    total = {f"{part}_usd": sum((Decimal(each[f"{part}_usd"]) for each in costs["jobs"]), Decimal())
             for part in (*HELD, "idle")}
    productive = None if costs["with_warm_up"] else sum(
        each["productive_gpu_hours"] for each in costs["jobs"])
    if Decimal(costs["unallocated_usd"]):
        table.rows.append(("no job", *[MISSING] * 6, usd(float(costs["unallocated_usd"])), MISSING))
    table.rows.append(("fleet", *_amounts({**total, "usd": costs["fleet_usd"]}, productive)))
    table.totals = 1
    table.foot = ["Idle share: idle, spare and broken GPUs, by the cost of the GPU-hours held. The amounts "
                  "add up to the fleet's cost."]
    return table


def _amounts(each: Data, productive: float | None) -> list[str]:
    amounts = [usd(float(each[f"{part}_usd"])) for part in (*HELD, "idle")]
    whole = float(each["usd"])
    return [*amounts, usd(whole), price(whole / productive if productive else None)]
