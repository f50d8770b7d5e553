"""Contracts as they are written in a file: the data behind `optimize --out`."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from fleetsim.model.base import yaml_key
from fleetsim.timebase import iso


def contract_source(contract: Any) -> dict[str, Any]:
    """A contract as it is written in a file, without what is at its default."""
    found = _plain(contract)
    assert isinstance(found, dict), "a contract is a dataclass"
    return {"kind": contract.kind, **found}


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {yaml_key(field.name): _plain(getattr(value, field.name)) for field in fields(value)
                if getattr(value, field.name) != field.default}
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, tuple):
        return [_plain(child) for child in value]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
