"""An evaluation of synthetic PET with every table, from numbers that are drawn."""

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.seeds import generator
from tracerless.evaluate.claims import Verdict

REGIONS = ("precuneus_L", "precuneus_R", "posterior_cingulate", "frontal_L")
GROUPS = ("all", "CN", "MCI", "AD")


def frame(name, rows):
    return pd.DataFrame(rows, columns=list(TABLES[name]))


def around(value, half=0.08):
    return value, value - half, value + half


def _tables():
    rng = generator("publish-synthesis")
    model = "unet-small"
    made = {
        "skill": [
            (model, rival, group, *around(0.3 - 0.02 * n), 40)
            for n, group in enumerate(GROUPS)
            for rival in ("mean", "age-sex", "linear")
        ],
        "agreement": [
            (model, atlas, ref, region, 40, *around(0.01, 0.02), *around(-0.2), *around(0.2),
             *around(0.6), *around(0.58), *around(0.7 + 0.02 * n), *around(1.02), *around(0.8),
             0.06, 0.09)
            for atlas, ref in (("fdg36", "pons"), ("fdg20", "cerebellum"))
            for n, region in enumerate((*REGIONS, "all"))
        ],
        "voxels": [(model, "all", m, *around(0.1), 40) for m in ("mae", "ssim")],
        "z_flags": [
            (model, norm, "AD", m, *around(0.4))
            for norm in ("own", "acquired")
            for m in ("dice", "sensitivity", "sensitivity_chance", "ppv", "ppv_chance", "chance")
        ],
        "asymmetry": [(model, "precuneus", 40, 0.7, 0.6, 0.8, 0.5, 0.01)],
        "coverage": [
            (model, region, group, 10, share, share - 0.05, min(share + 0.05, 1), 0.12)
            for region in ("all", *REGIONS)
            for group, share in zip(GROUPS, (0.91, 0.93, 0.9, 0.6), strict=True)
        ],
        "abstention": [(model, k, 0.04 + 0.03 * k, 0.9) for k in np.linspace(0.1, 1, 10)],
        "inputs": [
            (model, inputs, "hidden at prediction", *around(0.3 - 0.1 * n), 0.1 * n, 0.2 / (n + 1))
            for n, inputs in enumerate(("T1w+T2w+cbf", "T1w", "cbf"))
        ] + [("linear", "cbf", "trained on these alone", *around(0.2), 0.1, 0.01)],
        "planted": [
            (model, correlate, "all", loss, 12, *around(share, 0.05), 10, *around(1 - share))
            for correlate, share in (("none", 0.0), ("flow", 0.5), ("flow+thinning", 0.8))
            for loss in (0.05, 0.1, 0.2, 0.4)
        ],
        "covariate_policy": [
            (policy, "linear", *around(0.3), 0.01, 0.4, 12)
            for policy in ("images", "age-sex", "cognition")
        ],
        "adaptation": [
            ("SIEMENS A", "linear", n, *around(0.1 + 0.01 * n), 0.9, 0.88, 20) for n in (0, 5, 20)
        ],
        "stress": [
            (model, "few-pairs", level, 12, *around(0.3 - 0.05 * n), 0.9, 0.05 * n, 0.0)
            for n, level in enumerate((0.5, 0.2, 0.1))
        ],
        "strange": [(model, "stroke", 12, 0.9, 0.1)],
        "parity": [("onnx", "torch", 0.0003, 0.005, "pass")],
        "memorisation": [(model, "regions", 0.4, 0.41, "no sign of repeating: 1 % farther")],
        "claims": [
            ("diagnosis CN/AD", str(verdict), *around(-0.04), 0.05, "Not shown.", "未證實。")
            for verdict in Verdict
        ],
        "findings": [
            ("grid", "pass", "6 of 6 predictions lie on the session's own grid.", ""),
            ("people", "found", "The acquired PET of 2 people is also that of another.", "Stop."),
        ],
        "failures": [("simA0001", "01", "AD", "precuneus_L", -0.31, 0.12, "Beyond its interval.")],
        "performance": [
            (arm, "elastic_net CN/AD", "auc", *around(0.85))
            for arm in ("mr", "asl", "synthetic", "acquired", "mr+synthetic")
        ],
    }  # fmt: skip
    rng.shuffle(made["agreement"][:1])
    return {name: frame(name, rows) for name, rows in made.items()}


def synthesis(n_people=120, tables=None, **facts):
    """Every table, or those named."""
    kept = _tables()
    known = {
        "headline": "Skill +0.30 (+0.22 to +0.38), slope 0.71, 90 % intervals hold 91 %, AD 60 %.",
        "n_people": n_people,
        "classes": {"CN": 40, "MCI": 40, "AD": 40},
        "domain": "simulated",
        "training_domain": "simulated",
        "model": "unet-small:1f2e3d4c5b6a",
        "inputs": ["T1w", "T2w", "cbf"],
        "reference": "pons",
        "atlas": "fdg36",
        "recipe": {"network": "unet-small", "members": 1, "seed": 1, "steps": 900},
        **facts,
    }
    wanted = kept if tables is None else {name: kept[name] for name in tables}
    return Assessment("unet-small", "synthesis", known, wanted, ("A note.",))
