"""Keys of the text half's questions, from the tables of a run's figures; no torch."""

from collections.abc import Callable, Mapping, Sequence

TABLES = ("heads", "embeddings", "layers", "senses")
LEARNT = 2.0  # times an untrained encoder's share
CLEAR = 0.01  # by which two shares must differ to be told apart
NUM_LAYERS = 4  # of the encoder that the questions are about

Row = Mapping[str, str]
Tables = Mapping[str, Sequence[Row]]


def _of_four_layers(numbers: Sequence[float]) -> Sequence[float]:
    """Return one number a layer, the embeddings' first; KeyError where there are others."""
    if len(numbers) != NUM_LAYERS + 1:
        raise KeyError("layers")
    return numbers


def _best(tables: Tables, aim: str, column: str) -> Row:
    rows = [row for row in tables["heads"] if row["aim"] == aim]
    if not rows:
        raise KeyError("attention")
    return max(rows, key=lambda row: float(row[column]))


def _layer_of_previous(tables: Tables) -> str:
    """Return the letter of the layer whose head looks most at the previous token."""
    layers = {int(row["layer"]) for row in tables["heads"]}
    _of_four_layers([0, *layers])
    return "ABCD"[int(_best(tables, "previous", "share")["layer"]) - 1]


def _learnt_aims(tables: Tables) -> str:
    """Return the letters of the aims whose best head has twice what an untrained one has."""
    letters = ""
    for letter, aim in zip("ABCD", ("previous", "next", "same token", "answer"), strict=True):
        ours = float(_best(tables, aim, "share")["share"])
        theirs = float(_best(tables, aim, "untrained")["untrained"])
        letters += letter if ours > LEARNT * theirs else ""
    return letters or "E"


def _more_explained(tables: Tables) -> str:
    """A: two components explain more in layer 0; B: in the last one; C: as much."""
    told = {
        int(row["layer"]): float(row["first explains"]) + float(row["second explains"])
        for row in tables["embeddings"]
    }
    more = told[0] - told[max(told, default=0)]
    return "C" if abs(more) <= CLEAR else "A" if more > 0 else "B"


def _answer_apart(tables: Tables) -> str:
    """Return the letter of the layer where the answer lies farthest from the rest."""
    found = _of_four_layers([float(row["answer"]) for row in tables["layers"]])
    return "ABCDE"[found.index(max(found))]


def _senses_apart(tables: Tables) -> str:
    """Return the letter of the layer where two senses lie farthest apart."""
    rows = [r for r in tables["senses"] if (r["distance"], r["encoder"]) == ("cosine", "trained")]
    found = _of_four_layers([float(row["mean"]) for row in rows])
    return "ABCDE"[found.index(max(found))]


DECIDES: Mapping[str, Callable[[Tables], str]] = {
    "attention-2": _layer_of_previous,
    "attention-3": _learnt_aims,
    "embeddings-2": _more_explained,
    "embeddings-3": _answer_apart,
    "distances-2": _senses_apart,
}
