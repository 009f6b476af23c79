"""One session to template space."""

from collections.abc import Callable
from functools import partial

from tracerless.core.atlas import Atlas
from tracerless.core.errors import ContrastError, GeometryError, QuantityError
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.recipe import fingerprint as digest
from tracerless.core.session import Native, NativeSeries, Prepared, Template
from tracerless.core.volume import Contrast
from tracerless.prepare import emission, flow, perfusion, quality, structural
from tracerless.prepare.channel import Channel
from tracerless.prepare.emission_only import emission_only
from tracerless.prepare.head import Head, head
from tracerless.prepare.made import Made
from tracerless.prepare.uptake import ACQUIRED_EMISSION, uptake

VERSION = 2
"""Part of every fingerprint; raised when a change of the code moves a number."""

_CAUGHT = (ContrastError, GeometryError, QuantityError)


def fingerprint(template: Template, atlas: Atlas, recipe: PrepareRecipe) -> str:
    """The digest that every session prepared so carries."""
    return digest("prepare", VERSION, template.key, atlas.fingerprint, recipe)


def session(native: Native, *, template: Template, atlas: Atlas, recipe: PrepareRecipe) -> Prepared:
    """Bring every volume of a session to template space, each interpolated once.

    With a T1 everything goes through it; without, PET and SPECT go to the standard uptake. A
    contrast that cannot be aligned or scaled is left out, with the reason; the session goes on and
    its verdict is at best ``review``.

    Args:
        native: converted series; needs a T1, PET or SPECT.
        template: on the grid of the recipe's ``voxel_mm``.
        atlas: on the same grid; holds the recipe's reference regions.
        recipe: settings; equal settings and input give equal bytes.

    Raises:
        ContrastError: the session has neither T1 nor PET nor SPECT.
        GeometryError: no brain is found, what carries the maps cannot be registered, or template
            and atlas lie on different grids.
        QuantityError: there is no T1, and the PET or SPECT cannot be measured.
    """
    if atlas.grid != template.grid:
        raise GeometryError(
            f"Template {template.grid.shape} and atlas {atlas.grid.shape} lie on different grids.",
            hint="Load both at the recipe's voxel_mm.",
        )
    t1 = native.of(Contrast.T1W)
    if t1 is None:
        made = emission_only(native, template, atlas, recipe)
    else:
        made = _through_t1(native, t1, template, atlas, recipe)
    return _judged(native, made, template, fingerprint(template, atlas, recipe))


def _through_t1(
    native: Native, t1: NativeSeries, template: Template, atlas: Atlas, recipe: PrepareRecipe
) -> Made:
    person = head(str(native.key), t1, template, recipe)
    channels = {Contrast.T1W: structural.t1(person, template)}
    missing: list[str] = []
    for contrast, step in _steps(native, person, template, atlas, recipe).items():
        try:
            channels[contrast] = step()
        except _CAUGHT as error:
            missing.append(f"{contrast} is left out: {error.message}")
    return Made(
        channels, tuple(missing), t1.grid, person.to_native, person.to_template, person.anatomy
    )


def _steps(
    native: Native, person: Head, template: Template, atlas: Atlas, recipe: PrepareRecipe
) -> dict[Contrast, Callable[[], Channel]]:
    """What makes each volume of the session beside the T1."""
    steps: dict[Contrast, Callable[[], Channel]] = {}
    t2, perfused = native.of(Contrast.T2W), perfusion.series(native)
    if t2 is not None:
        steps[Contrast.T2W] = partial(structural.t2, t2, person, template)
    if perfused is not None:
        steps[Contrast.CBF] = partial(flow.flow, native, perfused, person, template, recipe)
    for contrast in ACQUIRED_EMISSION:
        if native.of(contrast) is not None:
            steps[contrast] = partial(_emission, native, contrast, person, template, atlas, recipe)
    return steps


def _emission(
    native: Native,
    contrast: Contrast,
    person: Head,
    template: Template,
    atlas: Atlas,
    recipe: PrepareRecipe,
) -> Channel:
    found = uptake(native, contrast, recipe)
    return emission.emission(found, person, template, atlas, recipe)


def _judged(native: Native, made: Made, template: Template, mark: str) -> Prepared:
    """The session with its numbers and its verdict."""
    channels = made.channels
    numbers = {name: value for each in channels.values() for name, value in each.numbers.items()}
    volumes = {contrast: each.volume for contrast, each in channels.items()}
    ways = None if made.anatomy is None else (made.to_native, made.to_template)
    numbers |= quality.looks(volumes, template, ways)
    verdict, reasons = quality.judge(numbers)
    notes = (note for each in channels.values() for note in each.notes)
    doubtful = (*made.missing, *notes, *quality.doubts(native))
    return Prepared(
        key=native.key,
        template=template.key,
        volumes=volumes,
        native_grid=made.native_grid,
        to_native=made.to_native,
        to_template=made.to_template,
        qc=numbers,
        verdict="review" if doubtful and verdict == "pass" else verdict,
        reasons=(*reasons, *doubtful),
        fingerprint=mark,
        sources={str(contrast): dict(each.source) for contrast, each in channels.items()},
        anatomy=made.anatomy,
        alignments={c: a for c, each in channels.items() if (a := each.alignment) is not None},
        scales={c: s for c, each in channels.items() if (s := each.scale) is not None},
    )
