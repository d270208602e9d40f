"""What a person typed, made safe for a terminal."""

import json
import unicodedata


def as_json(document: object) -> str:
    """JSON in which everything that could steer a terminal or turn text around is escaped."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return "".join(
        f"\\u{ord(character):04x}" if _steers(character) else character for character in text
    )


def _steers(character: str) -> bool:
    if character in "\n\u200d":
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and ord(character) < 0x10000
