"""A small model made of drawn weights, for what is packed, exported and written about models."""

import numpy as np
import torch

from tracerless.core.grid import Grid
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.volume import MR_INPUTS
from tracerless.synthesize.calibration import Calibration, subset_key, subsets
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.checkpoint_form import rounded
from tracerless.synthesize.expected import Expected
from tracerless.synthesize.head import box_shape
from tracerless.synthesize.intervals import Interval
from tracerless.synthesize.manifest import History, Manifest
from tracerless.synthesize.objectives import objective

SHAPE = (14, 16, 12)
REGIONS = ("left", "right", "rear")
AFFINE = np.array([[8.0, 0, 0, -52], [0, 8, 0, -60], [0, 0, 8, -44], [0, 0, 0, 1]])


def ball() -> np.ndarray:
    axes = [np.linspace(-1, 1, n) for n in SHAPE]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    return x**2 + y**2 + z**2 < 0.7


def labels() -> np.ndarray:
    made = np.zeros(SHAPE, dtype=np.int16)
    made[: SHAPE[0] // 2], made[SHAPE[0] // 2 :] = 1, 2
    made[:, : SHAPE[1] // 3] = 3
    return np.where(ball(), made, 0).astype(np.int16)


def drawn_weights(recipe: SynthesizeRecipe, members: int) -> dict[str, np.ndarray]:
    """Of every kept part, far enough from their start that every layer matters."""
    plan, made = objective(recipe), {}
    for member in range(members):
        torch.manual_seed(member + 1)
        for part, module in plan.parts(box_shape(ball())).items():
            if part in plan.kept:
                for name, weight in module.state_dict().items():
                    away = 0.05 * torch.randn(weight.shape)
                    made[f"{member}/{part}/{name}"] = (weight + away).numpy()
    return made


def model(*, network="unet-tiny", members=2, half=True, domain="simulated", **settings):
    """A checkpoint whose weights are drawn; ``half`` keeps them as float16."""
    recipe = SynthesizeRecipe(network=network, members=members, voxel_mm=8.0, steps=4, **settings)
    n_members = 1 if network in {"ridge", "none"} else members
    weights = drawn_weights(recipe, n_members)
    mean = np.where(ball(), 1.2, np.nan).astype(np.float32)
    slopes = (0.9, 0.8, 1.0)
    works = {subset_key(s): len(s) > 1 for s in subsets()}
    interval = Interval(REGIONS, (0.05, 0.06, 0.07), 0.5, (1.7, 1.8, 1.9), 12)
    return Checkpoint(
        weights=rounded(weights) if half else weights,
        expected=Expected(mean, np.zeros((0, *SHAPE), dtype=np.float32)),
        baseline=Expected(mean, np.zeros((0, *SHAPE), dtype=np.float32)),
        brain=ball(),
        reference_mask=labels() == 3,
        labels=labels(),
        regions=REGIONS,
        voxel_error=np.full(SHAPE, 0.1, dtype=np.float32),
        grid=Grid(SHAPE, AFFINE),
        residual_suvr=0.12,
        normalisation=Normalisation(),
        template="MNI152NLin2009aSym",
        atlas="fdg36",
        reference="pons",
        recipe=recipe,
        training_domain=domain,
        people=("1a2b", "3c4d"),
        n_trained=20,
        n_held_out=12,
        inputs=MR_INPUTS,
        calibration={
            key: Calibration(0.9, 0.31 if good else -0.02, 12, slopes, works=good)
            for key, good in works.items()
        },
        intervals={subset_key(MR_INPUTS): interval},
        reach=None,
        manifest=Manifest(
            "0123456789ab", "person", {"AD": 9, "CN": 11}, {"AD": 5, "CN": 7}, {"maker-model": 20}
        ),
        history=History(
            {"0/answer": (0.3, 0.2, 0.15, 0.12)}, {"0": ((0, 0.0), (4, 0.3))}, 1, "2.0.0"
        ),
    )
