"""What scores earn: the spec's points for each level, on the public and the private part.

The course pays a level twice, once on each part of the board (hw03: 0.5 + 0.5, hw01: 1 + 1; slides
of each homework). Where no baseline was published for a part, nothing can be earned or lost there:
the points are None, never zero and never guessed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlspring.core.spec import Spec
from mlspring.judge.entry import Entry


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
    """Return the points of a public and a private score; None stands for an unknown score."""

    def worth(score: float | None, part: str) -> float | None:
        if score is None or not baselines_of(spec, source, part):
            return None
        return spec.points_for(score, source, part)

    return Earned(public=worth(public, "public"), private=worth(private, "private"))


def best_public(spec: Spec, entries: Iterable[Entry]) -> Entry | None:
    """Return the best public submission, the earlier one of equals; None if nothing is scored."""
    return _best(spec, [(entry.public, entry) for entry in entries])


def final_entry(spec: Spec, entries: Sequence[Entry]) -> Entry | None:
    """Return the submission that counts on the private board, of one learner's ``entries``.

    As on Kaggle: the best private score among the chosen finals; with none chosen, the
    submission with the best public score.
    """
    chosen = _best(spec, [(entry.private, entry) for entry in entries if entry.final])
    return chosen or best_public(spec, entries)


def _best(spec: Spec, scored: Iterable[tuple[float | None, Entry]]) -> Entry | None:
    best: tuple[float, Entry] | None = None
    for score, entry in sorted(scored, key=lambda pair: (pair[1].received, pair[1].number)):
        if score is not None and (best is None or spec.metric.better(score, best[0])):
            best = (score, entry)
    return best[1] if best else None


def missing_baselines(spec: Spec, source: str) -> list[str]:
    """Return one sentence for each part of a board that has no baseline."""
    missing = [part for part in ("public", "private") if not baselines_of(spec, source, part)]
    return [
        f"no {part} baseline is known for {source} data, so no {part} points" for part in missing
    ]
