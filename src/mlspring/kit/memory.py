"""Memory of the process: what becomes of the pages of a freed tensor on the CPU.

Both ways are glibc's (mallopt(3)); other C libraries are left as they are.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
LARGEST_MMAP_THRESHOLD = 32 << 20  # bytes: glibc refuses more
KEPT = 1 << 30  # bytes of freed memory at the top of the heap
LARGE_BLOCK = 192 << 10  # bytes


def keep_freed_pages() -> bool:
    """Tell the C library to reuse the memory of freed tensors; return whether it took it.

    A training step on the CPU frees and asks for the same megabytes again and again. By default
    glibc hands such blocks back to the system each time, and every page of the next one is a page
    fault: a tenth of a convolutional network's step where this was measured.
    """
    return _set(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD) and _set(M_TRIM_THRESHOLD, KEPT)


def part_with_large_blocks() -> bool:
    """Tell the C library to hand back large blocks when they are freed; return whether it took it.

    For training that makes small things that stay, such as the bodies of an environment, between
    large tensors that go. torch asks for aligned blocks, and glibc before 2.38 cannot put one into
    the gap that an equal one has left (https://sourceware.org/bugzilla/show_bug.cgi?id=14581), so
    once small things fill the space around the gaps the heap grows without end.
    """
    return _set(M_MMAP_THRESHOLD, LARGE_BLOCK)


def _set(parameter: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    return bool(mallopt and mallopt(parameter, value))
