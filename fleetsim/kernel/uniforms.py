"""Uniforms by number: splitmix64, which makes the n-th draw of a stream without the draws before it.

Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014.
"""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import compiled

GOLDEN = PLACE(0x9E3779B97F4A7C15)
FIRST_MIX, SECOND_MIX = PLACE(0xBF58476D1CE4E5B9), PLACE(0x94D049BB133111EB)
ONE, BY_30, BY_27, BY_31, BY_11 = PLACE(1), PLACE(30), PLACE(27), PLACE(31), PLACE(11)


@compiled
def uniform(seed, number):
    """The uniform of this number, in the open interval (0, 1); both are unsigned."""
    bits = seed + (number + ONE) * GOLDEN
    bits = (bits ^ (bits >> BY_30)) * FIRST_MIX
    bits = (bits ^ (bits >> BY_27)) * SECOND_MIX
    bits = bits ^ (bits >> BY_31)
    return (float(bits >> BY_11) + 0.5) * 2.0**-53
