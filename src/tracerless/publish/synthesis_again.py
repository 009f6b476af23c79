"""Synthetic PET once more: models trained again, few pairs of a scanner, the same answer twice."""

import math

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish import synthesis_texts as said
from tracerless.publish.assessment_numbers import View, p_value
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import forest
from tracerless.publish.markup import paragraph
from tracerless.publish.synthesis_parts import Rows, interval_bar, note, plain_table, section


def policy(look: View) -> str:
    """What age, sex and cognition add as inputs."""
    found = look.table("covariate_policy")
    if found.empty:
        return ""
    bars = [
        interval_bar(
            words.english(said.POLICIES, str(at["policy"])), at, color="#17417e", column="skill",
            more=_gain(at),
        )
        for at in records(found)
    ]  # fmt: skip
    drawn = forest(bars, "skill against the mean", "Skill by what is looked at beside MR", mark=0.0)
    return section(("Beside the MR", "MR 以外之輸入"), _trained(found), drawn, note(_POLICY))


def _gain(at: Rows) -> str:
    n = f", n {float(at['n']):.0f}"
    gain, p = float(at["against_images"]), float(at["p"])
    return f"{n}, {gain:+.3f}, p {p_value(p)}" if math.isfinite(p) else n


def _trained(found: pd.DataFrame) -> str:
    """Which model these rows are about, where it is not the one evaluated."""
    if said.LINEAR not in set(found["model"].astype(str)):
        return ""
    return paragraph(*said.STANDS_IN, kind="plainly")


_POLICY: words.Words = (
    "n people, then the gain over images only and its p, corrected for the number of policies. "
    "With few people a gain that is there may not show. Cognition as an input lets the diagnosis "
    "leak into the picture; it is never the default.",
    "末列為人數、相對於僅用影像之增益及其 p（已校正）；人數少時，真實之增益未必顯現。"
    "認知測驗作為輸入會使診斷洩漏至影像，故非預設。",
)


def adaptation(look: View) -> str:
    """A site left out of training, and what a few of its own pairs bring."""
    found = look.table("adaptation")
    columns = ("site", "model", "n_adapted", "n", "skill", "low", "high", "slope", "coverage")
    body = plain_table(found, columns, key="adaptation", n_words=2)
    title = ("Another scanner, and few pairs of its own", "其他儀器與少量自有配對")
    return section(title, _trained(found), body, note(_ADAPTATION)) if len(found) else ""


_ADAPTATION: words.Words = (
    "n people of the site judge every row, none of whom the model was given; skill is against the "
    "mean that the model brought along. One draw of pairs: the rows of a site differ by whom it "
    "was given, too, which the intervals do not hold.",
    "每列皆由相同之 n 名該處受試者評估，模型未曾見過；技能分數相對於模型原有之平均影像。"
    "配對僅抽取一次，區間未含抽取何人之變異。",
)


def sameness(look: View) -> str:
    """Determinism, parity of back ends, and nearness to training people."""
    parity, near = look.table("parity"), look.table("memorisation")
    parts = []
    if len(parity):
        parts.append(plain_table(parity, _PARITY, key="parity", n_words=3))
    if len(near):
        parts.append(plain_table(near, _NEAR, key="memorisation", n_words=2))
    return section(("The same answer every time, and nobody copied", "可重現性與記憶檢查"), *parts)


_PARITY = ("what", "against", "verdict", "largest_suvr", "limit_suvr")
_NEAR = ("distance", "verdict", "to_training", "to_unseen")
