"""Every text of a bundle, made from the model alone: what packs it also checks it."""

import json
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors
import torch

from tracerless import __version__
from tracerless.core.assessment import Assessment
from tracerless.io import assessments, bundles
from tracerless.synthesize import Checkpoint, bundle
from tracerless.synthesize.card import card
from tracerless.synthesize.parity import Parity

SPEC = "1.0.0"
"""Version of a bundle's layout."""


def texts(
    checkpoint: Checkpoint,
    versions: Mapping[str, str],
    evaluated: Assessment | None,
    parity: Parity | None,
) -> dict[str, bytes]:
    """Content by path from the folder of the bundle; equal arguments, equal bytes.

    Args:
        checkpoint: the model.
        versions: as `versions_now` gives them, at the time of packing.
        evaluated: an independent evaluation, where there is one.
        parity: of the ONNX graph; None where the bundle holds none.
    """
    return {
        bundles.METADATA: plain_json(bundle.metadata(checkpoint, versions, SPEC)),
        bundles.INFERENCE: plain_json(bundle.inference(checkpoint)),
        bundles.CARD: card(checkpoint, evaluated, parity).encode(),
        bundles.MANIFEST: plain_json(bundle.manifest(checkpoint)),
        bundles.CALIBRATION: _csv(bundle.calibration_table(checkpoint)),
        bundles.INTERVALS: _csv(bundle.intervals_table(checkpoint)),
        **_evaluation(evaluated),
    }


def versions_now() -> dict[str, str]:
    """Of what a bundle needs, and of what wrote it."""
    return {
        "tracerless": __version__,
        "torch": torch.__version__.partition("+")[0],
        "numpy": np.__version__,
        "onnxruntime": version("onnxruntime"),
        "safetensors": safetensors.__version__,
    }


def versions_stated(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Those that a bundle's metadata states; the inverse of what `texts` wrote.

    Raises:
        KeyError: a version is missing.
    """
    needed = {name: str(version) for name, version in metadata["required_packages_version"].items()}
    return {**needed, "torch": metadata["pytorch_version"], "numpy": metadata["numpy_version"]}


def plain_json(content: Mapping[str, Any]) -> bytes:
    """Readable JSON with sorted keys."""
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, na_rep="n/a", lineterminator="\n").encode()


def _evaluation(evaluated: Assessment | None) -> dict[str, bytes]:
    """The files of an evaluation, as they stand in a dataset."""
    if evaluated is None:
        return {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        assessments.write(folder, evaluated)
        return {
            f"{bundles.EVALUATION}/{path.name}": path.read_bytes()
            for path in sorted(folder.iterdir())
        }
