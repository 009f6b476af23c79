"""A claim in a sentence, English and Traditional Chinese, with the same numbers in both."""

from collections.abc import Iterable, Mapping

from tracerless.evaluate.claims_evidence import (
    ACQUIRED,
    DEMOGRAPHICS,
    SYNTHETIC,
    Diagnosed,
    Pair,
    Verdict,
    people_needed,
)
from tracerless.statistics.resampling import Interval

CEILING = 0.97
"""When every arm but the people's own facts reaches this, the task tells no arm from another."""


def sentence(found: Diagnosed, verdict: Verdict, margin: float) -> tuple[str, str]:
    """English and Traditional Chinese.

    Args:
        found: areas and differences.
        verdict: what may be said.
        margin: area that may be lost against acquired PET.
    """
    head_en, head_zh = _head(found, verdict, margin)
    words = {"task": found.task, "margin": f"{margin:.2f}"}
    english = [head_en.format(**words), _numbers_en(found)]
    chinese = [head_zh.format(**words), _numbers_zh(found)]
    for said_en, said_zh in _reservations(found, verdict, margin):
        english.append(said_en)
        chinese.append(said_zh)
    return " ".join(english), "".join(chinese)


_HEADS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.NOT_WORSE: (
        "{task}: diagnosis from synthetic FDG is not worse than from acquired FDG by more than "
        "{margin} of the area under the curve.",
        "{task}：以人工合成 FDG 診斷，曲線下面積不比實測 FDG 差超過 {margin}。",
    ),
    Verdict.BETTER: (
        "{task}: diagnosis from synthetic FDG is better than from MR itself, and not shown to be "
        "within {margin} of the area under the curve of acquired FDG.",
        "{task}：以人工合成 FDG 診斷優於僅用 MR，但未能證明與實測 FDG 之差在 {margin} 以內。",
    ),
    Verdict.NEITHER: (
        "{task}: diagnosis from synthetic FDG is neither shown to be within {margin} of the area "
        "under the curve of acquired FDG nor to be better than from MR itself.",
        "{task}：以人工合成 FDG 診斷，未能證明與實測 FDG 之差在 {margin} 以內，"
        "也未能證明優於僅用 MR。",
    ),
}

_EMPTY = (
    "{task}: diagnosis from synthetic FDG lies within {margin} of the area under the curve of "
    "acquired FDG, which shows nothing here, and is not shown to be better than from MR itself.",
    "{task}：以人工合成 FDG 診斷，與實測 FDG 之差在 {margin} 以內，但在此並不具意義，"
    "也未能證明優於僅用 MR。",
)
_TOLD = (
    "{task}: nothing is claimed, not within {margin} of acquired FDG nor against MR: the "
    "synthesizer was told a cognitive score, which the diagnosis rests on.",
    "{task}：合成模型已得知認知測驗分數（診斷之依據），"
    "故不作任何主張（含與實測 FDG 之差在 {margin} 以內）。",
)


def _head(found: Diagnosed, verdict: Verdict, margin: float) -> tuple[str, str]:
    if found.knows_cognition:
        return _TOLD
    near = found.differences[Pair(SYNTHETIC, ACQUIRED)].low > -margin
    return _EMPTY if verdict is Verdict.NEITHER and near else _HEADS[verdict]


def _numbers_en(found: Diagnosed) -> str:
    parts = [f"acquired {_gap(found, ACQUIRED)}"]
    parts += [f"{_NAMES[arm][0]} {_gap(found, arm)}" for arm in found.rivals]
    areas = ", ".join(f"{_NAMES[arm][0]} {area.value:.3f}" for arm, area in _shown(found))
    return (
        f"AUC: {areas}. Synthetic less {'; less '.join(parts)} (95 % intervals; "
        f"{found.n_people} {found.domain} people, same folds)."
    )


def _numbers_zh(found: Diagnosed) -> str:
    parts = [f"實測 FDG {_gap(found, ACQUIRED, '至')}"]
    parts += [f"{_NAMES[arm][1]} {_gap(found, arm, '至')}" for arm in found.rivals]
    areas = "、".join(f"{_NAMES[arm][1]} {area.value:.3f}" for arm, area in _shown(found))
    domain = "模擬" if found.domain == "simulated" else "真實"
    return (
        f"AUC：{areas}。合成減{'；減'.join(parts)}"
        f"（95% 信賴區間；{found.n_people} 名{domain}受試者，相同分組）。"
    )


_NAMES: Mapping[str, tuple[str, str]] = {
    SYNTHETIC: ("synthetic", "合成 FDG"),
    ACQUIRED: ("acquired", "實測 FDG"),
    "mr": ("T1 and T2", "T1 與 T2"),
    "asl": ("ASL", "ASL"),
    "mr+asl": ("T1, T2 and ASL", "T1、T2 與 ASL"),
    DEMOGRAPHICS: ("age, sex and schooling", "年齡、性別與教育"),
}
"""Arms as a sentence says them."""


def _shown(found: Diagnosed) -> list[tuple[str, Interval]]:
    order = (SYNTHETIC, ACQUIRED, *found.rivals, DEMOGRAPHICS)
    return [(arm, found.areas[arm]) for arm in order]


def _gap(found: Diagnosed, against: str, to: str = " to ") -> str:
    value, low, high = found.differences[Pair(SYNTHETIC, against)]
    return f"{value:+.3f} ({low:+.3f}{to}{high:+.3f})"


def _reservations(found: Diagnosed, verdict: Verdict, margin: float) -> Iterable[tuple[str, str]]:
    """What a reader must know beside the numbers."""
    yield from _of_the_difference(found, margin)
    hardest = found.hardest
    if verdict is Verdict.NOT_WORSE and (
        not hardest or found.differences[Pair(SYNTHETIC, hardest)].low <= 0
    ):
        yield (
            "It is not shown to add to what MR itself says.",
            "未能證明其比 MR 本身提供更多資訊。",
        )
    arms = [area.value for arm, area in found.areas.items() if arm != DEMOGRAPHICS]
    if min(arms) > CEILING:
        yield (
            f"Every arm exceeds {CEILING:.2f}: the task is too easy to tell them apart.",
            f"所有組別皆超過 {CEILING:.2f}：此任務過於容易，無法區分優劣。",
        )
    if found.domain == "simulated":
        yield (
            "Simulated people: this says nothing of patients.",
            "受試者為模擬資料：結果不能推論至病人。",
        )


def _of_the_difference(found: Diagnosed, margin: float) -> Iterable[tuple[str, str]]:
    apart = found.differences[Pair(SYNTHETIC, ACQUIRED)]
    if apart.high < 0:
        yield ("Synthetic FDG tells less than acquired FDG.", "合成 FDG 之診斷力低於實測 FDG。")
    if found.differences[Pair(ACQUIRED, DEMOGRAPHICS)].low <= 0:
        yield (
            "Acquired FDG itself is not shown to tell more than age, sex and schooling here: to "
            "be equal to it would mean nothing.",
            "在此實測 FDG 本身未能證明優於年齡、性別與教育，故與其相等並無意義。",
        )
    elif found.differences[Pair(SYNTHETIC, DEMOGRAPHICS)].low <= 0:
        yield (
            "Synthetic FDG is not shown to tell more than age, sex and schooling.",
            "未能證明合成 FDG 優於年齡、性別與教育。",
        )
    if apart.low <= -margin and apart.high >= 0:
        n = people_needed(found, margin)
        yield (
            f"At this spread about {n} people would show it in four trials of five, were there no "
            "difference.",
            f"依此變異，若兩者並無差異，約需 {n} 人方能在五次試驗中證明四次。",
        )
