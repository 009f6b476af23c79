"""The risk of future dementia: absolute, by years, with death as a rival."""

from tracerless.foresee.assess import RiskEvaluation, evaluate
from tracerless.foresee.fit import fit
from tracerless.foresee.predict import outlooks
from tracerless.foresee.settings import RiskSettings, Tools
from tracerless.foresee.validate import validate

__all__ = ["RiskEvaluation", "RiskSettings", "Tools", "evaluate", "fit", "outlooks", "validate"]
