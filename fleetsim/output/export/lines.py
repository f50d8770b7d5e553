"""Lines of an export: what stays the same over time of the charges of one fleet, contract and clause."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from fleetsim.output.export.plain_text import ascii_of, flat_json
from fleetsim.output.export.words import (
    BILLING,
    COMPUTE,
    OWNED,
    SPEND,
    USD,
    WORDS,
    Words,
    base_clause,
    meaning,
)

TAG_PREFIX = "fleetsim:"
"""Tags that are no labels of the scenario begin with it."""


@dataclass(frozen=True)
class FleetFacts:
    """A fleet as the run's dimension tables have it."""

    name: str
    gpu: str
    role: str
    region: str | None
    pool: str | None
    """Its pool, where it has exactly one."""
    labels: Mapping[str, str]


@dataclass(frozen=True)
class ContractFacts:
    """A contract as the run's dimension tables have it."""

    name: str
    kind: str
    committed: str
    """gpu_hours, usd or nothing."""
    own_price: Decimal | None
    list_price: Decimal | None
    terms: Mapping[str, object]


@dataclass(frozen=True)
class Line:
    """What the charges of one line of the ledger have in common."""

    run_id: str
    scenario: str
    provider: str
    fleet: FleetFacts
    contract: ContractFacts
    category: str
    """Usage, Purchase, Credit, Adjustment or Tax."""
    clause: str

    @cached_property
    def words(self) -> Words:
        """The clause in the words of FOCUS."""
        return WORDS[base_clause(self.clause)]

    @property
    def priced(self) -> bool:
        """Whether its rows have quantities and prices."""
        return self.category in ("Usage", "Purchase")

    @property
    def in_usd(self) -> bool:
        """Whether it counts committed dollars instead of GPU-hours."""
        return self.priced and self.contract.committed == "usd" and self.words.of == "commitment"

    @property
    def unit(self) -> str:
        """What its rows count."""
        return USD if self.in_usd else self.words.unit

    @property
    def service(self) -> tuple[str, str, str]:
        """Name, category and subcategory of the service."""
        if self.words.of == "invoice":
            return BILLING
        if self.words.of == "commitment" and self.contract.committed == "usd":
            return SPEND
        return OWNED if self.contract.kind == "owned" else COMPUTE

    @property
    def description(self) -> str:
        """One sentence."""
        return ascii_of(f"{meaning(self.clause)}: contract {self.contract.name}, fleet {self.fleet.name}.")

    @property
    def fleet_id(self) -> str:
        """The fleet, unlike any contract."""
        return ascii_of(f"fleet/{self.fleet.name}")

    @property
    def contract_id(self) -> str:
        """The contract, unlike any fleet."""
        return ascii_of(f"contract/{self.contract.name}")

    @property
    def commitment_id(self) -> str | None:
        """The commitment that the charge belongs to."""
        return self.contract_id if self.words.related and self.contract.committed != "nothing" else None

    @property
    def commitment_category(self) -> str | None:
        """Spend or Usage."""
        if self.commitment_id is None:
            return None
        return "Spend" if self.contract.committed == "usd" else "Usage"

    @property
    def commitment_status(self) -> str | None:
        """Used or Unused, on usage."""
        return self.words.status if self.commitment_id and self.category == "Usage" else None

    @property
    def reservation_id(self) -> str | None:
        """The capacity block, on usage."""
        block = self.contract.kind == "capacity_block" and self.words.status is not None
        return self.contract_id if block and self.category == "Usage" else None

    @property
    def resource(self) -> tuple[str | None, str | None, str | None]:
        """Id, name and type of what is charged for."""
        if self.words.of == "fleet":
            return self.fleet_id, ascii_of(self.fleet.name), "GPU Fleet"
        if self.words.of == "commitment":
            return self.contract_id, ascii_of(self.contract.name), "Commitment"
        return None, None, None

    @property
    def sku(self) -> str | None:
        """What is sold: the same for all ways of paying for a GPU type's hours."""
        if not self.priced:
            return None
        if self.in_usd:
            return ascii_of(f"{self.provider}/spend-commitment")
        thing = "gpu-hours" if self.words.meter == "GPU hours" else base_clause(self.clause)
        return ascii_of(f"{self.provider}/{self.fleet.gpu}/{thing}")

    @property
    def meter(self) -> str | None:
        """What the SKU counts."""
        if not self.priced:
            return None
        return "Committed spend" if self.in_usd else self.words.meter

    @property
    def price_details(self) -> str | None:
        """Properties of the price, as flat JSON."""
        if not self.priced:
            return None
        details: dict[str, str | int] = {"x_ContractKind": self.contract.kind}
        if not self.in_usd:
            details = {"GpuCount": 1, "InstanceSeries": self.fleet.gpu, **details}
        return flat_json(details)

    @property
    def tags(self) -> str:
        """Labels of the fleet, and what it is, as flat JSON."""
        own = {"scenario": self.scenario, "fleet": self.fleet.name, "pool": self.fleet.pool,
               "role": self.fleet.role}
        named = {f"{TAG_PREFIX}{key}": value for key, value in own.items() if value is not None}
        return flat_json({**self.fleet.labels, **named})
