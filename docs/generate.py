"""Write the reference pages from the code, and the outputs that the other pages show.

    python docs/generate.py                 the reference pages
    python docs/generate.py --outputs       also runs the code of the other pages and writes what it prints:
                                            what `make docs` does
    python docs/generate.py --check PAGE    runs the code of a page and says where its output differs

The pages under docs/reference are never edited by hand; a test compares them with what is written here.
"""

import argparse
import inspect
import re
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from markup import number, table

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
REFERENCE = DOCS / "reference"
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
    closed_up = re.sub(r"\n{3,}", "\n\n", body.strip())
    return f"{MADE}\n# {title}\n\n{closed_up}\n"


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
    from fleetsim.output.billing_tables import BILLING_TABLES
    from fleetsim.output.dimension_tables import DIMENSION_TABLES
    from fleetsim.output.fact_tables import FACT_TABLES
    from fleetsim.output.finance_tables import FINANCE_TABLES
    from fleetsim.output.series_tables import SERIES_TABLES
    from fleetsim.output.tables import DIMENSION_OF, TABLES
    from fleetsim.output.training_tables import TRAINING_TABLES

    parts = ["""\
One Parquet file per table under `tables/` of a run directory. **Sum** says whether a column may be summed
over rows; make ratios from sums, and never add up a level or a share. Columns of the key are never null; a
column that a run does not fill is null, a table that it does not fill has zero rows. Every table begins
with `run_id`. [How to read them](../howto/read-results.md).
"""]
    groups = (("Facts", FACT_TABLES), ("Billing", BILLING_TABLES), ("Finance", FINANCE_TABLES),
              ("Training", TRAINING_TABLES), ("Step series (`--resolution step` only)", SERIES_TABLES),
              ("Dimensions", DIMENSION_TABLES))
    missing = set(TABLES) - {each.name for _, group in groups for each in group}
    assert not missing, f"tables that stand on no page: {', '.join(sorted(missing))}"
    for title, group in groups:
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
    """Every verb with its arguments and options, from the functions behind them."""
    from fleetsim.cli.main import EXIT_CODES, GROUPS, VERBS

    commands = [(verb.__name__, verb, line) for verb, line in VERBS]
    commands += [(f"{group} {name}", verb, line)
                 for group, (_, inner, _) in GROUPS.items() for name, verb, line in inner]
    verbs = table(("verb", "does"),
                  ((f"[`{name}`](#{name.replace(' ', '-')})", line) for name, _, line in commands))
    parts = [f"""\
Data goes to stdout, progress and remarks to stderr, so `--json` can be piped; an error is JSON then
too ([how](errors.md#errors-for-programs)). {EXIT_CODES}
A `RUN` is a run directory, a scenario's directory or name (its newest run), or the start of a run id.

{verbs}
"""]
    for name, verb, _ in commands:
        words, rows = arguments(verb)
        parts.append(f"\n## {name}\n\n`{' '.join(['fleetsim', name, *words, '[OPTIONS]'])}`"
                     f"\n\n{inspect.cleandoc(verb.__doc__ or '')}\n\n"
                     + table(("argument or option", "takes", "default", "meaning"), rows))
    return "\n".join(parts)


def arguments(verb: Any) -> tuple[list[str], list[tuple[str, str, str, str]]]:
    """The names of a verb's arguments, and a row for each argument and option."""
    from typer.models import ArgumentInfo

    words, rows = [], []
    hints = get_type_hints(verb, include_extras=True)
    for name, parameter in inspect.signature(verb).parameters.items():
        if not get_args(hints[name]):
            continue  # the context of the call, which nobody types
        annotation, info = get_args(hints[name])[:2]
        default = parameter.default
        shown = "" if default is None or isinstance(default, bool) else f"`{default}`"
        if isinstance(info, ArgumentInfo):
            words.append(info.metavar or name.upper())
            required = default is inspect.Parameter.empty
            rows.append((f"`{words[-1]}`", "", "required" if required else shown, info.help or ""))
            continue
        # Under Annotated the first name of an option stands where a default would.
        decls = [word for word in (info.default, *(info.param_decls or ())) if isinstance(word, str)]
        required = default is inspect.Parameter.empty
        rows.append((", ".join(f"`{word}`" for word in decls), takes(annotation, info.metavar),
                     "required" if required else shown, info.help or ""))
    return words, rows


def takes(annotation: Any, metavar: str | None) -> str:
    """What an option takes, in words; nothing for a flag."""
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    return metavar or {bool: "", int: "whole number"}.get(annotation, "text")


def errors_page() -> str:
    """Every code of a diagnostic, with its examples."""
    from fleetsim.spec.codes import CODES

    parts = ["""\
A fault of a file reads `file:line:column: error: path: what is wrong [code]`, with the line, a caret and
often a help. `fleetsim explain CODE` prints an entry of this page. All faults of a file are reported at
once. A warning does not stop a run.

## Errors for programs

With `--json` (and `--format json`) stdout holds exactly one JSON document, whatever happens: the answer, or

```json
{"ok": false, "error": {"kind": "UsageError", "message": "no run 'plan'", "exit_code": 2}}
```

`kind` is the exception of the Python package: `ScenarioError` (the file is wrong), `UsageError` (the
call is), `SimulationError`, or `Interrupted`. A `ScenarioError` has `diagnostics` beside it: per fault
`severity`, `code`, `path`, `message`, `file`, `line`, `column`, `source_line`, `width`, `help`. The text of
the error stands on stderr and the exit code is the same as without `--json`. A verb that has its answer and
ends with another code than 0 all the same (`run --strict-objectives`, `verify`) prints that answer.

Ctrl-C ends every verb with one line and 130. What was under way is not kept: neither a run nor an export nor
the file of `optimize --out` is there in part.
"""]
    for code, text in CODES.items():
        lines = text.splitlines()
        prose = " ".join(line for line in lines if not line.startswith("  "))
        examples = [line.strip() for line in lines if line.startswith("  ")]
        parts.append(f"\n## {code}\n\n{prose}\n\n```text\n" + "\n".join(examples) + "\n```")
    return "\n".join(parts)


def catalogue_page() -> str:
    """What ships with the package."""
    from step_law_page import step_law_part

    from fleetsim.spec import catalog

    gpus = table(
        ("name", "TFLOP/s BF16 dense", "HBM, GB", "GB/s", "TDP, W", "server W per GPU", "`flops_factor`",
         "`bandwidth_factor`", "link, GB/s", "GPUs per node", "source", "date", "grade"),
        ((f"`{name}`", number(gpu.bf16_dense_tflops), number(gpu.memory_gb), number(gpu.bandwidth_gb_per_s),
          number(gpu.tdp_w), number(gpu.server_w_per_gpu), number(gpu.flops_factor),
          number(gpu.bandwidth_factor), number(gpu.link_gb_per_s or 0), gpu.gpus_per_node, gpu.source,
          gpu.date, gpu.grade)
         for name, gpu in catalog.gpus().items()))
    models = table(
        ("name", "prefill, token/s per A100", "decode, token/s per A100", "active parameters, 1e9", "source",
         "date", "grade"),
        ((f"`{name}`", number(model.rates.prefill_tokens_per_s_per_gpu),
          number(model.rates.decode_tokens_per_s_per_gpu), number(model.active_parameters or 0),
          model.source, model.date, model.grade) for name, model in catalog.models().items()))
    prices = table(
        ("name", "provider", "GPU type", "bought", "USD/GPU-hour", "source", "date", "grade", "note"),
        ((f"`{name}`", price.provider, price.gpu, price.type, price.usd_per_gpu_hour, price.source,
          price.date, price.grade, price.note) for name, price in catalog.prices().items()))
    return f"""\
Grades: A primary source, B named report, C widely cited and unverified, D own estimate.
The files are `fleetsim/spec/catalog/gpus.yaml`, `models.yaml`, `prices.yaml`,
`step_profiles.yaml`, `cross_checks.yaml` and `model_shapes.yaml` of the same folder.

## GPU types

`fleets.NAME.gpu` names one of them, or one that the scenario's own `gpus` declares. The factors are
delivered work per GPU relative to one A100-80GB: `flops_factor` for prompts and training,
`bandwidth_factor` for outputs. They are own estimates (D) inside published ranges; source, date and grade
are those of the data sheet.

{gpus}

## Deployed models

`services.NAME.model` names one of them. Rates hold at saturation on one A100-80GB, before `efficiency_frac`.

{models}

## Prices

For reading and for contracts; no run takes a price from here by itself.

{prices}

{step_law_part()}
"""


def main() -> int:
    """Write what changed, or say what would: 1 when a page is out of date and may not be written."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outputs", action="store_true", help="run the code of the other pages again")
    parser.add_argument("--check", nargs="+", metavar="PAGE", type=Path,
                        help="run the code of these pages and write nothing; fails where an output differs")
    wanted = parser.parse_args()
    if wanted.check:
        return check(wanted.check)
    changed = [path for path, text in ((REFERENCE / name, text) for name, text in pages().items())
               if write(path, text)]
    if wanted.outputs:
        from sessions import PAGES, refreshed

        changed += [path for path in PAGES if write(path, refreshed(path.read_text(encoding="utf-8")))]
    print("\n".join(f"wrote {path.relative_to(ROOT)}" for path in changed) or "nothing changed")
    return 0


def write(path: Path, text: str) -> bool:
    """Write a page unless it is like that already; whether it was written."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def check(paths: list[Path]) -> int:
    """Print how the outputs on these pages differ from what their code prints now."""
    from difflib import unified_diff

    from sessions import refreshed

    differences = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        differences += unified_diff(text.splitlines(), refreshed(text).splitlines(), str(path), "printed now",
                                    lineterm="", n=1)
    print("\n".join(differences) or "up to date")
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main())
