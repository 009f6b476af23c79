"""Words of the page of a training, English and Traditional Chinese."""

TITLE = ("Training of a synthesizer", "合成模型之訓練")
NOT_JUDGED = (
    "Nobody was held out: how good this model is, is not known.",
    "未保留任何人供評估：此模型之優劣未知。",
)
NO_SKILL = (
    "From all inputs together this model is no better than what is expected without any MR: it "
    "refuses to predict from them.",
    "即使使用全部輸入，此模型仍不優於不看 MR 之預期值：將拒絕據此預測。",
)
FINE_TUNED = ("Fine-tuned from {}.", "由 {} 微調而得。")
SOLVED = (
    "This network is solved for at once: there are no steps, and no curve of a loss.",
    "此網路一次求解：無訓練步驟，亦無損失曲線。",
)
LOSSES = ("Losses", "損失")
LOSS_NOTE = (
    "Median over stretches of steps; the pale band holds the middle 80 %. The answer's loss is in "
    "SUVR; what it is made of changes on the way (squared error, then Charbonnier, a regional term "
    "that fades), so a fall shows learning, and a rise need not show harm.",
    "每段步數之中位數；淡色帶為中間 80 %。主要損失以 SUVR 為單位；其組成於訓練中改變，"
    "故下降表示學習，上升未必有害。",
)
SKILL = ("Skill on people it did not learn from", "於未參與訓練者之技能分數")
SKILL_NOTE = (
    "1 - mean absolute error / that of the expected map, over regions; 0 is no better than looking "
    "at no MR at all. The same people chose the recalibration: an independent evaluation "
    "(`tracerless evaluate`) counts more.",
    "1 −（平均絕對誤差／預期值之平均絕對誤差），以腦區計；0 表示不優於完全不看 MR。"
    "再校正亦由相同之人決定：獨立評估更具份量。",
)
INPUTS_HEAD = [("Inputs", "輸入"), ("Answer", "是否作答"), ("Skill", "技能分數"), ("Slope", "斜率"),
               ("People", "人數")]  # fmt: skip
ANSWERS, REFUSES = ("predicts", "作答"), ("refuses", "拒絕")
PEOPLE = ("People", "受試者")
PEOPLE_HEAD = [("Diagnosis", "診斷"), ("Trained on", "訓練"), ("Held out", "保留")]
ALL = ("all", "合計")
SPLIT = {
    "person": ("Held out by person: no visit of a person is on both sides.",
               "以受試者為單位保留：同一人之訪視不會同時出現於兩側。"),
    "site": ("Held out by scanner: nobody of a held-out scanner was trained on.",
             "以掃描儀為單位保留：保留之掃描儀無人參與訓練。"),
}  # fmt: skip
SITES = ("Scanners or sites (people): {}.", "掃描儀或院所（人數）：{}。")
RUN = ("The run", "執行紀錄")
SETTINGS = ("Settings", "設定")
LIMITS = (
    "What this page cannot show: how the model does on other scanners, on rare disease, or on "
    "people unlike those above. What MR does not show, a synthetic PET cannot know.",
    "本頁無法顯示：模型於其他掃描儀、罕見疾病或不同族群之表現。MR 未顯示者，合成 PET 無從得知。",
)
