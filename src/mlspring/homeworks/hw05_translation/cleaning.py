"""The course's rules for raw text, and the way back from cleaned to written Chinese.

Cleaning makes a sign of punctuation a word of its own; what is printed in brackets, like
``(Laughter)``, is nobody's speech and goes. Source: HW05 notebook (Mar 2022).
"""

import re
import unicodedata

from mlspring.core.chinese import is_chinese, to_half_width

LONGEST, LARGEST_RATIO = 1000, 9  # words or characters of a line; of one side to the other
BRACKETED = re.compile(r"\([^()]*\)")
ENGLISH_SIGNS = re.compile(r'([.,;!?()"])')
CHINESE_SIGNS = re.compile(r'([。,;!?()"~「」])')
# To be deleted, and curly quotes made straight; in English "well-known" becomes "wellknown".
OF_ENGLISH = str.maketrans({"-": ""})
OF_CHINESE = str.maketrans({" ": "", "—": "", "_": "", "“": '"', "”": '"'})
FULL_WIDTH = str.maketrans(
    {",": "，", ";": "；", "!": "！", "?": "？", "(": "（", ")": "）", ":": "："}
)
BESIDE_NUMBER = re.compile(r"(?<=[0-9]) ?([,:]) ?(?=[0-9])")
SPACE = re.compile(r"(?<=(.)) +(?=(.))")


def clean_english(line: str) -> str:
    """Return a raw English line cleaned: 'A "big" one-off (2).' becomes 'A " big " oneoff .'."""
    return _spaced(BRACKETED.sub("", line).translate(OF_ENGLISH), ENGLISH_SIGNS)


def clean_chinese(line: str) -> str:
    """Return a raw Chinese line cleaned: 「好，（笑） 走！」 becomes 「 好 , 走 ! 」."""
    text = BRACKETED.sub("", to_half_width(line))
    return _spaced(text.translate(OF_CHINESE), CHINESE_SIGNS)


def _spaced(text: str, signs: re.Pattern[str]) -> str:
    return " ".join(signs.sub(r" \1 ", text).split())


def is_kept(english: str, chinese: str) -> bool:
    """Return whether a cleaned pair is one to learn from: neither empty, long nor lopsided.

    English counts in words, Chinese in characters, inserted spaces included.
    """
    words, characters = len(english.split()), len(chinese)
    if not (1 <= words <= LONGEST and 1 <= characters <= LONGEST):
        return False
    return max(words / characters, characters / words) <= LARGEST_RATIO


def written_chinese(cleaned: str) -> str:
    """Return a cleaned line as it is written: no spaces at Chinese, full-width signs at it.

    '他 說 : 3 , 000 個 web page ?' becomes '他說：3,000個web page？'. Signs between digits stay.
    """
    kept = BESIDE_NUMBER.sub("\\1\N{WORD JOINER}", cleaned)  # marks what is no punctuation
    full = re.sub("[,;!?():](?!\N{WORD JOINER})", lambda sign: sign[0].translate(FULL_WIDTH), kept)
    return SPACE.sub(_unless_chinese, full.replace("\N{WORD JOINER}", "")).strip()


def compared(line: str) -> str:
    """Return a line in the form in which translations are scored: half width (NFKC), lower case.

    So how a comma is written counts nothing; sacreBLEU alone would count it as an error.
    """
    return unicodedata.normalize("NFKC", line).lower()


def _unless_chinese(space: re.Match[str]) -> str:
    return "" if is_chinese(space[1]) or is_chinese(space[2]) or '"' in space[1] + space[2] else " "
