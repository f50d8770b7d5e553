"""File to scenario: strict YAML with places, `extends` and overrides, checks, JSON Schema, catalogue.

    load(path, scenario=None, overrides=()) -> Loaded       read, resolve and check a file
    load_all(path, overrides=()) -> {name: Loaded}          the file and each of its named scenarios
    override(scenario, {path: value}) -> Scenario           the same scenario with values changed
    with_contract_file(scenario, path) -> Loaded            the same scenario under other contracts
    load_contracts(path) -> (name, {name: contract})        a contract file alone
    dump(scenario.source) -> str                            the resolved file as YAML
    json_schema() -> dict                                   for editors
    CODES                                                   every fault that a file can have
    catalog.gpus(), catalog.models(), catalog.prices()      what ships with the package

Names are loaded when they are first used, so that `import fleetsim.spec` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetsim.spec import catalog
    from fleetsim.spec.codes import CODES
    from fleetsim.spec.contract_file import is_contract_file
    from fleetsim.spec.loader import (
        Loaded,
        check_contract_file,
        from_source,
        load,
        load_all,
        load_contracts,
        override,
        with_contract_file,
    )
    from fleetsim.spec.schema import json_schema
    from fleetsim.spec.writing import dump

__all__ = ["CODES", "Loaded", "catalog", "check_contract_file", "dump", "from_source", "is_contract_file",
           "json_schema", "load", "load_all", "load_contracts", "override", "with_contract_file"]

_HOMES = {
    "CODES": "codes",
    "dump": "writing",
    "Loaded": "loader",
    "load": "loader",
    "load_all": "loader",
    "load_contracts": "loader",
    "override": "loader",
    "with_contract_file": "loader",
    "check_contract_file": "loader",
    "from_source": "loader",
    "is_contract_file": "contract_file",
    "json_schema": "schema",
}


def __getattr__(name: str) -> object:
    if name == "catalog":
        return import_module("fleetsim.spec.catalog")
    if name in _HOMES:
        return getattr(import_module(f"fleetsim.spec.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
