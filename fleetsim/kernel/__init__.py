"""Move: arrays in, arrays out, compiled by numba; beside each kernel its plain, readable reference.

Importing a kernel imports numba: do it only where a simulation starts.
"""

import os
import tempfile
from hashlib import sha256
from pathlib import Path


def _cache_dir() -> str:
    """Where compiled kernels are kept: a folder named after the sources of all of them.

    numba notices a change only in the file of the outermost function; a kernel that calls into
    other files would go on with their old code. References are not compiled.
    """
    digest = sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        if "reference" not in source.stem:
            digest.update(source.read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        folder = base / "fleetsim" / f"kernels-{digest.hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"fleetsim-kernels-{digest.hexdigest()[:16]}"
    return str(folder)


os.environ.setdefault("NUMBA_CACHE_DIR", _cache_dir())
