"""A file in blocks of whole lines."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from fleetsim.errors import UsageError

BLOCK_BYTES = 4 << 20
LONGEST_LINE = 64 << 20
"""A file with a longer line is no text of rows."""


class Block(NamedTuple):
    """Whole lines of a file."""

    line: int
    """Number of the first one, from 1."""
    data: bytes


class LineBlocks:
    """Reads a file once, in blocks that end with a line; `digest` is that of the bytes read so far."""

    def __init__(self, path: Path, size: int = BLOCK_BYTES) -> None:
        self._path = path
        self._size = size
        self._sha = sha256()

    @property
    def digest(self) -> str:
        """SHA-256 of what was read."""
        return self._sha.hexdigest()

    def __iter__(self) -> Iterator[Block]:
        line, rest = 1, b""
        with self._path.open("rb") as stream:
            while data := stream.read(self._size):
                self._sha.update(data)
                head, newline, tail = data.rpartition(b"\n")
                if not newline:
                    rest += data
                    if len(rest) > LONGEST_LINE:
                        raise UsageError(f"{self._path}:{line}: error: this line has more than 64 MB: the "
                                         "file is no text of rows")
                    continue
                block, rest = rest + head + newline, tail
                yield Block(line, block)
                line += block.count(b"\n")
        if rest:
            yield Block(line, rest)
