"""Hand-made usage for the ledger's tests."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.usage import Delivery, HourlyUsage
from fleetsim.timebase import epoch_us

HOUR_US = 3_600_000_000


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]  # year, month, day and on, as given


def hours(start: datetime, end: datetime) -> Any:
    return np.arange(epoch_us(start), epoch_us(end), HOUR_US, dtype=np.int64)


def delivery(accepted: datetime, gpus: int) -> Delivery:
    return Delivery(accepted_us=epoch_us(accepted), gpus=gpus)


def usage(
    hour_us: Any, *deliveries: Delivery, allocated: Any = None, elastic: Any = 0, **more: Any
) -> HourlyUsage:
    """A fleet named `azure` whose tranches stay; everything is allocated unless told otherwise."""
    committed = np.zeros_like(hour_us)
    for each in deliveries:
        committed += each.gpus * np.clip((hour_us + HOUR_US - each.accepted_us) // 1_000_000, 0, 3_600)
    return HourlyUsage(
        fleet="azure",
        hour_us=hour_us,
        committed_gpu_s=committed,
        allocated_gpu_s=committed if allocated is None else np.asarray(allocated, dtype=np.int64),
        elastic_allocated_gpu_s=np.zeros_like(hour_us) + np.asarray(elastic, dtype=np.int64),
        deliveries=deliveries,
        **more,
    )


def block(whole: HourlyUsage, start: int, stop: int) -> HourlyUsage:
    """The hours from `start` to `stop` of a usage."""
    return HourlyUsage(
        fleet=whole.fleet,
        hour_us=whole.hour_us[start:stop],
        committed_gpu_s=whole.committed_gpu_s[start:stop],
        allocated_gpu_s=whole.allocated_gpu_s[start:stop],
        elastic_allocated_gpu_s=whole.elastic_allocated_gpu_s[start:stop],
        elastic_contract=whole.elastic_contract,
        deliveries=whole.deliveries,
    )


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


def gpu_s(charges: Charges, clause: str) -> int:
    """GPU-seconds charged under one clause."""
    return sum(row[5] for row in rows(charges) if row[4] == clause)
