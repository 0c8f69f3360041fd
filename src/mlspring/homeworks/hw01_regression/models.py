"""Networks of homework 1: layers on chosen, scaled columns, with a linear path beside them.

Shapes: n rows, d columns of the table, k columns kept; a network maps (n, k) to (n,).
"""

import itertools

import torch
from torch import Tensor, nn

from mlspring.homeworks.hw01_regression import features
from mlspring.homeworks.hw01_regression.recipe import DataKnobs, ModelKnobs

ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}


class Scaling(nn.Module):
    """Picks k of d columns and scales them; its three buffers are saved with the weights."""

    kept: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, num_columns: int, num_kept: int) -> None:
        super().__init__()
        self.register_buffer("kept", torch.arange(num_columns)[:num_kept])
        self.register_buffer("mean", torch.zeros(num_kept))
        self.register_buffer("deviation", torch.ones(num_kept))

    def fit(self, table: Tensor, targets: Tensor, standardise: bool) -> None:
        """Choose columns and scale from training rows only: table (n, d), targets (n,)."""
        table, targets = table.double(), targets.double()
        if len(self.kept) < table.shape[1]:
            best = scores(table, targets).argsort(descending=True, stable=True)
            self.kept.copy_(best[: len(self.kept)].sort().values)
        if standardise:
            chosen = table[:, self.kept]
            deviation = chosen.std(dim=0, correction=0)
            self.mean.copy_(chosen.mean(dim=0))
            self.deviation.copy_(torch.where(deviation > 0, deviation, 1.0))

    def forward(self, table: Tensor) -> Tensor:
        """Return (n, k) for (n, d)."""
        return (table[:, self.kept] - self.mean) / self.deviation


class SurveyNet(nn.Module):
    """A small fully connected network, or the sample's with the sample's knobs.

    With 116 columns, hidden layers of 16 and 8 units and ReLU it is the sample code's network
    without its ``id`` input: 2,017 parameters instead of 2,033. Source: HW01 notebook.

    Args:
        num_columns: d, columns of the table; ``num_kept``: k, those that are kept.
        knobs: layers, activation, linear path, dropout.
    """

    def __init__(self, num_columns: int, num_kept: int, knobs: ModelKnobs) -> None:
        super().__init__()
        self.scaling = Scaling(num_columns, num_kept)
        self.layers = nn.Sequential()
        for units_in, units_out in itertools.pairwise([num_kept, *knobs.hidden]):
            self.layers.append(nn.Linear(units_in, units_out))
            self.layers.append(ACTIVATIONS[knobs.activation]())
            if knobs.dropout:
                self.layers.append(nn.Dropout(knobs.dropout))
        self.layers.append(nn.Linear(knobs.hidden[-1], 1))
        self.linear = nn.Linear(num_kept, 1, bias=False) if knobs.linear_path else None
        if self.linear is not None:
            nn.init.zeros_(self.linear.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (n,) for scaled inputs (n, k)."""
        out = self.layers(inputs)  # (n, 1)
        if self.linear is not None:
            out = out + self.linear(inputs)
        return out.squeeze(1)


def scores(table: Tensor, targets: Tensor) -> Tensor:
    """Return |correlation| of each column (n, d) with the targets (n,); 0 for a constant one."""
    centred, aims = table - table.mean(dim=0), targets - targets.mean()
    norms = ((centred**2).sum(dim=0) * (aims**2).sum()).sqrt()
    return torch.where(norms > 0, (aims @ centred).abs() / norms.clamp(min=1e-300), 0.0)


def build(data: DataKnobs, knobs: ModelKnobs) -> SurveyNet:
    """Return the network of a recipe, with fresh weights and a scaling that is not fitted yet."""
    num_columns = len(features.column_names(data))
    return SurveyNet(num_columns, min(data.select or num_columns, num_columns), knobs)
