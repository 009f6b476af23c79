"""`tracerless cognition`: what tests are called, what a table holds, scores into a dataset."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, show
from tracerless.cli.sessions import dataset_argument

if TYPE_CHECKING:
    from tracerless.core.cognition import Finding, Test

_table = click.Path(path_type=Path, exists=True)
_file = click.Path(path_type=Path, exists=True, dir_okay=False)

dictionary_option = click.option(
    "--dictionary", type=_file, help="CSV with tests of one's own, on top of the package's."
)
norms_option = click.option(
    "--norms", "own", type=_file, help="CSV of regressions of one's own beside the published ones."
)
redcap_option = click.option(
    "--redcap", type=_file, help="Data dictionary of the REDCap project that TABLE comes from."
)


@click.group("cognition")
def command() -> None:
    """Cognitive tests: the dictionary, imports, published norms and cut-offs.

    Example: tracerless cognition check scores.xlsx
    """


@command.command("list")
@click.argument("words", nargs=-1)
@dictionary_option
@json_option
def list_tests(words: tuple[str, ...], dictionary: Path | None, *, as_json: bool) -> None:
    """Tests whose code, name, alias or domain holds the WORDS; all of them without.

    Example: tracerless cognition list memory
    """
    from tracerless.io import cognition

    known = cognition.extended(dictionary) if dictionary else cognition.dictionary()
    tests = [test for test in known.tests.values() if _holds(test, words)]
    show({"tests": [_facts(test) for test in tests]}, _lines(tests), as_json=as_json)


@command.command("check")
@click.argument("table", type=_table)
@dictionary_option
@redcap_option
@json_option
def check(table: Path, *, dictionary: Path | None, redcap: Path | None, as_json: bool) -> None:
    """Say what TABLE (CSV, TSV, XLSX, a BIDS folder, or a dataset) holds, without taking it.

    Exit code 1 says that a score would be left out.

    Example: tracerless cognition check scores.csv
    """
    from tracerless.core.cognition_check import LOSES
    from tracerless.io import cognition
    from tracerless.workspace.cognition_import import read_sittings

    own = dictionary or table / "phenotype" / "dictionary.csv"
    known = cognition.extended(own) if own.is_file() else cognition.dictionary()
    read = read_sittings(table, known, redcap=redcap)
    findings = [finding for each in read for finding in each.findings]
    codes = list(dict.fromkeys(code for each in read for code in each.codes))
    n = sum(int(each.table[list(each.codes)].notna().to_numpy().sum()) for each in read)
    lines = [f"{n} scores of {len(codes)} tests: {', '.join(codes)}.", *_said(findings)]
    result = {"scores": n, "tests": codes, "findings": [_finding(each) for each in findings]}
    show(result, lines, as_json=as_json)
    if any(finding.kind in LOSES for finding in findings):
        raise click.exceptions.Exit(1)


@command.command("import")
@click.argument("table", type=_table)
@dataset_argument
@click.option(
    "--vault",
    type=click.Path(path_type=Path, file_okay=False),
    help="Says whose a chart number is; not needed for a table keyed by pseudonym.",
)
@dictionary_option
@redcap_option
@json_option
def import_table(
    table: Path,
    dataset: Path,
    *,
    vault: Path | None,
    dictionary: Path | None,
    redcap: Path | None,
    as_json: bool,
) -> None:
    """Take the scores of TABLE (CSV, TSV, XLSX, or a BIDS folder) into DATASET.

    Keyed by participant_id, or by chart_number with --vault. Dates and names stay behind.

    Example: tracerless cognition import scores.xlsx my-dataset
    """
    from tracerless.workspace.cognition_import import import_scores
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    done = import_scores(table, opened, vault=vault, redcap=redcap, own=dictionary)
    lines = [f"{done.scores} scores of {done.people} people.", *_said(done.findings)]
    lines += [f"Table: {path}" for path in done.tables]
    result = {
        "people": done.people,
        "scores": done.scores,
        "tables": [str(path) for path in done.tables],
        "findings": [_finding(each) for each in done.findings],
    }
    show(result, lines, as_json=as_json)


@command.command("norms")
@dataset_argument
@norms_option
@json_option
def norms(dataset: Path, own: Path | None, *, as_json: bool) -> None:
    """Hold every score of DATASET against published norms and cut-offs; keeps a table.

    For norms of one's own: tracerless norms fit --of cognition.

    Example: tracerless cognition norms my-dataset
    """
    from tracerless.io import cognition_norms
    from tracerless.workspace.cognition_norms import against_published
    from tracerless.workspace.dataset import Dataset

    known = cognition_norms.extended(own) if own else cognition_norms.published()
    table, path = against_published(Dataset.open(dataset), known)
    with_z, beyond = int(table["z"].notna().sum()), int((table["beyond_cut"] == "yes").sum())
    refused = {str(why): int(n) for why, n in table["no_z"].value_counts().items()}
    lines = [f"{with_z} z of {len(table)} rows; {beyond} scores lie beyond a cut-off."]
    lines += [f"No z for {n}: {why}." for why, n in refused.items()]
    lines.append(f"Table: {path}")
    result = {"rows": len(table), "z": with_z, "beyond_cut": beyond, "no_z": refused}
    show({**result, "table": str(path)}, lines, as_json=as_json)


@command.command("compare")
@click.argument("test")
@click.argument("score", type=float)
@click.option("--age", required=True, type=float, help="Years.")
@click.option("--sex", required=True, type=click.Choice(["F", "M"]))
@click.option("--education", required=True, type=float, help="Completed years of schooling.")
@norms_option
@json_option
def compare(
    test: str,
    score: float,
    *,
    age: float,
    sex: str,
    education: float,
    own: Path | None,
    as_json: bool,
) -> None:
    """Where one SCORE of a TEST stands among published norms and cut-offs.

    Example: tracerless cognition compare MOCA_RAW 21 --age 57 --sex M --education 15
    """
    from tracerless.core.cognition_norms import Examinee
    from tracerless.io import cognition_norms
    from tracerless.io.cognition import dictionary
    from tracerless.workspace.cognition_norms import held, require_possible

    meant = dictionary().test(test)
    require_possible(meant, score)
    known = cognition_norms.extended(own) if own else cognition_norms.published()
    rows = list(held(meant, score, Examinee(age, sex, education), known))
    show({"rows": [_plain(row) for row in rows]}, map(_standing_line, rows), as_json=as_json)


def _holds(test: "Test", words: Iterable[str]) -> bool:
    text = " ".join(
        (test.code, test.tool, test.name_en, test.name_zh, test.domain, *test.aliases)
    ).casefold()
    return all(word.casefold() in text for word in words)


def _lines(tests: Iterable["Test"]) -> Iterator[str]:
    for test in tests:
        leak = "" if test.leak == "none" else f"; label leak {test.leak}"
        yield (
            f"{test.code}: {test.name_en} {test.name_zh}; {test.domain}; {test.range_text}, "
            f"{test.better} is better{leak}."
        )


def _facts(test: "Test") -> dict[str, Any]:
    names = ("code", "tool", "name_en", "name_zh", "domain", "low", "high", "step", "unit")
    facts = {name: getattr(test, name) for name in (*names, "better", "version", "source")}
    more: dict[str, Any] = {
        "leak": str(test.leak),
        "aliases": list(test.aliases),
        "missing": dict(test.missing),
    }
    more |= {"cap": test.cap, "education_correction": test.education_correction}
    return _plain({**facts, **more})


def _finding(finding: "Finding") -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "code": finding.code,
        "n": finding.n,
        "text": finding.text,
        "lines": list(finding.rows),
    }


def _said(findings: Iterable["Finding"]) -> Iterator[str]:
    for finding in findings:
        some = ", ".join(map(str, finding.rows[:5])) + (", …" if len(finding.rows) > 5 else "")
        yield f"{finding.text}{f' Lines {some}.' if finding.rows else ''}"


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """NaN becomes nothing: JSON has none."""
    return {key: None if _is_nan(value) else value for key, value in row.items()}


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _standing_line(row: dict[str, object]) -> str:
    cut = (
        f"no cut-off ({row['no_cut']})"
        if row["no_cut"]
        else f"cut-off {row['cut']:g}, beyond it: {row['beyond_cut']}"
    )
    end = " The test ends at this score: z would go on." if row["bound"] else ""
    if row["no_z"]:
        return f"{row['norm'] or row['code']}: no z ({row['no_z']}); {cut}."
    return (
        f"{row['norm']}: z {row['z']:.6f}, percentile {row['percentile']:.1f}; expected "
        f"{row['expected']:.3f}, SD {row['sd']:.3f}; {cut}.{end}"
    )
