"""What figures are made of: sums and peaks of the fact tables over a window, a few queries in all.

Each group of numbers is read once per window, when the first figure asks for it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fleetsim.output.latencies import ClassLatency, read_latencies
from fleetsim.output.lending import Lending, read_lending
from fleetsim.output.pnl import Pnl
from fleetsim.output.window import DAY_US, Window

TABLES_READ = ("fact_capacity_hourly", "fact_traffic_hourly", "fact_wait_hourly", "fact_latency_hourly",
               "fact_cost_hourly", "fact_pnl_monthly", "fact_commitment_hourly",
               "fact_cost_allocation_hourly", "fact_budget_monthly", "fact_training_job",
               "fact_event", "dim_fleet", "dim_pool", "dim_traffic_class", "dim_contract", "dim_run")
"""The tables that a connection for `Facts` needs."""


METER_GPU_HOURS = 1 / 3_600
"""What the meter counts in: one GPU-second."""


@dataclass(frozen=True)
class Things:
    """The names of the things of a run, in the order of its scenario."""

    roles: Mapping[str, str]
    """serving or training, by fleet."""
    pools: Sequence[str]
    classes: Mapping[str, str]
    """Pool by traffic class."""
    contracts: Mapping[str, str]
    """Fleet by contract."""
    metered: frozenset[str]
    """Fleets with a contract whose hours are charged for what is taken, and not for all it covers."""
    budgets: Sequence[str] = ()
    lines: Mapping[str, str] = field(default_factory=dict)
    """Section by line of the P&L; none without finance."""
    jobs: Sequence[str] = ()
    """Training jobs that the scenario names and that were submitted."""
    bound: frozenset[str] = frozenset()
    """Fleets that are billed as if what was required had been rented by the hour."""

    @classmethod
    def of(cls, connection: Any, bound: Collection[str] = ()) -> "Things":
        """Read from the dimension tables; the fleets in `bound` are billed on what was required."""
        def rows(query: str) -> list[Any]:
            return list(connection.execute(query).fetchall())

        return cls(
            roles=dict(rows("select fleet, role from dim_fleet")),
            pools=[name for (name,) in rows("select pool from dim_pool where kind = 'serving'")],
            classes=dict(rows("select traffic_class, pool from dim_traffic_class where pool is not null")),
            contracts=dict(rows("select contract, fleet from dim_contract")),
            metered=frozenset(
                fleet for (fleet,) in rows("select fleet from dim_contract where charges_taken")),
            budgets=[name for (name,) in rows(
                "select distinct budget from fact_budget_monthly order by budget")],
            jobs=[name for (name,) in rows("select job from fact_training_job where job not like '%/%'")],
            lines=dict(rows("select line, section from fact_pnl_monthly")),
            bound=frozenset(bound),
        )

    def named(self, kind: str) -> list[str]:
        """The names of one kind: pool, fleet, class, contract, budget, job, stream or cost."""
        mark = {"stream": "revenue/", "cost": "cost/"}.get(kind)
        if mark is not None:
            return [line.removeprefix(mark) for line in self.lines if line.startswith(mark)]
        return list({"pool": self.pools, "fleet": self.roles, "class": self.classes,
                     "contract": self.contracts, "budget": self.budgets, "job": self.jobs}[kind])


@dataclass(frozen=True)
class PoolPeaks:
    """The extreme hours of a pool. Times are microseconds since 1970, None when there is no such hour."""

    peak_load: float | None
    """Infinite when work was offered to no healthy GPU at all."""
    peak_load_hour: int | None
    stock_out_hours: int
    first_stock_out: int | None
    short_at_first: float | None
    peak_required: float | None
    peak_required_minus_rented: float | None
    mean_daily_peak_required: float | None
    days: int

    def then(self, later: "PoolPeaks") -> "PoolPeaks":
        """The extreme hours of this time and a later one together."""
        higher = later if (later.peak_load or 0.0) > (self.peak_load or 0.0) else self
        first = later if self.first_stock_out is None else self
        days = self.days + later.days
        daily = sum((part.mean_daily_peak_required or 0.0) * part.days for part in (self, later)) / days
        return PoolPeaks(
            peak_load=higher.peak_load,
            peak_load_hour=higher.peak_load_hour,
            stock_out_hours=self.stock_out_hours + later.stock_out_hours,
            first_stock_out=first.first_stock_out,
            short_at_first=first.short_at_first,
            peak_required=_larger(self.peak_required, later.peak_required),
            peak_required_minus_rented=_larger(
                self.peak_required_minus_rented, later.peak_required_minus_rented),
            mean_daily_peak_required=daily,
            days=days,
        )


NO_HOURS = PoolPeaks(None, None, 0, None, None, None, None, None, 0)


def _larger(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)


class Facts:
    """The numbers of one run over one window."""

    def __init__(self, connection: Any, things: Things, window: Window) -> None:
        self.things = things
        self.window = window
        self._connection = connection

    def over(self, window: Window) -> "Facts":
        """The same run over another window."""
        return Facts(self._connection, self.things, window)

    def _sums(self, table: str, keys: str, columns: str, where: str = "true") -> dict[Any, dict[str, Any]]:
        """Sums of columns by key, as {key or tuple of keys: {column: sum}}."""
        names = columns.split()
        sums = ", ".join(f"sum({name})" for name in names)
        query = f"select {keys}, {sums} from {table} where {self.window.sql()} and {where} group by {keys}"
        width = len(keys.split(","))
        return {
            row[0] if width == 1 else row[:width]: dict(zip(names, row[width:], strict=True))
            for row in self._connection.execute(query).fetchall()
        }

    @cached_property
    def capacity(self) -> dict[tuple[str, str], dict[str, float]]:
        """GPU-hours by (fleet, pool)."""
        return self._sums(
            "fact_capacity_hourly", "fleet, pool",
            "rented_gpu_hours healthy_gpu_hours allocated_gpu_hours busy_gpu_hours required_gpu_hours"
            " load_required_gpu_hours lent_gpu_hours")

    @cached_property
    def training(self) -> dict[str, dict[str, float]]:
        """GPU-hours by state, and failures, by fleet."""
        return self._sums(
            "fact_capacity_hourly", "fleet",
            "rented_gpu_hours productive_gpu_hours checkpointing_gpu_hours lost_gpu_hours"
            " restarting_gpu_hours blocked_gpu_hours idle_gpu_hours spare_gpu_hours repair_gpu_hours"
            " maintenance_gpu_hours lent_gpu_hours borrowed_gpu_hours node_failures")

    @cached_property
    def lending(self) -> Lending:
        """What pools and training jobs lent each other."""
        return read_lending(self.query, self.window,
                            any(row["lent_gpu_hours"] for row in self.capacity.values()))

    @cached_property
    def named_jobs(self) -> dict[str, dict[str, Any]]:
        """The row of each training job that the scenario names."""
        found = self._connection.execute(
            "select * exclude (run_id) from fact_training_job where job not like '%/%'")
        columns = [column[0] for column in found.description]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        return {row["job"]: row for row in rows}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the run's tables."""
        rows: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return rows

    @cached_property
    def traffic(self) -> dict[str, dict[str, float]]:
        """Messages, tokens and waiting time by traffic class."""
        return self._sums(
            "fact_traffic_hourly", "traffic_class",
            "messages_arrived messages_served messages_degraded messages_shed messages_abandoned"
            " prompt_tokens output_tokens waiting_message_s slo_met_count")

    @cached_property
    def left_over(self) -> dict[str, tuple[int, int]]:
        """By traffic class: messages waiting and messages in retry at the end of the last hour."""
        rows = self._connection.execute(f"""
            with counted as (select * from fact_traffic_hourly where {self.window.sql()})
            select traffic_class, coalesce(sum(messages_waiting), 0), coalesce(sum(messages_in_retry), 0)
            from counted where hour = (select max(hour) from counted) group by traffic_class""").fetchall()
        return {name: (int(waiting), int(in_retry)) for name, waiting, in_retry in rows}

    @cached_property
    def cost(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Effective cost by (contract, fleet), exact decimals."""
        return self._sums("fact_cost_hourly", "contract, fleet",
                          "list_usd contracted_usd billed_usd effective_usd")

    @cached_property
    def charged_gpu_hours(self) -> dict[str, float]:
        """GPU-hours of usage charges by contract; purchases pay for the same GPU-hours in advance."""
        found: dict[str, float] = {}
        for (contract, _, _), row in sorted(self.clauses.items()):
            found[contract] = found.get(contract, 0.0) + row["gpu_hours"]
        return found

    def charged_to(self, fleet: str) -> float:
        """GPU-hours of a fleet's usage charges."""
        return float(sum(row["gpu_hours"] for (_, of, _), row in sorted(self.clauses.items()) if of == fleet))

    @cached_property
    def uncovered_gpu_hours(self) -> dict[str, float]:
        """By fleet: GPU-hours that no contract covers.

        Hour by hour: rented GPU-hours of the tranches beyond those charged; allocated ones, elastic
        included, beyond those charged as taken where a contract bills only what is taken; required ones,
        as far as the fleet has them, where they stand for the use. The meter counts whole GPU-seconds, so
        that less than one in an hour is rounding.
        """
        found = dict.fromkeys(self.things.roles, 0.0)
        for year in self.window.years():
            for fleet, rented, allocated, required in self._uncovered_in(year):
                found[fleet] += required if fleet in self.things.bound else \
                    allocated if fleet in self.things.metered else rented
        return found

    def _uncovered_in(self, window: Window) -> list[tuple[str, float, float, float]]:
        """(fleet, rented but not charged, allocated and required but not charged as taken)."""
        rows: list[tuple[str, float, float, float]] = self._connection.execute(f"""
            with metered as (
                select hour, fleet::varchar as fleet, sum(allocated_gpu_hours) as allocated,
                       sum(required_gpu_hours) as required,
                       sum(rented_gpu_hours - coalesce(elastic_gpu_hours, 0)) as rented
                from fact_capacity_hourly where {window.sql()} group by hour, fleet),
            charged as (
                select hour, fleet::varchar as fleet, sum(gpu_hours) as paid,
                       coalesce(sum(gpu_hours) filter (clause <> 'unused'), 0) as taken
                from fact_cost_hourly where {window.sql()} and charge_category = 'Usage'
                group by hour, fleet),
            gaps as (
                select fleet, rented - coalesce(paid, 0) as rented,
                       allocated - coalesce(taken, 0) as allocated,
                       least(required, rented) - coalesce(taken, 0) as required
                from metered left join charged using (hour, fleet))
            select fleet, coalesce(sum(rented) filter (rented > {METER_GPU_HOURS}), 0),
                   coalesce(sum(allocated) filter (allocated > {METER_GPU_HOURS}), 0),
                   coalesce(sum(required) filter (required > {METER_GPU_HOURS}), 0)
            from gaps group by fleet order by fleet""").fetchall()
        return rows

    @cached_property
    def clauses(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """GPU-hours and effective cost of usage, and of what a commitment fell short, by (contract, fleet,
        clause)."""
        return self._sums("fact_cost_hourly", "contract, fleet, clause", "gpu_hours effective_usd",
                          "(charge_category = 'Usage' or clause = 'shortfall')")

    @cached_property
    def commitments(self) -> dict[str, dict[str, Any]]:
        """What was committed and used, by contract."""
        return self._sums("fact_commitment_hourly", "contract",
                          "committed_gpu_hours used_gpu_hours committed_usd used_usd")

    @cached_property
    def remaining_usd(self) -> dict[str, float]:
        """By contract: payments due after its last hour of the window, where its commitment has an end."""
        rows = self._connection.execute(
            "select contract, arg_max(remaining_usd, hour) from fact_commitment_hourly "
            f"where {self.window.sql()} and remaining_usd is not null group by contract").fetchall()
        return {contract: float(owed) for contract, owed in rows}

    @cached_property
    def allocation(self) -> dict[str, dict[str, Any]]:
        """Cost by traffic class, and of what was idle."""
        return self._sums("fact_cost_allocation_hourly", "traffic_class", "effective_usd shared_usd")

    @cached_property
    def budgets(self) -> dict[str, list[tuple[Any, Any]]]:
        """By budget: (allowed, spent) of each calendar month that begins in the window, or with it."""
        months = Window(self.window.start, self.window.end).sql(
            "greatest(month::timestamptz, (select min(recorded_from) from dim_run))")
        rows = self._connection.execute(
            f"select budget, budget_usd, spent_usd from fact_budget_monthly where {months} "
            "order by budget, month").fetchall()
        found: dict[str, list[tuple[Any, Any]]] = {}
        for budget, allowed, spent in rows:
            found.setdefault(budget, []).append((allowed, spent))
        return found

    @cached_property
    def energy(self) -> dict[str, dict[str, Any]]:
        """Electricity and emissions by fleet."""
        return self._sums("fact_capacity_hourly", "fleet", "energy_kwh emissions_kg_co2e")

    @cached_property
    def peak_kw(self) -> dict[str, float]:
        """Highest hourly mean power by fleet."""
        rows = self._connection.execute(
            "select fleet, max(kwh) from (select fleet, hour, sum(energy_kwh) as kwh from "
            f"fact_capacity_hourly where {self.window.sql()} group by fleet, hour) group by fleet").fetchall()
        return {fleet: float(kwh or 0.0) for fleet, kwh in rows}

    @cached_property
    def capital_charges(self) -> dict[str, float]:
        """By contract for owned hardware: cost of capital beyond depreciation per available GPU-hour."""
        return dict(self._connection.execute(
            "select contract, capital_charge_usd_per_gpu_hour from dim_contract "
            "where capital_charge_usd_per_gpu_hour is not null").fetchall())

    @cached_property
    def pnl(self) -> Pnl:
        """The months of the P&L."""
        return Pnl.of(self._connection, self.window)

    @cached_property
    def waits(self) -> dict[str, list[tuple[float, float, int]]]:
        """By traffic class: (low, high, served messages) of each bucket, shortest wait first."""
        rows = self._connection.execute(
            "select traffic_class, wait_low_s, wait_high_s, sum(messages) from fact_wait_hourly "
            f"where {self.window.sql()} "
            "group by traffic_class, bucket, wait_low_s, wait_high_s order by bucket"
        ).fetchall()
        histograms: dict[str, list[tuple[float, float, int]]] = {}
        for traffic_class, low, high, messages in rows:
            histograms.setdefault(traffic_class, []).append((low, high, int(messages)))
        return histograms

    @cached_property
    def latencies(self) -> dict[str, ClassLatency]:
        """By traffic class: the latency of what was served in the hours for which it is known."""
        return read_latencies(self._connection, self.window)

    @cached_property
    def peaks(self) -> dict[str, PoolPeaks]:
        """The extreme hours by pool; year by year, so that memory does not grow with the horizon."""
        found: dict[str, PoolPeaks] = {}
        for year in self.window.years():
            for name, peaks in self._peaks_of(year).items():
                found[name] = found[name].then(peaks) if name in found else peaks
        return found

    def _peaks_of(self, window: Window) -> dict[str, PoolPeaks]:
        rows = self._connection.execute(f"""
            with hours as (
                select pool, hour, sum(load_offered_gpu_hours) offered, sum(load_capacity_gpu_hours) capacity,
                       sum(load_required_gpu_hours) required, sum(load_rented_gpu_hours) rented
                from fact_capacity_hourly where {window.sql()} group by pool, hour),
            loads as (
                select *, epoch_us(hour) as hour_us, case when capacity > 0 then offered / capacity
                    when offered > 0 then 'inf'::double else 0 end as load from hours),
            days as (
                select pool, avg(peak) as peak, count(*) as days from (
                    select pool, max(required) as peak from hours group by pool, epoch_us(hour) // {DAY_US})
                group by pool)
            select loads.pool, max(load), arg_max(hour_us, (load, -hour_us)), count(*) filter (load > 1),
                   min(hour_us) filter (load > 1), arg_min(offered - capacity, hour_us) filter (load > 1),
                   max(required), max(required - rented), any_value(days.peak),
                   any_value(days.days)
            from loads join days on loads.pool = days.pool group by loads.pool""").fetchall()
        return {row[0]: PoolPeaks(*row[1:]) for row in rows}

    def of_pool(self, pool: str, column: str) -> float:
        """GPU-hours of a pool."""
        return sum(row[column] or 0.0 for (_, name), row in sorted(self.capacity.items()) if name == pool)

    def of_fleet(self, fleet: str, column: str) -> float:
        """GPU-hours of a fleet."""
        return sum(row[column] or 0.0 for (name, _), row in sorted(self.capacity.items()) if name == fleet)

    def of_classes(self, column: str, pool: str | None = None) -> float:
        """Messages or tokens of the classes of a pool, or of all."""
        return sum(row[column] or 0 for name, row in sorted(self.traffic.items())
                   if pool is None or self.things.classes.get(name) == pool)

    def cost_usd(self, *, contract: str | None = None, fleet: str | None = None) -> float:
        """Effective cost of a contract, a fleet, or all."""
        return float(sum(row["effective_usd"] for (name, of), row in self.cost.items()
                         if contract in (None, name) and fleet in (None, of)))
