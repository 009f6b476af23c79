"""What a reader of a blinded study sees: pictures that do not say which PET is synthetic.

Nowhere else does a synthetic picture go without its own mark. Here one mark stands on every picture
alike, acquired or synthetic: some of the set are synthetic. No argument leaves it out.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ContrastError, QuantityError
from tracerless.core.transform import gaussian
from tracerless.core.volume import EMISSION, MR_INPUTS, Contrast, Quantity, Volume, with_array
from tracerless.publish import texts
from tracerless.publish.markup import bullets, page, paragraph, text, zh
from tracerless.publish.panel import Panel
from tracerless.publish.picture import WARNING, encode, heading, render
from tracerless.publish.slices import axial_slices, brain_only

SOME_SYNTHETIC_EN = (
    "READER STUDY - SOME PET PICTURES OF THIS SET ARE SYNTHETIC, NOT ACQUIRED - RESEARCH USE ONLY"
)
SOME_SYNTHETIC_ZH = "閱片研究：本組部分 PET 影像為人工合成，非實際掃描。僅供研究，不得用於診斷。"
N_SLICES = 8
FWHM_MM = 6.0
"""Both kinds of PET are blurred alike, so that fineness does not tell which is which."""
_PX_PER_MM = 1.1
_TITLE = {"pet": "PET picture (SUVR)"}

FORM_COLUMNS = ("block", "case", "diagnosis", "certainty", "looks_synthetic", "comment")
"""Of the form that a reader fills."""


def blinded(pet: Volume, brain: Volume, *, fwhm_mm: float = FWHM_MM) -> Volume:
    """A PET volume that does not say whether it is synthetic: same blur, same cut, no contrast.

    Args:
        pet: SUVR of either kind.
        brain: 0/1 on the same grid; nothing is kept beyond it.
        fwhm_mm: of the blur, mm.

    Raises:
        QuantityError: the volume is no SUVR.
    """
    if pet.contrast not in EMISSION or pet.quantity is not Quantity.SUVR:
        raise QuantityError(f"A reader is shown PET as SUVR, got {pet!r}.")
    array = gaussian(pet, fwhm_mm).array
    inside = (brain.array > 0) & np.isfinite(array)
    kept = np.where(inside, array, np.nan).astype(np.float32)
    return Volume(kept, pet.grid, Quantity.SUVR, Contrast.UNKNOWN)


def common_field(*volumes: Volume) -> tuple[Volume, ...]:
    """The volumes where all of them were seen: an edge of a field of view would tell them apart."""
    known = np.logical_and.reduce([np.isfinite(each.array) for each in volumes])
    return tuple(with_array(each, _where(known, each.array)) for each in volumes)


def case_picture(
    code: str, shown: Mapping[Contrast, Volume], pet: Volume | None, brain: Volume, *, top: float
) -> bytes:
    """The PNG of one case: its MR, then a PET picture if it has one.

    Args:
        code: of the case; stands on top.
        shown: MR by contrast, on the grid of ``brain``.
        pet: as `blinded` made it; None for a case of MR alone.
        brain: 0/1; only the brain is drawn, so that no face can be seen.
        top: SUVR of the brightest color, the same in the whole set.

    Raises:
        ContrastError: a PET volume that was not blinded, or nothing to show.
    """
    if pet is not None and pet.contrast is not Contrast.UNKNOWN:
        raise ContrastError(
            f"A {pet.contrast} picture would say what it is.", hint="Call blinded() first."
        )
    order = [contrast for contrast in MR_INPUTS if contrast in shown]
    volumes = [shown[contrast] for contrast in order] + ([pet] if pet is not None else [])
    if not volumes:
        raise ContrastError("A case shows neither MR nor PET.")
    drawn = brain_only(volumes, brain)
    panels = [_panel(contrast, each) for contrast, each in zip(order, drawn, strict=False)]
    if pet is not None:
        panels.append(Panel("pet", _TITLE["pet"], drawn[-1], 0.0, top, "uptake", "SUVR"))
    slices = axial_slices(brain, N_SLICES)
    rows = [render([each], slices, px_per_mm=_PX_PER_MM, per_row=N_SLICES) for each in panels]
    width = max(row.shape[1] for row in rows)
    strips = [heading(width, [SOME_SYNTHETIC_EN], WARNING), heading(width, [code])]
    return encode(np.concatenate([*strips, *(_widened(row, width) for row in rows)], axis=0))


def instructions(
    codes: Sequence[str], diagnoses: Sequence[str], *, kinds: Sequence[str], simulated: bool
) -> str:
    """The page that goes with the pictures, English and Traditional Chinese.

    Args:
        codes: of the cases.
        diagnoses: that a form may name.
        kinds: what cases show, in words.
        simulated: whether the people are.
    """
    words = ", ".join(diagnoses)
    said = "The people of this set are SIMULATED." if simulated else ""
    steps = (
        f"Read the {len(codes)} cases in the order of your own form, a block a day at most: each "
        "person comes once a block.",
        f"diagnosis: one of {words}.",
        "certainty: 1 (a guess) to 5 (sure).",
        "looks_synthetic: yes or no where there is a PET picture; leave it empty for MR alone.",
        "Do not look back at earlier cases, and do not discuss them before all forms are in.",
    )
    steps_zh = (
        f"請依您專屬表格之順序閱讀 {len(codes)} 個案例，每日至多一個區塊；"
        "每區塊中每位受試者僅出現一次。",
        f"diagnosis（診斷）：填 {words} 之一。",
        "certainty（確定程度）：1（猜測）至 5（確定）。",
        "looks_synthetic（是否像人工合成）：有 PET 影像時填 yes 或 no；僅有 MR 時留空。",
        "請勿回看先前案例；全部表格交回前請勿討論。",
    )
    body = (
        _banner(),
        f"<h1>Reader study {zh('閱片研究')}</h1>",
        paragraph(
            f"A case shows one of: {'; '.join(kinds)}. Both kinds of PET are blurred to the same "
            f"{FWHM_MM:g} mm and cut to the brain; colors run from 0 to the same SUVR in every "
            f"case. {said}".strip(),
            "每個案例為僅 MR，或 MR 加一張 PET；兩種 PET 經相同平滑與裁切，色階一致。",
        ),
        "<section>" + bullets(steps) + "</section>",
        '<section lang="zh-Hant-TW">' + bullets(steps_zh) + "</section>",
    )
    return page("Reader study", body)


def _banner() -> str:
    both = f"{text(SOME_SYNTHETIC_EN)}<br>{zh(SOME_SYNTHETIC_ZH)}"
    return f'<div class="banner" role="note">{both}</div>'


def _panel(contrast: Contrast, volume: Volume) -> Panel:
    title = texts.title(contrast)
    known = volume.array[np.isfinite(volume.array)]
    if contrast is Contrast.CBF:
        return Panel(str(contrast), title, volume, 0.0, 2.0, "flow", "x brain mean")
    low, high = (float(each) for each in np.percentile(known, (1, 99.5)))
    return Panel(str(contrast), title, volume, min(low, 0.0), max(high, 1e-6), "grey", "a.u.")


def _widened(row: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    edge = np.zeros((row.shape[0], width - row.shape[1], 3), dtype=np.uint8)
    return np.concatenate([row, edge], axis=1)


def _where(known: NDArray[np.bool_], array: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(known, array, np.nan).astype(np.float32)
