"""Evaluations made of drawn scores, for the tests of their pages: numbers that hang together."""

import numpy as np
import pandas as pd
from scipy import stats

from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.seeds import generator
from tracerless.core.study import Arm

STRENGTH = {"demographics": 0.5, "image": 1.6, "cognition": 1.3, "image+cognition": 2.1, "leaky": 3}
MODELS = ("prevalence", "elastic_net", "mlp")
GROUPS = {
    "sex": ("F", "M"),
    "age": ("under 70", "70 to 79", "80 and above"),
    "education": ("0 y", "1 to 5 y", "6 y and above"),
    "scanner": ("GE SIGNA PET/MR", "Siemens Symbia"),
    "tracer": ("ECD",),
}


def diagnosis(n: int = 400, classes: tuple[str, ...] = ("CN", "AD"), **others) -> Assessment:
    """An evaluation of a diagnosis of n people, drawn; intervals by the normal approximation."""
    draw = generator("page", "diagnosis", n, *classes)
    truth = draw.integers(0, len(classes), n)
    tables = {
        "performance": performance(n),
        "increments": increments(n),
        "roc": _roc(truth, classes, draw),
        "calibration": _calibration(truth, classes, draw),
        "decision_curve": decisions(truth, draw),
        "confusion": _confusion(truth, classes, draw),
        "predictive_values": _predictive(n),
        "subgroups": _subgroups(n),
        "missingness": _missingness(classes, draw),
        "learning_curve": _learning(n),
        "single_split": _splits(n, draw),
        "sets": _sets(truth, classes),
        "importance": _importance(n),
        "sentinel": made(
            "sentinel", [(k, "auc", draw.normal(0.5, 0.6 / n**0.5)) for k in range(20)]
        ),
        "findings": _findings(),
    }
    counts = {name: int((truth == k).sum()) for k, name in enumerate(classes)}
    return Assessment("demo", "diagnosis", {**facts(n, counts), **others}, tables, ("A note.",))


def facts(n, classes):
    return {
        "n": n,
        "n_people": n,
        "classes": classes,
        "contrast": "ECD",
        "domain": "simulated",
        "features": "z",
        "models": list(MODELS),
        "main_model": "elastic_net",
        "arms": [str(arm) for arm in Arm],
        "repeats": 5,
        "folds": 5,
        "seed": "1",
        "scanners": {"GE SIGNA PET/MR": n // 2, "Siemens Symbia": n - n // 2},
        "events_per_parameter": {
            "demographics": n / 6,
            "image": n / 80,
            "image+cognition": n / 104,
        },
        "hash": "0123456789abcdef",
        "version": "0.1",
        "level": 0.9,
        "threshold_rule": "largest Youden index over held-out training rows",
        "left_out": ["3 scans failed quality control."],
        "leak_excluded": ["CDR", "CDRSB"],
        "atlas": "fdg36",
        "reference": "cerebellum",
        "fingerprint": "abc123",
        "gap_days": 183,
        "class_weights": "none",
        "imputation": "conditional mean given what is there, in every fold",
        "tuning": "log loss over 4 folds within the training rows",
        "harmonization": "location and scale, empirical Bayes, inside the fold",
    }


def made(name, rows):
    return pd.DataFrame(rows, columns=TABLES[name])


def _auc(strength):
    return float(stats.norm.cdf(strength / 2**0.5))


def ends(value, n, width=1.9):
    half = width * (value * (1 - value) / n) ** 0.5
    return value, max(0.0, value - half), min(1.0, value + half)


def performance(n, main="auc", models=MODELS):
    rows = []
    for model in models:
        for arm, strength in STRENGTH.items():
            value = 0.5 if model == models[0] else _auc(strength * (0.97 if model == "mlp" else 1))
            rows.append((arm, model, main, *ends(value, n)))
            rows.append((arm, model, "brier", *ends(0.25 - (value - 0.5) ** 2 / 2, n, 0.8)))
            rows.append((arm, model, "slope", 0.97, 0.97 - 4 / n**0.5, 0.97 + 4 / n**0.5))
            rows.append((arm, model, "intercept", 0.0, -3 / n**0.5, 3 / n**0.5))
            rows.append((arm, model, "sensitivity", *ends(value - 0.04, n, 2.6)))
            rows.append((arm, model, "specificity", *ends(value - 0.02, n, 2.6)))
    return made("performance", rows)


def increments(n, main="auc", models=("elastic_net", "mlp")):
    rows = []
    for model in models:
        for low, high in (
            ("cognition", "image+cognition"),
            ("image", "image+cognition"),
            ("demographics", "cognition"),
        ):
            value = _auc(STRENGTH[high]) - _auc(STRENGTH[low])
            half = 1.0 / n**0.5
            p = float(2 * stats.norm.sf(abs(value) / (half / 1.96)))
            rows.append((low, high, model, main, value, value - half, value + half, p))
        rows.append(
            ("cognition", "image+cognition", model, "net_benefit@0.20", 0.02, -0.01, 0.05, 0.2)
        )
    return made("increments", rows)


def _roc(truth, classes, draw):
    rows = []
    names = classes[1:] if len(classes) == 2 else classes
    for arm, strength in STRENGTH.items():
        for name in names:
            positive = truth == classes.index(name)
            score = draw.normal(size=len(truth)) + strength * positive
            cuts = np.quantile(score, np.linspace(0, 1, 80))[::-1]
            rows += [
                (
                    arm,
                    "elastic_net",
                    name,
                    (score[~positive] >= c).mean(),
                    (score[positive] >= c).mean(),
                    c,
                )
                for c in cuts
            ]
    return made("roc", rows)


def _calibration(truth, classes, draw):
    rows = []
    names = classes[1:] if len(classes) == 2 else classes
    for name in names:
        for k in range(10):
            told = (k + 0.5) / 10
            n = max(4, len(truth) // 10)
            seen = draw.binomial(n, told) / n
            low, high = stats.binomtest(round(seen * n), n).proportion_ci(method="wilson")
            rows.append(("image+cognition", "elastic_net", name, told, seen, low, high, n))
    return made("calibration", rows)


def decisions(truth, draw, model="elastic_net"):
    rows, share = [], float((truth > 0).mean())
    for arm, strength in STRENGTH.items():
        score = draw.normal(size=len(truth)) + strength * (truth > 0)
        told = 1 / (1 + np.exp(-strength * (score - strength / 2)))
        for cut in np.linspace(0.02, 0.8, 40):
            called = told >= cut
            odds = cut / (1 - cut)
            gain = (called & (truth > 0)).mean() - (called & (truth == 0)).mean() * odds
            rows.append((arm, model, cut, gain, share - (1 - share) * odds))
    return made("decision_curve", rows)


def _confusion(truth, classes, draw):
    called = np.where(
        draw.random(len(truth)) < 0.8, truth, draw.integers(0, len(classes), len(truth))
    )
    rows = [
        ("image+cognition", "elastic_net", a, b, float(((truth == i) & (called == j)).sum()))
        for i, a in enumerate(classes)
        for j, b in enumerate(classes)
    ]
    return made("confusion", rows)


def _predictive(n):
    rows = []
    for setting, rate in (("community, 65 and above", 0.08), ("memory clinic", 0.45)):
        ppv = 0.8 * rate / (0.8 * rate + 0.2 * (1 - rate))
        npv = 0.8 * (1 - rate) / (0.8 * (1 - rate) + 0.2 * rate)
        rows.append((setting, rate, "ppv", *ends(ppv, n, 3)))
        rows.append((setting, rate, "npv", *ends(npv, n, 3)))
    return made("predictive_values", rows)


def _subgroups(n):
    rows, nan = [], float("nan")
    for by, groups in GROUPS.items():
        for k, group in enumerate(groups):
            size = n // len(groups) if k else n // (3 * len(groups))
            if size < 20 or group == "0 y":
                rows.append(
                    (by, group, min(size, 17), "auc", nan, nan, nan, "17 people, 20 needed")
                )
            else:
                rows.append((by, group, size, "auc", *ends(0.88 - 0.02 * k, size), ""))
    return made("subgroups", rows)


def _missingness(classes, draw):
    names = ("MMSE", "CASI", "TMT_B", "CVVLT_10M", "frontal_L", "frontal_R")
    rows = [
        (name, each, {"TMT_B": 0.08 + 0.2 * k, "CASI": 0.03}.get(name, 0.0), 50)
        for name in names
        for k, each in enumerate(classes)
    ]
    return made("missingness", rows)


def _learning(n):
    rows = []
    for model in ("elastic_net", "mlp"):
        for share in (0.2, 0.4, 0.6, 0.8, 1.0):
            size = int(n * share)
            value = 0.93 - (1.2 if model == "mlp" else 0.9) / size**0.5
            rows.append((model, size, "auc", *ends(value, n)))
    return made("learning_curve", rows)


def _splits(n, draw):
    rows = [("specification", "auc", 0.93)]
    rows += [(str(k), "auc", min(1.0, draw.normal(0.89, 0.6 / n**0.5))) for k in range(1, 101)]
    return made("single_split", rows)


def _sets(truth, classes):
    rows = []
    for k, name in enumerate(classes):
        n = int((truth == k).sum())
        rows.append((name, n, *ends(0.9, n), 1.3 + 0.1 * k, 0.7 - 0.1 * k, 0.02))
    return made("sets", rows)


def _importance(n):
    groups = (("parietal", "region", 0.09), ("memory", "test", 0.12), ("temporal", "region", 0.05),
              ("demographics", "person", 0.01), ("occipital", "region", 0.002))  # fmt: skip
    half = 0.6 / n**0.5
    rows = [(g, kind, v, v - half, v + half, 0.71) for g, kind, v in groups]
    return made("importance", rows)


def _findings():
    return made(
        "findings",
        [
            ("row split", "pass", "No person is on both sides of a fold.", ""),
            ("selection", "pass", "Every column that could be used was.", ""),
            ("synthesizer", "not checked", "No synthetic image is here.", ""),
        ],
    )
