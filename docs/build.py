"""Write docs/reference from the data of the package: `./dev docs [--figure DATASET]`.

`--figure` draws the last session of a simulated dataset that holds synthetic FDG, into
docs/demo.png or, with `--to`, into another picture of docs.
"""

import argparse
import csv
import dataclasses
import importlib.resources
import inspect
import io
import sys
from pathlib import Path
from typing import Any

from tracerless import flow
from tracerless.core import errors
from tracerless.core.designs import DESIGNS
from tracerless.core.recipe import Recipe
from tracerless.deidentify.explain import Row, explain
from tracerless.deidentify.lint import lint
from tracerless.deidentify.profile import Profile
from tracerless.io import profiles

DOCS = Path(__file__).resolve().parent
DATA = importlib.resources.files("tracerless") / "data"


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {
        "settings.md": settings(),
        "designs.md": designs(),
        "regions.md": regions(),
        **{f"profile-{name}.md": profile(name) for name in profiles.names()},
        "profile-shared.md": shared_tables(),
        "recognition.md": recognition(),
        "errors.md": error_tree(),
        "flow.md": flow_values(),
    }


def settings() -> str:
    """Every setting of `tracerless.toml`."""
    parts = [title("Settings", "tracerless.toml of a dataset holds exactly these.")]
    for section, value in vars_of(Recipe()).items():
        told = field_docs(type(value))
        rows = [(f"`{name}`", f"`{v}`", told[name]) for name, v in vars_of(value).items()]
        parts.append(f"## [{section}]\n\n{table(('setting', 'default', 'meaning'), rows)}")
    return "\n".join(parts)


def designs() -> str:
    """Every design of a synthesizer."""
    rows = [
        (f"`{name}`", each.meaning, ", ".join(f"`{k} = {v!r}`" for k, v in each.settings.items()))
        for name, each in DESIGNS.items()
    ]
    note = "`tracerless synthesize fit DATASET --design NAME`; every other setting stays yours."
    return title("Designs of a synthesizer", note) + table(("design", "what", "settings"), rows)


def regions() -> str:
    """The regions of FDG-36."""
    rows = read_rows("atlases", "fdg36", "regions.tsv", delimiter="\t")
    head = ("index", "key", "hemisphere", "lobe", "name_en", "name_zh")
    note = "Merged from Desikan-Killiany and aseg labels; 10xx is left, 20xx right."
    return title("Regions: FDG-36", note) + table(head, [[r[c] for c in head] for r in rows])


def profile(name: str) -> str:
    """What a de-identification policy does to every attribute, in two languages."""
    tables = profiles.read(name)
    policy = Profile.parse(name, tables)
    settings = list(csv.DictReader(tables["profile"].splitlines()))
    rows = explain(policy)
    crossing = [row for row in rows if row.action != "remove" and row.origin != "vendor"]
    parts = [
        title(f"Profile `{name}`", f"{policy.claim_en}\n\n{policy.claim_zh}"),
        "What no table lists is removed. 表中未列者一律移除。\n\n",
        f"## Settings 設定\n\n{table(SETTING, cells_of(settings, SETTING))}",
        f"## What `profile check` says 檢查結果\n\n{findings(name, tables)}",
        f"## What crosses 通過者\n\n{table(CROSSING, [crossing_cells(row) for row in crossing])}",
        f"## What goes 移除者\n\n{removed(rows)}",
    ]
    if policy.private:
        parts.append("Vendor fields 廠商欄位: [shared tables](profile-shared.md).\n")
    return "\n".join(parts)


SETTING = ("setting", "value", "reason_en", "reason_zh")
CROSSING = ("tag", "keyword", "action", "objects", "by", "why", "理由")
PRIVATE = ("group", "creator", "offset", "vr", "keyword", "values", "reason_en", "reason_zh")


def findings(name: str, tables: dict[str, str]) -> str:
    """What the lint says about a policy."""
    found = lint(name, tables)
    rows = [(each.level, each.keyword, each.text_en, each.text_zh) for each in found]
    return table(("level", "keyword", "finding", "說明"), rows)


def crossing_cells(row: Row) -> list[str]:
    """One attribute that crosses."""
    where = row.where or "all"
    reasons = (row.reason_en, row.reason_zh)
    return [row.tag, row.keyword, row.action, where, row.origin, *reasons]


def removed(rows: tuple[Row, ...]) -> str:
    """Attributes that go, gathered by the reason why."""
    gathered: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.action == "remove":
            keyword = row.keyword + (f" ({row.where})" if row.where else "")
            gathered.setdefault((row.reason_en, row.reason_zh), []).append(keyword)
    cells = [(*reason, ", ".join(keywords)) for reason, keywords in gathered.items()]
    return table(("why", "理由", "keywords"), cells)


def shared_tables() -> str:
    """What all policies share: vendor fields, hunted identifiers, vocabulary of descriptors."""
    tables = profiles.read("seed")
    private = list(csv.DictReader(tables["private"].splitlines()))
    hunted = list(csv.DictReader(tables["hunted"].splitlines()))
    words: dict[str, list[str]] = {}
    for row in csv.DictReader(tables["descriptors"].splitlines()):
        words.setdefault(f"{row['reason_en']} {row['reason_zh']}", []).append(row["word"])
    head = ("tag", "keyword", "reason_en", "reason_zh")
    return "\n".join(
        [
            title("Shared tables of the profiles", "所有政策共用的表。"),
            f"## Vendor fields that may cross 可通過的廠商欄位\n\n"
            f"{table(PRIVATE, cells_of(private, PRIVATE))}",
            f"## Identifiers hunted in kept texts 於保留文字中搜尋的識別資訊\n\n"
            f"{table(head, cells_of(hunted, head))}",
            "## Words that a cleaned text may keep 清理後可留的字詞\n\n"
            + table(("kind", "words"), [(kind, ", ".join(w)) for kind, w in words.items()]),
        ]
    )


def cells_of(rows: list[dict[str, str]], head: tuple[str, ...]) -> list[list[str]]:
    """Cells of rows in the order of the heading."""
    return [[row[column] for column in head] for row in rows]


def recognition() -> str:
    """The rules that decide what a series shows."""
    rows = read_rows("recognise", "contrast.csv")
    head = tuple(rows[0])
    note = "Walked from top to bottom, before de-identification; the first row that fits decides."
    return title("Recognition", note) + table(head, [[r[c] for c in head] for r in rows])


def error_tree() -> str:
    """The errors that the package raises on purpose."""
    tree = inspect.getdoc(errors) or ""
    return title("Errors", "Exit code 2: it cannot run as asked.") + f"```\n{tree}\n```\n"


def flow_values() -> str:
    """Every value of a session, and what it is made from."""
    rows = [
        (f"`{name}`", ", ".join(f"`{p}`" for p in inspect.signature(step).parameters), first(step))
        for name, step in flow.STEPS.items()
    ]
    return title("Flow", "A value is made once and kept under a digest of what made it.") + table(
        ("value", "from", "what it is"), rows
    )


def field_docs(kind: type) -> dict[str, str]:
    """The sentence under each field of a settings class."""
    import ast
    import textwrap
    from itertools import pairwise

    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    told = {}
    for one, after in pairwise(body.body):  # type: ignore[attr-defined]
        if isinstance(one, ast.AnnAssign) and isinstance(after, ast.Expr):
            said = after.value.value  # type: ignore[attr-defined]
            told[one.target.id] = " ".join(said.split()).replace("``", "`")  # type: ignore[union-attr]
    return told


def vars_of(value: Any) -> dict[str, Any]:
    """Fields of a dataclass by name."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def read_rows(*parts: str, delimiter: str = ",") -> list[dict[str, str]]:
    """Rows of a table of the package."""
    text = DATA.joinpath(*parts).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter=delimiter))


def title(name: str, note: str) -> str:
    """A page's head."""
    return f"<!-- Generated by docs/build.py; do not edit. -->\n# {name}\n\n{note}\n\n"


def table(head: Any, rows: Any) -> str:
    """A Markdown table."""
    lines = [list(head), ["---"] * len(head), *rows]
    escaped = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped) + "\n"


def first(step: Any) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(step) or "").splitlines()[0]


def figure(dataset: Path, to: str) -> None:
    """Draw a picture from a simulated dataset; a dataset of acquired scans is refused."""
    from tracerless import publish
    from tracerless.io import resources
    from tracerless.publish.slices import default_slices
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.shelf import SessionShelf
    from tracerless.workspace.training import training_domain

    opened = Dataset.open(dataset)
    if training_domain(opened) != "simulated":
        sys.exit("The figure may show simulated people only.")
    shelves = [SessionShelf(opened, key) for key in opened.sessions()]
    shelf = [s for s in shelves if s.record("synthetic")][-1]
    template = resources.template(opened.recipe.prepare.voxel_mm)
    panels = publish.session_panels(shelf.latest("prepared"), template, shelf.latest("synthetic"))
    slices = default_slices(template.brain)
    drawn = publish.picture(panels, [slices[1], slices[3], slices[4]], px_per_mm=1.1)
    (DOCS / to).write_bytes(small(drawn))


def small(png: bytes) -> bytes:
    """The picture in 256 colors: a third of the size."""
    from PIL import Image

    held = io.BytesIO()
    shown = Image.open(io.BytesIO(png)).convert("RGB")
    colors = shown.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colors.save(held, format="PNG", optimize=True)
    return held.getvalue()


def main() -> None:
    """Write every page, and the figure when a dataset is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", type=Path, metavar="DATASET")
    parser.add_argument("--to", default="demo.png", metavar="NAME", help="of the picture in docs")
    named = parser.parse_args()
    (DOCS / "reference").mkdir(exist_ok=True)
    for name, text in pages().items():
        (DOCS / "reference" / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}")
    if named.figure:
        figure(named.figure, named.to)
        print(f"docs/{named.to}")


if __name__ == "__main__":
    main()
