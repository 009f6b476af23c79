"""One session to template space."""

from collections.abc import Iterator

from tracerless.core.atlas import Atlas
from tracerless.core.errors import ContrastError, GeometryError, QuantityError
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.recipe import fingerprint as digest
from tracerless.core.session import Native, NativeSeries, Prepared, Template
from tracerless.core.volume import Contrast
from tracerless.prepare import emission, flow, perfusion, quality, structural
from tracerless.prepare.channel import Channel
from tracerless.prepare.head import Head, head

VERSION = 1
"""Part of every fingerprint; raised when a change of the code moves a number."""

ACQUIRED_EMISSION = (Contrast.FDG, Contrast.ECD, Contrast.HMPAO)
"""Contrasts that become SUVR."""


def fingerprint(template: Template, atlas: Atlas, recipe: PrepareRecipe) -> str:
    """The digest that every session prepared so carries."""
    return digest("prepare", VERSION, template.key, atlas.fingerprint, recipe)


def session(native: Native, *, template: Template, atlas: Atlas, recipe: PrepareRecipe) -> Prepared:
    """Bring every volume of a session to template space, each interpolated once.

    A contrast that cannot be aligned or scaled is left out, with the reason; the session goes on
    and its verdict is at best ``review``.

    Args:
        native: converted series; needs a T1.
        template: on the grid of the recipe's ``voxel_mm``.
        atlas: on the same grid; holds the recipe's reference regions.
        recipe: settings; equal settings and input give equal bytes.

    Raises:
        ContrastError: the session has no T1.
        GeometryError: no brain is found, the T1 cannot be registered, or template and atlas lie on
            different grids.
    """
    if atlas.grid != template.grid:
        raise GeometryError(
            f"Template {template.grid.shape} and atlas {atlas.grid.shape} lie on different grids.",
            hint="Load both at the recipe's voxel_mm.",
        )
    person = head(str(native.key), _require_t1(native), template, recipe)
    made = {Contrast.T1W: structural.t1(person, template)}
    missing: list[str] = []
    for chosen in _wanted(native):
        contrast = Contrast.CBF if chosen.contrast in perfusion.FLOW_CONTRASTS else chosen.contrast
        try:
            made[contrast] = _channel(native, chosen, person, template, atlas, recipe)
        except (ContrastError, GeometryError, QuantityError) as error:
            missing.append(f"{contrast} is left out: {error.message}")
    numbers = {name: value for each in made.values() for name, value in each.numbers.items()}
    verdict, reasons = quality.judge(numbers)
    missing += [note for each in made.values() for note in each.notes]
    return Prepared(
        key=native.key,
        template=template.key,
        volumes={contrast: each.volume for contrast, each in made.items()},
        native_grid=person.t1.grid,
        to_native=person.to_native,
        to_template=person.to_template,
        qc=numbers,
        verdict="review" if missing and verdict == "pass" else verdict,
        reasons=(*reasons, *missing),
        fingerprint=fingerprint(template, atlas, recipe),
        sources={str(contrast): dict(each.source) for contrast, each in made.items()},
        alignments={c: each.alignment for c, each in made.items() if each.alignment is not None},
        scales={c: each.scale for c, each in made.items() if each.scale is not None},
    )


def _require_t1(native: Native) -> NativeSeries:
    t1 = native.of(Contrast.T1W)
    if t1 is None:
        have = ", ".join(sorted({str(each.contrast) for each in native.series})) or "nothing"
        raise ContrastError(
            f"{native.key} has no T1w, only {have}.",
            hint="Add the T1 of this visit; PET or SPECT alone cannot be prepared yet.",
        )
    return t1


def _wanted(native: Native) -> Iterator[NativeSeries]:
    """The series beside the T1 that become volumes of the session, one per contrast."""
    chosen = (
        native.of(Contrast.T2W),
        perfusion.series(native),
        *(native.of(contrast) for contrast in ACQUIRED_EMISSION),
    )
    return (each for each in chosen if each is not None)


def _channel(
    native: Native,
    chosen: NativeSeries,
    person: Head,
    template: Template,
    atlas: Atlas,
    recipe: PrepareRecipe,
) -> Channel:
    if chosen.contrast is Contrast.T2W:
        return structural.t2(chosen, person, template)
    if chosen.contrast in ACQUIRED_EMISSION:
        return emission.emission(chosen, person, template, atlas, recipe)
    return flow.flow(native, chosen, person, template, recipe)
