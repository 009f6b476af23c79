"""The site file of a dataset: which one holds, and the copy that the dataset keeps."""

from pathlib import Path

from tracerless.io import site as sites
from tracerless.io.atomic import write_text
from tracerless.io.site import NAME, Site

_HEAD = "# What this site's scanners do not write into headers; times in s, lengths in mm.\n\n"


def of_dataset(root: Path, given: Path | None = None) -> Site:
    """The site file that a command was given, else the one that the dataset keeps, else none.

    Args:
        root: of the dataset; it need not exist yet.
        given: a site file named by the user.

    Raises:
        RecipeError: the file is no site file.
        QuantityError: a value in it is out of range.
        ContrastError: it declares a contrast that does not exist.
    """
    return sites.read(root / NAME if given is None else given)


def keep(root: Path, site: Site) -> None:
    """Write the site into the dataset, without the comments of the file that it came from."""
    write_text(root / NAME, _HEAD + site.to_toml())
