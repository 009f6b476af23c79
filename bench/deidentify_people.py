"""Invented people of Taiwan: names, numbers, dates, places, none of which belongs to anyone.

Every value is drawn without repeats within one corpus, so a value that survives says where from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

CHARSETS = ("utf8", "gb18030", "big5-as-latin", "utf8-as-latin", "ascii")
"""How a person's texts are written: twice under a label that is wrong."""

DECLARED = {
    "utf8": "ISO_IR 192",
    "gb18030": "GB18030",
    "big5-as-latin": "ISO_IR 100",
    "utf8-as-latin": "ISO_IR 100",
    "ascii": "ISO_IR 100",
}

_MISLABELED = {"big5-as-latin": "big5", "utf8-as-latin": "utf-8"}

_SURNAMES = "陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴周徐蘇葉莊呂江何蕭羅高潘簡朱鍾彭游詹胡施沈"
_GIVEN = (
    "怡君雅婷志明淑芬俊傑美玲建宏佩珊冠宇家豪心潔宜蓁柏翰詩涵承恩子晴哲瑋郁庭國華秀英文雄麗珠功蓋"
)
_LATIN_SURNAMES = (
    "Chen", "Lin", "Huang", "Chang", "Lee", "Wang", "Wu", "Liu", "Tsai", "Yang", "Hsu", "Cheng",
    "Hsieh", "Kuo", "Hung", "Tseng", "Chiu", "Liao", "Lai",
)  # fmt: skip
_SYLLABLES = (
    "Ya", "Ting", "Chih", "Ming", "Shu", "Fen", "Chun", "Chieh", "Mei", "Ling", "Chien", "Hung",
    "Pei", "Shan", "Kuan", "Yu", "Chia", "Hao", "Hsin", "Yi", "Chen", "Po", "Han", "Tzu",
    "Ching", "Che", "Wei", "Kuo", "Hua", "Hsiu", "Ying", "Wen", "Hsiung",
)  # fmt: skip
_ROADS = ("中山", "中正", "民生", "復興", "信義", "和平", "忠孝", "仁愛")
_HOSPITALS = ("安", "康", "仁", "慈", "恩", "明", "聖", "博", "榮", "新", "德", "永")
_ID_LETTERS = dict(zip("ABCDEFGHJKLMNPQRSTUVXYWZIO", range(10, 36), strict=True))


@dataclass(slots=True)
class Invent:
    """Draws invented values, each only once; ``is_ascii`` gives Latin letters only."""

    rng: np.random.Generator
    is_ascii: bool = False
    used: set[str] = field(default_factory=set)

    def name(self) -> str:
        """Family name and given name, Chinese signs or Latin letters."""
        return self.latin_name() if self.is_ascii else self.han_name()

    def han_name(self) -> str:
        """Three Chinese signs."""
        return self._new(lambda: self._one(_SURNAMES) + self._one(_GIVEN) + self._one(_GIVEN))

    def latin_name(self) -> str:
        """``Chen Ya-Ting``."""
        return self._new(
            lambda: (
                f"{self._one(_LATIN_SURNAMES)} {self._one(_SYLLABLES)}-{self._one(_SYLLABLES)}"
                f"{self._one('aeiou')}{self._one('ngrs')}"
            )
        )

    def national_id(self) -> str:
        """A letter and nine digits with a valid check digit."""
        return self._new(lambda: national_id(self._one("".join(_ID_LETTERS)), self._digits(8)))

    def chart(self) -> str:
        """Eight digits, as hospitals number their charts."""
        return self._new(lambda: str(self.rng.integers(1, 10)) + self._digits(7))

    def mobile(self) -> str:
        """``0912-345-678``."""
        return self._new(lambda: f"09{self._digits(2)}-{self._digits(3)}-{self._digits(3)}")

    def phone(self) -> str:
        """``(02)2871-2121``."""
        return self._new(lambda: f"(0{self.rng.integers(2, 9)}){self._digits(4)}-{self._digits(4)}")

    def code(self) -> str:
        """``W7K3Q9ZP``: an order number, a serial number."""
        return self._new(
            lambda: "".join(self._one("BCDFGHJKLMNPQRSTVWXZ23456789") for _ in "12345678")
        )

    def day(self) -> date:
        """A day between 1935 and 1999."""
        return date(1935, 1, 1) + timedelta(days=int(self.rng.integers(0, 23_700)))

    def date(self) -> str:
        """``19650503``."""
        return self._new(lambda: f"{self.day():%Y%m%d}")

    def roc_date(self) -> str:
        """``民國107年5月3日``; Latin-only: ``107/05/03`` behind the word ROC."""
        return self._new(lambda: roc(self.day(), is_ascii=self.is_ascii))

    def roc_digits(self) -> str:
        """``1070503``: seven digits."""
        return self._new(lambda: roc_digits(self.day()))

    def hospital(self) -> str:
        """An invented hospital."""
        if self.is_ascii:
            return self._new(lambda: f"{self._latin_place()} General Hospital")
        return self._new(
            lambda: self._one(_SURNAMES) + self._one(_HOSPITALS) + self._one(_GIVEN) + "醫院"
        )

    def address(self) -> str:
        """A street and a number."""
        number, floor = int(self.rng.integers(100, 9999)), int(self.rng.integers(2, 30))
        if self.is_ascii:
            return self._new(lambda: f"No.{number}, {self._latin_place()} Rd., Taipei")
        road = f"臺北市{self._one(_ROADS)}路{self._one('一二三四五六')}段"
        return self._new(lambda: f"{road}{number}號{floor}樓")

    def _latin_place(self) -> str:
        second = self._one(_SYLLABLES).lower()
        return f"{self._one(_SYLLABLES)}{second}{self._one('aeiou')}x"

    def _new(self, draw: Callable[[], str]) -> str:
        for _ in range(10_000):
            value = draw()
            if value not in self.used:
                self.used.add(value)
                return value
        raise ValueError("The invented values of one kind are used up.")

    def _one(self, choices: Sequence[str]) -> str:
        return choices[int(self.rng.integers(len(choices)))]

    def _digits(self, n: int) -> str:
        return "".join(str(d) for d in self.rng.integers(0, 10, n))


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person: what is equal in all of his or her files."""

    number: int
    charset: str
    latin: str
    han: str
    chart: str
    national_id: str
    born: date
    visits: tuple[date, date]

    @classmethod
    def invent(cls, number: int, invent: Invent) -> "Person":
        """The person of that number; charsets in turn."""
        first = date(2011, 1, 1) + timedelta(days=int(invent.rng.integers(0, 3000)))
        return cls(
            number=number,
            charset=CHARSETS[number % len(CHARSETS)],
            latin=invent.latin_name(),
            han=invent.han_name(),
            chart=invent.chart(),
            national_id=invent.national_id(),
            born=invent.day(),
            visits=(first, first + timedelta(days=int(invent.rng.integers(90, 700)))),
        )

    @property
    def is_ascii(self) -> bool:
        """Whether all texts of the person are Latin."""
        return self.charset == "ascii"

    @property
    def person_name(self) -> str:
        """As PatientName holds it."""
        latin = self.latin.replace(" ", "^")
        if self.is_ascii:
            return latin
        return f"{latin}={self.han[0]}^{self.han[1:]}"

    def written(self, text: str) -> str:
        """The text as it has to be handed to the writer so that the wanted bytes result."""
        encoding = _MISLABELED.get(self.charset)
        return text.encode(encoding).decode("latin-1") if encoding else text


def national_id(letter: str, digits: str) -> str:
    """The national identity number with that letter and first eight digits.

    Source: the published check rule: the letter's two-digit number and the digits, weighted
    1, 9, 8 ... 1, add up with the check digit to a multiple of ten.
    """
    body = ("1" if int(digits[0]) % 2 else "2") + digits[1:]
    tens, ones = divmod(_ID_LETTERS[letter], 10)
    total = tens + 9 * ones + sum(w * int(d) for w, d in zip(range(8, 0, -1), body, strict=True))
    return f"{letter}{body}{-total % 10}"


def roc(day: date, *, is_ascii: bool = False) -> str:
    """The day in the calendar of the Republic of China, whose year 1 is 1912."""
    year = day.year - 1911
    return f"ROC {year}/{day:%m/%d}" if is_ascii else f"民國{year}年{day.month}月{day.day}日"


def roc_digits(day: date) -> str:
    """``1070503``."""
    return f"{day.year - 1911:03d}{day:%m%d}"
