"""What a run's contracts had been paid ahead, by the ledger, when its first recorded hour began."""

from pathlib import Path
from typing import TYPE_CHECKING

from fleetsim.timebase import epoch_s, epoch_us

if TYPE_CHECKING:
    from fleetsim.output import Run


def opening_prepaid_usd(run: "Run") -> float:
    """Dollars paid before the first recorded hour and not used up then."""
    from fleetsim.ledger.money import MICRO
    from fleetsim.ledger.opening import opening_prepaid
    from fleetsim.ledger.usage import Delivery
    from fleetsim.spec import from_source

    if not run.scenario.get("contracts"):
        return 0.0
    source = dict(run.scenario)
    if isinstance(source.get("traffic"), dict):  # its volumes may be in files that are not beside the run
        source["traffic"] = {name: {**entry, "messages_per_day": 0}
                             if isinstance(entry.get("messages_per_day"), dict) else entry
                             for name, entry in source["traffic"].items()}
    scenario = from_source(source, Path())
    deliveries: dict[str, list[Delivery]] = {}
    for row in run.arrow("fact_delivery").to_pylist():
        end = row["handed_back_time"]
        deliveries.setdefault(row["fleet"], []).append(Delivery(
            accepted_us=epoch_us(row["accepted_time"]), gpus=row["gpus"],
            promised_us=epoch_us(row["promised_time"]), end_us=None if end is None else epoch_us(end)))
    return opening_prepaid(scenario.contracts, deliveries, epoch_s(run.window.start)) / MICRO
