"""Where an export goes: made under another name and renamed when it is whole and its totals are right."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from fleetsim.errors import UsageError
from fleetsim.output.layout import MANIFEST, is_run

MARK = "export.json"
"""A folder that holds it was written by an export, so that another may replace it."""


class Target:
    """A place for one export. Write to `partial(...)`; `publish` makes it appear, or nothing does.

    UsageError when the place lies in a run, which never changes, or is taken and `force` is not given.
    """

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = path
        self.force = force
        self._check()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.partial-", dir=path.parent))
        except OSError as error:
            raise UsageError(f"cannot write to {path.parent}: {error.strerror}") from None

    def partial(self, name: str | None = None) -> Path:
        """The temporary path of the export, or of another file that stands beside it."""
        return self._folder / (name or self.path.name)

    def publish(self, *beside: str) -> list[Path]:
        """Let the export appear, the files beside it first; returns their paths, the export's own first."""
        self._check(*beside)
        for name in beside:
            self.partial(name).replace(self.path.with_name(name))
        if self.path.is_dir():
            self.path.rename(self._folder / "replaced")
        self.partial().replace(self.path)
        return [self.path, *(self.path.with_name(name) for name in beside)]

    def _check(self, *beside: str) -> None:
        for parent in (self.path.resolve(), *self.path.resolve().parents):
            if is_run(parent):
                raise UsageError(f"{self.path} is inside the run {parent}, which never changes ({MANIFEST} "
                                 "lists what it holds); write the export beside it")
        for path in (self.path, *(self.path.with_name(name) for name in beside)):
            if path.is_dir() and not (path / MARK).is_file():
                raise UsageError(f"{path} is a directory and no earlier export; give another name with -o")
            if path.exists() and not self.force:
                raise UsageError(f"{path} exists; --force replaces it")

    def __enter__(self) -> "Target":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
