"""Demand: the expected rate of every class, its noise, and which services it uses, step by step.

rate(t) = (base(t) + sum of additions) x product of multipliers x shape(t), taken at the middle of
each step. A dated change inside a step acts from the next step on.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from fleetsim.engine.index import Index
from fleetsim.engine.payers import Payers
from fleetsim.engine.shapes import shape_factors
from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.noise import CORRELATION_TIME_S, correlated, factors, gamma_table
from fleetsim.model.scenario import Scenario
from fleetsim.model.surges.surge import Surge
from fleetsim.model.traffic import Curve, Move, Shape, TrafficClass, Volume
from fleetsim.rng import Streams
from fleetsim.timebase import HOUR_NS, SECOND_NS, instant_at, ns_between

DAY_S = 86_400.0


class Demand:
    """What arrives, block by block, in order of time."""

    def __init__(self, scenario: Scenario, index: Index, streams: Streams) -> None:
        self.scenario = scenario
        self.index = index
        self.streams = streams
        self.start = scenario.horizon.start
        self.step_ns = scenario.horizon.step_s * SECOND_NS
        self.surges = {name: [self._on_steps(surge) for surge in scenario.surges.values()
                              if name in surge.classes] for name in index.classes}
        self.payers = Payers(scenario, index)
        self._coefficient = float(np.exp(-scenario.horizon.step_s / CORRELATION_TIME_S))
        self._last_z = {name: np.full(1, np.nan) for name in ("", *index.classes)}

    def step_at(self, instant: datetime) -> int:
        """The first step that starts at or after an instant."""
        return -(-ns_between(self.start, instant) // self.step_ns)

    def _on_step(self, instant: datetime) -> datetime:
        return instant_at(self.start, self.step_at(instant) * self.step_ns)

    def _on_steps(self, surge: Surge) -> Surge:
        """The surge with its start and end on the steps at which they act."""
        moved: dict[str, Any] = {"start": self._on_step(surge.start)}
        end = getattr(surge, "end", None)
        if end is not None:
            moved["end"] = self._on_step(end)
        return replace(surge, **moved)

    def _middle_s(self, first: int, last: int) -> np.ndarray:
        """Seconds from the start of the horizon to the middle of each step."""
        return (np.arange(first, last) + 0.5) * (self.step_ns / SECOND_NS)

    def expected(self, first: int, last: int) -> np.ndarray:
        """Messages per second of each class in each step, (N, C): no noise, no retries."""
        middle_s = self._middle_s(first, last)
        shapes: dict[Shape, np.ndarray] = {}
        levels: dict[int | str, np.ndarray] = {}
        rates = np.empty((last - first, len(self.index.classes)))
        plain = np.empty_like(rates) if self.payers.elastic else None
        for c, name in enumerate(self.index.classes):
            spec = self.scenario.traffic[name]
            if spec.shape not in shapes:
                shapes[spec.shape] = self._shape(spec.shape, middle_s)
            volume = spec.volume(self.start)
            key = volume.curve or c
            if key not in levels:
                levels[key] = self._level(name, volume, middle_s)
            rate = levels[key] * self._shares(volume, first, last) / DAY_S
            if self.surges[name]:
                rate = self._surged(name, spec, rate, middle_s)
            np.multiply(rate, shapes[spec.shape], out=rates[:, c])
            if plain is not None:
                plain[:, c] = rate
        if plain is not None:
            self.payers.move(plain, rates, first, last, self.step_at)
        return rates

    def _shape(self, shape: Shape, middle_s: np.ndarray) -> np.ndarray:
        """A shape's factor in each step: one look an hour where clocks change on whole hours of UTC."""
        if shape.timezone != "UTC":
            return shape_factors(shape, self.start, middle_s)
        per_hour = HOUR_NS // self.step_ns
        return np.repeat(shape_factors(shape, self.start, middle_s[::per_hour]), per_hour)

    def _level(self, name: str, volume: Volume, middle_s: np.ndarray) -> np.ndarray:
        """Messages per day of a class's whole curve, anchors or file; (1,) when they never change."""
        if volume.series is not None:
            begin, interval_s, values = self.scenario.series[name]
            place = (middle_s + (self.start - begin).total_seconds()) // interval_s
            held: np.ndarray = np.asarray(values)[np.clip(place.astype(np.int64), 0, len(values) - 1)]
            return held
        anchors = volume.anchors if volume.anchors is not None else self.scenario.curves[volume.curve or ""]
        return self._log_linear(anchors, middle_s)

    def _log_linear(self, anchors: Curve, middle_s: np.ndarray) -> np.ndarray:
        """Straight lines in the logarithm between dates; linear where one end is 0."""
        dates = sorted(anchors)
        at_s = np.array([(date - self.start).total_seconds() for date in dates])
        values = np.array([anchors[date] for date in dates], dtype=float)
        if len(values) == 1 and values[0] > 0:
            constant: np.ndarray = np.exp(np.log(values))
            return constant
        if values.min() > 0:
            level: np.ndarray = np.exp(np.interp(middle_s, at_s, np.log(values)))
            return level
        lines = np.interp(middle_s, at_s, values)
        logs = np.exp(np.interp(middle_s, at_s, np.log(np.maximum(values, 1e-300))))
        right = np.clip(np.searchsorted(at_s, middle_s, side="right"), 1, len(values) - 1)
        touches_zero = np.minimum(values[right - 1], values[right]) <= 0 if len(values) > 1 else True
        mixed: np.ndarray = np.where(touches_zero, lines, logs)
        return mixed

    def _shares(self, volume: Volume, first: int, last: int) -> np.ndarray | float:
        """The class's share of its curve in each step."""
        if not isinstance(volume.share_frac, Mapping):
            return volume.share_frac
        dates = sorted(volume.share_frac)
        ends = [min(max(self.step_at(date), first), last) for date in dates[1:]]
        steps = np.diff([first, *ends, last])
        return np.repeat([volume.share_frac[date] for date in dates], steps)

    def _surged(self, name: str, spec: TrafficClass, base: np.ndarray, middle_s: np.ndarray) -> np.ndarray:
        """The rate with every surge of the class; `base` is without."""
        additions = np.zeros(len(middle_s))
        multiplier = np.ones(len(middle_s))
        for begin_s, end_s in self._pauses(self.surges[name]):
            base = base * self._held(name, spec, middle_s, begin_s, end_s)
        for surge in self.surges[name]:
            days = (middle_s - (surge.start - self.start).total_seconds()) / DAY_S
            additions += surge.addition(days, np)
            multiplier *= surge.multiplier(days, np)
        return (base + additions / DAY_S) * multiplier

    def _pauses(self, surges: list[Surge]) -> list[tuple[float, float]]:
        """When growth is held, as disjoint (start, end) in seconds: pauses that overlap are one."""
        pauses: list[tuple[float, float]] = []
        for surge in sorted((surge for surge in surges if surge.holds_growth), key=lambda each: each.start):
            begin_s = (surge.start - self.start).total_seconds()
            end_s = (surge.last - self.start).total_seconds() if surge.last else np.inf
            if pauses and begin_s <= pauses[-1][1]:
                begin_s, end_s = pauses[-1][0], max(end_s, pauses.pop()[1])
            pauses.append((begin_s, end_s))
        return pauses

    def _held(self, name: str, spec: TrafficClass, middle_s: np.ndarray, start_s: float,
              end_s: float) -> np.ndarray:
        """What a pause of growth makes of the base: level(start) / level(now, at most at the end)."""
        volume = spec.volume(self.start)
        during = np.clip(middle_s, start_s, end_s)
        levels = np.broadcast_to(self._level(name, volume, np.append(during, start_s)), len(during) + 1)
        held: np.ndarray = np.divide(levels[-1], levels[:-1], out=np.ones(len(during)),
                                     where=levels[:-1] > 0)
        return held

    def noise(self, first: int, last: int) -> np.ndarray:
        """The random factor on each class's rate, (N, C); 1 for a class without noise."""
        result = np.ones((last - first, len(self.index.classes)))
        noisy = [c for c, name in enumerate(self.index.classes)
                 if self.scenario.traffic[name].noise_cv_frac > 0]
        if not noisy:
            return result
        together = self._z("", "traffic/noise", last - first)
        for c in noisy:
            name = self.index.classes[c]
            spec = self.scenario.traffic[name]
            own = self._z(name, f"traffic/{name}/noise", last - first)
            factors(together, own, spec.noise_correlation_frac, gamma_table(spec.noise_cv_frac), result[:, c])
        return result

    def _z(self, name: str, stream: str, count: int) -> np.ndarray:
        uniforms = self.streams.uniforms(stream, count)
        path = np.empty(count)
        correlated(uniforms, self._coefficient, self._last_z[name], path)
        return path

    def mix(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Share of each service slot in each class's messages, (R, C, M): a row for each mix that holds.

        And which row holds in each step, (N).
        """
        moves = [(c, move, *self._when(move)) for c, name in enumerate(self.index.classes)
                 for move in self._moves(name)]
        changes = np.zeros(last - first, dtype=bool)
        for _, _, begin, end in moves:
            changes[max(0, begin - first) : max(0, end + 1 - first)] = True
        changes[0] = True
        steps = first + np.flatnonzero(changes)
        shares = np.zeros((len(steps), len(self.index.classes), self.index.slot_count))
        shares[:, :, 0] = 1.0
        for c, move, begin, end in moves:
            if begin < last:
                source, target = (self.index.slots[c].index(slot) for slot in (move.from_, move.to))
                done = steps >= begin
                if end > begin:
                    done = np.clip((steps + 0.5 - begin) / (end - begin), 0.0, 1.0)
                moved = shares[:, c, source] * done
                shares[:, c, source] -= moved
                shares[:, c, target] += moved
        return shares, (np.cumsum(changes) - 1).astype(PLACE)

    def _moves(self, name: str) -> tuple[Move, ...]:
        """The moves of a class between services, in the order in which they apply."""
        service = self.scenario.traffic[name].service
        return () if isinstance(service, str) else tuple(service.mix)

    def _when(self, move: Move) -> tuple[int, int]:
        """The step at which a move begins, and the one from which on it is done; at once: the same."""
        begin = self.step_at(move.start)
        if move.end is None or move.end <= move.start:
            return begin, begin
        return begin, max(begin + 1, self.step_at(move.end))
