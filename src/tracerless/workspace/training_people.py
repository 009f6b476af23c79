"""What is known of the people that a dataset can teach with, besides their scans."""

from dataclasses import replace

from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.volume import MR_INPUTS
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.scanners import scanners
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import read_cohort


def known_people(dataset: Dataset) -> dict[Pseudonym, PersonFacts]:
    """What is known of everyone who has a session: the people's table, and the scanner of the MR.

    A person of several scanners goes by the one of the first visit.
    """
    facts = read_cohort(dataset).facts
    for key in reversed(dataset.sessions()):
        site = site_of(dataset, key)
        if site:
            facts[key.person] = replace(facts.get(key.person, PersonFacts()), site=site)
    return facts


def site_of(dataset: Dataset, key: SessionKey) -> str:
    """Maker and model of the MR's scanner; empty when nothing says so."""
    by = scanners(dataset.root, key)
    named = next((by[contrast] for contrast in MR_INPUTS if contrast in by), "")
    record = SessionShelf(dataset, key).record("prepared") if not named else None
    return named or str(((record or {}).get("sources") or {}).get("scanner", ""))
