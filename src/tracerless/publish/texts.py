"""Words of the pages, English and Traditional Chinese side by side."""

from tracerless.core.volume import Contrast

TITLES: dict[Contrast, tuple[str, str]] = {
    Contrast.T1W: ("T1-weighted MR", "T1 加權磁振造影"),
    Contrast.T2W: ("T2-weighted MR", "T2 加權磁振造影"),
    Contrast.FLAIR: ("FLAIR MR", "FLAIR 磁振造影"),
    Contrast.CBF: ("Relative CBF", "相對腦血流"),
    Contrast.SYNTHETIC_FDG: ("Synthetic FDG", "人工合成 FDG"),
    Contrast.FDG: ("FDG-PET", "FDG 正子造影"),
    Contrast.ECD: ("ECD SPECT", "ECD 單光子造影"),
    Contrast.HMPAO: ("HMPAO SPECT", "HMPAO 單光子造影"),
}
"""What a contrast is called on a page; the English also stands in pictures."""

LOBES: dict[str, str] = {
    "frontal": "額葉",
    "parietal": "頂葉",
    "temporal": "顳葉",
    "occipital": "枕葉",
    "cingulate": "扣帶迴",
    "insula": "腦島",
    "subcortical": "皮質下",
    "brainstem": "腦幹",
    "cerebellum": "小腦",
}

VERDICTS: dict[str, str] = {"pass": "通過", "review": "需人工檢視", "fail": "不合格"}

HEMISPHERES: dict[str, str] = {"L": "left 左", "R": "right 右", "B": "both 雙側"}

RESEARCH_EN = "RESEARCH USE ONLY - NOT A MEDICAL DEVICE"
RESEARCH_ZH = "僅供研究，非醫療器材"

SIMULATED = {
    "simulated": (
        "The model was trained on SIMULATED people only. It has never seen an acquired PET.",
        "模型僅以模擬資料訓練，從未見過真實 PET。",
    ),
    "acquired": (
        "The model was trained on acquired scans.",
        "模型以實際掃描訓練。",
    ),
}
"""What to say of a training domain, plainly."""

REACH = {
    "inside": (
        "These scans look like those that the model learned from.",
        "影像與訓練資料相似。",
    ),
    "edge": (
        "AT THE EDGE: these scans look rarer than 19 of 20 that the model learned from.",
        "位於訓練資料邊緣：較 95 % 之訓練影像罕見。",
    ),
    "outside": (
        "OUTSIDE: these scans are unlike all that the model learned from. Neither numbers nor "
        "intervals hold.",
        "超出訓練範圍：與所有訓練影像不同，數值與區間皆不成立。",
    ),
}
"""What to say of a prediction's reach, plainly."""

COGNITION = (
    "COGNITION WAS LOOKED AT: the diagnosis may have leaked into every picture and number of this "
    "model; they are no evidence beside cognition.",
    "已納入認知測驗：診斷可能已滲入此模型之所有影像與數值，不得視為獨立於認知測驗之證據。",
)
"""Stands wherever something of such a model is shown."""

SIMULATED_PERSON = "SIMULATED PERSON - NOT A PATIENT"
"""Stands on every contact sheet of a simulated person; the font in pictures has no Chinese."""

CONVENTION = (
    "Radiological convention: the person's right (R) is on the left of axial and coronal pictures; "
    "sagittal pictures face left (A = anterior). Every column shows the same slices, in template "
    "space. Only the brain and its nearest surroundings are drawn, so that no face can be seen.",
    "放射學慣例：影像左側為受檢者右側。各欄為標準空間之相同切面；僅顯示腦部，不含臉部。",
)


REGISTRATION = (
    "The contour is the template's white matter. Where it follows the person's own, the scan came "
    "to template space well; where it does not, no number of this page can be trusted.",
    "線條為標準腦白質邊界；若與受檢者影像不符，則本頁數值不可採信。",
)

CONTACT = (
    "Lines must follow what lies under them: the template's white matter on the T1, the T1's brain "
    "and white matter on every other volume, the atlas on uptake. Where they do not, no number of "
    "this page can be trusted.",
    "線條應與其下影像相符：T1 上為標準腦白質，其他影像上為受檢者 T1 之腦與白質邊界，"
    "攝取影像上另有圖譜邊界；若不相符，則本頁數值不可採信。",
)


def title(contrast: Contrast) -> str:
    """English title of a contrast; its controlled label where none is written here."""
    return TITLES.get(contrast, (str(contrast), ""))[0]
