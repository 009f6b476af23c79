"""The page of one session."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from tracerless import __version__
from tracerless.core.atlas import Atlas, RoiTable
from tracerless.core.errors import RecipeMismatchError
from tracerless.core.prediction import (
    SYNTHETIC_LABEL_EN,
    SYNTHETIC_LABEL_ZH,
    Evaluation,
    Prediction,
)
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import Contrast
from tracerless.publish import texts
from tracerless.publish.against import Against, against_section
from tracerless.publish.look import SORT
from tracerless.publish.markup import (
    banner,
    bullets,
    facts,
    figure,
    heading,
    page,
    paragraph,
    text,
    zh,
)
from tracerless.publish.panel import Panel, registration_panel, session_panels
from tracerless.publish.picture import picture
from tracerless.publish.regions import (
    acquired,
    agreement_line,
    region_table,
    require_one_atlas,
    uptake_plot,
)
from tracerless.publish.slices import Slice, default_slices
from tracerless.publish.viewer import viewer
from tracerless.publish.viewer_script import VIEWER

PAGE_LIMIT_BYTES = 6_000_000
"""A session page stays below this on a 2 mm template grid."""


@dataclass(frozen=True, slots=True)
class Backing:
    """What stands behind a page.

    Args:
        versions: of what made the numbers, by name, besides this package.
        sheet: the contact sheet of the session, PNG; empty where there is none.
        against: what norms say of the session, one section each.
        blocks: more sections, as HTML that is ready.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    sheet: bytes = b""
    against: tuple[Against, ...] = ()
    blocks: tuple[str, ...] = ()


def session_page(
    prepared: Prepared,
    atlas: Atlas,
    *,
    template: Template,
    tables: Mapping[Contrast, RoiTable],
    prediction: Prediction | None = None,
    training_mean: pd.Series | None = None,
    evaluation: Evaluation | None = None,
    backing: Backing | None = None,
) -> str:
    """One HTML document that needs nothing else: pictures, numbers and where they come from.

    Args:
        prepared: the session, on the template grid.
        atlas: regions of the tables.
        template: its brain decides what is drawn; nothing that could show a face is.
        tables: region tables by contrast, ``Contrast.SYNTHETIC_FDG`` among them when predicted.
        prediction: synthetic FDG of the same session.
        training_mean: mean SUVR of the training people by region key, drawn beside the others.
        evaluation: how well the predicting model does; its headline stands beside the prediction.
        backing: contact sheet and versions.

    Returns:
        UTF-8 HTML; equal input, equal text. It opens from disk and can reach no network.

    Raises:
        RecipeMismatchError: prediction, evaluation, tables and session do not belong together.
        GeometryError: a volume is not on the grid of the template.
    """
    require_one_atlas(tables, atlas)
    _require_one_model(prediction, evaluation)
    panels = session_panels(prepared, template, prediction)
    first = _quality(prepared)
    if prediction is not None:
        first += _source(prediction, evaluation, prepared.reasons)
    parts = [_head(prepared, panels), f'<div class="two">{first}</div>']
    slices = default_slices(template.brain)
    parts += [_pictures(panels, slices), viewer(panels)]
    backing = backing or Backing()
    if backing.sheet:
        parts.append(_contact(prepared, prediction, backing.sheet))
    else:
        parts.append(_registration(registration_panel(prepared, template), slices))
    parts += [*map(against_section, backing.against), *backing.blocks]
    if tables:
        widths = prediction.half_widths if prediction is not None else {}
        parts.append(_regions(tables, atlas, training_mean, backing.against, widths))
    parts.append(_provenance(prepared, prediction, tables, backing.versions))
    return page(f"{prepared.key} - tracerless", parts, SORT + VIEWER)


def _head(prepared: Prepared, panels: Sequence[Panel]) -> str:
    synthetic = any(panel.is_synthetic for panel in panels)
    person, visit = text(prepared.key.person), text(prepared.key.visit)
    held = ", ".join(texts.title(contrast) for contrast in prepared.volumes)
    return (
        f"{banner(synthetic=synthetic)}<h1>Person {person}, visit {visit}{zh('受檢者與訪視')}</h1>"
        f"{paragraph(f'In template space {prepared.template}: {held}.', kind='lead')}"
    )


def _quality(prepared: Prepared) -> str:
    verdict = prepared.verdict
    failed = ' class="failed"' if verdict == "fail" else ""
    measured = {name: f"{prepared.qc[name]:.4g}" for name in sorted(prepared.qc)}
    passed = verdict == "pass" and not prepared.reasons
    reasons = ["Every check passed."] if passed else list(prepared.reasons)
    return (
        f"<section{failed}>{heading('Quality of the preparation', '前處理品質')}"
        f'<p><span class="verdict {verdict}">{verdict}{zh(texts.VERDICTS[verdict])}</span></p>'
        f"{bullets(reasons)}{facts(measured)}</section>"
    )


def _require_one_model(prediction: Prediction | None, evaluation: Evaluation | None) -> None:
    if prediction and evaluation and prediction.model != evaluation.model:
        raise RecipeMismatchError(
            f"The prediction is by {prediction.model}, the evaluation is of {evaluation.model}.",
            hint="Run `tracerless evaluate` for the model that predicted.",
        )


def _source(prediction: Prediction, evaluation: Evaluation | None, reasons: Sequence[str]) -> str:
    how_good = (
        paragraph(evaluation.headline, kind="plainly")
        if evaluation is not None
        else paragraph("How good this model is was not measured here.", "尚未評估。", "plainly")
    )
    used = ", ".join(texts.title(contrast) for contrast in prediction.inputs)
    shown = {
        "Made from 輸入": used,
        "Model 模型": prediction.model,
        "Reference region 參考區": prediction.reference,
        "Training domain 訓練資料": prediction.training_domain,
    }
    is_outside = prediction.reach is not None and prediction.reach.verdict == "outside"
    mark = ' class="failed"' if is_outside else ""
    return (
        f"<section{mark}>{heading('The synthetic PET, plainly', '關於人工合成影像')}"
        f"{_reach(prediction)}"
        f"{paragraph(*texts.SIMULATED[prediction.training_domain], kind='plainly')}"
        f"{how_good}{facts(shown)}{bullets(_unsaid(prediction, reasons))}</section>"
    )


def _unsaid(prediction: Prediction, reasons: Sequence[str]) -> list[str]:
    """Notes that do not stand on the page already: with the reach, or with the preparation."""
    reach = prediction.reach
    said = (*reasons, *(() if reach is None else (f"{reach.verdict.upper()}:", *reach.reasons)))
    return [note for note in prediction.notes if not any(each in note for each in said)]


def _reach(prediction: Prediction) -> str:
    """Whether the model may speak of these scans, and whether it looked at cognition."""
    saw = paragraph(*texts.COGNITION, kind="plainly") if "MMSE" in prediction.covariates else ""
    reach = prediction.reach
    if reach is None:
        return saw
    kind = {"inside": "lead"}.get(reach.verdict, "plainly")
    reasons = "" if reach.verdict == "inside" else bullets(reach.reasons)
    return f"{paragraph(*texts.REACH[reach.verdict], kind=kind)}{reasons}{saw}"


def _pictures(panels: Sequence[Panel], slices: Sequence[Slice]) -> str:
    where = ", ".join(str(each) for each in slices)
    figures = "".join(figure(picture([panel], slices), _alt(panel, where)) for panel in panels)
    return (
        f"<section>{heading('Side by side', '並列影像')}"
        f'<div class="pictures">{figures}</div>{paragraph(*texts.CONVENTION, kind="note")}'
        f"{paragraph(_windows(panels), kind='note')}</section>"
    )


def _registration(panel: Panel | None, slices: Sequence[Slice]) -> str:
    if panel is None:
        return ""
    drawn = picture([panel], slices, px_per_mm=1.35, per_row=len(slices))
    where = ", ".join(str(each) for each in slices)
    return (
        f"<section>{heading('Registration', '影像對位')}"
        f'<div class="pictures single">{figure(drawn, f"{panel.title}, {where}.")}</div>'
        f"{paragraph(*texts.REGISTRATION, kind='note')}</section>"
    )


def _contact(prepared: Prepared, prediction: Prediction | None, sheet: bytes) -> str:
    label = "" if prediction is None else f"{SYNTHETIC_LABEL_EN}. {SYNTHETIC_LABEL_ZH}. "
    alt = f"{label}Contact sheet of {prepared.key}, verdict {prepared.verdict}."
    return (
        f"<section>{heading('Contact sheet', '總覽')}"
        f'<div class="pictures single">{figure(sheet, alt)}</div>'
        f"{paragraph(*texts.CONTACT, kind='note')}</section>"
    )


def _alt(panel: Panel, where: str) -> str:
    label = f"{SYNTHETIC_LABEL_EN}. {SYNTHETIC_LABEL_ZH}. " if panel.is_synthetic else ""
    return f"{label}{panel.title}, {where}."


def _windows(panels: Sequence[Panel]) -> str:
    shown = (f"{p.title} {p.low:.4g} to {p.high:.4g} {p.unit}" for p in panels)
    return f"Windows: {'; '.join(shown)}. All SUVR pictures share one window and one color bar."


def _regions(
    tables: Mapping[Contrast, RoiTable],
    atlas: Atlas,
    training_mean: pd.Series | None,
    against: Sequence[Against],
    half_widths: Mapping[str, float],
) -> str:
    plot = uptake_plot(tables, atlas, training_mean, half_widths)
    agreement = paragraph(agreement_line(tables, training_mean), kind="lead")
    labeled = paragraph(SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH, kind="plainly")
    return (
        f"<section>{heading(f'Regions ({len(atlas.regions)})', '腦區數值')}"
        f"{labeled if Contrast.SYNTHETIC_FDG in tables else ''}{agreement}{plot}</section>"
        f"<section>{heading('Region table', '腦區表')}"
        f"{region_table(tables, atlas, against, half_widths)}"
        f"{paragraph(' '.join(_meaning(tables)), kind='note')}</section>"
    )


def _meaning(tables: Mapping[Contrast, RoiTable]) -> Iterator[str]:
    measured = acquired(tables)
    if Contrast.SYNTHETIC_FDG in tables:
        reference = tables[Contrast.SYNTHETIC_FDG].reference
        yield f"Synthetic: mean SUVR, reference {reference}; predicted from MR, not acquired."
        yield "Pale bar and ±: 90 % interval, from people that the model never saw."
    if measured is not None:
        title = texts.title(measured.contrast)
        yield f"Acquired: {title}, mean SUVR, reference {measured.reference}."
    yield "Difference: synthetic minus acquired, where both are. Relative CBF: 1 = brain mean."
    yield "Coverage: share of the region inside the field of view (PET: the smaller one)."
    yield "Click a column's name to order by it."


def _provenance(
    prepared: Prepared,
    prediction: Prediction | None,
    tables: Mapping[Contrast, RoiTable],
    versions: Mapping[str, str],
) -> str:
    left = {
        "Prepared, recipe": prepared.fingerprint,
        **{f"How {contrast} was made": made for contrast, made in prepared.sources.items()},
    }
    right: dict[str, object] = {
        f"Region table of {contrast}": each.fingerprint for contrast, each in tables.items()
    }
    if prediction is not None:
        right["Prediction"] = prediction.fingerprint
        right["Model"] = prediction.model
        right["Settings of the model"] = dict(prediction.provenance)
    right["Versions"] = {"tracerless": __version__, **versions}
    return (
        f"<section>{heading('Where this comes from', '來源與版本')}"
        f'<div class="two"><div>{facts(left)}</div><div>{facts(right)}</div></div>'
        f"{paragraph(texts.RESEARCH_EN, texts.RESEARCH_ZH, kind='note')}</section>"
    )
