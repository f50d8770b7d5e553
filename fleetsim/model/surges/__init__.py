"""Surges: dated changes of one or more traffic classes. One kind per file.

A surge answers two questions about `days`, the time since its own start (an array, negative before
it): how many messages a day it adds, and by what it multiplies the rate. `xp` is numpy, handed in so
that what exists needs no third-party import. Any number of surges may act on a class at once:
rate = (base + sum of additions) x product of multipliers.
"""

from fleetsim.model.surges.adoption import Adoption
from fleetsim.model.surges.logistic import Logistic
from fleetsim.model.surges.multiplier import Multiplier
from fleetsim.model.surges.ramp import Ramp
from fleetsim.model.surges.sign_up_pause import SignUpPause
from fleetsim.model.surges.spike import Spike
from fleetsim.model.surges.step import Step

SURGES: dict[str, type] = {
    "step": Step,
    "ramp": Ramp,
    "logistic": Logistic,
    "spike": Spike,
    "multiplier": Multiplier,
    "adoption": Adoption,
    "sign_up_pause": SignUpPause,
}
"""The registry: the value of `kind` in a scenario file, and the class it makes."""

__all__ = ["SURGES", "Adoption", "Logistic", "Multiplier", "Ramp", "SignUpPause", "Spike", "Step"]
