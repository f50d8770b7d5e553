"""Export runs to FOCUS and let the FinOps Foundation's focus-validator judge them: `make focus`.

    python tests/focus/validate.py ENVIRONMENT

Three levels: without the criteria of commitments and capacity reservations; with all criteria; with all
criteria and the known defects of its model corrected (`corrected_model.py`), which is the real bar. A file
with one wrong price has to fail there. Exit code 0 with a loud remark when the environment cannot be made.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from corrected_model import MODEL, write_corrected
from environment import VALIDATOR, CannotBeMade, rules, validator

import fleetsim as fs

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = (ROOT / "workloads" / "openai-2024.yaml",
             ROOT / "tests" / "unit" / "output" / "export" / "all_kinds.yaml")
WITHOUT_COMMITMENTS = ",".join(f"{name}_SUPPORTED" for name in (
    "ACCOUNT_NAMING", "AVAILABILITY_ZONE", "MULTIPLE_PRICING_CATEGORIES", "MULTIPLE_SUB_ACCOUNT_TYPES",
    "MULTIPLE_BILLING_ACCOUNT_TYPES", "NEGOTIATED_PRICING", "PUBLIC_PRICE_LIST", "USAGE_MEASUREMENT",
    "UNIT_PRICING", "SUB_ACCOUNT", "BILLING_BASED_ON_PROVISIONED_RESOURCES", "RESOURCE_TYPE_ASSIGNMENT",
    "PRICING_BILLING_CURRENCY_DIFFERENCES", "VIRTUAL_CURRENCY", "REGION", "TAGGING"))
INVOICE = frozenset({"InvoiceId-C-004-C"})
"""The rule that an invoice id is null, of every row."""
DEFECTIVE = INVOICE | {
    *(f"CommitmentDiscountStatus-C-{number}-C" for number in ("000", "002", "004")),
    *(f"CapacityReservationStatus-C-{number}-C" for number in ("000", "002", "003", "004")),
    "CostAndUsage-D-000-M", "CostAndUsage-D-002-M"}
"""Rules that fail for every file with commitments, and those that ask for all rules."""


@dataclass(frozen=True)
class Level:
    """How the validator is asked, and which rules may fail."""

    name: str
    criteria: str
    may_fail: frozenset[str]
    corrected: bool = False
    least_passed: int = 300


LEVELS = (
    Level("1 without commitments", WITHOUT_COMMITMENTS, INVOICE),
    Level("2 all criteria", "ALL", DEFECTIVE, least_passed=350),
    Level("3 corrected model", "ALL", frozenset(), corrected=True, least_passed=365),
)


@dataclass(frozen=True)
class Verdict:
    """What the validator said."""

    passed: int
    skipped: int
    failed: frozenset[str]

    def __str__(self) -> str:
        said = f"pass {self.passed}, fail {len(self.failed)}, skipped {self.skipped}"
        return f"{said}: {', '.join(sorted(self.failed))}" if self.failed else said


def judged(program: Path, folder: Path, file: Path, level: Level) -> Verdict:
    """One run of the validator; RuntimeError when it says nothing. Its exit code says nothing of rules."""
    words = [str(program), "--data-file", str(file), "--validate-version", "1.2.0.1", "--block-download",
             "--applicability-criteria", level.criteria]
    words += ["--rule-set-path", str(folder / "rules")] if level.corrected else []
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    total = re.search(r"Total: \d+ \| Pass: (\d+) \| Fail: (\d+) \| Skipped: (\d+)", done.stdout)
    if total is None:
        raise RuntimeError(f"{VALIDATOR} gave no totals:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    failed = frozenset(re.findall(r"^\S+ (\S+): FAIL", done.stdout, flags=re.MULTILINE))
    if len(failed) != int(total[2]):
        raise RuntimeError(f"{VALIDATOR} counts {total[2]} failures and names {sorted(failed)}")
    return Verdict(int(total[1]), int(total[3]), failed)


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The exports: a year of one kind of contract, and ten weeks of every kind."""
    for scenario in SCENARIOS:
        run = fs.simulate(fs.load(scenario), results=folder / "results")
        file = folder / f"{scenario.stem}.parquet"
        fs.export(run, "focus", file)
        yield scenario.stem, file


def with_a_wrong_price(file: Path) -> Path:
    """A copy in which the contracted price of one row is a hundredth too high."""
    table = pq.ParquetFile(file).read()
    place = table.schema.get_field_index("ContractedUnitPrice")
    usage = pc.index(table.column("x_CostComponent"), "used").as_py()
    prices = table.column(place).to_pylist()
    prices[usage] += prices[usage] / 100
    spoiled = file.with_name(f"spoiled-{file.name}")
    column = pa.array([None if price is None else round(price, 12) for price in prices],
                      table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place), column), spoiled)
    return spoiled


def main(environment: Path) -> int:
    """Print what the validator says of every file and level; 1 when it is not what it should be."""
    try:
        program = validator(environment.resolve())
    except CannotBeMade as reason:
        print(f"SKIPPED: FOCUS exports were NOT validated: {reason}", file=sys.stderr)
        return 0
    wrong = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        models = rules(environment.resolve())
        write_corrected(models / MODEL, folder / "rules")
        # The validator opens this file relative to the working folder.
        (folder / "focus_validator" / "rules").mkdir(parents=True)
        shutil.copy(models / "currency_codes.csv", folder / "focus_validator" / "rules")
        for scenario, file in files(folder):
            for level in LEVELS:
                verdict = judged(program, folder, file, level)
                print(f"{scenario}, level {level.name}: {verdict}")
                if verdict.failed - level.may_fail or verdict.passed < level.least_passed:
                    wrong.append(f"{scenario}, level {level.name}")
            spoiled = judged(program, folder, with_a_wrong_price(file), LEVELS[-1])
            print(f"{scenario} with one wrong price, level {LEVELS[-1].name}: {spoiled}")
            if not any(rule.startswith("ContractedUnitPrice") for rule in spoiled.failed):
                wrong.append(f"{scenario}: a wrong price was not seen")
    for what in wrong:
        print(f"not as it should be: {what}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
