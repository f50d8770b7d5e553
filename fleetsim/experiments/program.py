"""A linear program, mixed with whole numbers, written column by column and solved by HiGHS."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Solution:
    """What the solver found: cost of its answer, a bound that no answer beats, and the answer."""

    cost: float
    bound: float
    values: "Floats"

    @property
    def gap_frac(self) -> float:
        """Between answer and bound, as a share of the answer."""
        return max(0.0, self.cost - self.bound) / abs(self.cost) if self.cost else 0.0


@dataclass
class Program:
    """min cost x, low <= x <= high, row bounds; some x whole."""

    constant: float = 0.0
    costs: list[Any] = field(default_factory=list)
    lows: list[Any] = field(default_factory=list)
    highs: list[Any] = field(default_factory=list)
    whole: list[Any] = field(default_factory=list)
    rows: list[tuple[float, float]] = field(default_factory=list)
    entries: list[tuple[Any, Any, Any]] = field(default_factory=list)
    columns: int = 0

    def add(self, count: int, *, cost: Any = 0.0, low: Any = 0.0, high: Any = math.inf,
            whole: bool = False) -> "Ints":
        """New variables; returns their numbers."""
        first, self.columns = self.columns, self.columns + count
        for given, kept in ((cost, self.costs), (low, self.lows), (high, self.highs),
                            (int(whole), self.whole)):
            kept.append(np.broadcast_to(np.asarray(given, dtype=np.float64), (count,)))
        return np.arange(first, self.columns)

    def row(self, *terms: tuple[Any, Any], low: float = -math.inf, high: float = math.inf) -> None:
        """low <= sum of (variables, factors) <= high."""
        for columns, factors in terms:
            places = np.atleast_1d(columns)
            values = np.broadcast_to(np.asarray(factors, dtype=np.float64), places.shape)
            self.entries.append((np.full(len(places), len(self.rows)), places, values))
        self.rows.append((low, high))

    def rows_of(self, *terms: tuple[Any, Any], high: "Floats") -> None:
        """One row per entry of `high`: sum of (variable of the row, factor) <= high."""
        first = len(self.rows)
        for columns, factor in terms:
            self.entries.append((np.arange(first, first + len(high)), columns, np.full(len(high), factor)))
        self.rows += [(-math.inf, float(value)) for value in high]

    def solve(self, *, most_nodes: int, time_limit_s: float) -> Solution | None:
        """The best answer found in so many nodes of the search tree; None when there is none."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        join = np.concatenate
        at, places, values = (join([entry[k] for entry in self.entries]) for k in range(3))
        matrix = csr_array((values, (at, places)), shape=(len(self.rows), self.columns))
        lows, highs = np.array(self.rows).T
        found = interruptible(lambda: milp(
            join(self.costs), integrality=join(self.whole), bounds=Bounds(join(self.lows), join(self.highs)),
            constraints=LinearConstraint(matrix, lows, highs),
            options={"node_limit": most_nodes, "time_limit": time_limit_s, "mip_rel_gap": 1e-9}))
        if found.x is None:
            return None
        bound = found.fun if found.mip_dual_bound is None else min(found.fun, found.mip_dual_bound)
        return Solution(found.fun + self.constant, bound + self.constant, found.x)


def interruptible(call: Callable[[], Any]) -> Any:
    """What the call gives, from a thread of its own: a solver in C never looks whether Ctrl-C came."""
    answers: list[Any] = []
    errors: list[BaseException] = []
    done = Event()

    def work() -> None:
        try:
            answers.append(call())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    Thread(target=work, daemon=True).start()
    done.wait()
    if errors:
        raise errors[0]
    return answers[0]
