"""The code blocks of the pages: what they run, and what that prints.

A ```console block holds commands after `$ ` and below each what it prints on stdout, in full. A ```python
block is run as it stands; a ```text block that follows it after the line `prints` holds what it prints. A
```yaml block whose first line is `# name.yaml` becomes that file. All blocks of a page run one after the
other in one empty folder, in which `workloads` is the repository's. A block after `<!-- not run -->` is for
reading only.
"""

import os
import re
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
BLOCK = re.compile(r"(<!-- not run -->\n)?^```(\w+)\n(.*?)^```$(\n\nprints\n\n```text\n)?(?(4)(.*?)^```$)",
                   re.MULTILINE | re.DOTALL)

PAGES = [ROOT / "README.md", DOCS / "tutorial.md", *sorted((DOCS / "howto").glob("*.md"))]
"""The pages with code that runs."""


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a page in one language, without those that are not run."""
    return [found[3] for found in BLOCK.finditer(text) if found[2] == language and not found[1]]


def refreshed(text: str) -> str:
    """The page with the output of every block as it is now."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "workloads").symlink_to(ROOT / "workloads")
        names: dict[str, Any] = {"__name__": "page"}
        sys.modules["page"] = type(sys)("page")  # dataclasses look up the module that they stand in

        def again(found: re.Match[str]) -> str:
            if found[1]:
                return found[0]
            if found[2] == "yaml":
                keep_file(found[3], folder)
            elif found[2] == "console":
                return f"```console\n{session(found[3], folder)}```"
            elif found[2] == "python":
                shown = run_python(found[3], folder, names)
                if found[4]:
                    return f"```python\n{found[3]}```{found[4]}{shown}```"
            return found[0]

        try:
            return BLOCK.sub(again, text)
        finally:
            del sys.modules["page"]


def keep_file(text: str, folder: Path) -> None:
    """Write a YAML block whose first line is `# name.yaml` to that file."""
    named = re.match(r"# ([\w-]+\.yaml)\b", text)
    if named:
        (folder / named[1]).write_text(text, encoding="utf-8")


def run_python(code: str, folder: Path, names: dict[str, Any]) -> str:
    """What a Python block prints; it sees the names of the blocks before it."""
    shown = StringIO()
    with chdir(folder), redirect_stdout(shown):
        exec(compile(code, "<page>", "exec"), names)
    return "".join(f"{line.rstrip()}\n" for line in shown.getvalue().splitlines())


def session(block: str, folder: Path) -> str:
    """A console block with the output of its commands, run in `folder`."""
    lines, command = [], ""
    for line in block.splitlines():
        if line.startswith("$ "):
            command = line[2:]
        elif command.endswith("\\") and line.startswith("> "):
            command = f"{command[:-1]}{line[2:]}"
        else:
            continue
        lines.append(f"{line}\n")
        if not command.endswith("\\"):
            lines.append(printed(command, folder))
    return "".join(lines)


def printed(command: str, folder: Path) -> str:
    """What a shell command prints on stdout; RuntimeError with stderr when it fails unexpectedly.

    A faulty file or a missed objective (1, 2) is shown on purpose, and `head` may stop a writer (141).
    """
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TZ": "UTC"}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder, env=environment,
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 2, 141) or (done.returncode and not done.stdout):
        raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stderr}")
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
