"""Words of the pages of synthetic PET, English and Traditional Chinese side by side."""

from tracerless.publish.assessment_texts import CLASSES, Words

MODELS: dict[str, Words] = {
    "mean": ("population mean", "族群平均"),
    "age-sex": ("age and sex alone", "僅年齡與性別"),
    "linear": ("linear MR (ridge)", "線性 MR 模型"),
}
"""The rivals that stand in every report; other names are those of models."""

GROUPS: dict[str, Words] = {"all": ("everybody", "全體"), **CLASSES}

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
    "ppv": ("flags that are true", "異常區陽性預測值"),
    "chance": ("Dice by chance", "隨機重疊"),
}

VERDICTS: dict[str, Words] = {
    "not worse": ("NOT WORSE than acquired PET by the margin", "不劣於實測 PET"),
    "better than MR": ("BETTER than MR alone", "優於單用 MR"),
    "neither": ("NEITHER is shown", "兩者皆未證實"),
}

NOT_ACQUIRED: Words = (
    "Synthetic PET is a function of MR: it holds nothing that the MR did not. A lesion without a "
    "trace in the MR is filled with the mean, and the picture looks healthy there.",
    "合成 PET 為 MR 之函數，不含 MR 以外之資訊；MR 無跡象之病灶會被平均值填平，影像看似正常。",
)
SIMULATED: Words = (
    "Measured on SIMULATED people only: the numbers say how the method works on a digital "
    "hospital, not how it works on patients.",
    "僅以模擬資料測試，不代表真實病人之表現。",
)
COGNITION: Words = (
    "This model looks at COGNITION: the diagnosis may have leaked into every picture and number.",
    "此模型納入認知測驗，診斷可能已洩漏至所有影像與數值。",
)
