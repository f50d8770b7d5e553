"""`fleetsim new FILE`: a small scenario to start from."""

import re
from pathlib import Path
from typing import Annotated

import typer

from fleetsim.cli.console import say, say_json
from fleetsim.cli.options import AsJson
from fleetsim.cli.template import TEMPLATE
from fleetsim.errors import UsageError


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Scenario file to write.")],
    as_json: AsJson = False,
) -> None:
    """Write a small commented scenario that runs; never overwrites a file."""
    if file.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{file} is no name for a scenario file; write {file}.yaml")
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-") or "scenario"
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(TEMPLATE.replace("{name}", name))
    except FileExistsError:
        raise UsageError(f"{file} exists already and is not overwritten") from None
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None
    if as_json:
        say_json({"file": str(file), "name": name})
    else:
        say(f"wrote {file}; next: fleetsim run {file}")
