"""What Schemathesis has to know beside the document: `schemathesis.toml` has the rest."""

from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """Drops what is no failure: an empty string is not given, which the schemas do not name.

    The document says it in words, since a generated client would get a type of its own for it
    (docs/decisions/0022-empty-strings.md).
    """
    has_empty_string = isinstance(case.body, dict) and "" in case.body.values()
    return not (isinstance(failure, AcceptedNegativeData) and has_empty_string)
