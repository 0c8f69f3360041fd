"""Memory of the process: freed pages are kept for the next step instead of handed back."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
LARGEST_MMAP_THRESHOLD = 32 << 20  # bytes: glibc refuses more
KEPT = 1 << 30  # bytes of freed memory at the top of the heap


def keep_freed_pages() -> bool:
    """Tell the C library to reuse the memory of freed tensors; return whether it took it.

    A training step on the CPU frees and asks for the same megabytes again and again. By default
    glibc hands such blocks back to the system each time, and every page of the next one is a page
    fault: a tenth of a convolutional network's step where this was measured. Other C libraries
    are left as they are. Source: mallopt(3).
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl has none
        return False
    taken = mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
    return bool(taken and mallopt(M_TRIM_THRESHOLD, KEPT))
