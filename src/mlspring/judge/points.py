"""What scores earn: the spec's points for each level, on the public and on the private part.

The course pays a level twice, once on each part of the board (hw03: 0.5 + 0.5, hw01: 1 + 1; slides
of each homework). Where no baseline was published for a part, nothing can be earned or lost there:
the points are None, never zero and never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mlspring.core.spec import Spec

PARTS = ("public", "private")


@dataclass(frozen=True, kw_only=True)
class Earned:
    """Points on each part; None where there is no baseline or no score to hold against it."""

    public: float | None
    private: float | None

    @property
    def total(self) -> float | None:
        """Sum of the parts that are known, None where none is."""
        known = [part for part in (self.public, self.private) if part is not None]
        return sum(known) if known else None


def baselines_of(spec: Spec, source: str, part: str) -> Mapping[str, float]:
    """Return level to score for one part of a board, empty where nothing was published."""
    baselines = spec.baselines.get(source)
    if baselines is None:
        return {}
    return baselines.private if part == "private" else baselines.public


def earned(spec: Spec, public: float | None, private: float | None, source: str) -> Earned:
    """Return the points of a public and a private score; None stands for an unknown score.

    The n-th level of the spec is worth n times its points.
    """

    def worth(score: float | None, part: str) -> float | None:
        if score is None or not baselines_of(spec, source, part):
            return None
        level = spec.level_reached(score, source, part)
        a_level: float = getattr(spec.points, part)
        return a_level * (spec.levels.index(level) + 1) if level else 0.0

    return Earned(public=worth(public, "public"), private=worth(private, "private"))


def missing_baselines(spec: Spec, source: str) -> list[str]:
    """Return one sentence for each part of a board that has no baseline."""
    missing = [part for part in PARTS if not baselines_of(spec, source, part)]
    return [
        f"no {part} baseline is known for {source} data, so no {part} points" for part in missing
    ]
