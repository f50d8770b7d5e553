"""What a minimum takes from its fleet, and what that costs."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.capacity import committed_gpu_s, windows_of
from fleetsim.ledger.charges import Rows
from fleetsim.ledger.claim import Window
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.primitives import Minimum
from fleetsim.ledger.spans import spans_of
from fleetsim.timebase import earliest

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class Taken:
    """What a minimum takes from its fleet: first within what is committed, later what lies beyond."""

    def __init__(self, terms: Minimum, meter: Meter, termination: EarlyTermination | None = None) -> None:
        self.end_s = earliest(terms.end_s, termination.at_s if termination else None)
        self.spans = spans_of(terms, meter.usage.deliveries)
        self.committed = committed_gpu_s(terms, meter, self.end_s)
        self.use = meter.claim(self.committed, windows=windows_of(terms, self.spans, self.end_s))

    def take_rest(self, terms: Minimum, meter: Meter) -> None:
        """Take what is left of the fleet's use in the term."""
        start_s, end_s = terms.start_s, self.end_s
        if terms.term_months is not None and self.spans:
            start_s = min(span.start_s for span in self.spans)
            end_s = earliest(end_s, max(span.end_s for span in self.spans))
        self.use = self.use + meter.claim_allocated(
            meter.left_within(start_s, end_s), [Window(start_s, end_s)])


@dataclass
class Paid:
    """What a minimum's GPU-hours cost."""

    rows: list[Rows]
    taken: "Int64"
    """GPU-seconds within the commitment, those drawn from the bank included."""
    cost: "Int64"
    cost_of_used: "Int64"
    lapsed: list[Rows] = field(default_factory=list)
