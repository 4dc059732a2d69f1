"""Types of inputs and outputs: their JSON Schema, and the check of a value. Pure.

pydantic, msgspec and jsonschema are imported only where a type needs them.
"""

from .contract import Contract, Unfit, contract_of
from .type_check import Finding, Misfit, ReadyMade, TypeCheck
from .type_choice import check_of, check_of_parameters

__all__ = [
    "Contract",
    "Finding",
    "Misfit",
    "ReadyMade",
    "TypeCheck",
    "Unfit",
    "check_of",
    "check_of_parameters",
    "contract_of",
]
