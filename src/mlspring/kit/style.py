"""One look for all report figures: readable in grey, labelled, with the numbers beside them."""

import csv
import functools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mlspring.core.files import atomic_path

# Okabe & Ito's colours, safe for colour-blind readers, ordered so that neighbours differ in grey.
COLOURS = ("#0072B2", "#E69F00", "#444444", "#56B4E9", "#D55E00", "#009E73", "#CC79A7")
LINE_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

CJK_FONTS = (
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Noto Sans CJK JP",  # the same characters; where many fonts share a file, its first name
    "Noto Sans CJK SC",
    "Noto Sans CJK HK",
    "Noto Sans CJK KR",
    "Source Han Sans TC",
    "PingFang TC",
    "Microsoft JhengHei",
    "WenQuanYi Zen Hei",
    "AR PL UMing TW",
)


def cjk_font() -> str | None:
    """Return an installed font with Traditional Chinese characters, or None."""
    name = _known_cjk_font()
    if name is None:
        _add_new_fonts()
        name = _known_cjk_font()
    return name


def _known_cjk_font() -> str | None:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CJK_FONTS if name in installed), None)


@functools.cache  # looking through the folders of fonts takes a while
def _add_new_fonts() -> None:
    """Tell matplotlib the fonts that were installed since it made its list, which it keeps."""
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for file in font_manager.findSystemFonts():
        if file not in known:
            with suppress(Exception):  # a font that cannot be read is as good as none
                font_manager.fontManager.addfont(file)


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the house's settings to figures made inside the block."""
    fonts = [name for name in (cjk_font(), "DejaVu Sans") if name]
    settings = {
        "font.family": ["DejaVu Sans", *fonts] if len(fonts) > 1 else fonts,
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#d9d9d9",
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.8,
        "legend.frameon": False,
        "axes.prop_cycle": cycler(color=COLOURS, linestyle=LINE_STYLES),
        "figure.autolayout": False,  # new_figure chooses the layout, and save ends it
        "figure.constrained_layout.use": False,
        "savefig.dpi": 160,
        "svg.hashsalt": "mlspring",
    }
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        yield


def new_figure(width: float = 6.4, height: float = 4.0) -> Figure:
    """Return an empty figure of ``width`` x ``height`` inches, not tied to any window."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def hide_axes(axes: Axes) -> None:
    """Leave only the picture: no ticks, no frame, no grid."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def save(
    figure: Figure, folder: Path, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write ``name.png``, ``name.svg`` and ``name.csv``, the numbers behind the figure."""
    dpi = mpl.rcParams["savefig.dpi"]
    figure.set_dpi(figure.dpi if dpi == "figure" else dpi)
    figure.draw_without_rendering()  # finds the layout, which each savefig would find anew
    figure.set_layout_engine(None)
    for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        with atomic_path(folder / f"{name}.{suffix}") as partial:
            figure.savefig(partial, format=suffix, metadata=metadata)
    with (
        atomic_path(folder / f"{name}.csv") as partial,
        partial.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)
