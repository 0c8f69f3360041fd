"""Windows into a paragraph, as pure functions of its tokens' places; no network, no torch.

A paragraph is longer than what a network reads at once. Its tokens have places in the raw text,
``offsets`` (T, 2): token t stands at ``text[offsets[t, 0] : offsets[t, 1]]``. Spans of tokens are
pairs (first, last), and the last one belongs to the span.
"""

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int32]


def token_span(offsets: Offsets, start: int, end: int) -> tuple[int, int] | None:
    """Return the fewest tokens that hold the characters ``start`` to ``end``, both included.

    Where a character is in no token (a space, say), its neighbours inside the answer count; where
    it is inside a longer token, the whole token does.

    Returns:
        (first, last), or None where no token has any of these characters.
    """
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))  # the first that ends behind
    last = int(np.searchsorted(offsets[:, 0], end, side="right")) - 1  # the last that begins before
    return (first, last) if first <= last else None


def span_text(text: str, offsets: Offsets, first: int, last: int) -> str:
    """Return the raw text from token ``first`` to token ``last``, whatever the tokens are called.

    Spaces, upper case and characters that no vocabulary has ([UNK]) come back as they stand there.
    """
    return text[offsets[first, 0] : offsets[last, 1]]


def starts_of(num_tokens: int, length: int, stride: int) -> list[int]:
    """Return where the windows begin in which answers are looked for: 0, stride, 2 stride, ...

    The last one reaches the end. Each token is in a window, and so is each span of at most
    length - stride + 1 tokens, whole. With stride = length, as in the sample, a span of two tokens
    may already be cut in two.
    """
    return list(range(0, max(num_tokens - length + stride, 1), stride))


def centred_start(first: int, last: int, num_tokens: int, length: int) -> int:
    """Return the window's start that has the answer in its middle, shifted into the paragraph.

    So a network learns that answers stand in the middle: the course's planted mistake.
    """
    return min(max(0, (first + last) // 2 - length // 2), max(0, num_tokens - length))


def any_start(first: int, last: int, num_tokens: int, length: int, draw: float) -> int:
    """Return one of all starts whose window holds the whole answer, each as likely.

    An answer longer than a window is cut at its end.

    Args:
        first: token of the answer.
        last: token of the answer.
        num_tokens: of the paragraph.
        length: of the window.
        draw: from [0, 1), chooses.
    """
    highest = min(first, max(0, num_tokens - length))
    lowest = min(max(0, last - length + 1), highest)
    return lowest + int(draw * (highest - lowest + 1))
