"""How kernels are compiled: inlined into one function, cached on disk, without reference counting.

The kernels allocate nothing, so no array can be freed while one runs; counting references on every
array access costs twenty times the arithmetic, and passing arrays between functions that are not
inlined about as much again (measured on a year of three fleets: 9.3 s against 0.1 s). Divisions are
guarded where they stand, so numba's own check for 0 is off.
"""

import os
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba

unliteral: Any = numba.core.types.unliteral
decorator: Any = numba.njit
"""numba's own, whose type hints leave out the option that turns reference counting off."""
INTERNAL: Any = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy"}
"""Parts are called by kernels alone: what Python would call them through took a third of the compilation."""
F = TypeVar("F", bound=Callable[..., Any])


def cache_folder(home: Path) -> Path:
    """Where the compiled kernels of the folder `home` are kept: named after its sources and the shared ones.

    numba notices a change only in the file of the outermost function; a kernel that calls into
    other files would go on with their old code. References are not compiled.
    """
    digest = sha256()
    for folder in sorted({Path(__file__).parent, home}):
        for source in sorted(folder.glob("*.py")):
            if "reference" not in source.stem:
                digest.update(source.read_bytes())
    name = f"kernels-{digest.hexdigest()[:16]}"
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleetsim" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir()) / f"fleetsim-{name}"
    return folder


def compiled(function: F) -> F:
    """A part of a kernel; it writes to the arrays it is given and allocates none."""
    part: F = _once(decorator(forceinline=True, **INTERNAL)(function))
    return part


def called(function: F) -> F:
    """A part of a kernel that stays a call: it is large, used in many places and takes few arrays."""
    part: F = _once(decorator(**INTERNAL)(function))
    return part


def _once(part: Any) -> Any:
    """Compile a part once for its types: numba would do it again for every constant that is passed to it."""
    resolve, plain = part.get_call_template, unliteral

    def with_plain_types(args: Any, kws: Any) -> Any:
        return resolve([plain(each) for each in args], {name: plain(each) for name, each in kws.items()})

    part.get_call_template = with_plain_types
    return part


def compiled_entry(function: F) -> F:
    """The function of a kernel that Python calls. NUMBA_CACHE_DIR, when set, says where it is cached."""
    settings: Any = numba.config
    before = settings.CACHE_DIR
    try:
        settings.CACHE_DIR = before or str(cache_folder(Path(function.__code__.co_filename).parent))
        kernel: F = decorator(cache=True, _nrt=False, error_model="numpy")(function)
    finally:
        settings.CACHE_DIR = before
    return kernel
