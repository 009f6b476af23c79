"""A dataset of small people whose flow follows their metabolism: enough to train on in seconds."""

import numpy as np
import pandas as pd

from tracerless.core.cohort import Cohort
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, Recipe, SynthesizeRecipe
from tracerless.core.scaling import relative, suvr
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.transform import identity
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import resources
from tracerless.io.atomic import write_text
from tracerless.workspace.dataset import SIMULATED_MARK, Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import write_cohort

VOXEL_MM = 6.0
ILL = ("precuneus", "posterior_cingulate", "dorsolateral_parietal", "lateral_temporal")


def written(root, n=24, *, classes=("CN", "AD"), loss=0.25):
    """``n`` people; disease lowers metabolism and flow where `ILL` says, MR does not know it."""
    recipe = Recipe(
        prepare=PrepareRecipe(voxel_mm=VOXEL_MM), synthesize=SynthesizeRecipe(voxel_mm=VOXEL_MM)
    )
    dataset = Dataset.create_or_open(root, recipe)
    write_text(root / SIMULATED_MARK, "simulated\n")
    template = resources.template(VOXEL_MM)
    atlas = resources.atlas(recipe.prepare.atlas, VOXEL_MM, root)
    rows = {}
    for number in range(n):
        diagnosis = classes[number % len(classes)]
        key = SessionKey(Pseudonym(f"p{number:03d}"), "01")
        made = person(key, template, atlas, loss * (diagnosis != "CN"))
        SessionShelf(dataset, key).save("prepared", made, f"digest{number}")
        rows[str(key.person)] = {
            "age": 60.0 + number % 20, "sex": "FM"[number % 3 % 2], "education_years": 9.0,
            "diagnosis": diagnosis,
        }  # fmt: skip
    write_cohort(dataset, Cohort(pd.DataFrame.from_dict(rows, orient="index")))
    return dataset


def person(key, template, atlas, loss):
    random = generator("crossfit-people", str(key))
    grey, white = np.nan_to_num(template.grey.array), np.nan_to_num(template.white.array)
    field = np.ones(template.grid.shape)
    for region in atlas.regions:
        ill = loss * any(region.key.startswith(name) for name in ILL)
        field[atlas.labels == region.index] += random.normal(0, 0.08) - ill

    def volume(array, quantity, contrast):
        noisy = array + 0.03 * random.normal(size=array.shape)
        return Volume(noisy.astype(np.float32), template.grid, quantity, contrast)

    brain = template.brain.array > 0
    fdg = volume((1.5 * grey + 0.7 * white + 0.1) * field, Quantity.ACTIVITY, Contrast.FDG)
    flow = volume((60 * grey + 25 * white + 1) * field, Quantity.CBF, Contrast.CBF)
    volumes = {
        Contrast.T1W: volume(2 * white + grey, Quantity.T1W, Contrast.T1W),
        Contrast.CBF: relative(flow, brain),
        Contrast.FDG: suvr(fdg, atlas.reference("pons")),
    }
    there, back = identity(template.key, "native"), identity("native", template.key)
    return Prepared(
        key, template.key, volumes, template.grid, there, back, {}, "pass", (), "crossfit-people"
    )
