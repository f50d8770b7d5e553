"""Fleets: GPUs of one type at one provider, delivered in dated tranches, made of nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG, Labels
from fleetsim.model.reliability import Reliability
from fleetsim.timebase import add_months
from fleetsim.units import (
    Fraction,
    GpuCount,
    Gpus,
    Hours,
    Months,
    PartFraction,
    PositiveDays,
    PowerUsage,
    Ratio,
    Seconds,
    SignedDays,
    UtcTime,
)


@dataclass(frozen=True)
class Slip:
    """Days by which a delivery is late (negative: early), triangular; one draw per tranche."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    low_days: SignedDays
    """Earliest."""
    mode_days: SignedDays
    """Most likely."""
    high_days: SignedDays
    """Latest."""

    def quantile(self, u: float) -> float:
        """Days of slip at probability `u` in [0, 1] (inverse of the triangular distribution)."""
        low, mode, high = self.low_days, self.mode_days, self.high_days
        if high == low:
            return low
        if u < (mode - low) / (high - low):
            return float(low + (u * (high - low) * (mode - low)) ** 0.5)
        return float(high - ((1 - u) * (high - low) * (high - mode)) ** 0.5)


@dataclass(frozen=True)
class Tranche:
    """One delivery: from `date` on (plus slip) its GPUs are accepted, rented and able to serve."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    date: UtcTime
    """Promised acceptance."""
    gpus: GpuCount
    """GPUs delivered."""
    end: UtcTime | None = None
    """When the GPUs are handed back; they stay by default."""
    term_months: Months | None = None
    """Handed back so many months after acceptance, however late that was; or give `end`."""
    slip: Slip | None = None
    """How late the delivery may be; on time by default."""

    @property
    def promised_end(self) -> datetime | None:
        """When it is handed back if it comes on time; None when it stays."""
        if self.end is not None:
            return self.end
        return None if self.term_months is None else add_months(self.date, self.term_months)


@dataclass(frozen=True)
class Window:
    """A dated loss of healthy GPUs: an outage or a maintenance window. Rent goes on."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    start: UtcTime
    """First instant."""
    end: UtcTime
    """Last instant, exclusive."""
    gpus: Gpus | None = None
    """GPUs lost; or give `share_frac`."""
    share_frac: Fraction | None = None
    """Share of the fleet's otherwise healthy GPUs that is lost."""
    repeat_days: PositiveDays | None = None
    """Comes back every so many days, to the end of the horizon; once by default."""


@dataclass(frozen=True)
class Elastic:
    """GPUs that can be rented and given back at will, beside the tranches."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    max_gpus: GpuCount
    """Most GPUs the provider will rent out."""
    provisioning_delay_s: Seconds
    """From the order to the first served request."""
    contract: str
    """The contract that bills them."""


@dataclass(frozen=True)
class Fleet:
    """GPUs of one type at one provider."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    gpu: str
    """GPU type, from `gpus` or the catalogue."""
    provider: str
    """Who owns the hardware and sends the invoice."""
    tranches: tuple[Tranche, ...] = ()
    """Dated deliveries."""
    role: Literal["serving", "training"] = "serving"
    """A training fleet belongs to no pool."""
    node_mtbf_h: Hours | None = None
    """Mean time between failures of one node; no failures by default."""
    repair_h: Hours = 24.0
    """Mean time to repair a node."""
    reliability: Reliability = field(default_factory=Reliability)
    """What else fails, and spares; for fleets with training jobs."""
    draining_frac: PartFraction = 0.0
    """Share of the working GPUs that is being deployed, drained or maintained at any time."""
    maintenance: Mapping[str, Window] = field(default_factory=dict)
    """Planned windows, by name."""
    outages: Mapping[str, Window] = field(default_factory=dict)
    """Unplanned losses, by name."""
    elastic: Elastic | None = None
    """GPUs that an autoscaling policy may rent on top."""
    pue: PowerUsage = 1.18
    """Energy of the site / energy of the servers; 1.16-1.18 is published for Azure."""
    grid_kg_co2e_per_kwh: Ratio = 0.37
    """Emissions of the electricity; 0.37 is the mean of the US grid in 2023-24."""
    region: str | None = None
    """Provider's region, for cost exports."""
    labels: Labels = field(default_factory=dict)
    """Free labels: columns of dim_fleet."""

    @property
    def expected_availability_frac(self) -> float:
        """MTBF / (MTBF + repair) x (1 - draining): the share of rented GPUs expected healthy."""
        up = 1.0 if self.node_mtbf_h is None else self.node_mtbf_h / (self.node_mtbf_h + self.repair_h)
        return up * (1.0 - self.draining_frac)

    def most_gpus(self, start: datetime, end: datetime) -> int:
        """The most GPUs it has at one time between the two, as promised, without the elastic part."""
        held = [(tranche.date, tranche.promised_end, tranche.gpus) for tranche in self.tranches]
        dates = [start, *(date for date, _, _ in held if start <= date < end)]
        return max(sum(gpus for date, until, gpus in held
                       if date <= instant and (until is None or instant < until)) for instant in dates)

    def spare_gpus(self, gpus_per_node: int) -> int:
        """GPUs kept idle to take the place of failed ones: no job begins on them."""
        return self.reliability.spare_nodes * gpus_per_node if self.role == "training" else 0
