"""The fluid kernel: cohorts of messages per traffic class and pool, step by step.

`advance` moves the state over whole steps under fixed controls; any split of its range gives the
same result. The rules are those of docs/explanation/model.md; `fluid_reference.py` says the same in
plain Python and equals it bit for bit. Order within a step: failures and repairs, loans, arrivals,
rate limit, degrading, shedding, service by priority, abandonment, retries.
"""

import math

from fleetsim.kernel.admission import price
from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import compiled, compiled_entry
from fleetsim.kernel.formulas import binomial_quantile, nearest, poisson_quantile, total
from fleetsim.kernel.serving import serve_pool


@compiled_entry
def advance(things, inputs, hourly, steps, first, last):
    """Move the state from the start of step `first` to the start of step `last`."""
    keep_steps = steps.gpus.shape[1] > 0
    for f in range(things.fleets.size):
        rent(things, f)
    priced = False
    mix_row = PLACE(0)
    begin = first
    while begin < last:  # hour by hour
        next_hour = (begin // things.steps_per_hour + 1) * things.steps_per_hour
        hour = begin // things.steps_per_hour - hourly.first_hour
        end = min(last, next_hour)
        for n in range(begin, end):
            row = PLACE(n - inputs.first_step)
            if keep_steps:
                remember(things)
            for f in range(things.fleets.size):
                fail_and_repair(things, inputs, f, row)
            lend(things)
            if not priced or inputs.mix_row[row] != mix_row:
                priced, mix_row = True, inputs.mix_row[row]
                price(things, inputs, mix_row)
            for p in range(things.pools.size):
                serve_pool(things, inputs, hourly, p, n, hour)
            if keep_steps:
                record_step(things, steps, row)
        if end == next_hour:
            close_gpus(things, hourly, hour)
            close_messages(things, hourly, hour)
        begin = end


@compiled
def rent(things, f):
    """What a fleet rents, which changes only between two calls of `advance`.

    Failed nodes go with a delivery that leaves, in proportion.
    """
    fleet = things.fleets[f]
    rented = 0
    for s in range(fleet.first_share, fleet.last_share):
        rented += things.shares[s].rented
    nodes = rented // fleet.node_gpus
    if nodes < fleet.nodes:
        handed_back = nearest(fleet.failed_nodes * ((fleet.nodes - nodes) / fleet.nodes))
        fleet.failed_nodes -= handed_back
        fleet.repairs += handed_back
    fleet.nodes = nodes
    fleet.rented = rented
    fleet.unhealthy = -1
    for s in range(fleet.first_share, fleet.last_share):
        share = things.shares[s]
        share.portion_s = 0.0 if rented == 0 else share.rented / rented * things.step_s


@compiled
def fail_and_repair(things, inputs, f, row):
    """Draw node failures and repairs, and split what is not healthy over the fleet's shares."""
    fleet = things.fleets[f]
    rented, failed = fleet.rented, fleet.failed_nodes
    working = fleet.nodes - failed
    down = min(working, poisson_quantile(working * fleet.fail_prob, inputs.fail_u[row, f]))
    repaired = binomial_quantile(failed, fleet.repair_prob, fleet.log_unrepaired, inputs.repair_u[row, f])
    fleet.failed_nodes = failed + down - repaired
    fleet.failures += down
    fleet.repairs += repaired

    failed_gpus = fleet.failed_nodes * fleet.node_gpus
    draining = nearest((rented - failed_gpus) * fleet.draining_frac)
    ready = rented - failed_gpus - draining
    healthy = max(0, nearest(ready * fleet.keep_frac) - fleet.out_gpus)
    if fleet.unhealthy != rented - healthy:
        fleet.unhealthy = rented - healthy
        split_unhealthy(things, fleet)
    for s in range(fleet.first_share, fleet.last_share):
        share = things.shares[s]
        share.rented_gpu_s += share.rented * things.step_s
        share.healthy_gpu_s += share.healthy * things.step_s
        share.failed_gpu_s += failed_gpus * share.portion_s
        share.draining_gpu_s += draining * share.portion_s
        share.out_gpu_s += (ready - healthy) * share.portion_s


@compiled
def split_unhealthy(things, fleet):
    """Unhealthy GPUs fall on a fleet's shares in proportion, by largest remainder, first on ties."""
    rented, unhealthy = fleet.rented, fleet.unhealthy
    left = unhealthy
    for s in range(fleet.first_share, fleet.last_share):
        share = things.shares[s]
        lost = 0 if rented == 0 else unhealthy * share.rented // rented
        share.healthy = share.rented - lost
        left -= lost
    for _ in range(left):
        best, best_remainder = fleet.first_share, -1
        for s in range(fleet.first_share, fleet.last_share):
            share = things.shares[s]
            remainder = unhealthy * share.rented - (share.rented - share.healthy) * rented
            if remainder > best_remainder:
                best, best_remainder = s, remainder
        things.shares[best].healthy -= 1


@compiled
def lend(things):
    """Lend healthy GPUs between the pools of a fleet, then say what each share allocates."""
    for s in range(things.shares.size):
        share = things.shares[s]
        share.lent = 0
        share.borrowed = 0
    for i in range(things.loans.size):
        loan = things.loans[i]
        lender, borrower = things.shares[loan.lender], things.shares[loan.borrower]
        gpus = min(loan.gpus, lender.healthy - lender.lent)
        lender.lent += gpus
        borrower.borrowed += gpus
    for s in range(things.shares.size):
        share = things.shares[s]
        share.capacity = share.healthy - share.lent + share.borrowed
        share.allocated = share.capacity
        if 0 <= share.allocated_limit < share.capacity:
            share.allocated = share.allocated_limit
        share.allocated_gpu_s += share.allocated * things.step_s
        if share.elastic > 0:  # they work when the fixed ones are full, and fail like the others
            elastic = share.healthy * share.elastic // share.rented
            elastic_allocated = max(0, share.allocated - (share.capacity - elastic))
            share.elastic_gpu_s += share.elastic * things.step_s
            share.elastic_allocated_gpu_s += elastic_allocated * things.step_s
        if things.loans.size > 0:
            share.lent_gpu_s += share.lent * things.step_s
            share.borrowed_gpu_s += share.borrowed * things.step_s


@compiled
def close_gpus(things, hourly, hour):
    """Hand an hour's GPU-seconds and node counts over, and start the next at 0."""
    for f in range(things.fleets.size):
        fleet = things.fleets[f]
        hourly.nodes[0, hour, f] = fleet.failures
        hourly.nodes[1, hour, f] = fleet.repairs
        fleet.failures = 0
        fleet.repairs = 0
    for s in range(things.shares.size):
        share = things.shares[s]
        hour_gpu_s = (share.rented_gpu_s, share.healthy_gpu_s, share.allocated_gpu_s,
                      share.prefill_gpu_s, share.decode_gpu_s, share.required_gpu_s,
                      share.offered_gpu_s, share.lent_gpu_s, share.borrowed_gpu_s,
                      share.load_offered_gpu_s, share.load_capacity_gpu_s,
                      share.load_required_gpu_s, share.load_rented_gpu_s, share.failed_gpu_s,
                      share.draining_gpu_s, share.out_gpu_s, share.elastic_gpu_s,
                      share.elastic_allocated_gpu_s, share.active_gpu_s)
        for i in range(len(hour_gpu_s)):
            hourly.gpu_s[i, hour, s] = hour_gpu_s[i]
        share.rented_gpu_s = share.healthy_gpu_s = share.allocated_gpu_s = 0.0
        share.prefill_gpu_s = share.decode_gpu_s = share.required_gpu_s = 0.0
        share.offered_gpu_s = share.lent_gpu_s = share.borrowed_gpu_s = 0.0
        share.load_offered_gpu_s = share.load_capacity_gpu_s = share.failed_gpu_s = 0.0
        share.load_required_gpu_s = share.load_rented_gpu_s = 0.0
        share.draining_gpu_s = share.out_gpu_s = 0.0
        share.elastic_gpu_s = share.elastic_allocated_gpu_s = share.active_gpu_s = 0.0


@compiled
def close_messages(things, hourly, hour):
    """Count whole messages, each with one outcome; fractions are carried to the next hour.

    An outcome is never counted before its arrival. What is counted as arrived and has no outcome
    waits or is between two attempts; when nobody really does, it was served.
    """
    for c in range(things.classes.size):
        klass = things.classes[c]
        arrived, retried = nearest(klass.arrived), nearest(klass.retried)
        klass.open_messages += arrived
        shed = min(nearest(klass.shed), klass.open_messages)
        klass.open_messages -= shed
        abandoned = min(nearest(klass.abandoned), klass.open_messages)
        klass.open_messages -= abandoned
        retrying = total(things.in_retry, c)
        served = klass.open_messages
        if total(things.waiting, c) + retrying > 0.5:
            served = min(max(0, nearest(klass.served)), klass.open_messages)
        klass.open_messages -= served
        count_services(things, hourly, c, hour, served)
        degraded = 0
        if klass.degrade_slot >= 0:
            degraded = min(nearest(klass.degraded), hourly.served[hour, c, klass.degrade_slot])
        slo_met = min(max(0, nearest(klass.slo_met)), served)
        in_retry = min(nearest(retrying), klass.open_messages)
        klass.arrived -= arrived
        klass.retried -= retried
        klass.shed -= shed
        klass.abandoned -= abandoned
        klass.served -= served
        klass.degraded -= degraded
        klass.slo_met -= slo_met
        counts = (arrived, shed, abandoned, retried, degraded, slo_met,
                  klass.open_messages - in_retry, in_retry)
        for i in range(len(counts)):
            hourly.messages[i, hour, c] = counts[i]
        hourly.expected[hour, c] = klass.expected
        hourly.waiting_message_s[hour, c] = klass.waiting_message_s
        klass.expected = 0.0
        klass.waiting_message_s = 0.0


@compiled
def count_services(things, hourly, c, hour, served):
    """Divide a class's whole served messages between the services it used, the largest fraction first."""
    left = served
    slots = things.served.shape[1]
    for m in range(slots):
        count = min(left, max(0, math.floor(things.served[c, m])))
        things.served[c, m] -= count
        hourly.served[hour, c, m] = count
        hourly.work_gpu_s[hour, c, m] = things.work_gpu_s[c, m]
        things.work_gpu_s[c, m] = 0.0
        left -= count
    for _ in range(left):
        best = -1
        for m in range(slots):
            used = things.served[c, m] != 0 or hourly.served[hour, c, m] > 0
            if used and (best < 0 or things.served[c, m] > things.served[c, best]):
                best = m
        best = max(0, best)
        things.served[c, best] -= 1
        hourly.served[hour, c, best] += 1


@compiled
def remember(things):
    """Keep the hour's totals so far, so that a step can be told from its hour."""
    for s in range(things.shares.size):
        things.shares_before[s] = things.shares[s]
    for c in range(things.classes.size):
        things.classes_before[c] = things.classes[c]


@compiled
def record_step(things, steps, row):
    """Keep one step: its GPUs by share and its messages by class."""
    for s in range(things.shares.size):
        now, before = things.shares[s], things.shares_before[s]
        work_gpu_s = (now.prefill_gpu_s - before.prefill_gpu_s) + (now.decode_gpu_s - before.decode_gpu_s)
        gpus = (float(now.rented), float(now.healthy), float(now.allocated), work_gpu_s / things.step_s,
                (now.required_gpu_s - before.required_gpu_s) / things.step_s,
                (now.offered_gpu_s - before.offered_gpu_s) / things.step_s,
                float(now.lent), float(now.borrowed))
        for i in range(len(gpus)):
            steps.gpus[i, row, s] = gpus[i]
    for c in range(things.classes.size):
        klass, before = things.classes[c], things.classes_before[c]
        messages = (klass.arrived - before.arrived, klass.served - before.served,
                    klass.degraded - before.degraded, klass.shed - before.shed,
                    klass.abandoned - before.abandoned, klass.retried - before.retried,
                    total(things.waiting, c), total(things.in_retry, c),
                    klass.waiting_message_s - before.waiting_message_s, klass.wait_s)
        for i in range(len(messages)):
            steps.messages[i, row, c] = messages[i]
