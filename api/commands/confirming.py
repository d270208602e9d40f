"""Confirmation of commands that cannot be undone: a word that the operator types."""

import sys

import typer

from api.commands.opening import fail


def require_word(word: str, *, given: str | None, warning: str) -> None:
    """Returns if `word` was given as an option, or is typed at a prompt. Otherwise exits with 1.

    `warning` says what the command would do. Without a terminal there is no prompt.
    """
    if given is None and sys.stdin.isatty():
        typer.echo(warning, err=True)
        given = typer.prompt(f"Type {word} to go on", default="", show_default=False, err=True)
    if given is None:
        fail(f"this cannot be undone: add --confirm {word}")
    if given != word:
        fail("it was not confirmed, and nothing was changed")
