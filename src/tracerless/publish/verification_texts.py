"""Words of the page of proof, English and Traditional Chinese."""

CHECKS = {
    "values": ("Removed values", "已移除之資料值",
               "No value that was removed of a person stands anywhere in what was written of them: "
               "headers, bytes beside pixels, names of files, tables, pages.",
               "已移除之資料值未出現於此人之任何輸出：標頭、影像旁之位元組、檔名、表格、報告。"),
    "patterns": ("Identifying forms", "可識別之格式",
                 "No text has the form of a national ID, a telephone number, an e-mail address, a "
                 "date of the Taiwanese calendar, or a chart number.",
                 "文字中無身分證字號、電話、電子郵件、民國日期或病歷號之格式。"),
    "border": ("Rules and stamp", "規則與標記",
               "Every file holds what the profile lets through and nothing else, and states truly "
               "what was done.",
               "每個檔案僅含設定檔允許之屬性，且如實記載所做之處理。"),
    "references": ("References", "參照",
                   "Every reference leads to an instance of the dataset, and no old UID is left.",
                   "每個參照均指向資料集內之影像，且無原始 UID。"),
    "measures": ("Measurements", "量測值",
                 "Geometry, pixels, scale, SUV and timing are what they were, to a millionth, "
                 "outside what was changed on purpose (faces, blanked text).",
                 "除刻意處理之部分（臉部、遮蓋之文字）外，幾何、像素、比例、SUV 與時間均與原始"
                 "資料相同（百萬分之一以內）。"),
    "iod": ("DICOM errors", "DICOM 錯誤",
            "No instance has more errors against its DICOM definition than it had before.",
            "影像之 DICOM 規範錯誤未增加。"),
    "ocr": ("Text in pixels", "影像中之文字",
            "No text other than anatomical marks can be read in the pixels.",
            "影像像素中除解剖標記外無可讀文字。"),
    "complete": ("Completeness", "完整性",
                 "Every instance that crossed is there, and no file that nobody knows.",
                 "所有已去識別之影像均在，且無來源不明之檔案。"),
}  # fmt: skip
"""Name and meaning of every check, English and Chinese."""

REASONS = {
    "too short to tell from chance": "過短，無法與巧合區分",
    "a number too short to tell from chance": "數字過短，無法與巧合區分",
    "a technical word, or a value that the policy lets cross": "技術用語，或設定檔允許保留之值",
    "part of a name that is a technical word": "姓名之一部分恰為技術用語",
    "an age or a time of day": "年齡或時刻",
    "not a whole date": "非完整日期",
    "a word that names nobody": "非指稱任何人之詞",
    "nothing but signs": "僅含符號",
}
"""Why a value was not looked for."""

CLEAN = (
    "Nothing was found: as far as was looked, no removed value of anybody stands in this dataset, "
    "and it measures as before.",
    "未發現問題：在檢查範圍內，資料集中無任何人已移除之資料值，量測值亦與原始資料相同。",
)
NOT_CLEAN = (
    "Something was found. This dataset must not be shared before it is mended.",
    "發現問題：修正前不得分享此資料集。",
)
PART = ("Only some people were looked at; this is no proof of the dataset.",
        "僅檢查部分個案，不能作為整個資料集之證明。")  # fmt: skip
SIMULATED = ("SIMULATED people: nobody in this dataset exists.", "模擬資料：資料集中之人並不存在。")
LIMITS = (
    "What this cannot prove: that a value nobody removed is harmless, that a reader of the images "
    "recognizes nobody by rare anatomy, or that values too short or too common, listed above, are "
    "absent. It holds for exactly the files whose digest stands here; any later change voids it.",
    "本證明之限制：無法證明未移除之值無害、無法證明罕見解剖特徵不可辨識、亦未檢查過短或過於"
    "常見之值（見上表）。僅適用於具上述摘要值之檔案；任何後續變更即失效。",
)
