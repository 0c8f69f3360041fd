"""The table of speeds: medians, lower bounds, and what was compared."""

from typing import Any

from benchmarks.speed_text import median_ratio, speed_text


def speed_row(
    level: str, ratios: list[float], bound: int = 0, known: str = "measured", **more: Any
) -> dict[str, Any]:
    """Return a row of five or other pairs, the last ``bound`` of them lower bounds."""
    pairs = [
        {
            "ours_seconds": 10.0,
            "theirs_seconds": 10.0 * ratio,
            "known": "bound" if number >= len(ratios) - bound else known,
            "score": 0.5,
            "ours_mib": 800.4,
            "theirs_mib": 900.0,
        }
        for number, ratio in enumerate(ratios)
    ]
    row = {"homework": "hw90", "level": level, "compared": "score", "recipe": "0", "wait": 120.0}
    row |= {"date": "2026-01-02", "commit": "0123456789ab", "pairs": pairs}
    row["hardware"] = {"processor": "A Processor", "cores": 2, "device": "cpu"}
    return row | more


def test_a_median_is_a_bound_where_most_were_stopped() -> None:
    ratio = median_ratio
    assert ratio(speed_row("boss", [2.0, 3.0, 4.0, 6.0, 6.0], bound=2)) == (4.0, "measured")
    assert ratio(speed_row("boss", [2.0, 9.0, 6.0, 6.0, 6.0], bound=3)) == (6.0, "bound")
    assert ratio(speed_row("boss", [2.0, 4.0])) == (3.0, "measured")
    assert ratio(speed_row("boss", [2.0, 6.0], bound=1)) == (4.0, "bound")
    assert ratio(speed_row("boss", [9.0, 6.0, 6.0, 2.0, 3.0])) == (6.0, "measured")
    assert ratio(speed_row("boss", [9.0, 6.0, 7.0], bound=1, known="projected")) == (
        9.0,
        "projected",
    )


def test_the_speed_table_is_made_of_what_was_measured() -> None:
    timed = {"loader_efficiency": {"median": 0.973, "pairs": [0.97] * 5}, "peak_share": 0.512}
    rows = [
        speed_row("strong", [7.0] * 5, **timed),
        speed_row("boss", [6.0] * 5, bound=5),
        speed_row("simple", [2.0] * 5, known="projected", homework="hw91", compared="play"),
        speed_row("medium", [], homework="hw91"),
    ]
    text = speed_text({"command": "make bench", "rows": rows})
    found = [[c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines()]
    same = ["800", "900"]
    assert ["hw90", "strong", "0.97", "7.0", "10.0", "70.0", *same, "0.51"] in found
    assert ["hw90", "boss", "", "> 6.0", "10.0", "> 60.0", *same, ""] in found
    assert "medium" not in text
    words = text.replace("\n", " ")
    assert "Over all 3 rows the median is 7.0, the smallest about 2.0 (hw91/simple)." in words
    assert "equally many steps of an environment: hw91/simple." in words
    assert "Medians of 5 pairs" in words
    assert max(map(len, text.splitlines())) <= 100


def test_the_speed_table_has_a_column_for_the_device_where_there_was_a_gpu() -> None:
    on_gpu = speed_row("boss", [3.0])
    on_gpu["hardware"] = {"processor": "A Processor", "cores": 2, "device": "cuda", "gpu": "One"}
    on_gpu["pairs"][0] |= {"ours_gpu_mib": 1234.0, "theirs_gpu_mib": 987.0}
    text = speed_text({"command": "x", "rows": [speed_row("boss", [2.5]), on_gpu]})
    found = [[c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["hw90", "boss", "cpu", "", "2.5", "10.0", "25.0", "800", "900", ""] in found
    assert ["hw90", "boss", "cuda", "", "3.0", "10.0", "30.0", "1234", "987", ""] in found
    assert max(map(len, text.splitlines())) <= 100


def test_a_speed_table_without_a_measurement_says_so() -> None:
    text = speed_text({"command": "make bench", "rows": []})
    assert text == "Not measured yet: `make bench`."
