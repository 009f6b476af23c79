"""An evaluation of diagnosis, risk or synthesis as tables: what a page shows and a file keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from tracerless.core.errors import ModelError

_BOUNDS = ("value", "low", "high")
_AGREEMENT = (
    *(f"{measure}{bound}"
      for measure in ("bias", "agree_low", "agree_high", "icc", "ccc", "slope", "calibration",
                      "sd_ratio")
      for bound in ("", "_low", "_high")),
    "mae", "mae_mean",
)  # fmt: skip
"""Of predicted and acquired SUVR over people; ``slope`` of predicted on acquired, ``calibration``
of acquired on predicted; ``agree_low`` and ``agree_high`` are the limits of agreement."""
_PLANTED = (
    "model", "correlate", "region", "loss", "n", "recovered", "low", "high",
    "n_low", "false_normal", "false_normal_low", "false_normal_high",
)  # fmt: skip
"""``n_low`` plantings that the acquired PET calls low; ``false_normal`` of them are not low in the
synthetic one."""
_STRESS = (
    "model", "stress", "level", "n", "skill", "low", "high", "coverage", "flagged", "refused",
)  # fmt: skip

TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "performance": ("arm", "model", "metric", *_BOUNDS),
        "increments": ("from_arm", "to_arm", "model", "metric", *_BOUNDS, "p"),
        "confusion": ("arm", "model", "truth", "predicted", "n"),
        "roc": ("arm", "model", "class", "false_positive", "true_positive", "threshold"),
        "calibration": ("arm", "model", "class", "predicted", "observed", "low", "high", "n"),
        "decision_curve": ("arm", "model", "threshold", "net_benefit", "treat_all"),
        "predictive_values": ("setting", "prevalence", "quantity", *_BOUNDS),
        "subgroups": ("by", "group", "n", "metric", *_BOUNDS, "reason"),
        "missingness": ("predictor", "class", "share", "n"),
        "learning_curve": ("model", "n", "metric", *_BOUNDS),
        "single_split": ("split", "metric", "value"),
        "sets": ("class", "n", "coverage", "low", "high", "mean_size", "single", "abstained"),
        "importance": ("group", "kind", *_BOUNDS, "stability"),
        "sentinel": ("draw", "metric", "value"),
        "findings": ("check", "verdict", "what", "next"),
        "absolute_risk": ("model", "years", "quantity", *_BOUNDS),
        "bands": ("band", "low_risk", "high_risk", "n", "events", "observed", "low", "high"),
        "incidence": ("band", "years", "event", *_BOUNDS),
        # of synthetic PET; ``model`` names the model, or mean, age-sex, linear
        "skill": ("model", "against", "group", *_BOUNDS, "n"),
        "agreement": ("model", "atlas", "reference", "region", "n", *_AGREEMENT),
        "voxels": ("model", "group", "metric", *_BOUNDS, "n"),
        "z_flags": ("model", "norm", "group", "metric", *_BOUNDS),
        "asymmetry": ("model", "region", "n", "same_sign", "low", "high", "icc", "bias"),
        "coverage": ("model", "region", "group", "n", "coverage", "low", "high", "half_width"),
        "abstention": ("model", "kept", "mae", "coverage"),
        "inputs": ("model", "inputs", "how", "skill", "low", "high", "less_than_all", "p"),
        "planted": _PLANTED,
        "covariate_policy": ("policy", "model", "skill", "low", "high", "against_images", "p", "n"),
        "adaptation": (
            "site",
            "model",
            "n_adapted",
            "skill",
            "low",
            "high",
            "slope",
            "coverage",
            "n",
        ),
        "stress": _STRESS,
        "strange": ("model", "case", "n", "flagged", "refused"),
        "parity": ("what", "against", "largest_suvr", "limit_suvr", "verdict"),
        "memorisation": ("model", "distance", "to_training", "to_unseen", "verdict"),
        "claims": ("claim", "verdict", *_BOUNDS, "margin", "sentence_en", "sentence_zh"),
        "failures": ("person", "visit", "diagnosis", "region", "error", "half_width", "why"),
    }
)
"""Every table that an evaluation may hold, and its columns. ``metric`` among `METRICS`."""

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "auc": "area under the ROC curve; of each class against the rest, averaged, from three on",
        "balanced_accuracy": "mean over the classes of the share that is found",
        "average_precision": "area under precision against recall",
        "brier": "mean squared error of the probabilities",
        "log_loss": "mean negative log of the probability of what was true",
        "slope": "calibration slope; 1 is calibrated, below 1 overconfident",
        "intercept": "calibration in the large; 0 is calibrated",
        "ece": "expected calibration error over 10 bins of equal size",
        "sensitivity": "share of the ill that is found at the threshold chosen in training",
        "specificity": "share of the well that is passed at that threshold",
        "c_index": "concordance, weighted for censoring",
        "auc_t": "time-dependent area under the ROC curve",
        "ibs": "integrated Brier score over the horizons",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """One evaluation.

    Args:
        key: name of the model or of the evaluation.
        task: ``diagnosis``, ``risk`` or ``synthesis``.
        facts: plain values (numbers, words, lists of them): ``n``, ``n_people``, ``classes``
            ({class: n}), ``events``, ``horizons``, ``contrast``, ``domain``, ``features``,
            ``models``, ``arms``, ``repeats``, ``folds``, ``seed``, ``scanners``, ``headline``
            (one sentence), ``events_per_parameter``, ``hash`` of the locked model, ``version`` …
        tables: by name, among `TABLES`, with those columns; a table that could not be made is
            absent, and ``notes`` says why.
        notes: sentences that stand beside the numbers.

    Raises:
        ModelError: an unknown table, or one with other columns.
    """

    key: str
    task: str
    facts: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check once, and lock."""
        for name, table in self.tables.items():
            if name not in TABLES:
                raise ModelError(f"An evaluation has no table {name!r}.")
            if tuple(table.columns) != TABLES[name]:
                raise ModelError(
                    f"Table {name} has columns {list(table)}, not {TABLES[name]}.",
                    hint="Evaluate again: another version of tracerless made it.",
                )
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))

    def number(self, arm: str, model: str, metric: str) -> tuple[float, float, float]:
        """(value, low, high) of one line of ``performance``.

        Raises:
            ModelError: it was not measured.
        """
        table = self.tables.get("performance", pd.DataFrame(columns=TABLES["performance"]))
        is_it = (table["arm"] == arm) & (table["model"] == model) & (table["metric"] == metric)
        if not is_it.any():
            raise ModelError(f"No {metric} of {model} on {arm}.")
        row = table[is_it].iloc[0]
        return float(row["value"]), float(row["low"]), float(row["high"])
