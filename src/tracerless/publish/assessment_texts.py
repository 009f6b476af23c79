"""Words of the evaluation pages, English and Traditional Chinese side by side."""

from tracerless.core.study import Arm

Words = tuple[str, str]

ARMS: dict[str, Words] = {
    Arm.DEMOGRAPHICS: ("age, sex, schooling", "年齡、性別、教育"),
    Arm.IMAGE: ("image", "影像"),
    Arm.COGNITION: ("cognition", "認知測驗"),
    Arm.BOTH: ("image + cognition", "影像＋認知測驗"),
    "asl": ("ASL alone", "僅 ASL"),
    "mr": ("MR alone", "僅 MR"),
    "mr+asl": ("MR + ASL", "MR＋ASL"),
    "synthetic": ("synthetic PET", "合成 PET"),
    "acquired": ("acquired PET", "實測 PET"),
    "mr+synthetic": ("MR + synthetic PET", "MR＋合成 PET"),
    Arm.LEAKY: ("upper bound (leaky)", "洩漏上界"),
}
"""Arms in the order in which a page shows them."""

ARM_COLORS: dict[str, str] = {
    Arm.DEMOGRAPHICS: "#7b8494",
    Arm.IMAGE: "#0072b2",
    Arm.COGNITION: "#c77800",
    Arm.BOTH: "#1d2230",
    Arm.LEAKY: "#b58bb0",
    "asl": "#1e7d4b",
    "mr": "#c77800",
    "mr+asl": "#7a4f9a",
    "synthetic": "#d1491b",
    "acquired": "#17417e",
    "mr+synthetic": "#b00020",
}
PALETTE = ("#1d2230", "#0072b2", "#c77800", "#1e7d4b", "#b00020", "#7a4f9a")

MODELS: dict[str, Words] = {
    "prevalence": ("prevalence only", "僅盛行率"),
    "elastic_net": ("elastic-net logistic", "彈性網路羅吉斯"),
    "mlp": ("MLP (neural network)", "類神經網路"),
    "cox": ("Cox, ridge", "Cox 脊迴歸"),
    "discrete": ("discrete-time hazards", "離散時間風險"),
    "incidence": ("incidence only", "僅發生率"),
}

CHANGED: dict[str, str] = {
    "recalibrated in the large": "整體重新校準",
    "recalibrated": "重新校準",
    "answered only": "僅計作答者",
}
"""How a locked model's answers were changed, or which were left out."""

BLIND = {"prevalence", "incidence"}
"""Models that look at no predictor."""

METRIC_NAMES: dict[str, Words] = {
    "auc": ("AUC", "曲線下面積"),
    "c_index": ("Concordance", "一致性指標"),
    "auc_t": ("AUC(t)", "時間相依曲線下面積"),
    "ibs": ("Integrated Brier", "積分 Brier 分數"),
    "balanced_accuracy": ("Balanced accuracy", "平衡準確度"),
    "average_precision": ("Average precision", "平均精確度"),
    "sensitivity": ("Sensitivity", "敏感度"),
    "specificity": ("Specificity", "特異度"),
    "brier": ("Brier score", "Brier 分數"),
    "log_loss": ("Log loss", "對數損失"),
    "slope": ("Slope", "校準斜率"),
    "intercept": ("In the large", "整體校準"),
    "ece": ("ECE", "期望校準誤差"),
}
"""Measures in the order of their columns."""

HEADLINE_METRICS = ("auc", "c_index", "auc_t")
"""What a page leads with: the first of these that was measured."""

NEUTRAL: dict[str, float] = {"auc": 0.5, "c_index": 0.5, "auc_t": 0.5, "slope": 1.0}
"""Value of a model that knows nothing, or, for the slope, of one that is calibrated."""

CLASSES: dict[str, Words] = {
    "CN": ("CN (normal)", "認知正常"),
    "MCI": ("MCI", "輕度認知障礙"),
    "AD": ("AD", "阿茲海默症"),
    "DLB": ("DLB", "路易氏體失智症"),
    "FTD": ("FTD", "額顳葉失智症"),
    "VaD": ("VaD", "血管性失智症"),
    "dementia": ("dementia", "失智症"),
    "death": ("death", "死亡"),
    "free": ("neither", "兩者皆無"),
}

GROUPINGS: dict[str, Words] = {
    "stage": ("Stage at the scan", "掃描時階段"),
    "sex": ("Sex", "性別"),
    "age": ("Age", "年齡"),
    "education": ("Schooling", "教育"),
    "scanner": ("Scanner", "儀器"),
    "scanner left out": ("Scanner left out of training", "未參與訓練之儀器"),
    "tracer": ("Tracer", "示蹤劑"),
}

QUANTITIES: dict[str, Words] = {
    "ppv": ("PPV", "陽性預測值"),
    "npv": ("NPV", "陰性預測值"),
    "sensitivity": ("Sensitivity", "敏感度"),
    "specificity": ("Specificity", "特異度"),
    "predicted": ("Mean predicted risk", "平均預測風險"),
    "observed": ("Observed risk", "觀察風險"),
    "brier": ("Brier score", "Brier 分數"),
    **METRIC_NAMES,
}

EXPECTED: dict[str, str] = {
    "performance": "",
    "increments": "",
    "roc": "diagnosis",
    "calibration": "",
    "decision_curve": "",
    "confusion": "diagnosis",
    "predictive_values": "diagnosis",
    "subgroups": "",
    "learning_curve": "",
    "single_split": "diagnosis",
    "sets": "diagnosis",
    "importance": "diagnosis",
    "sentinel": "",
    "findings": "",
    "absolute_risk": "risk",
    "bands": "risk",
    "incidence": "risk",
}
"""Tables that a page misses where they are absent, and of which task; empty for both."""

SMALL = 100
"""People below which a page shows intervals first and says how little they hold."""

SMALL_BANNER: Words = (
    "{n} people: too few to say how good a model is. Below {least}, every number is shown as its "
    "interval; the middle of it is not a result.",
    "僅 {n} 人，不足以判定模型優劣。少於 {least} 人時僅呈現區間，其中點不是結果。",
)
SIMULATED: Words = (
    "The people of this evaluation are SIMULATED: the numbers say how the method works on a "
    "digital hospital, not how it works on patients.",
    "本評估對象為模擬資料，不代表真實病人之表現。",
)
SYNTHETIC: Words = (
    "The images of this evaluation are SYNTHETIC: predicted from MR, never acquired. They hold no "
    "more about the diagnosis than the MR they were made from.",
    "本評估所用影像為人工合成（由 MR 預測，非實測），所含診斷資訊不多於其來源 MR。",
)
CIRCULAR: Words = (
    "Clinicians see cognitive scores when they diagnose, so cognition predicts its own echo. "
    "Scores that make or stage the diagnosis (CDR and the like) are kept out of every arm but the "
    "last, which is an upper bound and never a result. What the image adds to cognition is the "
    "question that this evaluation answers.",
    "醫師診斷時已知認知測驗結果，故認知測驗部分是預測自身。用以診斷或分期之分數（如 CDR）"
    "僅出現於最後一欄，屬上界而非結果。本評估回答的是：影像在認知測驗之外增加多少。",
)
FUTURE: Words = (
    "Cognition and image are those of the first scan; what happened later was not known then. What "
    "the image adds to cognition is the question that this evaluation answers.",
    "認知測驗與影像皆取自首次掃描，後續結果當時未知。本評估回答的是：影像在認知測驗之外增加多少。",
)
WITHHELD: Words = (
    "A number without an interval is withheld.",
    "沒有信賴區間之數值不予呈現。",
)


def both(known: dict[str, Words], key: str) -> Words:
    """English and Chinese of a key; the key itself where none is written here.

    What stands behind a comma after a known key says how it was changed; behind ``@``, for when.
    """
    name, at, years = str(key).partition(" @ ")
    first, comma, rest = name.partition(", ")
    if str(key) in known or not (comma or at) or first not in known:
        return known.get(str(key), (str(key), ""))
    english, chinese = known[first]
    parts = [CHANGED.get(rest, rest) if comma else "", years.replace("y", "年")]
    behind = f", {rest}" if comma else ""
    horizon = f" at {years}" if at else ""
    return f"{english}{behind}{horizon}", "，".join(filter(None, (chinese, *parts)))


def english(known: dict[str, Words], key: str) -> str:
    """English of a key."""
    return both(known, key)[0]


def in_order(known: dict[str, Words], found: list[str]) -> list[str]:
    """What was found, in the order of the known ones, the unknown behind as they came."""
    first = [key for key in known if key in found]
    return first + [key for key in dict.fromkeys(found) if key not in known]
