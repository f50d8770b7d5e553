"""The public validator's model 1.2.0.1 with its known defects corrected, so that its rules see normal rows.

What is corrected, and why, by rule:

* conditions "is not Correction" and "is not Unused" become `X IS NOT NULL AND X <> v`, which exempts every
  row whose X is null: price x quantity = cost and most "must not be null" rules never run on normal rows;
* CommitmentDiscountStatus-C-004-C asks for a status when the id IS null (FOCUS_Spec issue 2393);
* CommitmentDiscountStatus-C-005-M allows Active, Expired, Pending; the specification has Used and Unused
  (2418);
* CapacityReservationStatus-C-003-C and C-004-C have malformed conditions and hold for every row;
* InvoiceId-C-004-C and C-005-C demand null and not null of every row; fleetsim always has an invoice;
* ConsumedQuantity-C-006-C is inverted; CommitmentDiscountQuantity-C-007-C wants corrections to be null,
  which may be set;
* PricingCurrencyEffectiveCost-C-004-M looks at another column.
"""

import json
from pathlib import Path
from typing import Any

MODEL = "model-1.2.0.1.json"

Json = Any


def is_value(column: str, value: str | None) -> Json:
    """The column has the value; None is null."""
    return {"CheckFunction": "CheckValue", "ColumnName": column, "Value": value}


def is_not(column: str, value: str | None) -> Json:
    """The column has another value; of a value that is not None, null is none."""
    return {"CheckFunction": "CheckNotValue", "ColumnName": column, "Value": value}


def either(*items: Json) -> Json:
    """One of the conditions holds."""
    return {"CheckFunction": "OR", "Items": list(items)}


def both(*items: Json) -> Json:
    """All conditions hold."""
    return {"CheckFunction": "AND", "Items": list(items)}


def with_nulls(condition: Json) -> Json:
    """The condition, in which "is not v" holds for null as well."""
    if not isinstance(condition, dict):
        return condition
    if condition.get("CheckFunction") == "CheckNotValue" and condition.get("Value") is not None:
        return either(is_value(condition["ColumnName"], None), condition)
    return {key: [with_nulls(item) for item in value] if key == "Items" else value
            for key, value in condition.items()}


CONDITIONS = {
    "CommitmentDiscountStatus-C-004-C": both(is_not("CommitmentDiscountId", None),
                                             is_value("ChargeCategory", "Usage")),
    "CapacityReservationStatus-C-003-C": is_value("CapacityReservationId", None),
    "CapacityReservationStatus-C-004-C": both(is_not("CapacityReservationId", None),
                                              is_value("ChargeCategory", "Usage")),
    "InvoiceId-C-004-C": is_value("InvoiceId", None),
    "ConsumedQuantity-C-006-C": is_not("ChargeClass", "Correction"),
    "CommitmentDiscountQuantity-C-007-C": either(
        both(is_not("ChargeCategory", "Usage"), is_not("ChargeCategory", "Purchase")),
        is_value("CommitmentDiscountId", None)),
}
REQUIREMENTS = {
    "CommitmentDiscountStatus-C-005-M": either(is_value("CommitmentDiscountStatus", "Used"),
                                               is_value("CommitmentDiscountStatus", "Unused")),
    "PricingCurrencyEffectiveCost-C-004-M": is_not("PricingCurrencyEffectiveCost", None),
}


def corrected(model: Json) -> Json:
    """The model as it should be; KeyError when it has no such rules, because it is another version."""
    for rules in (dataset["ModelRules"] for dataset in parts_with_rules(model)):
        for name, rule in rules.items():
            criteria = rule["ValidationCriteria"]
            criteria["Condition"] = with_nulls(CONDITIONS.get(name, criteria["Condition"]))
            criteria["Requirement"] = REQUIREMENTS.get(name, criteria["Requirement"])
        for name in (*CONDITIONS, *REQUIREMENTS):
            rules[name]
    return model


def parts_with_rules(model: Json) -> list[Json]:
    """The parts of the model that hold rules."""
    return [model] if "ModelRules" in model else list(model["ModelDatasets"].values())


def write_corrected(model: Path, folder: Path) -> None:
    """Write the corrected copy of a model into a folder, under its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(corrected(json.loads(model.read_text(encoding="utf-8"))), indent=1)
    (folder / model.name).write_text(text, encoding="utf-8")
