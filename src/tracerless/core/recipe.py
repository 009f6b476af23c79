"""Settings: frozen, checked at birth, exact in TOML, and known by their fingerprint."""

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.volume import Contrast

REGISTRATION_PRESETS = ("fast", "standard")
PVC_METHODS = ("none", "gtm", "mg")
OBJECTIVES = ("regression", "adversarial", "flow", "quantile")
COVARIATES = ("none", "age-sex", "cognition")
BALANCES = ("none", "diagnosis")
SPLITS = ("person", "site")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareRecipe:
    """How scans come to template space."""

    template: str = "MNI152NLin2009aSym"
    """Name of the template space."""
    voxel_mm: float = 2.0
    """Isotropic voxel edge of the template grid, mm."""
    registration: str = "fast"
    """``fast`` (about 16 CPU-s for T1 and PET) or ``standard`` (finer cortex, about 5 more)."""
    pet_fwhm_mm: float = 0.0
    """Gaussian blur of emission volumes in template space, mm FWHM; 0 keeps grey-white contrast."""
    cbf_fwhm_mm: float = 6.0
    """Gaussian blur of relative CBF in template space, mm FWHM."""
    reference_fdg: str = "pons"
    """Reference region of FDG SUVR."""
    reference_spect: str = "cerebellum"
    """Reference region of SPECT ratios."""
    atlas: str = "fdg36"
    """Atlas that holds the reference regions."""
    harmonize_fwhm_mm: float = 0.0
    """Resolution that emission volumes are brought to before they are measured, mm FWHM; 0 leaves
    them as scanned. Needs the scanner's own resolution (``PointSpreadFWHM`` of ``site.toml``)."""
    seed: int = 1
    """Seed of the registration's random sampling."""

    def __post_init__(self) -> None:
        """Refuse contradictions in the user's words."""
        if not 1.0 <= self.voxel_mm <= 6.0:
            raise RecipeError(f"prepare.voxel_mm={self.voxel_mm} is outside 1-6 mm.")
        if self.registration not in REGISTRATION_PRESETS:
            raise RecipeError(
                f"prepare.registration={self.registration!r} is unknown.",
                hint=did_you_mean(self.registration, REGISTRATION_PRESETS),
            )
        for name in ("pet_fwhm_mm", "cbf_fwhm_mm", "harmonize_fwhm_mm"):
            fwhm_mm = getattr(self, name)
            if fwhm_mm < 0 or 0 < fwhm_mm < self.voxel_mm:
                raise RecipeError(
                    f"prepare.{name}={fwhm_mm} is finer than voxel_mm={self.voxel_mm}.",
                    hint=f"Raise prepare.{name}, or set it to 0 for no smoothing.",
                )

    def reference(self, contrast: Contrast) -> str:
        """Name of the reference region of an emission contrast."""
        spect = contrast in {Contrast.ECD, Contrast.HMPAO}
        return self.reference_spect if spect else self.reference_fdg


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantifyRecipe:
    """How regions are measured."""

    pvc: str = "none"
    """Partial-volume correction of emission: ``none``, ``gtm`` (geometric transfer matrix, region
    by region) or ``mg`` (Mueller-Gaertner, voxel by voxel). Needs a T1 and the scanner's resolution
    (``PointSpreadFWHM`` of ``site.toml``)."""

    def __post_init__(self) -> None:
        """Refuse an unknown method."""
        if self.pvc not in PVC_METHODS:
            raise RecipeError(
                f"quantify.pvc={self.pvc!r} is unknown.", hint=did_you_mean(self.pvc, PVC_METHODS)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizeRecipe:
    """How a synthesizer is trained."""

    network: str = "ridge"
    """Preset of ``networks``: ``ridge`` (solved in seconds; the best up to some hundred people),
    ``unet-small`` …; ``none`` leaves the mean, or what age and sex say of it."""
    objective: str = "regression"
    """What is learned: ``regression`` (the posterior mean), ``adversarial`` (with a critic),
    ``flow`` (texture on a frozen posterior mean), ``quantile`` (mean and 90 % bounds)."""
    covariates: str = "none"
    """What is looked at besides MR: ``none``, ``age-sex``, or ``cognition`` (age, sex and MMSE:
    the model and everything that it makes are marked, for the diagnosis may leak in)."""
    people: str = "all"
    """Diagnoses to learn from, joined by ``+``; ``CN`` makes a healthy twin; ``all`` = everyone."""
    members: int = 1
    """Networks of an ensemble; their spread widens the intervals where they disagree."""
    voxel_mm: float = 4.0
    """Voxel edge of the network's grid, mm; prediction returns to the prepared grid."""
    steps: int = 900
    """Optimizer steps of each member; ``ridge`` takes none."""
    flow_steps: int = 600
    """Further steps of the velocity network, with the mean frozen; ``flow`` only."""
    batch: int = 2
    """People per step, over all processes together."""
    learning_rate: float = 2e-3
    """Peak learning rate (AdamW, one-cycle)."""
    dropout_modality: float = 0.3
    """Chance that an input contrast is hidden in a training step, 0-0.9."""
    augment: float = 1.0
    """How much MR is changed in training steps (contrast, bias, blur, noise, misalignment): 0 not
    at all, 1 as much as scanners and registration differ."""
    region_weight: float = 1.0
    """Weight of the regional term when training starts; it falls to 0 at the end."""
    asymmetry_weight: float = 0.2
    """Weight of the error of left minus right."""
    adversarial_weight: float = 0.01
    """Weight of the critic's verdict; ``adversarial`` only."""
    balance: str = "diagnosis"
    """``diagnosis`` shows every diagnosis equally often, ``none`` every session."""
    split_by: str = "person"
    """What is held out whole: ``person``, or ``site`` (every person of the scanners held out)."""
    held_out: float = 0.2
    """Share of people kept out of training to measure skill and to recalibrate, 0-0.5."""
    precision: str = "float32"
    """``bfloat16`` halves memory and time on a GPU; the same bytes come only of ``float32``."""
    seed: int = 1
    """Seed of weights, order, dropout and augmentation."""

    def __post_init__(self) -> None:
        """Refuse contradictions in the user's words."""
        for name, (low, high) in _SYNTHESIZE_LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise RecipeError(f"synthesize.{name}={value} is outside {low}-{high}.")
        for name, words in _SYNTHESIZE_WORDS.items():
            word = getattr(self, name)
            if word not in words:
                raise RecipeError(
                    f"synthesize.{name}={word!r} is unknown.", hint=did_you_mean(word, words)
                )


_SYNTHESIZE_LIMITS: Mapping[str, tuple[float, float]] = {
    "voxel_mm": (2.0, 8.0),
    "members": (1, 20),
    "steps": (1, 1_000_000),
    "flow_steps": (1, 1_000_000),
    "batch": (1, 64),
    "learning_rate": (1e-6, 1.0),
    "dropout_modality": (0.0, 0.9),
    "augment": (0.0, 3.0),
    "region_weight": (0.0, 100.0),
    "asymmetry_weight": (0.0, 100.0),
    "adversarial_weight": (0.0, 10.0),
    "held_out": (0.0, 0.5),
}
_SYNTHESIZE_WORDS: Mapping[str, tuple[str, ...]] = {
    "objective": OBJECTIVES,
    "covariates": COVARIATES,
    "balance": BALANCES,
    "split_by": SPLITS,
    "precision": PRECISIONS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Every setting of a dataset; ``tracerless.toml`` holds exactly this."""

    prepare: PrepareRecipe = field(default_factory=PrepareRecipe)
    quantify: QuantifyRecipe = field(default_factory=QuantifyRecipe)
    synthesize: SynthesizeRecipe = field(default_factory=SynthesizeRecipe)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The recipe that a TOML text states; what it leaves out keeps its default.

        Raises:
            RecipeError: the text is not TOML, or names an unknown section or setting.
        """
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"The recipe is not valid TOML: {error}.") from None
        sections = {f.name: f.type for f in dataclasses.fields(cls)}
        made: dict[str, Any] = {}
        for name, table in tables.items():
            if name not in sections:
                raise RecipeError(
                    f"The recipe has an unknown section [{name}].",
                    hint=did_you_mean(name, sections),
                )
            made[name] = _section(sections[name], name, table)
        return cls(**made)

    def to_toml(self) -> str:
        """TOML text that reads back to an equal recipe."""
        lines: list[str] = []
        for section, table in dataclasses.asdict(self).items():
            lines += [f"[{section}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items()), ""]
        return "\n".join(lines)


def _section(kind: Any, section: str, table: Mapping[str, Any]) -> Any:
    types = {f.name: f.type for f in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in types:
            raise RecipeError(
                f"The recipe has an unknown setting {section}.{name}.",
                hint=did_you_mean(name, types),
            )
        wanted = types[name]
        number = wanted is float and type(value) is int
        if not number and type(value) is not wanted:
            raise RecipeError(f"{section}.{name}={value!r} should be of type {_type_name(wanted)}.")
        values[name] = float(value) if number else value
    return kind(**values)


def fingerprint(*parts: object) -> str:
    """A digest of 12 hex digits over settings and digests; equal parts, equal digest.

    Dataclasses count by their fields, mappings by their sorted items; everything else by its text.
    """
    text = json.dumps([_plain(part) for part in parts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _type_name(wanted: Any) -> str:
    return str(getattr(wanted, "__name__", wanted))


def _plain(part: object) -> Any:
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return dataclasses.asdict(part)
    if isinstance(part, Mapping):
        return {str(key): _plain(value) for key, value in part.items()}
    return part if isinstance(part, str | int | float | bool | None) else str(part)
