"""What the plots ask of a run's tables, each as one query."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run

HOURLY_DAYS = 45
DAILY_DAYS = 550
"""A longer horizon is drawn by days instead of hours, a still longer one by weeks."""
NOT_POOLS = "('training', 'unassigned')"


@dataclass(frozen=True)
class Mark:
    """Something dated that a plot points at."""

    time: "pd.Timestamp"
    label: str


def frame(run: "Run", query: str) -> "pd.DataFrame":
    """The query's rows with times as naive UTC, which is what the date axis takes."""
    rows: pd.DataFrame = run.query(query).to_pandas()
    for name in rows.columns:
        if getattr(rows[name].dtype, "tz", None) is not None:
            rows[name] = rows[name].dt.tz_convert("UTC").dt.tz_localize(None)
    return rows


def text(value: str) -> str:
    """A name as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def pools(run: "Run") -> list[str]:
    """Pools that serve traffic, largest first."""
    rows = frame(run, f"""
        select pool, sum(rented_gpu_hours) as size from fact_capacity_hourly
        where pool not in {NOT_POOLS} group by pool order by size desc, pool""")
    return [str(name) for name in rows["pool"]]


def classes(run: "Run") -> list[str]:
    """Traffic classes in the scenario's order."""
    rows = frame(run, "select traffic_class from dim_traffic_class where pool is not null")
    return [str(name) for name in rows["traffic_class"]]


def contracts(run: "Run") -> list[str]:
    """Contracts in the scenario's order."""
    return [str(name) for name in frame(run, "select contract from dim_contract")["contract"]]


@dataclass(frozen=True)
class Span:
    """The recorded time, and the period that one point of a plot stands for."""

    start: "pd.Timestamp"
    end: "pd.Timestamp"

    @property
    def days(self) -> float:
        """Recorded days."""
        return float((self.end - self.start).total_seconds() / 86_400)

    @property
    def period(self) -> Literal["hour", "day", "week"]:
        """Hours as long as they can be told apart, then days, then weeks."""
        if self.days <= HOURLY_DAYS:
            return "hour"
        return "day" if self.days <= DAILY_DAYS else "week"

    @property
    def sql(self) -> str:
        """The start of the period that an hour falls in."""
        return "hour" if self.period == "hour" else f"date_trunc('{self.period}', hour)"

    def closed(self, rows: "pd.DataFrame", time: str | None = None) -> "pd.DataFrame":
        """Hourly rows with the last one again an hour later: the last hour is as wide as the others."""
        import pandas as pd

        if self.period != "hour" or rows.empty:
            return rows
        last = rows.iloc[[-1]]
        if time is not None:
            last = last.assign(**{time: rows[time].iloc[-1] + pd.Timedelta(hours=1)})
        return pd.concat([rows, last], ignore_index=True)


def span(run: "Run") -> Span:
    """The recorded time of a run."""
    import pandas as pd

    horizon = run.summary["horizon"]
    start, end = (pd.Timestamp(horizon[key]).tz_localize(None) for key in ("recorded_from", "end"))
    return Span(start, end)


def marks(run: "Run") -> list[Mark]:
    """Starts of surges and outages, in order of time."""
    rows = frame(run, """
        select min(effective_time) as time, split_part(thing, '/', 2) as name, 'surge' as what
        from fact_event where thing like 'surge/%' group by thing
        union all
        select effective_time, split_part(thing, '/', 2), 'outage'
        from fact_event where kind = 'outage_start'
        order by 1, 2""")
    names = [row.name_ if row.what == "surge" else f"{row.name_} {row.what}"
             for row in rows.rename(columns={"name": "name_"}).itertuples()]
    return [Mark(time, str(name)) for time, name in zip(rows["time"], names, strict=True)]


def gpu_types(run: "Run", pool: str) -> list[str]:
    """GPU types of a pool, that of its first fleet first."""
    rows = frame(run, f"""
        select gpu, sum(load_capacity_gpu_hours) as first from fact_capacity_hourly
        where pool = {text(pool)} group by gpu order by first desc, gpu""")
    return [str(name) for name in rows["gpu"]]
