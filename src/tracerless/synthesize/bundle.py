"""What a MONAI bundle says of a model: metadata, the network's definition, tables; plain values.

Source:
    MONAI bundle specification (docs.monai.io, "MONAI Bundle Specification"), metadata schema
    20240725.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tracerless.core.volume import MR_INPUTS
from tracerless.synthesize.backend import INPUT, n_outputs
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.export import OUTPUT
from tracerless.synthesize.head import N_CHANNELS, box_of, box_shape
from tracerless.synthesize.intervals import LEVEL

SCHEMA = "https://project-monai.github.io/schema/meta_schema_20240725.json"
MONAI_VERSION = "1.6.1"
"""The release whose bundle commands were tried on such a bundle; nothing here needs MONAI."""
INTENDED_USE = (
    "Research on synthetic FDG-PET from MR. Not a medical device: not for diagnosis or treatment. "
    "A synthetic PET is a guess from MR and replaces no acquired one."
)
_SIMULATED = (
    "Trained on simulation only; fine-tune on the site's own pairs before anyone reads it. "
)


def metadata(checkpoint: Checkpoint, versions: Mapping[str, str], spec: str) -> dict[str, Any]:
    """``configs/metadata.json`` of a bundle.

    Args:
        checkpoint: the model.
        versions: of ``tracerless``, ``torch``, ``numpy``, ``onnxruntime`` and ``safetensors``
            when it was packed.
        spec: version of the bundle, e.g. ``1.0.0``.
    """
    made = checkpoint
    simulated = _SIMULATED if made.training_domain == "simulated" else ""
    return {
        "schema": SCHEMA,
        "version": spec,
        "changelog": {spec: f"packed from {made.name}"},
        "monai_version": MONAI_VERSION,
        "pytorch_version": versions["torch"],
        "numpy_version": versions["numpy"],
        "required_packages_version": {
            name: versions[name] for name in ("onnxruntime", "safetensors", "tracerless")
        },
        "optional_packages_version": {},
        "supported_apps": {},
        "name": f"Synthetic FDG-PET from MR, {made.name}",
        "task": "Synthetic FDG-PET (SUVR) from T1-weighted, T2-weighted and perfusion MR",
        "description": (
            f"{simulated}Predicts a person's deviation from the expected uptake over the "
            f"{made.reference}, from any of {', '.join(made.inputs)}; {made.members} network(s)."
        ),
        "authors": "tracerless",
        "copyright": "Apache-2.0",
        "data_source": f"{made.n_trained + made.n_held_out} {made.training_domain} people",
        "data_type": "nibabel",
        "intended_use": f"{simulated}{INTENDED_USE}",
        "synthetic_output": True,
        "output_unit": "SUVR",
        "reference_region": made.reference,
        "template_space": made.template,
        "atlas": made.atlas,
        "grid_affine": made.grid.affine.tolist(),
        "grid_shape": list(made.grid.shape),
        "grid_box": [[each.start, each.stop] for each in box_of(made.brain)],
        "residual_suvr": made.residual_suvr,
        "training_domain": made.training_domain,
        "training_data_fingerprint": made.manifest.digest,
        "uses_cognition": made.marked_for_cognition,
        "network_data_format": {
            "inputs": {INPUT: _input(made)},
            "outputs": {OUTPUT: _output(made)},
        },
    }


def inference(checkpoint: Checkpoint) -> dict[str, Any]:
    """``configs/inference.json``: the network, its weights, and a run over a prepared dataset."""
    return {
        "imports": ["$import tracerless.cli.synthesize as synthesize"],
        "bundle_root": ".",
        "device": "cpu",
        "dataset_dir": ".",
        "weights_file": "$@bundle_root + '/models/model.safetensors'",
        "network_def": {
            "_target_": "tracerless.networks.build",
            "preset": checkpoint.recipe.network,
            "n_inputs": N_CHANNELS,
            "shape": list(box_shape(checkpoint.brain)),
            "n_outputs": n_outputs(checkpoint),
        },
        "networks": {
            "_target_": "tracerless.workspace.bundles.networks",
            "weights": "@weights_file",
        },
        "arguments": ["predict", "@dataset_dir", "--model", "@weights_file"],
        "run": ["$synthesize.command.main(@arguments, standalone_mode=False)"],
    }


def calibration_table(checkpoint: Checkpoint) -> pd.DataFrame:
    """One row a set of inputs and region: how predictions are recalibrated, and what they showed.

    Columns ``inputs``, ``works`` (1: better than the expected map; 0: refused), ``n`` people,
    ``skill``, ``region``, ``slope``.
    """
    rows = [
        (key, int(each.works), each.n, each.skill, region, slope)
        for key, each in checkpoint.calibration.items()
        for region, slope in zip(checkpoint.regions, _slopes(checkpoint, key), strict=True)
    ]
    return pd.DataFrame(rows, columns=["inputs", "works", "n", "skill", "region", "slope"])


def intervals_table(checkpoint: Checkpoint) -> pd.DataFrame:
    """One row a set of inputs and region: what makes its interval.

    Half-width = ``factor`` sqrt(``base_suvr``² + (``gain`` deviation)² + (``gain_spread``
    disagreement)²), SUVR, at ``level``, from ``n`` people.
    """
    rows = [
        (key, region, LEVEL, each.n, base, each.gain, each.gain_spread, factor)
        for key, each in checkpoint.intervals.items()
        for region, base, factor in zip(each.regions, each.base, each.factor, strict=True)
    ]
    columns = ["inputs", "region", "level", "n", "base_suvr", "gain", "gain_spread", "factor"]
    return pd.DataFrame(rows, columns=columns)


def manifest(checkpoint: Checkpoint) -> dict[str, Any]:
    """Who it learned from, as far as that may be known: digests and counts, nobody's name."""
    made, kept = checkpoint, checkpoint.manifest
    return {
        "model": made.name,
        "digest": made.digest,
        "base": made.base,
        "training_domain": made.training_domain,
        "manifest_digest": kept.digest,
        "split_by": kept.split,
        "n_trained": made.n_trained,
        "n_held_out": made.n_held_out,
        "trained_by_diagnosis": dict(kept.diagnoses),
        "held_out_by_diagnosis": dict(kept.held_out),
        "trained_by_site": dict(kept.sites),
        "held_out_by_site": dict(kept.sites_held_out),
        "person_digests": sorted(made.people),
    }


def _slopes(checkpoint: Checkpoint, key: str) -> list[float]:
    each = checkpoint.calibration[key]
    return [float(s) for s in each.slopes] or [float(each.slope)] * len(checkpoint.regions)


def _input(made: Checkpoint) -> dict[str, Any]:
    names = {str(n): f"{c}, scaled" for n, c in enumerate(MR_INPUTS)}
    flags = {str(n + len(MR_INPUTS)): f"{c} is shown (0/1)" for n, c in enumerate(MR_INPUTS)}
    last = {str(N_CHANNELS - 1): "expected SUVR minus 1, in the brain"}
    clip = made.normalisation.clip
    return {
        "type": "image",
        "format": "magnitude",
        "modality": "MR",
        "num_channels": N_CHANNELS,
        "spatial_shape": list(box_shape(made.brain)),
        "dtype": "float32",
        "value_range": [-clip, clip],
        "is_patch_data": False,
        "channel_def": {**names, **flags, **last},
    }


def _output(made: Checkpoint) -> dict[str, Any]:
    bounds = {"1": "lower bound, raw", "2": "upper bound, raw"} if n_outputs(made) > 1 else {}
    return {
        "type": "image",
        "format": "residual",
        "modality": "synthetic PT",
        "num_channels": n_outputs(made),
        "spatial_shape": list(box_shape(made.brain)),
        "dtype": "float32",
        "value_range": [],  # unbounded
        "is_patch_data": False,
        "channel_def": {
            "0": "deviation from the expected SUVR in units of residual_suvr",
            **bounds,
        },
    }
