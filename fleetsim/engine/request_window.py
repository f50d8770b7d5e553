"""A pool during a window at request level: its messages become requests, its GPUs replicas.

Each step, the fluid model says who comes and is admitted and which GPUs there are; the replicas serve; and
what became of the requests is booked as the fluid model books its messages. At the start those who wait
become requests, at the end those who wait become cohorts again.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from fleetsim.engine.cell_group import TALLIED, Act, Tally
from fleetsim.engine.cells import Cells
from fleetsim.engine.deployment import BEFORE, Deployment, Row
from fleetsim.engine.queue_change import cohorts_of, spans_of
from fleetsim.engine.window_books import WindowBooks, mixed
from fleetsim.engine.window_replicas import Acts, WindowReplicas
from fleetsim.engine.world import World
from fleetsim.kernel.arrays import Array, Hourly, Inputs
from fleetsim.kernel.fluid_reference import Model
from fleetsim.kernel.reference_pool import Pool
from fleetsim.model.fidelity import RequestWindow
from fleetsim.model.replica import RequestClass
from fleetsim.timebase import SECOND_NS


class PoolWindow:
    """One pool of a window, from its first step to its last."""

    def __init__(self, world: World, pool: str, window: RequestWindow, workers: int) -> None:
        self.world, self.window, self.workers = world, window, workers
        self.name, self.place = pool, world.index.pools.index(pool)
        self.shares = world.index.pool_shares[self.place]
        self.step_ns, self.step_s = world.step_ns, world.step_ns / SECOND_NS
        self.last_step = world.ns_at(window.end) // world.step_ns - 1
        self.limits: dict[Row, float] = {}
        """Longest waits as the cells know them."""
        self.cells: Cells | None = None

    def serve(self, model: Model, failures: Sequence[int], inputs: Inputs, hourly: Hourly, n: int,
              hour: int) -> None:
        """One step, in place of `Pool.serve`. `failures` are the nodes of each fleet that failed in it."""
        pool = model.pools[self.place]
        self.classes = {each.place: each for each in pool.classes}
        self.mix = inputs.mix[inputs.mix_row[n - inputs.first_step]]
        starts = self.cells is None
        if starts:
            self.replicas = WindowReplicas(self.world, self.name, self.window)
            self.deployments = self.replicas.deployments
            self.books = WindowBooks(self.deployments, self.shares, self.replicas.gpus_of)
        acts = self.replicas.change(model, self.classes, self.mix, failures, n, starts=starts)
        if starts:
            self.start(pool, n)
            acts = [[] for _ in acts]  # they began with these replicas
        tallies = self.run(self.told(acts), n)
        self.books.book(pool, model.shares, self.mix, tallies, n, self.step_ns)
        if (n + 1) % model.steps_per_hour == 0:
            self.books.book_hour(self.classes, self.latency(), hourly, hour, self.world.latency,
                                 self.world.things.wait_edges_s)
        if n == self.last_step:
            self.end(n)

    def run(self, acts: Acts, n: int) -> dict[int, Tally]:
        """Let the cells act and move on to the end of step n."""
        assert self.cells is not None, "started in the first step"
        return self.cells.advance(acts, (n + 1) * self.step_ns)

    def latency(self) -> dict[int, Array]:
        """Histograms of each service since the start."""
        assert self.cells is not None, "started in the first step"
        return self.cells.latency()

    # Requests

    def rates_rps(self, d: Deployment) -> Array:
        """Requests per second of a deployment's rows in this step."""
        rates = np.zeros(len(d.rows))
        for place, row in enumerate(d.rows):
            if row.attempt != BEFORE:
                klass = self.classes[row.class_]
                messages = max(0.0, klass.arrivals[row.attempt] + self.books.overdrawn.get(row, 0.0))
                rates[place] = (messages * mixed(klass, self.mix, row.slot) * row.requests_per_message
                                / self.step_s)
        return rates

    def told(self, acts: Acts) -> Acts:
        """What each cell is told: replicas, longest waits, rates."""
        told, rest = [], iter(acts)
        for d in self.deployments:
            rates = self.rates_rps(d)
            limits: list[Act] = []
            for place, row in enumerate(d.rows):
                longest_s = self.classes[row.class_].max_wait_s
                if self.limits.setdefault(row, inf) != longest_s:
                    limits.append(("limit_wait", (place, longest_s)))
                    self.limits[row] = longest_s
            for share in d.parts():
                told.append([*next(rest), *limits, ("expect", ((rates * share)[None, :],))])
        return told

    def request_class(self, row: Row, d: Deployment) -> RequestClass:
        """What the requests of a row have in common."""
        name = self.world.index.classes[row.class_]
        spec = self.world.scenario.traffic[name]
        attempt = "before" if row.attempt == BEFORE else f"{row.attempt}"
        return RequestClass(
            f"{name}/{row.slot}/{attempt}", priority=spec.priority, patience_s=spec.patience_s or inf,
            prompt_mean_tokens=spec.prompt_tokens.mean, prompt_cv=spec.prompt_tokens.cv,
            output_mean_tokens=spec.output_tokens.mean, output_cv=spec.output_tokens.cv,
            cached_frac=spec.prefix_cached_frac,
            context_limit_tokens=d.service.context_limit_tokens)

    # Start and end

    def start(self, pool: Pool, n: int) -> None:
        """Make the cells, let them run for the warm-up on requests that do not count, take the queue over."""
        steps = max(1, -(-round(self.window.warmup_s * SECOND_NS) // self.step_ns))
        start_ns, here_ns = (n - steps) * self.step_ns, n * self.step_ns
        self.cells = Cells(
            [cell for d in self.deployments
             for cell in d.cells([self.request_class(row, d) for row in d.rows],
                                 f"pool/{self.name}/{d.name}/{self.window.start:%Y-%m-%dT%H}", start_ns,
                                 self.step_s, self.world.streams)], self.workers)
        load = load_of(pool, self.step_s)
        warm: Acts = []
        for d in self.deployments:
            rates = self.rates_rps(d)
            first = {(row.class_, row.slot): rate for row, rate in zip(d.rows, rates, strict=True)
                     if row.attempt == 0}
            before = np.array([first[row.class_, row.slot] / max(1.0, load) if row.attempt == BEFORE else 0.0
                               for row in d.rows])
            warm += [[("expect", (np.tile(before * share, (steps, 1)),))] for share in d.parts()]
        warmed = self.cells.advance(warm, here_ns)
        latency = self.cells.latency()
        taken = self.cells.advance(self.taken_over(n), here_ns)
        for klass in pool.classes:
            klass.line.cohorts.clear()
        self.books.open({place: began(warmed[place], taken[place]) for place in warmed}, latency)

    def taken_over(self, n: int) -> Acts:
        """Those who wait become requests, the oldest first, by service, attempt and cell."""
        told: Acts = []
        for d in self.deployments:
            parts = d.parts()
            acts: Acts = [[] for _ in parts]
            for place, row in enumerate(d.rows):
                klass = self.classes[row.class_]
                if row.attempt == BEFORE or klass.waiting[row.attempt] <= 0:
                    continue
                share = (klass.waiting[row.attempt] / sum(klass.waiting)
                         * mixed(klass, self.mix, row.slot) * row.requests_per_message)
                whole = 0.5  # what does not make a whole request goes on to the next cell and span
                for span in spans_of(klass, n, self.step_ns):
                    for own, part in zip(acts, parts, strict=True):
                        whole += span.messages * share * part
                        if int(whole):
                            own.append(("take_over", (place, int(whole), span.first_ns, span.last_ns)))
                        whole -= int(whole)
            told += acts
        return told

    def end(self, n: int) -> None:
        """Those who wait become cohorts, and the processes end."""
        assert self.cells is not None, "started in the first step"
        queues = self.cells.waiting()
        for klass in self.classes.values():
            arrivals = [(np.zeros(0, np.int64), 0.0)]
            for d in self.deployments:
                class_, arrival_ns = queues[d.place]
                arrivals += [(arrival_ns[class_ == place], 1 / row.requests_per_message)
                             for place, row in enumerate(d.rows)
                             if row.class_ == klass.place and row.attempt != BEFORE]
            klass.line.cohorts.extend(cohorts_of(arrivals, klass, n, self.step_ns))
            klass.wait_s = klass.line.oldest_age_s(n)
        self.books.return_retries(self.classes)
        self.close()

    def close(self) -> None:
        """End the processes."""
        if self.cells is not None:
            self.cells.close()


def load_of(pool: Pool, step_s: float) -> float:
    """Work that comes in a step / what the allocated GPUs can do, in GPUs of the first fleet."""
    work = sum(each.admitted * each.cost_on(pool.lead) for each in pool.classes)
    capacity = sum(share.allocated * step_s * share.worth for share in pool.shares)
    return work / capacity if capacity else 1.0


def began(warmed: Tally, taken: Tally) -> Tally:
    """What is not to be counted: the warm-up, that those who were taken over came, and their waits so far."""
    classes = warmed.classes.copy()
    for name in ("arrived", "waited_ns"):
        classes[:, TALLIED.index(name)] = taken.classes[:, TALLIED.index(name)]
    return replace(warmed, classes=classes, waiting_ns=taken.waiting_ns)
