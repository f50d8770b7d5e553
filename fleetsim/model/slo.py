"""Service levels as text: `ttft_p99_s<=1,chat:tpot_p99_s<=0.1,served_frac>=0.999`."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from math import isfinite

from fleetsim.errors import UsageError, did_you_mean

SHARES = ("served_frac", "lost_frac")
"""Of the requests that arrived: served; lost, which is rejected or left."""
TERM = re.compile(r"(?:(?P<class>[^<>=]+):)?(?P<name>[^:<>=]+)(?P<sign><=|>=)(?P<bound>[^:<>=]+)")
TIME = re.compile(r"(?P<metric>[a-z0-9]+)_(?P<statistic>mean|p\d{1,2}(?:\.\d+)?)_s")
EXAMPLE = "write it as ttft_p99_s<=1,tpot_p99_s<=0.1,served_frac>=0.999"


@dataclass(frozen=True)
class Slo:
    """One term: a time of the served requests, or a share of those that arrived, and its bound."""

    metric: str
    """A latency (`ttft`, `tpot`, `e2e`), or one of SHARES."""
    statistic: str
    """`mean` or `p99`; empty for a share."""
    bound: float
    """Seconds for a latency, else a share."""
    at_least: bool = False
    """`>=` instead of `<=`."""
    class_name: str | None = None
    """Traffic class; all requests together when None."""

    @property
    def is_share(self) -> bool:
        return self.metric in SHARES

    @property
    def quantile(self) -> float | None:
        """0.99 for p99; None for a mean and a share."""
        return float(self.statistic[1:]) / 100 if self.statistic.startswith("p") else None

    @property
    def name(self) -> str:
        """Without the bound: `chat:ttft_p99_s`."""
        own = self.metric if self.is_share else f"{self.metric}_{self.statistic}_s"
        return f"{self.class_name}:{own}" if self.class_name is not None else own

    def __str__(self) -> str:
        return f"{self.name}{'>=' if self.at_least else '<='}{self.bound:g}"

    def met_by(self, value: float) -> bool:
        """Whether a value is within the bound; a value on it is."""
        return value >= self.bound if self.at_least else value <= self.bound


def parse_slos(text: str, latencies: Collection[str]) -> tuple[Slo, ...]:
    """The terms of a text, separated by commas; `latencies` are the metrics that are measured.

    UsageError for a term that is none, an unknown metric, a bound out of range, a term that is given twice.
    """
    terms = tuple(_term(part.strip(), latencies) for part in text.split(","))
    for number, term in enumerate(terms):
        if any(term.name == other.name for other in terms[:number]):
            raise UsageError(f"--slo names {term.name} twice")
    return terms


def _term(text: str, latencies: Collection[str]) -> Slo:
    found = TERM.fullmatch(text)
    if found is None:
        raise UsageError(f"no service level: {text!r}; {EXAMPLE}")
    name, at_least = found["name"].strip(), found["sign"] == ">="
    class_name = found["class"] and found["class"].strip()
    bound = _bound(found["bound"].strip(), text)
    if name in SHARES:
        if not 0 <= bound <= 1:
            raise UsageError(f"{text}: a share lies between 0 and 1")
        if at_least == (name == "lost_frac"):
            raise UsageError(f"{text}: {name} is bounded by {'<=' if name == 'lost_frac' else '>='}")
        return Slo(name, "", bound, at_least, class_name)
    time = TIME.fullmatch(name)
    if time is None or time["metric"] not in latencies or time["statistic"] in ("p0", "p00"):
        known = [f"{metric}_{statistic}_s" for metric in latencies for statistic in ("mean", "p50", "p99")]
        raise UsageError(f"no service level {name!r} ({did_you_mean(name, [*known, *SHARES])})")
    if at_least:
        raise UsageError(f"{text}: a time is bounded by <=")
    if bound <= 0:
        raise UsageError(f"{text}: a time is above 0 s")
    return Slo(time["metric"], time["statistic"], bound, False, class_name)


def _bound(text: str, term: str) -> float:
    try:
        bound = float(text)
    except ValueError:
        bound = float("nan")
    if not isfinite(bound):
        raise UsageError(f"{term}: {text!r} is no number of seconds and no share; {EXAMPLE}")
    return bound
