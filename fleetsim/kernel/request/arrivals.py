"""Requests as they come: Poisson with a rate that changes from row to row, lognormal tokens, or from a trace.

Each request of a class takes four uniforms by its number, so that a changed rate, length or patience shifts
no other draw.
"""

import math

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.formulas import normal_quantile
from fleetsim.kernel.uniforms import uniform

GAP, PROMPT, OUTPUT, PATIENCE = PLACE(0), PLACE(1), PLACE(2), PLACE(3)


@compiled
def draw(class_, what):
    """The uniform of a class's next request for its gap, prompt, output or patience."""
    return uniform(class_.seed, class_.drawn * PLACE(4) + what)


@compiled
def draw_arrival(state, c, after_ns):
    """Set the arrival of a class's next request, the first after `after_ns`.

    The rate's integral up to the next arrival is exponential with mean 1, whatever the rate does.
    """
    class_ = state.classes[PLACE(c)]
    class_.hazard = -math.log(draw(class_, GAP))
    spend(state, c, after_ns)


@compiled
def spend(state, c, after_ns):
    """Go through the rates from `after_ns` on until the hazard is spent or they are known no further."""
    class_ = state.classes[PLACE(c)]
    rates, length = state.rates, state.rate_ns
    since = after_ns - state.rates_from_ns
    row = since // length
    at = float(since - row * length)
    class_.next_ns = NEVER
    while row < rates.shape[0]:
        per_ns = rates[PLACE(row), PLACE(c)] * 1e-9
        ahead = per_ns * (length - at)
        if class_.hazard < ahead:
            class_.next_ns = state.rates_from_ns + row * length + int(at + class_.hazard / per_ns)
            class_.hazard = 0.0
            return
        class_.hazard -= ahead
        at = 0.0
        row += 1


@compiled
def lognormal(u, mu, sigma, most):
    """Tokens: a lognormal, rounded, between 1 and `most`."""
    return int(min(max(math.exp(mu + sigma * normal_quantile(u)) + 0.5, 1.0), most))


@compiled
def draw_tokens(class_, request):
    """Prompt and output of a class's next request."""
    request.prompt = lognormal(draw(class_, PROMPT), class_.prompt_mu, class_.prompt_sigma, class_.prompt_max)
    request.output = lognormal(draw(class_, OUTPUT), class_.output_mu, class_.output_sigma, class_.output_max)


@compiled
def expect(state, request, c, arrival_ns, now):
    """How long a request that came at `arrival_ns` and waits at `now` goes on waiting, and its prefix cache.

    Patience has no memory; the longest wait counts from the arrival.
    """
    class_ = state.classes[PLACE(c)]
    request.class_ = c
    request.arrival_ns = arrival_ns
    wait = max(0.0, float(class_.max_wait_ns) - float(now - arrival_ns))
    if class_.patience_ns < math.inf:
        wait = min(wait, -math.log(draw(class_, PATIENCE)) * class_.patience_ns)
    request.deadline_ns = now + int(wait) if wait < float(NEVER) / 2 else NEVER
    class_.drawn += PLACE(1)
    class_.arrived += 1
    request.cached = min(request.prompt - 1, int(request.prompt * class_.cached_frac))
    request.left = request.prompt - request.cached


@compiled
def look_ahead(state):
    """Find the next arrival and its source: the trace first, then the class with the lowest number."""
    clock = state.clock[0]
    clock.next_source = state.classes.size
    clock.next_ns = NEVER
    if clock.trace_row < state.trace_ns.size:
        clock.next_ns = state.trace_ns[PLACE(clock.trace_row)]
    for c in range(state.classes.size):
        if state.classes[PLACE(c)].next_ns < clock.next_ns:
            clock.next_ns = state.classes[PLACE(c)].next_ns
            clock.next_source = c


@compiled
def arrive(state, slot):
    """Make the next arrival a request in `slot`, and look ahead to the one after it."""
    clock, request = state.clock[0], state.requests[PLACE(slot)]
    now, drawn = clock.next_ns, clock.next_source < state.classes.size
    if drawn:
        c = clock.next_source
        class_ = state.classes[PLACE(c)]
        draw_tokens(class_, request)
    else:
        row = PLACE(clock.trace_row)
        request.prompt, request.output, c = state.trace[row, 0], state.trace[row, 1], state.trace[row, 2]
        clock.trace_row += 1
    expect(state, request, c, now, now)
    if drawn:
        draw_arrival(state, c, now)
    look_ahead(state)
