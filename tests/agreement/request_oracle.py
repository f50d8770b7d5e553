"""Request level, iteration by iteration: each step of each replica is a SimPy event, each request an object.

Written from the rules alone (docs/explanation/model.md, request level) and shares no code with the kernel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import simpy

from fleetsim.model.replica import ReplicaGroup, Routing

Queue = list[list["Request"]]
"""By priority level, first come first served."""


@dataclass(eq=False)
class Request:
    number: int
    class_: int
    level: int
    arrival_ns: int
    prompt: int
    output: int
    cached: int
    deadline_ns: int | None
    shed_at_deadline: bool
    mean_output: int
    made: int = 0
    made_before: int = 0
    """Tokens that it had when it was last admitted: they are prefilled with the prompt."""
    prefilled: int = 0
    decoding: bool = False
    started: bool = False
    admitted_ns: int = -1
    first_ns: int = -1
    outcome: str = ""
    replica: "Replica | None" = None

    @property
    def left(self) -> int:
        """Tokens to prefill."""
        return self.prompt + self.made_before - self.cached - self.prefilled

    @property
    def kv(self) -> int:
        return self.cached + self.prefilled + self.made - self.made_before

    def restart(self) -> None:
        self.made_before, self.prefilled, self.decoding = self.made, 0, False


class Pool:
    """Replicas, the router before them, and what became of each request."""

    def __init__(self, groups: Sequence[ReplicaGroup], levels: int, routing: Routing,
                 uniform: Callable[[int], float]) -> None:
        self.env = simpy.Environment(initial_time=0)
        self.routing, self.uniform, self.turn = routing, uniform, 0
        self.queue: Queue = [[] for _ in range(levels)]
        self.replicas: list[Replica] = []
        for group in groups:
            for _ in range(group.replicas):
                self.replicas.append(Replica(self, len(self.replicas), group, levels))
        self.over: list[tuple[int, ...]] = []

    # Priorities at one nanosecond: step ends by replica, then control, patience, arrivals.

    def at(self, time_ns: int, priority: int, action: Callable[[], None]) -> None:
        event = simpy.Event(self.env)
        event._ok, event._value = True, None
        event.callbacks = [lambda _: action()]
        self.env.schedule(event, priority=priority, delay=time_ns - self.env.now)

    def control(self, time_ns: int, action: Callable[[], None]) -> None:
        self.at(time_ns, len(self.replicas), action)

    def expect(self, request: Request) -> None:
        self.at(request.arrival_ns, len(self.replicas) + 2, lambda: self.arrive(request))

    def arrive(self, request: Request) -> None:
        if request.deadline_ns is not None:
            self.at(request.deadline_ns, len(self.replicas) + 1, lambda: self.lose_patience(request))
        self.place(request)
        self.serve_shared_queue()

    def place(self, request: Request) -> None:
        up = [replica for replica in self.replicas if replica.state == "up"]
        if self.routing == "shared_queue":
            if all(replica.exceeds(request) for replica in self.replicas):
                self.finish(request, "rejected")
                return
            chosen = None
        else:
            chosen = self.choose(request, up) if up else None
        if chosen is not None and chosen.exceeds(request):
            self.finish(request, "rejected")
            return
        request.replica = chosen
        self.insert(self.queue if chosen is None else chosen.queue, request, request.started)
        if chosen is not None and not chosen.batch:
            chosen.boundary()

    def choose(self, request: Request, up: "list[Replica]") -> "Replica":
        if self.routing == "round_robin":
            self.turn += 1
            return up[(self.turn - 1) % len(up)]
        if self.routing == "hash":
            return up[int(self.uniform(request.number) * len(up))]
        if self.routing in ("least_tokens", "least_mean_tokens"):
            known = self.routing == "least_tokens"
            return min(up, key=lambda replica: (replica.outstanding(known), replica.index))
        if self.routing == "two_choices" and len(up) > 1:
            one = int(self.uniform(2 * self.turn) * len(up))
            other = int(self.uniform(2 * self.turn + 1) * (len(up) - 1))
            self.turn += 1
            up = [up[one], up[other + (other >= one)]]
        return min(up, key=lambda replica: (replica.load, replica.index))

    def insert(self, queue: Queue, request: Request, front: bool) -> None:
        queue[request.level].insert(0 if front else len(queue[request.level]), request)

    def lose_patience(self, request: Request) -> None:
        if request.started or request.outcome:
            return
        queue = self.queue if request.replica is None else request.replica.queue
        queue[request.level].remove(request)
        self.finish(request, "shed" if request.shed_at_deadline else "abandoned")
        self.serve_shared_queue()

    def finish(self, request: Request, outcome: str, replica: int = -1) -> None:
        request.outcome = outcome
        names = ("served", "abandoned", "shed", "rejected")
        self.over.append((request.number, request.arrival_ns, request.admitted_ns, request.first_ns,
                          int(self.env.now), replica, names.index(outcome)))

    def serve_shared_queue(self) -> None:
        """Replicas without work take from the shared queue at once, lowest number first."""
        while self.routing == "shared_queue" and (request := head(self.queue)) is not None:
            idle = [each for each in self.replicas
                    if each.state == "up" and not each.batch and each.fits(request)]
            if not idle:
                return
            idle[0].boundary()

    def route_again(self) -> None:
        while self.routing != "shared_queue" and any(each.state == "up" for each in self.replicas):
            request = head(self.queue)
            if request is None:
                return
            self.queue[request.level].remove(request)
            self.place(request)

    def fail(self, index: int) -> None:
        replica = self.replicas[index]
        if replica.state != "down":
            for request in reversed(replica.batch):
                request.restart()
                request.replica = None
                self.insert(self.queue, request, self.routing == "shared_queue")
            replica.batch = []
            replica.life += 1
            self.withdraw(replica, "down")

    def drain(self, index: int) -> None:
        replica = self.replicas[index]
        if replica.state == "up":
            self.withdraw(replica, "draining" if replica.batch else "down")

    def restore(self, index: int) -> None:
        self.replicas[index].state = "up"
        self.route_again()
        self.serve_shared_queue()

    def withdraw(self, replica: "Replica", state: str) -> None:
        replica.state = state
        for level in replica.queue:
            for request in level:
                request.replica = None
                self.queue[request.level].append(request)
            level.clear()
        self.route_again()
        self.serve_shared_queue()


def head(queue: Queue) -> Request | None:
    return next((level[0] for level in queue if level), None)


class Replica:
    """One replica, one step at a time."""

    def __init__(self, pool: Pool, index: int, group: ReplicaGroup, levels: int) -> None:
        self.pool, self.index, self.law, self.batching = pool, index, group.law, group.batching
        self.decode_ns = group.law.decode_ns(group.batching.max_batch)
        self.queue: Queue = [[] for _ in range(levels)]
        self.batch: list[Request] = []
        """In order of admission."""
        self.state, self.life = "up", 0
        self.parts: dict[Request, int] = {}
        """Tokens prefilled in the step at hand."""

    @property
    def load(self) -> int:
        return len(self.batch) + sum(len(level) for level in self.queue)

    def blocks(self, tokens: int) -> int:
        return -(-tokens // self.batching.block_tokens)

    @property
    def grown(self) -> bool:
        return self.batching.kv == "grown"

    @property
    def room(self) -> int:
        return self.law.kv_tokens // self.batching.block_tokens if self.grown else self.law.kv_tokens

    @property
    def used(self) -> int:
        if not self.grown:
            return sum(each.prompt + each.output for each in self.batch)
        return sum(self.blocks(each.prompt + (each.made if each.decoding else each.made_before) + 1)
                   for each in self.batch)

    def exceeds(self, request: Request) -> bool:
        tokens = request.prompt + request.output
        return (self.blocks(tokens) if self.grown else tokens) > self.room

    def fits(self, request: Request) -> bool:
        tokens = request.prompt + request.output
        need = self.blocks(request.prompt + request.made + 1) if self.grown else tokens
        return len(self.batch) < self.batching.max_batch and self.used + need <= self.room

    def outstanding(self, known: bool) -> int:
        total = 0
        for each in [*self.batch, *(each for level in self.queue for each in level)]:
            left = each.left if each in self.batch else each.prompt + each.made - each.cached
            total += left + (each.output - each.made if known else each.mean_output)
        return total

    def boundary(self) -> None:
        """Start a step, if there is anything to do."""
        shared = self.pool.routing == "shared_queue"
        queue = self.pool.queue if shared or self.state != "up" else self.queue
        evicted = False
        while self.grown and self.used > self.room:
            request = self.batch.pop()
            request.restart()
            request.replica = self if queue is self.queue else None
            self.pool.insert(queue, request, shared or queue is self.queue)
            evicted = True
        decodes = [each for each in self.batch if each.decoding]
        chunked = self.batching.prefill == "chunked"
        budget = self.batching.step_tokens - len(decodes)
        self.parts = {}
        for request in self.batch if chunked else ():
            if not request.decoding and sum(self.parts.values()) < budget:
                self.parts[request] = min(request.left, budget - sum(self.parts.values()))
        while not evicted and self.state == "up":
            request = head(queue)
            if request is None or not self.fits(request):
                break
            request.restart()
            prefill, part = sum(self.parts.values()), request.left
            if chunked:
                if prefill >= budget:
                    break
                part = min(part, budget - prefill)
            elif prefill and prefill + part > self.law.prefill_limit_tokens:
                break
            queue[request.level].remove(request)
            if not request.started:
                request.admitted_ns = int(self.pool.env.now)
            request.replica, request.started = self, True
            self.batch.append(request)
            self.parts[request] = part
        if self.batch:
            self.start_step(decodes)
        elif self.state == "draining":
            self.state = "down"
        if self.state != "up":
            self.pool.route_again()

    def start_step(self, decodes: list[Request]) -> None:
        prefill = sum(self.parts.values())
        making = decodes + [each for each, part in self.parts.items() if part == each.left]
        kv = sum(each.kv for each in self.batch) + prefill
        step_ns = self.decode_ns[len(making)] + self.law.prefill_time_ns(prefill) + self.law.kv_ns * kv
        life = self.life
        for request in making:
            request.decoding = True
        self.pool.at(self.pool.env.now + step_ns, self.index, lambda: self.end_step(making, life))

    def end_step(self, making: list[Request], life: int) -> None:
        if life != self.life:
            return  # it failed before the step's end
        for request, part in self.parts.items():
            request.prefilled += part
        for request in making:
            request.made += 1
            if request.first_ns < 0:
                request.first_ns = int(self.pool.env.now)
            if request.made == request.output:
                self.batch.remove(request)
                self.pool.finish(request, "served", self.index)
        self.boundary()
        self.pool.serve_shared_queue()
