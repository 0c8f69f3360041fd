"""What a sequence of tasks is judged by; all from one matrix of accuracies.

``matrix[k][j]`` is the accuracy in % on task j after k tasks were learnt, so row 0 belongs to the
untrained network; T tasks give T + 1 rows of T numbers. Source of BWT and FWT: Lopez-Paz & Ranzato
2017 (arXiv:1706.08840), eqs. 3 and 4; of F: Chaudhry et al. 2018 (arXiv:1801.10112), section 3.
"""

from collections.abc import Sequence
from statistics import fmean

Matrix = Sequence[Sequence[float]]


def final_accuracy(matrix: Matrix) -> float:
    """Return ACC, the mean over all tasks after the last one: the course's metric at its end."""
    return fmean(matrix[-1])


def backward_transfer(matrix: Matrix) -> float:
    """Return BWT = mean over j < T of R[T][j] - R[j][j]: what later tasks did to a task."""
    last = len(matrix[0])
    return fmean(matrix[last][j] - matrix[j + 1][j] for j in range(last - 1))


def forward_transfer(matrix: Matrix) -> float:
    """Return FWT = mean over j > 1 of R[j-1][j] - R[0][j]: what a task owes to earlier ones."""
    return fmean(matrix[j][j] - matrix[0][j] for j in range(1, len(matrix[0])))


def forgetting(matrix: Matrix) -> float:
    """Return F = mean over j < T of (best R[k][j] for k in j..T-1) - R[T][j]."""
    last = len(matrix[0])
    best = [max(matrix[k][j] for k in range(j + 1, last)) for j in range(last - 1)]
    return fmean(best[j] - matrix[last][j] for j in range(last - 1))


def plasticity(matrix: Matrix) -> float:
    """Return the mean over j of R[j][j]: how well each task was learnt; else: intransigence."""
    return fmean(matrix[j + 1][j] for j in range(len(matrix[0])))
