"""What an evaluation calls its facts, English and Traditional Chinese side by side."""

from tracerless.publish.assessment_numbers import View
from tracerless.publish.markup import bullets, heading

FACTS: dict[str, tuple[str, str]] = {
    "n": ("scans", "掃描數"),
    "n_people": ("people", "人數"),
    "classes": ("people or scans by outcome", "各類人數"),
    "starts": ("stage at the first scan", "首次掃描時階段"),
    "events": ("events", "事件數"),
    "positive": ("positive means", "陽性指"),
    "contrast": ("tracer or contrast", "示蹤劑或對比"),
    "domain": ("where the scans come from", "掃描來源"),
    "atlas": ("atlas", "圖譜"),
    "reference": ("reference region", "參考區"),
    "fingerprint": ("fingerprint of the recipe", "處理設定指紋"),
    "features": ("regions enter as", "腦區輸入形式"),
    "models": ("models", "模型"),
    "main_model": ("leading model", "主要模型"),
    "chosen": ("model chosen", "選定模型"),
    "simplest_model": ("simplest within one standard error", "一個標準誤內之最簡模型"),
    "arms": ("arms", "比較組"),
    "main_arm": ("leading arm", "主要比較組"),
    "primary": ("primary comparison", "主要比較"),
    "repeats": ("repeats of the cross-validation", "交叉驗證重複次數"),
    "folds": ("outer folds", "外層折數"),
    "inner_folds": ("inner folds", "內層折數"),
    "seed": ("seed", "亂數種子"),
    "level": ("level of the sets", "集合水準"),
    "scanners": ("scanners", "儀器"),
    "threshold": ("threshold, mean of the trained ones", "閾值（訓練所得平均）"),
    "thresholds": ("thresholds", "各模型閾值"),
    "threshold_rule": ("rule of the threshold", "閾值規則"),
    "events_per_parameter": ("events per parameter", "每參數事件數"),
    "leak_excluded": ("scores kept out", "排除之分數"),
    "harmonization": ("harmonization", "儀器校正"),
    "imputation": ("imputation", "補值"),
    "class_weights": ("class weights", "類別權重"),
    "calibration_method": ("calibration", "校準方法"),
    "tuning": ("tuning", "調參"),
    "selection": ("choice of model", "模型選擇"),
    "missing_limit": ("missing weight that is still answered", "可容許缺失權重"),
    "n_bootstrap": ("bootstrap draws", "拔靴次數"),
    "validation": ("kind of evaluation", "驗證類型"),
    "external_of": ("locked model", "鎖定模型"),
    "trained_on": ("people it learned from", "訓練人數"),
    "recalibration": ("recalibration", "重新校準"),
    "horizons": ("horizons, years", "時間點（年）"),
    "main_horizon": ("leading horizon, years", "主要時間點（年）"),
    "follow_up_years": ("median follow-up, years", "追蹤中位數（年）"),
    "clock": ("time counts from", "時間起算"),
    "reverted": ("people who were well again", "恢復者之處理"),
    "death_gap_years": (
        "years from the last visit to a death that still counts",
        "死亡計入之間隔（年）",
    ),
    "digest": ("digest of data and settings", "資料與設定摘要"),
    "version": ("version", "版本"),
}
"""Names of facts; one that stands not here keeps its own."""


def called(name: str) -> str:
    """A fact's name in both languages."""
    english, chinese = FACTS.get(name, (name.replace("_", " "), ""))
    return f"{english} {chinese}".strip()


def notes(look: View) -> str:
    """What stands beside the numbers; nothing where nothing does."""
    said = bullets(look.assessment.notes)
    return f"<section>{heading('Beside the numbers', '附註')}{said}</section>" if said else ""
