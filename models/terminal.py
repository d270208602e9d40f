"""Makes what a person typed safe to print in a terminal."""

import json
import unicodedata


def as_json(document: object) -> str:
    """JSON that escapes all characters which could control a terminal or reorder text."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return "".join(
        f"\\u{ord(character):04x}" if _is_control(character) else character for character in text
    )


def _is_control(character: str) -> bool:
    # The zero-width joiner (U+200D) is a part of emoji and of words in some scripts.
    if character in "\n\u200d":
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and ord(character) < 0x10000
