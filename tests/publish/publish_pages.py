"""Reading the pages of evaluations, for their tests."""

from html.parser import HTMLParser

from tracerless.core.assessment import Assessment

NUMBER = r"[+-]?\d+\.\d{2,3}"
VOID = {"meta", "br", "img", "line", "circle", "polyline", "polygon", "rect"}


class Read(HTMLParser):
    """Tables by id, as rows of cell texts; tags that were opened and not closed."""

    def __init__(self, content):
        super().__init__()
        self.tables, self.open, self.ids = {}, [], []
        self._rows, self._cell = None, None
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        self.ids += [names["id"]] if "id" in names else []
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._rows = self.tables.setdefault(names["id"], [])
        if tag == "tr" and self._rows is not None:
            self._rows.append([])
        if tag in {"td", "th"}:
            self._cell = ""

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "table":
            self._rows = None
        if tag in {"td", "th"}:
            self._rows[-1].append(self._cell)
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data


def changed(assessment, *, facts=None, **tables):
    """The evaluation with other tables (None takes one away) and facts."""
    kept = {**assessment.tables, **tables}
    return Assessment(
        assessment.key,
        assessment.task,
        {**assessment.facts, **(facts or {})},
        {name: table for name, table in kept.items() if table is not None},
        assessment.notes,
    )
