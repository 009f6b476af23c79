"""Words of the pages of synthetic PET, English and Traditional Chinese side by side."""

from tracerless.publish.assessment_texts import CLASSES, Words

LINEAR = "linear"
MODELS: dict[str, Words] = {
    "mean": ("population mean", "族群平均"),
    "age-sex": ("age and sex alone", "僅年齡與性別"),
    LINEAR: ("linear MR (ridge)", "線性 MR 模型"),
}
"""The rivals that stand in every report; other names are those of models."""

GROUPS: dict[str, Words] = {
    "all": ("everybody", "全體"),
    "patients": ("patients", "患者"),
    **CLASSES,
}

CORRELATES: dict[str, Words] = {
    "none": ("PET only: MR shows nothing", "僅 PET 有病灶，MR 無跡象"),
    "flow": ("flow falls with it", "血流同步下降"),
    "thinning": ("cortex thins with it", "皮質同步變薄"),
    "flow+thinning": ("flow falls and cortex thins", "血流下降且皮質變薄"),
}

METRICS: dict[str, Words] = {
    "mae": ("MAE, SUVR", "平均絕對誤差"),
    "rmse": ("RMSE, SUVR", "均方根誤差"),
    "psnr": ("PSNR in the brain, dB", "腦內 PSNR"),
    "ssim": ("SSIM in the brain", "腦內 SSIM"),
    "dice": ("Dice of flags", "異常區重疊"),
    "sensitivity": ("flagged regions found", "異常區敏感度"),
    "sensitivity_chance": ("found by chance", "隨機敏感度"),
    "ppv": ("flags that are true", "異常區陽性預測值"),
    "ppv_chance": ("true by chance", "隨機陽性預測值"),
    "chance": ("Dice by chance", "隨機重疊"),
    "flagged": ("share flagged, synthetic", "合成影像異常比例"),
    "flagged_acquired": ("share flagged, acquired", "實測影像異常比例"),
    "coverage": ("voxels in their 90 % interval", "體素預測區間涵蓋率"),
}

NORMS: dict[str, Words] = {
    "own": ("synthetic controls", "合成影像常模"),
    "acquired": ("acquired controls", "實測影像常模"),
}

REGIONS: dict[str, Words] = {
    "all": ("all regions", "全部腦區"),
    "ad_pattern": ("regions that AD takes", "阿茲海默症好發腦區"),
}

POLICIES: dict[str, Words] = {
    "images": ("images only", "僅影像"),
    "images+age-sex": ("images, age and sex", "影像、年齡、性別"),
    "images+cognition": ("images and cognition (marked)", "影像與認知測驗（標記）"),
    "age-sex": ("age and sex, no MR", "僅年齡、性別"),
    "cognition": ("cognition, no MR (marked)", "僅認知測驗（標記）"),
}

STRESSES: dict[str, Words] = {
    "none": ("as acquired", "原始影像"),
    "motion": ("motion in T1 and T2, mm", "T1、T2 移動（毫米）"),
    "noise": ("noise in T1 and T2, share of white matter", "T1、T2 雜訊"),
    "receive-field": ("uneven brightness", "亮度不均"),
    "blur": ("blur of all MR, mm FWHM", "MR 模糊（毫米）"),
    "bitten": ("brain extraction took cortex, mm", "腦部擷取切除過多（毫米）"),
    "slices": ("upper T2 slices missing, share", "T2 上方切面缺失"),
    "few-pairs": ("fewer ASL pairs, share kept", "ASL 標記／控制影像對減少（保留比例）"),
    "late-label": ("label arrives late, s", "標記延遲到達（秒）"),
    "short-delay": ("delay shorter than told, s", "延遲時間短於標示（秒）"),
    "shift": ("T2 and CBF shifted, mm", "T2、CBF 平移（毫米）"),
    "turn": ("T2 and CBF turned, degrees", "T2、CBF 旋轉（度）"),
    "off-template": ("all MR off the template, mm", "MR 偏離模板（毫米）"),
}

CASES: dict[str, Words] = {
    "none": ("none: false alarms", "無（誤報）"),
    "stroke": ("old stroke", "陳舊性中風"),
    "tumor": ("tumor with swelling", "腫瘤與水腫"),
    "resection": ("resection", "手術切除"),
    "hydrocephalus": ("very wide ventricles", "腦室極度擴大"),
    "metal": ("metal", "金屬假影"),
    "exchanged": ("T1 and T2 exchanged", "T1、T2 對調"),
    "wrong-t1w": ("T2 in the place of T1", "以 T2 充作 T1"),
    "mirrored": ("left and right exchanged", "左右對調"),
    "upside-down": ("top and bottom exchanged", "上下對調"),
    "ghost": ("ghost in T1", "T1 鬼影"),
    "only-noise": ("T1 of noise alone", "T1 僅雜訊"),
    "absolute-flow": ("CBF in another unit", "CBF 單位錯誤"),
    "empty-flow": ("CBF of zeros", "CBF 全零"),
    "half-head": ("field of view ends in the brain", "視野不足"),
}

VERDICTS: dict[str, Words] = {
    "not worse than acquired": (
        "NOT WORSE than acquired PET, by more than the margin",
        "不劣於實測 PET（界限內）",
    ),
    "better than MR only": ("BETTER than MR alone", "優於僅用 MR"),
    "neither": ("NEITHER is shown", "兩者皆未證實"),
}
"""Of a claim, by its verdict (`evaluate.claims`)."""

ALONE = "trained on these alone"
HOW: dict[str, Words] = {
    "hidden at prediction": ("the model, the other contrasts hidden", "同一模型，隱藏其他輸入"),
    ALONE: (
        "a linear map that was trained on these alone",
        "僅以此輸入訓練之線性模型",
    ),
    "refused": (
        "refused: no better than the mean, or nobody has it",
        "拒絕：不優於平均，或無人具備",
    ),
}
"""How a set of inputs came about (`evaluate.inputs`)."""

NOT_ACQUIRED: Words = (
    "Synthetic PET is a function of MR: it holds nothing that the MR did not. A lesion without a "
    "trace in the MR is filled with the mean, and the picture looks healthy there.",
    "合成 PET 為 MR 之函數，不含 MR 以外之資訊；MR 無跡象之病灶會被平均值填平，影像看似正常。",
)
TWIN: Words = (
    "This model learned from {} alone: it shows how such a person would look, NOT THIS PERSON. Its "
    "skill in other people is not what it is for, and a diagnosis from it means nothing.",
    "此模型僅由 {} 學習：所示為此類受試者應有之影像，並非本人。其於他人之技能分數非其目的，"
    "據以診斷亦無意義。",
)
SIMULATED: Words = (
    "Measured on SIMULATED people only: the numbers say how the method works on a digital "
    "hospital, not how it works on patients.",
    "僅以模擬資料測試，不代表真實病人之表現。",
)
STANDS_IN: Words = (
    "Where a model had to be trained from the start, a LINEAR map stands in the place of this "
    "network: these rows tell what the people and scanners hold, not what the network would do.",
    "需從頭訓練者，以線性模型代替本網路：該列反映受試者與儀器，而非本網路之表現。",
)

HEADS: dict[str, Words] = {
    "correlate": ("What MR shows", "MR 之跡象"),
    "region": ("Region", "腦區"),
    "loss": ("Planted loss", "植入下降"),
    "n": ("n", "人數"),
    "recovered": ("Share that comes out", "重現比例"),
    "low": ("Low", "下限"),
    "high": ("High", "上限"),
    "n_low": ("Truly low", "實際偏低次數"),
    "false_normal": ("Of these read as normal", "其中誤判正常"),
    "false_normal_low": ("Low", "下限"),
    "false_normal_high": ("High", "上限"),
    "stress": ("Stress", "干擾"),
    "level": ("Level", "程度"),
    "skill": ("Skill", "技能分數"),
    "coverage": ("In the 90 % interval", "預測區間涵蓋率"),
    "flagged": ("Flagged", "示警"),
    "refused": ("Refused", "拒絕"),
    "case": ("Case", "情況"),
    "site": ("Site left out", "未參與訓練之儀器"),
    "n_adapted": ("Own pairs", "自有配對數"),
    "slope": ("Slope", "斜率"),
    "calibration": ("Truth on pred.", "實測對合成"),
    "what": ("What", "項目"),
    "against": ("Against", "比較基準"),
    "verdict": ("Verdict", "判定"),
    "largest_suvr": ("Largest difference, SUVR", "最大差異"),
    "limit_suvr": ("Limit", "界限"),
    "distance": ("Distance", "距離"),
    "to_training": ("To training people", "至訓練者"),
    "to_unseen": ("To unseen people", "至未見者"),
    "model": ("Model", "模型"),
    "group": ("Group", "組別"),
    "metric": ("Measure", "指標"),
    "value": ("Value", "值"),
    "norm": ("Norm", "常模"),
    "same_sign": ("Same side lower", "同側較低"),
    "icc": ("ICC(2,1)", "組內相關係數"),
    "bias": ("Bias", "偏差"),
    "mae": ("MAE", "平均絕對誤差"),
    "mae_mean": ("MAE of mean", "平均影像 MAE"),
    "limits": ("Limits", "一致性界限"),
    "ccc": ("CCC", "一致性相關係數"),
    "sd_ratio": ("SD ratio", "標準差比"),
    "frame": ("Atlas / reference", "圖譜／參考區"),
    "regions": ("Regions", "腦區數"),
}
"""Headings of the columns of its tables."""

NAMES: dict[str, dict[str, Words]] = {
    "model": MODELS,
    "group": GROUPS,
    "metric": METRICS,
    "norm": NORMS,
    "correlate": CORRELATES,
    "stress": STRESSES,
    "case": CASES,
    "region": REGIONS,
}
"""Words for the values of its columns."""
