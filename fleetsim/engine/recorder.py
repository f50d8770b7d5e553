"""The recorder: what a block of hours added up to, as columns for a sink; and what the ledger bills."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from fleetsim.engine.metering import metered
from fleetsim.engine.world import Block, World
from fleetsim.kernel import arrays as rows
from fleetsim.ledger.rating import rate
from fleetsim.model.pool import UNASSIGNED
from fleetsim.timebase import HOUR_US

HOUR_S = 3_600.0


class Coded(NamedTuple):
    """A text column: per row a code, and the names that the codes stand for."""

    codes: np.ndarray
    names: tuple[str, ...]


Columns = Mapping[str, Any]


class Sink(Protocol):
    """Takes the rows of tables, block by block, in order of time."""

    def write(self, table: str, columns: Columns) -> None:
        """Append rows. Times are int64 microseconds since 1970, money int64 micro-dollars."""


GPU_COLUMNS = tuple("outage" if name == "out" else name for name in rows.GPU_SECONDS)
MESSAGE_COLUMNS = ("arrived", "shed", "abandoned", "retried", "waiting", "in_retry")
RENTED = rows.GPU_SECONDS.index("rented")


class Recorder:
    """Turns the arrays of a block into rows. Rows go by time, then by key in the scenario's order."""

    def __init__(self, world: World, sink: Sink, tables: Collection[str] | None = None) -> None:
        self.world = world
        self.sink = sink
        self.tables = tables
        self._recorded_events = 0
        scenario, index = world.scenario, world.index
        self.providers = tuple(dict.fromkeys(fleet.provider for fleet in scenario.fleets.values()))
        self.services = tuple(scenario.services)
        self.pools = tuple(dict.fromkeys(pool for _, pool in index.shares))
        self.gpus = tuple(dict.fromkeys(fleet.gpu for fleet in scenario.fleets.values()))
        self._hourly = {"fact_capacity_hourly": self._capacity}
        if index.classes:
            self._hourly |= {"fact_traffic_hourly": self._traffic, "fact_wait_hourly": self._waits}
        self._hourly["fact_cost_hourly"] = self._cost

    def flush(self, block: Block) -> None:
        """Write a finished block, without the hours of the warm-up."""
        skip = max(0, self.world.scenario.horizon.recorded_from - block.hourly.first_hour)
        hours = block.hourly.gpu_s.shape[1]
        if skip < hours:
            hour_us = self.world.start_us + (block.hourly.first_hour + np.arange(skip, hours)) * HOUR_US
            for table, write in self._hourly.items():
                if self._wanted(table):
                    write(block, skip, hour_us)
            if self.world.keep_steps:
                self._steps(block, skip * self.world.things.steps_per_hour)
        if self._wanted("fact_event"):
            self._events()

    def _wanted(self, table: str) -> bool:
        return self.tables is None or table in self.tables

    def _capacity(self, block: Block, skip: int, hour_us: np.ndarray) -> None:
        scenario, index = self.world.scenario, self.world.index
        gpu_hours = block.hourly.gpu_s[:, skip:] / HOUR_S
        kept = self._kept(block, skip)
        fleets = [index.fleets.index(index.shares[k][0]) for k in kept]
        first = np.diff(fleets, prepend=-1) > 0  # shares lie fleet by fleet
        specs = [scenario.fleets[index.fleets[f]] for f in fleets]
        columns: dict[str, Any] = {
            "hour": np.repeat(hour_us, len(kept)),
            "fleet": tiled(fleets, index.fleets, len(hour_us)),
            "pool": tiled([self.pools.index(index.shares[k][1]) for k in kept], self.pools, len(hour_us)),
            "gpu": tiled([self.gpus.index(spec.gpu) for spec in specs], self.gpus, len(hour_us)),
            "provider": tiled([self.providers.index(spec.provider) for spec in specs], self.providers,
                              len(hour_us)),
        }
        for row, name in enumerate(GPU_COLUMNS):
            columns[f"{name}_gpu_hours"] = gpu_hours[row][:, kept].ravel()
        columns["busy_gpu_hours"] = columns["prefill_gpu_hours"] + columns["decode_gpu_hours"]
        for place, name in enumerate(("node_failures", "node_repairs")):
            nodes = block.hourly.nodes[place, skip:][:, fleets] * first
            columns[name] = nodes.ravel()
        self.sink.write("fact_capacity_hourly", columns)

    def _kept(self, block: Block, skip: int) -> np.ndarray:
        """The shares that are rows: GPUs that no pool asks for only where there are any."""
        rented = block.hourly.gpu_s[RENTED, skip:].any(axis=0)
        pooled = np.array([pool != UNASSIGNED for _, pool in self.world.index.shares])
        return np.flatnonzero(pooled | rented)

    def _traffic(self, block: Block, skip: int, hour_us: np.ndarray) -> None:
        """One row per class and service that worked or is the class's largest in that hour."""
        hourly, index, scenario = block.hourly, self.world.index, self.world.scenario
        per_hour = self.world.things.steps_per_hour
        keys = [(c, name) for c, slots in enumerate(index.slots) for name in dict.fromkeys(slots)]
        of = np.array([c for c, _ in keys])
        slots = [[m for m, slot in enumerate(index.slots[c]) if slot == name] for c, name in keys]
        slot = np.array([places[0] for places in slots])
        served, work = hourly.served[skip:, of, slot], hourly.work_gpu_s[skip:, of, slot]
        largest = block.inputs.mix[skip * per_hour :: per_hour].argmax(axis=2)[:, of]
        primary = largest == slot
        for k, places in enumerate(slots):  # a service of the mix that takes degraded messages, too
            for m in places[1:]:
                served[:, k] += hourly.served[skip:, of[k], m]
                work[:, k] += hourly.work_gpu_s[skip:, of[k], m]
                primary[:, k] |= largest[:, k] == m
        degraded = hourly.messages[rows.MESSAGES.index("degraded"), skip:, of].T * np.array(
            [index.degrade_slot[c] in places for c, places in zip(of, slots, strict=True)])
        keep = (served > 0) | (work > 0) | primary
        specs = [scenario.traffic[index.classes[c]] for c, _ in keys]
        calls = served * np.array([spec.calls_per_message for spec in specs])
        columns: dict[str, Any] = {
            "hour": np.repeat(hour_us, len(keys)),
            "traffic_class": tiled(of, index.classes, len(hour_us)),
            "service": tiled([self.services.index(name) for _, name in keys], self.services, len(hour_us)),
            "pool": tiled([self.pools.index(spec.pool) for spec in specs], self.pools, len(hour_us)),
            "messages_served": served.ravel(),
            "messages_degraded": degraded.ravel(),
            "calls": calls.ravel(),
            "prompt_tokens": (calls * np.array([spec.prompt_tokens.mean for spec in specs])).ravel(),
            "output_tokens": (calls * np.array([spec.output_tokens.mean for spec in specs])).ravel(),
            "busy_gpu_hours": (work / HOUR_S).ravel(),
            "expected_messages": (hourly.expected[skip:, of] * primary).ravel(),
            "waiting_message_s": (hourly.waiting_message_s[skip:, of] * primary).ravel(),
        }
        for name in MESSAGE_COLUMNS:
            row = rows.MESSAGES.index(name)
            columns[f"messages_{name}"] = (hourly.messages[row, skip:, of].T * primary).ravel()
        met = (hourly.messages[rows.MESSAGES.index("slo_met"), skip:, of].T * primary).ravel()
        declared = np.tile([spec.slo_wait_s is not None for spec in specs], len(hour_us))
        columns["slo_met_count"] = np.ma.masked_array(met, mask=~declared)
        chosen = np.flatnonzero(keep)
        self.sink.write("fact_traffic_hourly", {name: taken(column, chosen)
                                                for name, column in columns.items()})

    def _waits(self, block: Block, skip: int, hour_us: np.ndarray) -> None:
        """Whole messages by wait; those that did not wait are what the other buckets leave."""
        hourly, edges = block.hourly, self.world.things.wait_edges_s
        no_wait = hourly.served[skip:].sum(axis=2)
        where = np.nonzero(hourly.waited[skip:])
        totals = np.floor(np.cumsum(hourly.waits[skip:][where], axis=1) + 0.5).astype(np.int64)
        waited = np.diff(np.minimum(totals, no_wait[where][:, None]), axis=1, prepend=0)
        no_wait[where] -= waited.sum(axis=1)
        row, bucket = np.nonzero(waited)
        hour, c = np.nonzero(no_wait)
        keys = np.concatenate([(where[0][row], where[1][row], bucket),
                               (hour, c, np.zeros_like(hour))], axis=1)
        counts = np.concatenate([waited[row, bucket], no_wait[hour, c]])
        order = np.lexsort(keys[::-1])
        hour, c, bucket = keys[:, order]
        self.sink.write("fact_wait_hourly", {
            "hour": hour_us[hour],
            "traffic_class": Coded(c.astype(np.int32), self.world.index.classes),
            "bucket": bucket,
            "wait_low_s": np.where(bucket > 1, edges[bucket - 1], 0.0),
            "wait_high_s": edges[bucket],
            "messages": counts[order],
        })

    def _cost(self, block: Block, skip: int, hour_us: np.ndarray) -> None:
        """Meter every fleet and bill it."""
        scenario = self.world.scenario
        usage = [metered(self.world, block, skip, hour_us, name) for name in scenario.fleets]
        charges = rate(scenario.contracts, usage)
        fleet_codes, fleet_names = charges.text("fleet")
        providers = {name: self.providers.index(fleet.provider) for name, fleet in scenario.fleets.items()}
        by_fleet = np.array([providers[name] for name in fleet_names], dtype=np.int32)
        self.sink.write("fact_cost_hourly", {
            "hour": charges.hour_us,
            "fleet": Coded(fleet_codes, fleet_names),
            "contract": Coded(*charges.text("contract")),
            "charge_category": Coded(*charges.text("charge_category")),
            "clause": Coded(*charges.text("clause")),
            "provider": Coded(by_fleet[fleet_codes] if len(fleet_codes) else fleet_codes, self.providers),
            "gpu_hours": charges.gpu_s / HOUR_S,
            "list_usd": charges.list_micro_usd,
            "contracted_usd": charges.contracted_micro_usd,
            "billed_usd": charges.billed_micro_usd,
            "effective_usd": charges.effective_micro_usd,
        })

    def _steps(self, block: Block, skip: int) -> None:
        index = self.world.index
        steps = block.last - block.first - skip
        time_us = np.array([self.world.time_us(block.first + skip + n) for n in range(steps)])
        kept = self._kept(block, skip // self.world.things.steps_per_hour)
        shares = [index.shares[k] for k in kept]
        self.sink.write("series_step_capacity", {
            "time": np.repeat(time_us, len(shares)),
            "fleet": tiled([index.fleets.index(fleet) for fleet, _ in shares], index.fleets, steps),
            "pool": tiled([self.pools.index(pool) for _, pool in shares], self.pools, steps),
            **{name: block.steps.gpus[i, skip:, kept].T.ravel() for i, name in enumerate(rows.STEP_GPUS)},
        })
        self.sink.write("series_step_traffic", {
            "time": np.repeat(time_us, len(index.classes)),
            "traffic_class": tiled(range(len(index.classes)), index.classes, steps),
            **{name: block.steps.messages[i, skip:].ravel() for i, name in enumerate(rows.STEP_MESSAGES)},
        })

    def _events(self) -> None:
        events, self.world.events = self.world.events, []
        gpus = np.array([event.gpus or 0 for event in events], dtype=np.int64)
        values = np.array([np.nan if event.value is None else event.value for event in events], dtype=float)
        first, self._recorded_events = self._recorded_events, self._recorded_events + len(events)
        self.sink.write("fact_event", {
            "sequence": np.arange(first, self._recorded_events, dtype=np.int64),
            "time": np.array([event.time_us for event in events], dtype=np.int64),
            "effective_time": np.array([event.effective_us for event in events], dtype=np.int64),
            "thing": coded([event.thing for event in events]),
            "kind": coded([event.kind for event in events]),
            "gpus": np.ma.masked_array(gpus, mask=[event.gpus is None for event in events]),
            "value": np.ma.masked_invalid(values),
            "detail": coded([event.detail for event in events]),
        })


def tiled(codes: Any, names: tuple[str, ...], times: int) -> Coded:
    """A text column whose codes come again for every hour."""
    return Coded(np.tile(np.asarray(codes, dtype=np.int32), times), names)


def coded(texts: list[str]) -> Coded:
    """A text column from its texts."""
    names = tuple(dict.fromkeys(texts))
    places = {name: code for code, name in enumerate(names)}
    return Coded(np.array([places[text] for text in texts], dtype=np.int32), names)


def taken(column: Any, chosen: np.ndarray) -> Any:
    """The rows of a column at the chosen places."""
    if isinstance(column, Coded):
        return Coded(column.codes[chosen], column.names)
    return column[chosen]
