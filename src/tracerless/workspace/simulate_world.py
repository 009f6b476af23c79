"""What every simulated person is made from, read from this package once per process."""

import functools
from dataclasses import dataclass

from tracerless import __version__
from tracerless.core.recipe import fingerprint
from tracerless.io import resources
from tracerless.io.simulate_scanners import scanner_tables
from tracerless.io.simulate_tables import read_people_tables
from tracerless.simulate.anatomy import Anatomy, build_anatomy
from tracerless.simulate.catalog import catalog
from tracerless.simulate.parameters import PeopleParameters, people_parameters
from tracerless.simulate.scanners import Scanners


@dataclass(frozen=True, slots=True)
class World:
    """What every simulated hospital is made from: base head, people, scanners, and their digest."""

    anatomy: Anatomy
    parameters: PeopleParameters
    scanners: Scanners
    fingerprint: str


@functools.lru_cache(maxsize=1)
def world() -> World:
    """The base head, the people's parameters and the scanners of this package.

    Raises:
        DatasetError: the package that holds the standard brain is not installed.
    """
    people, scanners = read_people_tables(), scanner_tables()
    return World(
        anatomy=build_anatomy(*resources.template_volumes_1mm(), resources.label_volume()),
        parameters=people_parameters(people),
        scanners=catalog(scanners.tissues, scanners.settings),
        fingerprint=fingerprint(__version__, people, list(scanners.tissues), scanners.settings),
    )
