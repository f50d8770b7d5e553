"""Waits: who has waited how long, from the cohorts of a queue served first come first served.

A queue is kept as cohorts, one per step of arrivals. Whoever left (served or out of patience) is
gone from the oldest cohorts first; the age of the oldest message left is the wait of those being
served. Patience is exponential, so it thins every cohort alike.
"""

from fleetsim.kernel.arrays import COHORTS
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.formulas import age_of_oldest, kept_after, surviving, wait_bucket


@compiled
def note_waits(things, hourly, c, n, hour, waiting, dropped, joined, waited, left):
    """Record the waits of a step's served messages and update the queue's cohorts.

    waiting: in the queue at the start, after the `dropped` newest were shed; joined: arrived in the
    step and not turned away; waited: served out of a queue; left: in the queue at the end.
    """
    klass = things.classes[c]
    drop_newest(things, c, n - 1, dropped)
    if waiting <= 0 and left <= 0:
        klass.slo_met += klass.served_now
        return
    before_s = klass.wait_s
    per_s = joined / things.step_s
    fresh = surviving(per_s, things.step_s, klass.patience_s)
    kept = kept_after(things.step_s, klass.patience_s)
    if fresh > 0:
        join(things, c, n, per_s, fresh)
    drop_oldest(things, c, n, waiting * kept + fresh - left)
    if left > 0:
        klass.wait_s = oldest_age(things, c, n)
    else:
        klass.cohort_count = 0
        klass.wait_s = 0.0
    within = spread(things, hourly, c, hour, waited, before_s, klass.wait_s)
    klass.slo_met += klass.served_now - waited + within


@compiled
def join(things, c, n, per_s, messages):
    """Append a cohort; when there is no room, every two become one."""
    klass = things.classes[c]
    if klass.cohort_count == COHORTS:
        halve(things, c)
    cohort = things.cohorts[c, (klass.cohort_head + klass.cohort_count) % COHORTS]
    cohort.per_s = per_s
    cohort.left = messages
    cohort.step = n
    cohort.steps = 1
    klass.cohort_count += 1


@compiled
def halve(things, c):
    """Put every two cohorts of a full queue together, from the oldest on."""
    klass = things.classes[c]
    for i in range(COHORTS // 2):
        older = things.cohorts[c, (klass.cohort_head + 2 * i) % COHORTS]
        newer = things.cohorts[c, (klass.cohort_head + 2 * i + 1) % COHORTS]
        both = things.cohorts[c, (klass.cohort_head + i) % COHORTS]
        age_s = (newer.step - older.step) * things.step_s
        left = older.left * kept_after(age_s, klass.patience_s) + newer.left
        steps = older.steps + newer.steps
        per_s = (older.per_s * older.steps + newer.per_s * newer.steps) / steps
        step = newer.step
        both.per_s = per_s
        both.left = left
        both.step = step
        both.steps = steps
    klass.cohort_count = COHORTS // 2


@compiled
def drop_oldest(things, c, n, messages):
    """Take so many messages, counted now, from the oldest cohorts."""
    klass = things.classes[c]
    while messages > 0 and klass.cohort_count > 0:
        cohort = things.cohorts[c, klass.cohort_head]
        kept = kept_after((n - cohort.step) * things.step_s, klass.patience_s)
        here = cohort.left * kept
        if here > messages:
            cohort.left -= messages / kept
            return
        messages -= here
        klass.cohort_head = (klass.cohort_head + 1) % COHORTS
        klass.cohort_count -= 1


@compiled
def drop_newest(things, c, n, messages):
    """Take so many messages, counted now, from the newest cohorts, as if they had not come."""
    klass = things.classes[c]
    while messages > 0 and klass.cohort_count > 0:
        cohort = things.cohorts[c, (klass.cohort_head + klass.cohort_count - 1) % COHORTS]
        here = cohort.left * kept_after((n - cohort.step) * things.step_s, klass.patience_s)
        if here > messages:
            rest = 1.0 - messages / here
            cohort.left *= rest
            cohort.per_s *= rest
            return
        messages -= here
        klass.cohort_count -= 1


@compiled
def oldest_age(things, c, n):
    """How long the oldest message has waited at the end of step n, in seconds."""
    klass = things.classes[c]
    if klass.cohort_count == 0:
        return 0.0
    cohort = things.cohorts[c, klass.cohort_head]
    own = age_of_oldest(cohort.left, cohort.per_s, klass.patience_s, cohort.steps * things.step_s)
    return (n - cohort.step) * things.step_s + own


@compiled
def spread(things, hourly, c, hour, waited, first_s, last_s):
    """Put served messages into the wait buckets, evenly between two waits.

    Returns how many of them waited no longer than the class's service level allows.
    """
    low, high = min(first_s, last_s), max(first_s, last_s)
    if waited <= 0 or high <= 0:
        return max(0.0, waited)
    hourly.waited[hour, c] = True
    last = wait_bucket(high)
    done = 0.0
    for bucket in range(max(1, wait_bucket(low)), last):
        floor = max(low, things.wait_edges_s[bucket - 1])
        here = waited * max(0.0, things.wait_edges_s[bucket] - floor) / (high - low)
        hourly.waits[hour, c, bucket] += here
        done += here
    hourly.waits[hour, c, last] += max(0.0, waited - done)
    allowed = things.classes[c].slo_wait_s
    if allowed >= high:
        return waited
    if allowed <= low:
        return 0.0
    return waited * (allowed - low) / (high - low)
