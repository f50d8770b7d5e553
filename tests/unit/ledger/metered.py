"""Hand-made usage for the ledger's tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.usage import Delivery, HourlyUsage
from fleetsim.timebase import epoch_us

HOUR_US = 3_600_000_000


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def hours(start: datetime, end: datetime) -> Any:
    return np.arange(epoch_us(start), epoch_us(end), HOUR_US, dtype=np.int64)


def delivery(accepted: datetime, gpus: int) -> Delivery:
    return Delivery(accepted_us=epoch_us(accepted), gpus=gpus)


def usage(
    hour_us: Any, *deliveries: Delivery, allocated: Any = None, elastic: Any = 0, fleet: str = "azure",
    **more: Any,
) -> HourlyUsage:
    """A fleet (`azure` by default) whose tranches stay; all is allocated unless told otherwise."""
    committed = np.zeros_like(hour_us)
    for each in deliveries:
        committed += each.gpus * np.clip((hour_us + HOUR_US - each.accepted_us) // 1_000_000, 0, 3_600)
    return HourlyUsage(
        fleet=fleet,
        hour_us=hour_us,
        committed_gpu_s=committed,
        allocated_gpu_s=committed if allocated is None else np.asarray(allocated, dtype=np.int64),
        elastic_allocated_gpu_s=np.zeros_like(hour_us) + np.asarray(elastic, dtype=np.int64),
        deliveries=deliveries,
        **more,
    )


def block(whole: HourlyUsage, start: int, stop: int) -> HourlyUsage:
    """The hours from `start` to `stop` of a usage."""
    arrays = {name: values[start:stop] for name, values in vars(whole).items()
              if isinstance(values, np.ndarray)}
    return replace(whole, **arrays)


def rows(*charges: Charges) -> list[tuple[Any, ...]]:
    """Every row as plain values."""
    return [
        (int(hour), *each.lines[line], int(gpu_s), int(listed), int(contracted), int(billed), int(effective))
        for each in charges
        for hour, line, gpu_s, listed, contracted, billed, effective in zip(
            each.hour_us, each.line, each.gpu_s, each.list_micro_usd, each.contracted_micro_usd,
            each.billed_micro_usd, each.effective_micro_usd, strict=True,
        )
    ]  # fmt: skip


def billed(charges: Charges, clause: str | None = None) -> int:
    """Micro-dollars billed, of one clause or of all."""
    return sum(row[8] for row in rows(charges) if clause in (None, row[4]))


def effective(charges: Charges, clause: str | None = None) -> int:
    """Micro-dollars of cost in the hours that they buy, of one clause or of all."""
    return sum(row[9] for row in rows(charges) if clause in (None, row[4]))


def gpu_s(charges: Charges, clause: str) -> int:
    """GPU-seconds charged under one clause."""
    return sum(row[5] for row in rows(charges) if row[4] == clause)
