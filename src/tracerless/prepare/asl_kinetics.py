"""From the share of labeled water in the voxel to blood flow."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.prepare.asl_facts import Protocol
from tracerless.prepare.asl_sampling import FloatArray

PARTITION_ML_G = 0.9
"""Water in brain over water in blood, mL/g (Alsop 2015)."""
SECONDS_PER_ML_100G_MIN = 6000.0
"""mL/100 g/min in one mL/g/s."""
T1_GREY_S = {1.5: 1.19, 3.0: 1.33}
T1_WHITE_S = {1.5: 0.66, 3.0: 0.83}
"""Of tissue, by field strength, T (1.5 T: Rooney 2007, Magn Reson Med 57:308; 3 T: Wansapura 1999,
J Magn Reson Imaging 9:531)."""

ARRIVALS_S: NDArray[np.float64] = np.linspace(0.2, 3.0, 57)
"""Arrival times that are tried, s."""
_ARRIVAL_PRIOR = {"PCASL": (1.1, 0.6), "CASL": (1.1, 0.6), "PASL": (0.8, 0.5)}
"""Mean and SD of arrival over a brain, s; it decides only where noise leaves arrival open."""
_LATE_STEP_S = 0.05
_CHUNK = 65_536

EQUATION = {
    "PCASL": "CBF = 6000 λ ΔM exp(PLD / T1b) / (2 α T1b M0 (1 - exp(-τ / T1b)))",
    "PASL": "CBF = 6000 λ ΔM exp(TI / T1b) / (2 α TI1 M0)",
}
"""Of one delay, in mL/100 g/min (Alsop 2015, Magn Reson Med 73:102, equations 1 and 3)."""
EQUATION_OF_MANY = (
    "least squares over all delays of CBF and arrival time in the general kinetic model with plug "
    "flow and one well-mixed compartment (Buxton 1998, Magn Reson Med 40:383)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Flow (I, J, K), mL/100 g/min, and when the label arrived, s; NaN where nothing was seen."""

    cbf: FloatArray
    arrival_s: FloatArray


def equation(kind: str) -> str:
    """The single-delay equation of a labeling kind, in symbols."""
    return EQUATION["PASL" if kind == "PASL" else "PCASL"]


def single(
    share: FloatArray, delay_s: float, late_s: FloatArray | float, how: Protocol
) -> FloatArray:
    """Flow from one delay.

    Args:
        share: ΔM / M0, any shape.
        delay_s: from the end of labeling (PASL: from labeling) to the first slice.
        late_s: how much later a voxel's slice was read, same shape.
        how: labeling.
    """
    bolus_s = how.duration_s
    if how.kind != "PASL":
        bolus_s = how.t1_blood_s * (1 - math.exp(-how.duration_s / how.t1_blood_s))
    factor = SECONDS_PER_ML_100G_MIN * PARTITION_ML_G / (2 * how.efficiency * bolus_s)
    decay = np.exp((np.float32(delay_s) + late_s) / np.float32(how.t1_blood_s))
    flow: FloatArray = (share * decay * np.float32(factor)).astype(np.float32)
    return flow


def many(
    shares: Mapping[float, FloatArray],
    weights: Mapping[float, int],
    late_s: FloatArray,
    white: NDArray[np.bool_],
    how: Protocol,
) -> Fit:
    """Flow and arrival time from several delays, voxel by voxel.

    For every arrival time the best flow is a projection; the arrival whose projection explains most
    is taken, with a broad prior of one noise level for the whole volume.

    Args:
        shares: ΔM / M0 by delay (s), (I, J, K) each; a voxel counts when all are known.
        weights: pairs behind each.
        late_s: (I, J, K) how much later a voxel's slice was read.
        white: (I, J, K) where white matter's T1 holds; else grey matter's.
        how: labeling.
    """
    delays_s = np.array(sorted(shares))
    root = np.sqrt(np.array([weights[d] for d in delays_s], dtype=np.float64))
    stack = np.stack([shares[float(d)] for d in delays_s], axis=-1)
    known = np.isfinite(stack).all(axis=-1)
    data = stack[known].astype(np.float64) * root
    steps = np.rint(np.nan_to_num(late_s[known]) / _LATE_STEP_S).astype(int)
    cbf, arrival_s = np.full(len(data), np.nan), np.full(len(data), np.nan)
    is_white = white[known]
    models = {
        (step, is_w): _shapes(delays_s + step * _LATE_STEP_S, how, is_white=bool(is_w)) * root
        for step in np.unique(steps).tolist()
        for is_w in (False, True)
    }
    noise = _noise(data, steps, is_white, models)
    middle_s, sd_s = _ARRIVAL_PRIOR[how.kind]
    prior = np.square((ARRIVALS_S - middle_s) / sd_s)
    for (step, is_w), shapes in models.items():
        where = np.flatnonzero((steps == step) & (is_white == is_w))
        for chunk in np.array_split(where, max(1, len(where) // _CHUNK)):
            flow, best, _ = _project(data[chunk], shapes, prior * noise)
            cbf[chunk], arrival_s[chunk] = flow, ARRIVALS_S[best]
    out = Fit(np.full(known.shape, np.nan, np.float32), np.full(known.shape, np.nan, np.float32))
    out.cbf[known], out.arrival_s[known] = cbf, arrival_s
    return out


def _noise(
    data: NDArray[np.float64],
    steps: NDArray[np.int_],
    is_white: NDArray[np.bool_],
    models: Mapping[tuple[int, bool], NDArray[np.float64]],
) -> float:
    """The variance that the model leaves, its median over voxels."""
    left = [np.zeros(0)]
    n_free = max(data.shape[1] - 2, 1)
    for (step, is_w), shapes in models.items():
        where = np.flatnonzero((steps == step) & (is_white == is_w))[::4]
        _, _, rest = _project(data[where], shapes, np.zeros(len(ARRIVALS_S)))
        left.append(rest / n_free)
    every = np.concatenate(left)
    return float(np.median(every)) if every.size else 0.0


def _project(
    data: NDArray[np.float64], shapes: NDArray[np.float64], penalty: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int_], NDArray[np.float64]]:
    """Best flow, index of its arrival, and the squares it leaves, of (n, d) on (a, d)."""
    energy = np.maximum((shapes * shapes).sum(axis=1), 1e-30)
    along = np.einsum("nd,ad->na", data, shapes)
    explained = along * along / energy
    best = np.argmax(explained - penalty, axis=1)
    rows = np.arange(len(data))
    flow = along[rows, best] / energy[best]
    rest = (data * data).sum(axis=1) - explained[rows, best]
    return flow, best, rest


def _shapes(delays_s: NDArray[np.float64], how: Protocol, *, is_white: bool) -> NDArray[np.float64]:
    """ΔM / M0 of 1 mL/100 g/min for every arrival (rows) and delay (columns)."""
    tissue_s = (T1_WHITE_S if is_white else T1_GREY_S)[how.field_t]
    blood_s, arrival = how.t1_blood_s, ARRIVALS_S[:, None]
    scale = 2 * how.efficiency / (PARTITION_ML_G * SECONDS_PER_ML_100G_MIN)
    if how.kind == "PASL":
        time = delays_s[None, :]
        rate = 1 / blood_s - 1 / tissue_s
        end = np.clip(time, arrival, arrival + how.duration_s)
        filled = (np.exp(-rate * arrival) - np.exp(-rate * end)) / rate
        pulsed: NDArray[np.float64] = scale * np.exp(-time / tissue_s) * filled
        return pulsed
    since = np.maximum(delays_s[None, :] + how.duration_s - arrival, 0)
    gone = np.maximum(since - how.duration_s, 0)
    inflow = scale * tissue_s * np.exp(-arrival / blood_s)
    filled = np.exp(-gone / tissue_s) - np.exp(-since / tissue_s)
    shape: NDArray[np.float64] = inflow * filled
    return shape
