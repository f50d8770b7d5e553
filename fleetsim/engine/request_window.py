"""A pool during a window at request level: its messages become requests, its GPUs replicas.

Each step, the fluid model says who comes and is admitted and which GPUs there are; the replicas serve; and
what became of the requests is booked as the fluid model books its messages. At the start those who wait
become requests, at the end those who wait become cohorts again.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from fleetsim.engine.cell_group import COUNTED, Act, Tally
from fleetsim.engine.cells import Cells
from fleetsim.engine.deployment import BEFORE, Change, Deployment, Row
from fleetsim.engine.queue_change import cohorts_of, spans_of
from fleetsim.engine.window_books import WindowBooks, mixed
from fleetsim.engine.world import World
from fleetsim.kernel.arrays import Hourly, Inputs
from fleetsim.kernel.fluid_reference import Model
from fleetsim.kernel.reference_pool import Pool
from fleetsim.kernel.request.arrays import Array
from fleetsim.model.base import at
from fleetsim.model.fidelity import RequestWindow
from fleetsim.model.replica import RequestClass
from fleetsim.timebase import SECOND_NS, instant_at

Acts = list[list[Act]]
"""By cell, deployment after deployment."""


class PoolWindow:
    """One pool of a window, from its first step to its last."""

    def __init__(self, world: World, pool: str, window: RequestWindow, workers: int) -> None:
        self.world, self.window, self.workers = world, window, workers
        self.name, self.place = pool, world.index.pools.index(pool)
        self.shares = world.index.pool_shares[self.place]
        self.step_ns, self.step_s = world.step_ns, world.step_ns / SECOND_NS
        self.last_step = world.ns_at(window.end) // world.step_ns - 1
        self.parts: dict[int, Array] = {}
        """By share: the part of its GPUs that each service has."""
        self.losses: dict[tuple[int, int], float] = {}
        """By share and service: replicas that failed and are not lost yet, in fractions."""
        self.cells: Cells | None = None

    def serve(self, model: Model, failures: Sequence[int], inputs: Inputs, hourly: Hourly, n: int,
              hour: int) -> None:
        """One step, in place of `Pool.serve`. `failures` are the nodes of each fleet that failed in it."""
        pool = model.pools[self.place]
        self.now = instant_at(self.world.scenario.horizon.start, n * self.step_ns)
        self.classes = {each.place: each for each in pool.classes}
        self.mix = inputs.mix[inputs.mix_row[n - inputs.first_step]]
        starts = self.cells is None
        if starts:
            self.deployments = self.deploy()
            self.books = WindowBooks(self.deployments, self.shares, self.gpus_of)
        if starts or n % model.steps_per_hour == 0:
            self.divide()
        acts = self.change(model, failures)
        if starts:
            self.start(pool, n)
            acts = [[] for _ in acts]  # they began with these replicas
        tallies = self.run(self.told(acts), n)
        self.books.book(pool, model.shares, self.mix, tallies, n, self.step_ns)
        if (n + 1) % model.steps_per_hour == 0 and self.cells is not None:
            self.books.book_hour(self.classes, self.cells.latency(), hourly, hour, self.world.latency,
                                 self.world.things.wait_edges_s)
        if n == self.last_step:
            self.end(n)

    def run(self, acts: Acts, n: int) -> dict[int, Tally]:
        """Let the cells act and move on to the end of step n."""
        assert self.cells is not None, "started in the first step"
        return self.cells.advance(acts, (n + 1) * self.step_ns)

    # Replicas

    def deploy(self) -> list[Deployment]:
        """Every service that the pool's classes use, with as many replicas as there may ever be."""
        index, scenario = self.world.index, self.world.scenario
        rows: dict[str, list[Row]] = {}
        for c in index.pool_classes[self.place]:
            spec = scenario.traffic[index.classes[c]]
            attempts = int(self.world.things.classes[c]["attempts"])
            for m, service in enumerate(index.slots[c]):
                rows.setdefault(service, []).extend(
                    Row(c, m, attempt, spec.calls_per_message * self.window.sample_frac,
                        spec.prompt_tokens.mean, spec.output_tokens.mean)
                    for attempt in (BEFORE, *range(attempts)))
        gpus = [scenario.fleets[index.shares[k][0]].gpu for k in self.shares]
        found = []
        for place, (name, own) in enumerate(rows.items()):
            most = [int(self.most_gpus(k) / self.gpus_of(name)) + 1 for k in self.shares]
            found.append(Deployment(place, name, scenario.services[name], gpus, most,
                                    self.window.cell_replicas, own))
        return found

    def most_gpus(self, share: int) -> int:
        """GPUs that a share may have at most until the window's end: deliveries, elastic parts and loans."""
        world, fleet = self.world, self.world.index.shares[share][0]
        end_us = world.start_us + world.ns_at(self.window.end) // 1_000
        elastic = world.scenario.fleets[fleet].elastic
        return sum(each.gpus for each in world.acceptances[fleet] if each.accepted_us < end_us) + (
            elastic.max_gpus if elastic else 0)

    def gpus_of(self, service: str) -> float:
        """GPUs behind a simulated replica: efficiency and sampling take replicas away."""
        spec = self.world.scenario.services[service]
        return spec.gpus_per_replica / (at(spec.efficiency_frac, self.now) * self.window.sample_frac)

    def divide(self) -> None:
        """Give each service GPUs in proportion to the work that waits and comes for it."""
        for k in self.shares:
            work = np.zeros(len(self.deployments))
            for d in self.deployments:
                for row in d.rows:
                    if row.attempt == 0:
                        klass = self.classes[row.class_]
                        cost = sum(klass.unit_gpu_s[row.slot][k])
                        work[d.place] += klass.demand * mixed(klass, self.mix, row.slot) * cost
            self.parts[k] = work / work.sum() if work.sum() > 0 else np.full(len(work), 1 / len(work))

    def change(self, model: Model, failures: Sequence[int]) -> Acts:
        """Bring the replicas in line with the GPUs."""
        acts: list[Acts] = [[[] for _ in d.up] for d in self.deployments]
        for i, k in enumerate(self.shares):
            share = model.shares[k]
            wanted, most = self.replicas(k, share.allocated), self.replicas(k, share.capacity)
            fleet = next(each for each in model.fleets if share in each.shares)
            lost = failures[fleet.place] * fleet.node_gpus * share.rented / max(1, fleet.rented)
            for d in self.deployments:
                exact = self.losses.get((k, d.place), 0.0) + (
                    lost * float(self.parts[k][d.place]) / self.gpus_of(d.name))
                failed = int(exact) if self.cells is not None else 0
                self.losses[k, d.place] = exact - int(exact)
                up = sum(len(cell[i]) for cell in d.up)
                chance = self.world.streams.uniforms(f"pool/{self.name}/{d.name}/failed-replicas", failed)
                change = Change(failed, wanted[d.place], abrupt=most[d.place] < up)
                for own, more in zip(acts[d.place], d.change(i, change, chance), strict=True):
                    own.extend(more)
        return [cell for of_service in acts for cell in of_service]

    def replicas(self, share: int, gpus: int) -> list[int]:
        """Replicas of each service on so many GPUs: whole ones, then those with the largest remainders."""
        sizes = [self.gpus_of(d.name) for d in self.deployments]
        exact = [gpus * float(self.parts[share][d.place]) / size + 1e-9
                 for d, size in zip(self.deployments, sizes, strict=True)]
        counts = [int(count) for count in exact]
        left = gpus - sum(count * size for count, size in zip(counts, sizes, strict=True)) + 1e-6
        for d in sorted(range(len(exact)), key=lambda d: (counts[d] > 0, counts[d] - exact[d])):
            if self.parts[share][d] > 0 and sizes[d] <= left:
                counts[d] += 1
                left -= sizes[d]
        return counts

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
            limits: list[Act] = [("limit_wait", (place, self.classes[row.class_].max_wait_s))
                                 for place, row in enumerate(d.rows)]
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
             for cell in d.cells([self.request_class(row, d) for row in d.rows], f"pool/{self.name}/{d.name}",
                                 start_ns, self.step_s, self.world.streams)], self.workers)
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
            for part in d.parts():
                acts: list[Act] = []
                for place, row in enumerate(d.rows):
                    klass = self.classes[row.class_]
                    if row.attempt == BEFORE or klass.waiting[row.attempt] <= 0:
                        continue
                    share = (klass.waiting[row.attempt] / sum(klass.waiting) * part
                             * mixed(klass, self.mix, row.slot) * row.requests_per_message)
                    whole = 0.5
                    for span in spans_of(klass, n, self.step_ns):
                        whole += span.messages * share
                        if int(whole):
                            acts.append(("take_over", (place, int(whole), span.first_ns, span.last_ns)))
                        whole -= int(whole)
                told.append(acts)
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
        classes[:, COUNTED.index(name)] = taken.classes[:, COUNTED.index(name)]
    return replace(warmed, classes=classes, waiting_ns=taken.waiting_ns)
