"""Words of a person's block, English and Traditional Chinese."""

Words = tuple[str, str]

BANDS: dict[str, str] = {"low": "低風險", "intermediate": "中風險", "high": "高風險"}
ABSTAINS: Words = ("The model gives no answer.", "模型不作答。")
RESEARCH: Words = (
    "Research use only: what a model says of one scan, not a diagnosis. It knows nothing but the "
    "numbers of this page.",
    "僅供研究：此為模型對單次掃描之推估，並非診斷。模型所知僅限本頁數值。",
)
LIKELY: Words = (
    "The true diagnosis is among the named ones in {level:.0%} of people of each diagnosis. One "
    "name is an answer, several are an honest doubt. The probabilities are calibrated over people "
    "like those the model learned from; where a disease is rarer or more common they shift.",
    "於各診斷之受試者中，{level:.0%} 之真實診斷在所列之內。僅列一項為明確，列多項表示不確定。"
    "機率係就訓練族群校準，盛行率不同時會改變。",
)
CHANGES: Words = (
    "Right: speaks for {first}, left: against, compared with the average person of the training; "
    "change of the log odds. A contribution is not a cause.",
    "向右支持{first}，向左反對；以訓練族群平均為準之對數勝算變化，非因果。",
)
FUTURE: Words = (
    "Of people whom the model tells this risk, so many develop dementia by then, those who die "
    "before counted as not. Whisker: 95 % interval of the risk itself, not of what will happen.",
    "模型給予此風險者中於該時點前發生失智之比例（死亡者計為未發生）；豎線為風險之 95 % 區間。",
)
SIMILAR: Words = (
    "{n} people without disease here are within 5 years of that age and of the same sex: what is "
    "normal for this person rests on them.",
    "本資料集中年齡相差 5 年內且同性別之無病者共 {n} 人，此人之常模即以其為據。",
)
NOBODY: Words = (
    "Nobody without disease here is within 5 years of that age and of the same sex: what is normal "
    "for this person is carried over from others.",
    "本資料集中無年齡相近且同性別之無病者，常模係由他人外推。",
)
