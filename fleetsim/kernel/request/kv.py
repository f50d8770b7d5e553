"""The KV cache of a replica: reserved whole at admission, or given out in blocks as tokens come.

Where it grows, a decoding sequence asks for a block every `block_tokens` steps. `residues` counts the
sequences by when: one with t tokens at step s asks at the steps for which (t - s + step) is a multiple of
`block_tokens`, so its residue (t - s) modulo `block_tokens` never changes while it decodes.
"""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import compiled


@compiled
def blocks(group, tokens):
    """Blocks that hold so many tokens."""
    return (tokens + group.block_tokens - 1) // group.block_tokens


@compiled
def need(group, request):
    """What a request asks for at admission: room for all its tokens, or blocks up to its next one."""
    if group.grow == 1:
        return blocks(group, request.prompt + request.made + 1)
    return request.prompt + request.output


@compiled
def exceeds(group, request):
    """Whether a request can never run on a replica of the group."""
    tokens = request.prompt + request.output
    return (blocks(group, tokens) if group.grow == 1 else tokens) > group.kv_room


@compiled
def release(group, replica, request, tokens):
    """Give back what a decoding sequence with so many tokens has."""
    if group.grow == 1:
        replica.used -= blocks(group, tokens)
    else:
        replica.used -= request.prompt + request.output


@compiled
def count_decoding(state, r, request, first_step, change):
    """A sequence that decodes from step `first_step` on starts (1) or stops (-1) to ask for blocks."""
    group = state.groups[PLACE(state.replicas[PLACE(r)].group)]
    if group.grow == 1:
        residue = (request.prompt + request.made - first_step) % group.block_tokens
        state.residues[PLACE(r), PLACE(residue)] += change


@compiled
def asked(state, r, ahead):
    """Blocks that the decoding sequences ask for at the boundary `ahead` steps from now."""
    replica = state.replicas[PLACE(r)]
    group = state.groups[PLACE(replica.group)]
    return state.residues[PLACE(r), PLACE(-(replica.step + ahead) % group.block_tokens)]


@compiled
def given_within(state, r, steps):
    """Blocks given out at the boundaries inside a segment of so many steps."""
    block_tokens = state.groups[PLACE(state.replicas[PLACE(r)].group)].block_tokens
    given = 0
    for ahead in range(1, min(steps, block_tokens + 1)):
        given += (1 + (steps - 1 - ahead) // block_tokens) * asked(state, r, ahead)
    return given


@compiled
def steps_until_short(state, r):
    """Steps until the decoding sequences ask for more blocks than there are."""
    replica = state.replicas[PLACE(r)]
    group = state.groups[PLACE(replica.group)]
    left = group.kv_room - replica.used
    cycles = left // replica.batch  # in each cycle of block_tokens steps every sequence gets one block
    left -= cycles * replica.batch
    steps = cycles * group.block_tokens
    while left >= 0:
        steps += 1
        left -= asked(state, r, steps)
    return steps
