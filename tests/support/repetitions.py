"""How often a test repeats what happens by chance."""

import pytest
from _pytest.mark.structures import ParameterSet


def repetitions(few: int, *, soak: int) -> list[int | ParameterSet]:
    """Values for `parametrize`: `few` in `make test`, and `soak` in `make soak`."""
    return [few, pytest.param(soak, marks=pytest.mark.soak)]
