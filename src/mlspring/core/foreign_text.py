"""Text from elsewhere (names in archives, of tensors, of files) shown so that it does no harm.

A terminal obeys escape codes, a bidirectional mark turns the rest of a line round, a line break
makes two messages of one, and a letter that shows as nothing hides what stands there.
"""

import unicodedata

INVISIBLE = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
    )
)
"""Characters that Unicode calls printable and that show as nothing: fillers of Hangul, the empty
Braille pattern, variation selectors (DerivedCoreProperties.txt, Default_Ignorable_Code_Point)."""


def is_visible(character: str) -> bool:
    """Return whether one character can be shown as itself on one line."""
    if character.isprintable():
        return ord(character) not in INVISIBLE
    return unicodedata.category(character) == "Zs"  # spaces of other widths


def shown(text: str, *, longest: int | None = None) -> str:
    r"""Return foreign text on one line, what cannot be shown written as an escape like ``\x1b``.

    Args:
        text: anything at all, lone surrogates of undecodable file names included.
        longest: characters at most; the end of a longer text becomes ``...``.
    """
    if longest is not None and len(text) > longest:
        text = text[: max(0, longest - 3)] + "..."
    if text.isprintable() and text.isascii():
        return text
    escaped = "".join(c if is_visible(c) else ascii(c)[1:-1] for c in text)
    if longest is not None and len(escaped) > longest:
        return escaped[: max(0, longest - 3)] + "..."
    return escaped


def shown_lines(text: str, *, longest: int | None = None) -> str:
    """Return foreign text of several lines with each line `shown`; LF alone ends a line."""
    return "\n".join(shown(line, longest=longest) for line in text.split("\n"))
