"""The public validator in an environment of its own: it needs Python 3.12 or later and pins old packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VALIDATOR = "focus-validator==2.2.1"
PACKAGES = (VALIDATOR, "pyarrow<22")
"""It pins a numpy that newer pyarrows do not work with; on Python 3.11 pip takes one that does not start."""
NEWEST, OLDEST = 14, 12
"""Minor versions of Python 3 that are tried."""


class CannotBeMade(Exception):
    """Why there is no environment: no Python, no network."""


def validator(folder: Path) -> Path:
    """The validator's program; its environment is made in `folder` when it is not there yet."""
    program = folder / "bin" / "focus-validator"
    if (folder / "made").is_file():
        return program
    python = new_python()
    if python is None:
        raise CannotBeMade("no Python 3.12 or later was found")
    shutil.rmtree(folder, ignore_errors=True)
    for words in ([*python, "-m", "venv", str(folder)],
                  [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *PACKAGES]):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotBeMade(f"{' '.join(words)}: {done.stderr.strip().splitlines()[-1:]}")
    (folder / "made").write_text(VALIDATOR + "\n", encoding="utf-8")
    return program


def new_python() -> list[str] | None:
    """Words that start a Python that is new enough."""
    if sys.version_info >= (3, OLDEST):
        return [sys.executable]
    found = [shutil.which(f"python3.{minor}") for minor in range(NEWEST, OLDEST - 1, -1)]
    roots = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    found += [str(path / "bin" / "python") for root in roots for minor in range(OLDEST, NEWEST + 1)
              for path in sorted(root.glob(f"3.{minor}.*"))]
    return next(([path] for path in found if path is not None and starts(path)), None)


def starts(path: str) -> bool:
    """Whether it is a Python that is new enough, and not the name of one."""
    try:
        done = subprocess.run([path, "-c", f"import sys, venv; sys.exit(sys.version_info < (3, {OLDEST}))"],
                              capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def rules(folder: Path) -> Path:
    """Where the environment keeps the models of the specification."""
    return next((folder / "lib").glob("python3.*/site-packages/focus_validator/rules"))
