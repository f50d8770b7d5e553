"""Random streams by name: a stream belongs to a thing, not to the order of draws.

`streams.uniforms("fleet/azure/failures", n)` continues the stream of that name. Two scenarios that
share a name, a seed and a replication see the same numbers, whatever else differs between them.
"""

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MAX_SEED = 2**63 - 1
"""The largest seed and replication: what the columns of `dim_run` hold."""


def key_of(seed: int, replication: int, name: str) -> int:
    """The 64-bit key of a stream whose draws are made by number, in a kernel."""
    digest = sha256(f"{seed}/{replication}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


class Streams:
    """The named streams of one replication of one run.

    Each stream is keyed (seed, replication, sha256 of its name). A consumer takes a fixed number of
    uniforms per step, so that a changed rate shifts no other stream and no other step.
    """

    def __init__(self, seed: int, replication: int = 0) -> None:
        self.seed = seed
        self.replication = replication
        self._generators: dict[str, np.random.Generator] = {}

    def uniforms(self, name: str, count: int) -> "np.ndarray":
        """The next `count` uniforms in the open interval (0, 1) of the stream `name`, float64."""
        import numpy as np

        generator = self._generators.get(name)
        if generator is None:
            words = np.frombuffer(sha256(name.encode()).digest(), dtype="<u4")
            key = [self.seed, self.replication, *(int(word) for word in words)]
            generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
            self._generators[name] = generator
        draws = generator.random(count)
        # random() may return 0, which inversion would send to minus infinity.
        return np.maximum(draws, 2.0**-54, out=draws)
