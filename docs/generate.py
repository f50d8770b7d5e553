"""Write the reference pages from the code, and the outputs that the other pages show.

    python docs/generate.py              the reference pages (what `make docs` runs, with --outputs)
    python docs/generate.py --outputs    also runs every console block again and writes what it prints

The pages under docs/reference are never edited by hand; a test compares them with what is written here.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
REFERENCE = DOCS / "reference"
sys.path.insert(0, str(DOCS))  # the pages' own modules lie beside this file, which may be imported by path

MADE = "<!-- Written by docs/generate.py from the code. Do not edit: run `make docs`. -->"


def pages() -> dict[str, str]:
    """Every reference page by its file name."""
    from scenario_page import scenario_page

    return {
        "README.md": index_page(),
        "scenario.md": page("The scenario file", scenario_page()),
        "tables.md": page("Tables", tables_page()),
        "figures.md": page("Figures", figures_page()),
        "commands.md": page("Commands", commands_page()),
        "errors.md": page("Error codes", errors_page()),
        "catalogue.md": page("Catalogue", catalogue_page()),
    }


def page(title: str, body: str) -> str:
    """A page with its title and the remark that it is written by a program."""
    return f"{MADE}\n# {title}\n\n{body.strip()}\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; `|` and line ends in cells are made harmless."""
    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(cell(value) for value in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *(line(row) for row in rows)])


def cell(value: object) -> str:
    """A value as the text of one cell."""
    return " ".join(str(value).replace("|", "\\|").split())


def index_page() -> str:
    """What there is to look up."""
    return page("Reference", """\
Looked up from the code of this version, so it is never out of step with it.

| page | answers |
|---|---|
| [The scenario file](scenario.md) | which keys there are, their type, unit, bounds, default and meaning |
| [Tables](tables.md) | which tables and columns a run has, their unit, and whether they may be summed |
| [Figures](figures.md) | which results can stand in objectives and published facts |
| [Commands](commands.md) | every verb and option of `fleetsim` |
| [Error codes](errors.md) | what the code at the end of an error means, with a wrong and a right line |
| [Catalogue](catalogue.md) | GPU types, deployed models and prices that ship, with source, date and grade |
""")


def tables_page() -> str:
    """Every table of a run directory with its columns."""
    from fleetsim.output.dimension_tables import DIMENSION_TABLES
    from fleetsim.output.fact_tables import FACT_TABLES
    from fleetsim.output.later_tables import LATER_TABLES
    from fleetsim.output.series_tables import SERIES_TABLES
    from fleetsim.output.tables import DIMENSION_OF

    parts = ["""\
One Parquet file per table under `tables/` of a run directory. **Sum** says whether a column may be summed
over rows; make ratios from sums, and never add up a level or a share. Columns of the key are never null; a
column that a run does not fill is null, a table that it does not fill has zero rows. Every table begins
with `run_id`. [How to read them](../howto/read-results.md).
"""]
    for title, group in (("Facts", FACT_TABLES), ("Step series (`--resolution step` only)", SERIES_TABLES),
                         ("Dimensions", DIMENSION_TABLES), ("Not filled yet: zero rows", LATER_TABLES)):
        parts.append(f"\n## {title}\n")
        if group is DIMENSION_TABLES:
            parts.append("One row per thing of the scenario. Labels of fleets, pools, services and traffic "
                         "classes are further columns of type string.\n")
        for each in group:
            key = ", ".join(f"`{name}`" for name in each.key)
            parts.append(f"\n### {each.name}\n\nOne row per {each.grain}. Key: {key}.\n\n" + table(
                ("column", "type", "unit", "sum", "meaning"),
                ((f"`{column.name}`", column.dtype, column.unit, "yes" if column.additive else "",
                  column.meaning) for column in each.columns)))
    joins = table(("column", "dimension"), ((f"`{name}`", f"[{dim}](#{dim})")
                                            for name, dim in DIMENSION_OF.items()))
    parts.append(f"\n## Joins\n\nA column of this name, in any table, refers to this dimension.\n\n{joins}")
    return "\n".join(parts)


def figures_page() -> str:
    """The registry of figures."""
    from fleetsim.model.figure import FIGURES

    rows = ((f"`{figure.name}`", figure.unit, figure.adds_up, figure.better, figure.meaning)
            for figure in FIGURES)
    return """\
A figure is one registered result. It stands in `objectives` as `result:NAME`, in `published` as
`figure: NAME`, in `summary.json` under its name, and is computed over any window by
`run.figure(NAME, start, end, days)`. `{pool}` stands for the name of a pool of the scenario, and so on.
A figure that has no value (nothing arrived, nothing ran short) is null.

""" + table(("figure", "unit", "over time", "better", "meaning"), rows)


def commands_page() -> str:
    """Every verb with its arguments and options, from the command-line library's own tree."""
    import typer.main

    from fleetsim.cli.main import EXIT_CODES, VERBS, app

    tree: Any = typer.main.get_command(app)
    parts = [f"""\
Data goes to stdout, progress and remarks to stderr, so `--json` can be piped. {EXIT_CODES}
A `RUN` is a run directory, a scenario's directory or name (its newest run), or the start of a run id.

{table(("verb", "does"), ((f"[`{verb.__name__}`](#{verb.__name__})", line) for verb, line in VERBS))}
"""]
    for verb, _ in VERBS:
        name = verb.__name__
        command = tree.commands[name]
        rows = [option_row(parameter) for parameter in command.params if parameter.name != "help"]
        words = [parameter.metavar or parameter.name.upper() for parameter in command.params
                 if parameter.param_type_name == "argument"]
        parts.append(f"\n## {name}\n\n`{' '.join(['fleetsim', name, *words, '[OPTIONS]'])}`\n\n"
                     f"{command.help.strip()}\n\n" + table(("option", "value", "default", "meaning"), rows))
    return "\n".join(parts)


def option_row(parameter: Any) -> tuple[str, str, str, str]:
    """One argument or option: its name, what it takes, its default, what it means."""
    is_flag = bool(getattr(parameter, "is_flag", False))
    choices = [str(getattr(choice, "value", choice)) for choice in getattr(parameter.type, "choices", ())]
    takes = parameter.metavar or " or ".join(choices) or ("" if is_flag else "a whole number"
                                                          if "int" in str(parameter.type).lower() else "text")
    default = "" if is_flag or parameter.default is None else f"`{parameter.default}`"
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return f"`{name}`", "", "required" if parameter.required else "", parameter.help
    return ", ".join(f"`{word}`" for word in parameter.opts), "" if is_flag else takes, \
        "required" if parameter.required else default, parameter.help


def errors_page() -> str:
    """Every code of a diagnostic, with its examples."""
    from fleetsim.spec.codes import CODES

    parts = ["""\
A fault of a file reads `file:line:column: error: path: what is wrong [code]`, with the line, a caret and
often a help. `fleetsim explain CODE` prints an entry of this page. All faults of a file are reported at
once. A warning does not stop a run.
"""]
    for code, text in CODES.items():
        lines = text.splitlines()
        prose = " ".join(line for line in lines if not line.startswith("  "))
        examples = [line.strip() for line in lines if line.startswith("  ")]
        parts.append(f"\n## {code}\n\n{prose}\n\n```text\n" + "\n".join(examples) + "\n```")
    return "\n".join(parts)


def catalogue_page() -> str:
    """What ships with the package."""
    from fleetsim.spec import catalog

    gpus = table(
        ("name", "TFLOP/s BF16 dense", "HBM, GB", "GB/s", "TDP, W", "server W per GPU", "`flops_factor`",
         "`bandwidth_factor`", "GPUs per node", "source", "date", "grade"),
        ((f"`{name}`", number(gpu.bf16_dense_tflops), number(gpu.memory_gb), number(gpu.bandwidth_gb_per_s),
          number(gpu.tdp_w), number(gpu.server_w_per_gpu), number(gpu.flops_factor),
          number(gpu.bandwidth_factor), gpu.gpus_per_node, gpu.source, gpu.date, gpu.grade)
         for name, gpu in catalog.gpus().items()))
    models = table(
        ("name", "prefill, token/s per A100", "decode, token/s per A100", "active parameters, 1e9", "source",
         "date", "grade"),
        ((f"`{name}`", number(model.rates.prefill_tokens_per_s_per_gpu),
          number(model.rates.decode_tokens_per_s_per_gpu), number(model.active_parameters or 0),
          model.source, model.date, model.grade) for name, model in catalog.models().items()))
    prices = table(
        ("name", "provider", "GPU type", "bought", "USD/GPU-hour", "source", "date", "grade", "note"),
        ((f"`{name}`", price.provider, price.gpu, price.type, price.usd_per_gpu_hour, price.source, price.date,
          price.grade, price.note) for name, price in catalog.prices().items()))
    return f"""\
Grades: A primary source, B named report, C widely cited and unverified, D own estimate.
The files are `fleetsim/spec/catalog/gpus.yaml`, `models.yaml` and `prices.yaml` of the same folder.

## GPU types

`fleets.NAME.gpu` names one of them, or one that the scenario's own `gpus` declares. The factors are delivered
work per GPU relative to one A100-80GB: `flops_factor` for prompts and training, `bandwidth_factor` for outputs.
They are own estimates (D) inside published ranges; source, date and grade are those of the data sheet.

{gpus}

## Deployed models

`services.NAME.model` names one of them. Rates hold at saturation on one A100-80GB, before `efficiency_frac`.

{models}

## Prices

For reading and for contracts; no run takes a price from here by itself.

{prices}
"""


def number(value: float) -> str:
    """A figure as a reader writes it."""
    return f"{value:,.10g}"


def write_pages() -> list[Path]:
    """Write the reference pages that changed; returns them."""
    changed = []
    for name, text in pages().items():
        path = REFERENCE / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def main() -> None:
    """Write what changed and say so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outputs", action="store_true", help="run the console blocks of the pages again")
    wanted = parser.parse_args()
    changed = write_pages()
    if wanted.outputs:
        from sessions import PAGES, refreshed

        for path in PAGES:
            text = path.read_text(encoding="utf-8")
            fresh = refreshed(text)
            if fresh != text:
                path.write_text(fresh, encoding="utf-8")
                changed.append(path)
    print("\n".join(f"wrote {path.relative_to(ROOT)}" for path in changed) or "nothing changed")


if __name__ == "__main__":
    main()
