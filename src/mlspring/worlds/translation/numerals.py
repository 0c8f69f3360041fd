"""Numbers in words: English as it is read, Chinese by ten thousands (萬)."""

SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
DIGITS = "零一二三四五六七八九"
UNITS = ((1000, "千"), (100, "百"), (10, "十"))


def english(number: int) -> str:
    """Return a number below a billion in words, e.g. "twenty-five thousand three hundred"."""
    for size, name in ((10**6, "million"), (10**3, "thousand")):
        if number >= size:
            more = english(number % size) if number % size else ""
            joint = " and " if more and number % size < 100 else " "
            return f"{english(number // size)} {name}{joint if more else ''}{more}"
    if number >= 100:
        rest = f" and {english(number % 100)}" if number % 100 else ""
        return f"{SMALL[number // 100]} hundred{rest}"
    if number < 20:
        return SMALL[number]
    return TENS[number // 10 - 2] + (f"-{SMALL[number % 10]}" if number % 10 else "")


def chinese(number: int) -> list[str]:
    """Return the characters of a number before a measure word: 2 is 兩, 12,000 is 一萬兩千."""
    if number == 2:
        return ["兩"]
    if number < 10_000:
        return _below_ten_thousand(number)
    front, rest = divmod(number, 10_000)
    words = [*chinese(front), "萬"]
    if rest:
        words += (["零"] if rest < 1000 else []) + _below_ten_thousand(rest)
    return words


def _below_ten_thousand(number: int) -> list[str]:
    words: list[str] = []
    gap = False
    whole = number
    for size, name in UNITS:
        digit, number = divmod(number, size)
        if digit:
            if gap and words:
                words.append("零")
            if not (digit == 1 and size == 10 and whole < 20):
                words.append("兩" if digit == 2 and size > 10 else DIGITS[digit])
            words.append(name)
            gap = False
        else:
            gap = True
    if number or whole == 0:
        if gap and words:
            words.append("零")
        words.append(DIGITS[number])
    return words
