"""A word that must be typed before a command does what cannot be undone."""

import sys

import typer

from api.commands.opening import fail


def require_word(word: str, *, given: str | None, warning: str) -> None:
    """Returns when `word` was given, or is typed at the prompt; else the command ends."""
    if given is None and sys.stdin.isatty():
        typer.echo(warning)
        given = typer.prompt(f"Type {word} to go on", default="", show_default=False)
    if given is None:
        fail(f"this cannot be undone: confirm it with `--confirm {word}`")
    if given != word:
        fail("the word is not the right one, and nothing was changed")
