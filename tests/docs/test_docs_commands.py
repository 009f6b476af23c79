"""Whatever the pages tell a reader to type, the command line takes; every link leads somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tracerless.cli import tracerless
from tracerless.core.designs import DESIGNS
from tracerless.workspace.suite import SECTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")))
NAMES = {"--design": DESIGNS, "--section": SECTIONS}
"""Names that click does not check by itself, by option."""


def blocks() -> Iterator[tuple[str, str]]:
    """Every line of a shell block that calls us, with its page."""
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("tracerless "):
                    yield page.name, line


def mentions() -> Iterator[tuple[str, str]]:
    """Every command between backticks in running text, with its page."""
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for found in re.findall(r"`(tracerless [a-z][^`]*)`", text):
            yield page.name, " ".join(found.split())


def command_of(words: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """The command that the words name, and what is left of them."""
    found: click.Command = tracerless
    context = click.Context(found, info_name="tracerless")
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        below = found.get_command(context, words[0])
        assert below is not None, f"no command {words[0]!r}"
        found, words = below, words[1:]
        context = click.Context(found, parent=context, info_name=found.name)
    return found, context, words


def check(line: str) -> None:
    """Fail unless click takes the line: its options, their values, its arguments."""
    command, context, words = command_of(shlex.split(line, comments=True)[1:])
    values, extra, _ = command.make_parser(context).parse_args(list(words))
    assert not extra, f"{extra} are too many"
    for each in command.get_params(context):
        value = values.get(each.name or "")
        given = (
            [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
        )
        assert given or not each.required, f"{each.name} is missing"
        for one in [] if isinstance(each.type, click.Path) else given:
            each.type.convert(one, each, context)
            for option in set(each.opts) & set(NAMES):
                assert one in NAMES[option], f"{option} knows no {one!r}"


@pytest.mark.parametrize(("page", "line"), sorted(set(blocks())))
def test_the_command_line_takes_what_a_page_says(page: str, line: str) -> None:
    assert page.endswith(".md")
    check(line)


@pytest.mark.parametrize(
    "line",
    [
        "tracerless synthesise fit my-dataset",
        "tracerless synthesize fit my-dataset --modle ridge",
        "tracerless synthesize fit my-dataset --design ensembel",
        "tracerless evaluate my-dataset --section coverage",
        "tracerless simulate people --people none",
        "tracerless simulate",
        "tracerless report one two",
    ],
)
def test_a_slip_in_a_page_would_be_found(line: str) -> None:
    with pytest.raises((AssertionError, click.ClickException)):
        check(line)


def test_commands_in_running_text_exist_with_their_options() -> None:
    wrong = []
    for page, text in mentions():
        words = re.sub(r"\|[\w|-]+", "", text).split()[1:]
        path = [word for word in words if re.fullmatch(r"[a-z]+", word)]
        try:
            command, context, _ = command_of(path)
        except AssertionError as error:
            wrong.append(f"{page}: `{text}`: {error}")
            continue
        known = {name for each in command.get_params(context) for name in each.opts}
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        wrong += [f"{page}: `{text}`: no {option}" for option in sorted(given - known)]
    assert not wrong, "\n".join(wrong)


def leaves(
    command: click.Command = tracerless, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its words."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(below, (*path, name))


def test_the_help_of_every_command_gives_an_example_that_it_takes() -> None:
    for words, command in leaves():
        paragraphs = (command.help or "").split("\n\n")
        examples = [
            " ".join(text.split()).rstrip(".")
            for paragraph in paragraphs
            for text in paragraph.split("Example: ")[1:]
        ]
        assert examples, words
        for example in examples:
            check(example)
        assert any(example.startswith(f"tracerless {words}") for example in examples), words


def slug(heading: str) -> str:
    """The anchor that a forge makes of a heading."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")


def test_every_link_and_picture_leads_somewhere() -> None:
    wrong = []
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            found = (page.parent / path).resolve() if path else page
            if not found.exists():
                wrong.append(f"{page.name}: {target} does not exist")
            elif anchor:
                headings = re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE)
                if anchor not in map(slug, headings):
                    wrong.append(f"{page.name}: {target} has no such heading")
    assert not wrong, "\n".join(wrong)


def test_the_page_of_model_2_names_the_sections_of_the_evaluation() -> None:
    text = (ROOT / "docs" / "synthesis.md").read_text("utf-8")
    table = text.partition("| section |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(SECTIONS)


def test_pictures_of_the_pages_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs").glob("*.png")}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > 300_000} == {}
