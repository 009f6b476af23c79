"""What a run on synthetic PET can answer to the CLAIM checklist; the rest is the author's."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tracerless import __version__
from tracerless.publish.assessment_numbers import View, spread
from tracerless.publish.charts_data import records
from tracerless.publish.synthesis_parts import model_name, of_model
from tracerless.publish.tripod_words import joined, listed

_DOMAINS = {
    "acquired": "acquired scans of one de-identified dataset",
    "simulated": "simulated people: a digital hospital, no patient",
}


_STATED: Mapping[str, str] = MappingProxyType(
    {
        "title": (
            "Run: synthesis of FDG-PET from MR by a trained model. The wording is the author's."
        ),
        "use": "Research use. Not a medical device; synthetic PET replaces no acquired PET.",
        "aim": (
            "Skill of synthetic over mean, age-sex and linear MR; whether the diagnosis from it is "
            "not worse than from acquired PET by a stated margin."
        ),
        "left_out": (
            "People that the model saw in training are never evaluated; enforced by their digests."
        ),
        "privacy": (
            "tracerless deidentify before anything else; its proof is tracerless verify. "
            "How it was run here: author."
        ),
        "missing": (
            "Any set of MR inputs is taken; a set that does not beat the mean is refused by name."
        ),
        "choice": (
            "Averaged weights after the last step; nothing was chosen on the evaluated people."
        ),
        "metrics": "Skill, bias, limits of agreement, ICC, CCC, slope, SD ratio, coverage, AUC.",
        "uncertainty": (
            "95 % intervals by resampling people; DeLong for AUC; conformal 90 % intervals."
        ),
        "limits": (
            "What MR does not show cannot be known; "
            "intervals hold for people like those in training."
        ),
        "available": (
            "Model as a bundle with weights, card, manifest and hashes: tracerless synthesize pack."
        ),
    }
)
"""What every run says to an item."""


def _source(look: View) -> str:
    domain = _DOMAINS.get(str(look.fact("domain", "")), "")
    trained = _DOMAINS.get(str(look.fact("training_domain", "")), "")
    return joined(_if("Evaluated on {}.", domain), _if("Trained on {}.", trained))


def _flow(look: View) -> str:
    return joined(
        _if("{} people evaluated.", look.fact("n_people")),
        _if("{} in training,", look.fact("n_trained")),
        _if("{} held out to calibrate.", look.fact("n_held_out")),
        _if("Left out: {}.", listed(look.fact("left_out", ()), most=6)),
    )


def _preparation(look: View) -> str:
    frame = [look.fact(name) for name in ("template", "atlas", "reference")]
    known = ", ".join(str(each) for each in frame if each)
    said = "tracerless prepare: template space, SUVR by a reference region, relative CBF."
    return joined(said, _if("Template, atlas, reference: {}.", known))


def _scanners(look: View) -> str:
    return _if("{}.", listed(look.fact("scanners", ()), most=20))


def _reference(look: View) -> str:
    return _if("Acquired FDG-PET of the same session as SUVR over {}.", look.fact("reference"))


def _annotation(look: View) -> str:
    return _if("None: regions come from atlas {}.", look.fact("atlas"))


def _splits(look: View) -> str:
    return joined(
        _if("Whole people, split by {}.", look.fact("split_by")),
        _if("Digest of the people in training: {}.", look.fact("manifest")),
    )


def _size(look: View) -> str:
    return joined(_if("{} people.", look.fact("n_people")), "Why so many: author.")


def _model(look: View) -> str:
    shown = listed(look.fact("inputs", ()))
    return joined(
        _if("{}.", look.fact("model")),
        _if("Inputs: {}.", shown),
        "Output: mean SUVR, 90 % intervals by region and voxel, reach.",
    )


def _software(look: View) -> str:
    return f"tracerless {look.fact('version', __version__)}"


def _start(look: View) -> str:
    return _if("Weights drawn from seed {}.", _settings(look).get("seed"))


def _training(look: View) -> str:
    return listed([f"{name} {value}" for name, value in _settings(look).items()], most=40)


def _members(look: View) -> str:
    members = _settings(look).get("members")
    return _if("{} networks; their mean is the answer.", members) if members else ""


def _robustness(look: View) -> str:
    names = {"stress": "stress", "planted": "planted lesions", "strange": "strange heads"}
    made = [said for name, said in names.items() if not look.table(name).empty]
    return _if("{}.", listed(made).capitalize())


def _internal(look: View) -> str:
    return joined(*_skills(look, ("all",)))


def _external(look: View) -> str:
    sites = list(dict.fromkeys(look.table("adaptation")["site"].astype(str)))
    return _if("Scanners left out of training: {}.", listed(sites))


def _people(look: View) -> str:
    counts = look.fact("classes", {})
    return listed([f"{n} {name}" for name, n in counts.items()]) if counts else ""


def _performance(look: View) -> str:
    return joined(*_skills(look, None))


def _diagnosis(look: View) -> str:
    return joined(*[str(at["sentence_en"]) for at in records(look.table("claims"))])


def _failures(look: View) -> str:
    n = len(look.table("failures"))
    return f"The {n} worst people, with pictures, in the failure gallery." if n else ""


def _always(said: str) -> Callable[[View], str]:
    """An answer that does not depend on the run."""

    def answer(_: View) -> str:
        return said

    return answer


ANSWERS: Mapping[str, Callable[[View], str]] = MappingProxyType(
    {
        **{name: _always(said) for name, said in _STATED.items()},
        "source": _source,
        "flow": _flow,
        "preparation": _preparation,
        "scanners": _scanners,
        "reference": _reference,
        "annotation": _annotation,
        "splits": _splits,
        "size": _size,
        "model": _model,
        "software": _software,
        "start": _start,
        "training": _training,
        "members": _members,
        "robustness": _robustness,
        "internal": _internal,
        "external": _external,
        "people": _people,
        "performance": _performance,
        "diagnosis": _diagnosis,
        "failures": _failures,
    }
)
"""What a run can say to an item, by the word in the item's column ``fact``."""


def _if(sentence: str, value: Any) -> str:
    """The sentence about a value; nothing where there is no value."""
    return sentence.format(value) if value not in (None, "", "none") else ""


def _settings(look: View) -> Mapping[str, Any]:
    found = look.fact("recipe", {})
    return found if isinstance(found, Mapping) else {}


def _skills(look: View, groups: tuple[str, ...] | None) -> list[str]:
    said = []
    for at in records(of_model(look, "skill")):
        if groups is None or str(at["group"]) in groups:
            shown = spread(at["value"], at["low"], at["high"], small=look.is_small, signed=True)
            rival = model_name(str(at["against"]))[0]
            said.append(f"Skill against {rival}, {at['group']}: {shown}.")
    return said
