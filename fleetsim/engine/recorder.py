"""The recorder: what a block of hours added up to, as columns for a sink; and what the ledger bills."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from fleetsim.engine.columns import Columns, coded, joined, taken, tiled
from fleetsim.engine.energy import energy_wh
from fleetsim.engine.finance import Books
from fleetsim.engine.latency_columns import latency_columns, slo_columns
from fleetsim.engine.latency_hours import HourCounts
from fleetsim.engine.metering import metered
from fleetsim.engine.world import Block, Event, World
from fleetsim.kernel import arrays as rows
from fleetsim.ledger.allocation import Allocation, ShareUse, Work, allocate, hourly_cost
from fleetsim.ledger.billing_columns import BILLING, billing_columns
from fleetsim.ledger.rating import Bill, Biller
from fleetsim.model.pool import TRAINING, UNASSIGNED
from fleetsim.timebase import HOUR_S, HOUR_US, epoch_us
from fleetsim.units import Coded


class Sink(Protocol):
    """Takes the rows of tables, block by block, in order of time."""

    def write(self, table: str, columns: Columns) -> None:
        """Append rows. Times are int64 microseconds since 1970, money int64 micro-dollars."""


GPU_COLUMNS = {"outage" if name == "out" else name: row for row, name in enumerate(rows.GPU_SECONDS)
               if name != "active"}
"""Rows of Hourly.gpu_s that every hour has."""
MESSAGE_COLUMNS = ("arrived", "shed", "abandoned", "retried", "waiting", "in_retry")
RENTED, ALLOCATED = (rows.GPU_SECONDS.index(name) for name in ("rented", "allocated"))


class Recorder:
    """Turns the arrays of a block into rows. Rows go by time, then by key in the scenario's order."""

    def __init__(self, world: World, sink: Sink, tables: Collection[str] | None = None) -> None:
        self.world = world
        self.sink = sink
        self.tables = tables
        self._recorded_events = 0
        self._delivered = False
        self._capacities: list[dict[str, Any]] = []
        """Rows that wait for the end, because a failure may still turn work into lost work."""
        self._effective: dict[str, list[np.ndarray]] = {name: [] for name in world.training}
        """By fleet with jobs: its cost by hour, block by block."""
        self._latencies: HourCounts | None = None
        scenario, index = world.scenario, world.index
        self.providers = tuple(dict.fromkeys(fleet.provider for fleet in scenario.fleets.values()))
        self.services = tuple(scenario.services)
        self.pools = tuple(dict.fromkeys(pool for _, pool in index.shares))
        self.gpus = tuple(dict.fromkeys(fleet.gpu for fleet in scenario.fleets.values()))
        self._hourly = {"fact_capacity_hourly": self._capacity}
        if index.classes:
            self._hourly |= {"fact_traffic_hourly": self._traffic, "fact_wait_hourly": self._waits}
            self._hourly["fact_latency_hourly"] = self._latency
        self._hourly["fact_cost_hourly"] = self._cost
        self._provider_of = {name: fleet.provider for name, fleet in scenario.fleets.items()}
        self._biller = Biller(scenario.contracts, providers=self._provider_of,
                              last_us=epoch_us(scenario.horizon.end), streams=world.streams)
        self._shares_revenue = any(terms.revenue_share for terms in self._biller.terms.values())
        keeps_books = scenario.finance is not None and (
            self._shares_revenue or self._wanted("fact_pnl_monthly"))
        self.books = Books(world, sink) if keeps_books else None

    def flush(self, block: Block) -> None:
        """Write a finished block, without the hours of the warm-up."""
        skip = max(0, self.world.scenario.horizon.recorded_from - block.hourly.first_hour)
        hours = block.hourly.gpu_s.shape[1]
        for training in self.world.training.values():
            training.fill(block, self.world.index)
        if skip < hours:
            hour_us = self.world.start_us + (block.hourly.first_hour + np.arange(skip, hours)) * HOUR_US
            known = self.world.latency.known
            self._latencies = self.world.latency.counts(block.hourly, skip) if known else None
            for table, write in self._hourly.items():
                if self._wanted(table):
                    write(block, skip, hour_us)
            if self.world.keep_steps:
                self._steps(block, skip * self.world.things.steps_per_hour)
        if self.world.training and block.last == self.world.scenario.horizon.steps:
            self._training()
        if self._wanted("fact_event"):
            self._events()
        if self._wanted("fact_delivery") and not self._delivered:
            self._deliveries()

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
        for name, row in GPU_COLUMNS.items():
            columns[f"{name}_gpu_hours"] = gpu_hours[row][:, kept].ravel()
        if scenario.fidelity.windows:
            active = gpu_hours[rows.GPU_SECONDS.index("active")][:, kept]
            columns["active_gpu_hours"] = np.ma.masked_array(
                active, mask=~self._at_request_level(hour_us, kept)).ravel()
        columns |= self._energy(block, skip, kept)
        columns["busy_gpu_hours"] = columns["prefill_gpu_hours"] + columns["decode_gpu_hours"]
        for place, name in enumerate(("node_failures", "node_repairs")):
            nodes = block.hourly.nodes[place, skip:][:, fleets] * first
            columns[name] = nodes.ravel()
        if self.world.training:
            self._capacities.append(columns)
        else:
            self.sink.write("fact_capacity_hourly", columns)

    def _training(self) -> None:
        """At the end: what waited for it, and the jobs."""
        from fleetsim.engine.training_columns import job_columns, state_columns

        for training in self.world.training.values():
            training.pool.close()
        for columns in self._capacities:
            hour_us = np.unique(columns["hour"])
            places = {name: k for k, name in enumerate(self.world.index.shares)}
            fleet, pool = columns["fleet"], columns["pool"]
            per_hour = len(fleet.codes) // len(hour_us)
            shares = [places[fleet.names[fleet.codes[k]], pool.names[pool.codes[k]]] for k in range(per_hour)]
            first = int((hour_us[0] - self.world.start_us) // HOUR_US)
            self.sink.write("fact_capacity_hourly", columns | state_columns(
                self.world, np.array(shares), first, len(hour_us)))
        if self._wanted("fact_training_job"):
            cost = {name: np.concatenate(parts) for name, parts in self._effective.items()}
            self.sink.write("fact_training_job", job_columns(self.world, cost))

    def _at_request_level(self, hour_us: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Whether a pool was simulated request by request in an hour, (hours, shares)."""
        covered = np.zeros((len(hour_us), len(kept)), dtype=bool)
        for window in self.world.scenario.fidelity.windows:
            hours = (hour_us >= epoch_us(window.start)) & (hour_us < epoch_us(window.end))
            pools = np.array([self.world.index.shares[k][1] in (window.pools or self.world.index.pools)
                              for k in kept])
            covered |= hours[:, None] & pools
        return covered

    def _energy(self, block: Block, skip: int, kept: np.ndarray) -> dict[str, Any]:
        """Energy and emissions of each row, in the order of its hours."""
        scenario, index = self.world.scenario, self.world.index
        fleets = [scenario.fleets[index.shares[k][0]] for k in kept]
        kwh = [energy_wh(block.hourly.gpu_s[:, skip:, k], fleet, scenario.gpus[fleet.gpu],
                         index.shares[k][1]) / 1_000.0 for k, fleet in zip(kept, fleets, strict=True)]
        kg = [energy * fleet.grid_kg_co2e_per_kwh for energy, fleet in zip(kwh, fleets, strict=True)]
        return {name: np.stack(values, axis=1).ravel() if values else np.zeros(0)
                for name, values in (("energy_kwh", kwh), ("emissions_kg_co2e", kg))}

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
        mix_row = block.inputs.mix_row[skip * per_hour :: per_hour]
        largest = block.inputs.mix[mix_row].argmax(axis=2)[:, of]
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
        columns |= slo_columns(self._latencies, keys, scenario, index, len(hour_us))
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

    def _latency(self, block: Block, skip: int, hour_us: np.ndarray) -> None:
        if self._latencies is not None:
            self.sink.write("fact_latency_hourly", latency_columns(
                self._latencies, hour_us, self.world.index, self.services))

    def _cost(self, block: Block, skip: int, hour_us: np.ndarray) -> None:
        """Meter every fleet and bill it."""
        scenario = self.world.scenario
        usage = [metered(self.world, block, skip, hour_us, name) for name in scenario.fleets]
        if self.books is not None:
            self.books.record(block, skip, hour_us)
        bill = self._biller.bill(usage, self.books.revenue() if self.books and self._shares_revenue else None)
        if self.books is not None:
            self.books.close(bill.charges)
        for name, cost in hourly_cost(bill.charges, bill.hour_us, list(self._effective)).items():
            unbilled = 0 if self._effective[name] else block.hourly.first_hour + skip
            self._effective[name].append(np.concatenate([np.zeros(unbilled, np.int64), cost]))
        for table in BILLING:
            if self._wanted(table):
                columns = billing_columns(table, bill, self._provider_of, scenario.budgets,
                                          partial(self._allocation, block, skip))
                if columns is not None:
                    self.sink.write(table, columns)

    def _allocation(self, block: Block, skip: int, bill: Bill) -> Allocation:
        """The serving fleets' cost by class and service, and of the training jobs that borrow their GPUs."""
        scenario, index, hourly = self.world.scenario, self.world.index, block.hourly
        serving = [name for name, fleet in scenario.fleets.items() if fleet.role == "serving"]
        gpu_hours = hourly.gpu_s[:, skip:] / HOUR_S
        prefill, decode = (gpu_hours[rows.GPU_SECONDS.index(name)] for name in ("prefill", "decode"))
        held = gpu_hours[ALLOCATED]
        shares = [ShareUse(fleet, pool, gpu_hours[RENTED][:, k],
                           held[:, k] if pool == TRAINING else prefill[:, k] + decode[:, k])
                  for k, (fleet, pool) in enumerate(index.shares) if fleet in serving]
        work: dict[tuple[str, str], Work] = {}
        if any(share.pool == TRAINING for share in shares):
            work[TRAINING, TRAINING] = Work(TRAINING, TRAINING, TRAINING, sum(
                (share.busy_gpu_hours for share in shares if share.pool == TRAINING), np.zeros(len(held))))
        for c, slots in enumerate(index.slots):
            name, pool = index.classes[c], scenario.traffic[index.classes[c]].pool
            for m, service in enumerate(slots):
                done = hourly.work_gpu_s[skip:, c, m] / HOUR_S
                before = work.get((name, service))
                work[name, service] = Work(name, service, pool,
                                           done if before is None else before.busy_gpu_hours + done)
        cost = hourly_cost(bill.charges, bill.hour_us, serving)
        return allocate(cost, shares, list(work.values()))

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

    def _deliveries(self) -> None:
        """Every tranche, once: what is promised and when it comes is known from the start."""
        self._delivered = True
        tranches = [(name, k, each) for name, accepted in self.world.acceptances.items()
                    for k, each in enumerate(accepted)]
        last = np.array([each.end_us or 0 for _, _, each in tranches], dtype=np.int64)
        self.sink.write("fact_delivery", {
            "fleet": coded([name for name, _, _ in tranches]),
            "tranche": np.array([k for _, k, _ in tranches], dtype=np.int64),
            "gpus": np.array([each.gpus for _, _, each in tranches], dtype=np.int64),
            "promised_time": np.array([each.promised_us for _, _, each in tranches], dtype=np.int64),
            "accepted_time": np.array([each.accepted_us for _, _, each in tranches], dtype=np.int64),
            "handed_back_time": np.ma.masked_array(last, mask=last == 0),
        })

    def _events(self) -> None:
        events, self.world.events = self.world.events, []
        parts = [event_columns(events)]
        if self.world.training:
            from fleetsim.engine.training_columns import training_events

            parts += training_events(self.world)
        columns = joined(parts)
        first = self._recorded_events
        self._recorded_events += len(columns["time"])
        sequence = np.arange(first, self._recorded_events, dtype=np.int64)
        self.sink.write("fact_event", {"sequence": sequence, **columns})


def event_columns(events: Sequence[Event]) -> Columns:
    """Rows of `fact_event`, without their numbers."""
    gpus = np.array([event.gpus or 0 for event in events], dtype=np.int64)
    values = np.array([np.nan if event.value is None else event.value for event in events], dtype=float)
    return {
        "time": np.array([event.time_us for event in events], dtype=np.int64),
        "effective_time": np.array([event.effective_us for event in events], dtype=np.int64),
        "thing": coded([event.thing for event in events]),
        "kind": coded([event.kind for event in events]),
        "gpus": np.ma.masked_array(gpus, mask=[event.gpus is None for event in events]),
        "value": np.ma.masked_invalid(values),
        "detail": coded([event.detail for event in events]),
    }
