"""Figures of an answer that stand in nothing that was read: a model made them up.

A figure is traced where one that was read rounds to it as it is written: 0.846 is "0.85", "0.8", "85 %" and, with
"about" before it, "80 %"; 303 is "about 300". A share may be turned round (32 % have it: 68 % do not) and told as so
many of 100. What a line works out from its own figures (a difference, a share of a count) is traced too. The figures
of a setting are known beside its name alone, where a value within its bounds may be advised too. Free are small whole
numbers that count no people, and what a 95 % interval, chance and perfection are. Whether a traced figure is given to
the right thing is not looked at.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from medml.copilot.adviser.columns import MANY_GAPS
from medml.copilot.adviser.settings import HUNGRY
from medml.copilot.facts import Setting, Snapshot

SMALL = 10  # whole numbers up to it count what a sentence lists
COARSE = 0.10  # share by which "about" may be off, at most
BESIDE = 40  # characters between a setting's name and the value that is advised for it
NBSP = "\u00a0\u202f"  # what stands between thousands beside a comma
_NUMBER = re.compile(rf"(?<![A-Za-z_\d])(?<![A-Za-z]-)(?<!\d[.,])"
                     rf"((?:\d{{1,3}}(?:[,{NBSP}]\d{{3}})+(?!\d)|\d+)(?:[.,]\d+)?(?:e[-+]?\d+)?|\.\d+)"
                     r"(\s?(?:%|per ?cent\b))?((?:st|nd|rd|th)\b)?", re.IGNORECASE)
_ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
         "seventeen eighteen nineteen").split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_IN_WORDS = re.compile(rf"\b({'|'.join(_TENS)})?[- ]?({'|'.join(_ONES)})?(?=\s+per ?cent\b)", re.IGNORECASE)
_ROUGHLY = re.compile(r"(?:about|around|roughly|approximately|nearly|almost|some|over|under|above|below|than|least|"
                      r"most|close to|near|up to|~|≈|<|>|≤|≥)\s*$", re.IGNORECASE)
_INTERVAL = re.compile(r"\s*(?:confidence|interval|CI\b|uncertainty)", re.IGNORECASE)
_YARDSTICK = re.compile(r"\b(?:chance|coin|guess\w*|toss|half|perfect\w*|ideal\w*|best)\b", re.IGNORECASE)
_PEOPLE = re.compile(r"\s*(?:(?:more|of|the|other|unseen|new|true|false) ){0,2}(?:patients?|cases?|people|persons?|"
                     r"women|men|children|events?|deaths?|rows|records|times|x\b)", re.IGNORECASE)
_ELSEWHERE = {"version": True, "columns": True, "run": {"settings"}}  # of a snapshot: known where they are named
_TIMES = re.compile(r"\s*(?:x\b|times (?:better|worse|more|less|fewer|higher|lower|as)\b)", re.IGNORECASE)  # no count
_OF = re.compile(r"\b(?:of|in|per|every)\s+(?:the |all )?(10|100|1,?000)\b", re.IGNORECASE)
_ADVISES = re.compile(r"\b(?:set|try|raise|lower|increase|decrease|reduce|use|change|move|go|train|keep|start|choose|"
                      r"halve|double)\b", re.IGNORECASE)
_SETTING = re.compile(r"^Setting .*$", re.MULTILINE)  # a line of the facts
_REFERENCE = re.compile(r"\[\d{1,2}\]")
_OF_THE_FIELD = (  # (what a line speaks of, the figures that everybody judges it by), as the adviser's rules do
    (re.compile(r"\bevents? per\b", re.IGNORECASE), ("10", "20")),
    (re.compile(r"\b(?:miss\w*|gaps?|no value)\b", re.IGNORECASE), (f"{MANY_GAPS} %",)),
    (re.compile(r"“find at least 90 of 100”"), ("90",)),
    (re.compile(r"\bsimpler families\b"), tuple(f"{each:,}" for each in HUNGRY.values())),
    (re.compile(r"\bof the folds\b", re.IGNORECASE), ("90 %",)),
    (re.compile(r"\btold 30 %", re.IGNORECASE), ("30 %", "30")))  # what a calibrated probability means


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it is written in a text. value is without its sign; step is what its last digit counts."""

    said: str
    value: float
    step: float
    pct: bool
    roughly: bool = False
    start: int = 0
    end: int = 0

    @property
    def is_whole(self) -> bool:
        return not self.pct and self.step >= 1

    @property
    def share(self) -> float | None:
        """As a part of one; None of what can be none, as of a count."""
        return self.value / 100 if self.pct else None if self.is_whole or self.value > 1 else self.value


def invented(answer: str, read: Iterable[str], snapshot: Snapshot) -> list[str]:
    """The figures of an answer, as written, that neither what was read holds nor its own lines work out.

    read  all that a model was given about this work: facts, passages, earlier turns and the question
    """
    facts = _SETTING.sub("", "\n".join(read))
    known = [*figures(bare(facts, snapshot.names)), *_counts(snapshot), *_found(snapshot)]
    lines = (bare(each, snapshot.names) for each in answer.split("\n"))
    return list(dict.fromkeys(said for line in lines for said in _of_line(line, known, snapshot)))


def bare(text: str, names: Sequence[str] = ()) -> str:
    """The text without bold, numbers of passages and names that hold a digit, "ninety percent" in digits."""
    text = _REFERENCE.sub(" ", text.replace("*", ""))
    for name in names:
        if any(map(str.isdigit, name)):
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text)
    return _IN_WORDS.sub(_in_digits, text)


def figures(text: str) -> list[Figure]:
    """Every number of a text that is no part of a word ("L11") and no place ("2nd")."""
    return [_figure(found, text) for found in _NUMBER.finditer(text) if not found[3]]


def _figure(found: re.Match[str], text: str) -> Figure:
    written = re.sub(rf"(?<!^0)[,{NBSP}](?=\d{{3}}(?!\d))", "", found[1]).replace(",", ".").lower()
    mantissa, _, power = written.partition("e")
    return Figure(found[0].strip(), float(written), 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2])),
                  bool(found[2]), bool(_ROUGHLY.search(text[:found.start()][-16:])), found.start(), found.end())


def _in_digits(found: re.Match[str]) -> str:
    tens, ones = found[1], found[2]
    if not tens and not ones:
        return found[0]
    return str((10 * (_TENS.index(tens.lower()) + 2) if tens else 0) + (_ONES.index(ones.lower()) if ones else 0))


def _counts(s: Snapshot) -> list[Figure]:
    """How many there are of what a snapshot lists, which a sentence may count."""
    of = [len(s.columns), len(s.predictors), len(s.classes), len(s.steps), sum(each.missing > 0 for each in s.columns),
          sum(bool(each.worries) for each in s.columns), *Counter(each.kind for each in s.columns).values(),
          *Counter(worry.code for each in s.columns for worry in each.worries).values()]
    if s.report:
        of += [s.report.passed, len(s.report.checks), len(s.report.groups),
               *Counter(each.verdict for each in s.report.checks).values()]
    return [Figure(str(n), n, 1.0, False) for n in set(of)]


def _found(s: Snapshot) -> list[Figure]:
    """What was found about the model and how many have the outcome; of single columns only what was read."""
    told = "\n".join(_texts(s.model_dump(exclude=_ELSEWHERE, exclude_none=True)))
    share = [each.pct * s.cases / 100 for each in s.classes if each.pct and s.cases]
    return [*figures(bare(told, s.names)), *(Figure(str(n), n, 1.0, False) for n in map(round, share))]


def _texts(value: object) -> Iterator[str]:
    """Every number and text in it, as written."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
    elif not isinstance(value, bool):
        yield str(value)


def _of_line(line: str, known: list[Figure], snapshot: Snapshot) -> Iterator[str]:
    found = figures(line)
    out_of = [float(each.replace(",", "")) for each in _OF.findall(line)]
    named, advises = list(_named(line, snapshot)), bool(_ADVISES.search(line))
    times = [each for each in found if _TIMES.match(line[each.end:])]
    traced = [each for each in found if any(_rounds(one, each) or _of_so_many(one, each, out_of) for one in known
                                            if not (one.is_whole and each in times))]
    for each in found:
        if each not in traced and not (_is_free(each, line, out_of) or _worked_out(each, traced) or
                                       any(_fits(each, setting, at, advises) for setting, at in named)):
            yield each.said


def _is_free(one: Figure, line: str, out_of: list[float]) -> bool:
    if one.pct and one.value == 95 and _INTERVAL.match(line[one.end:]):
        return True
    if one.value in ((0, 50, 100) if one.pct else (0, 0.5, 1)) and _YARDSTICK.search(line):
        return True
    if any(one.said in said and about.search(line) for about, said in _OF_THE_FIELD):
        return True
    return one.is_whole and (one.value in out_of or one.value <= SMALL and not _PEOPLE.match(line[one.end:]))


def _rounds(read: Figure, one: Figure) -> bool:
    """Whether a figure that was read may be written so; of shares the rest too. A count has no decimals."""
    if read.pct == one.pct and _near(read.value, one) and (one.is_whole or not read.is_whole):
        return True
    if read.share is None or one.share is None or not (read.pct or one.pct):
        return False
    scale = 100 if one.pct else 1
    return any(_near(scale * share, one) for share in (read.share, 1 - read.share))


def _of_so_many(read: Figure, one: Figure, out_of: Iterable[float]) -> bool:
    """Whether a share that was read is told as so many of 10, 100 or 1,000."""
    return not one.pct and read.share is not None and any(
        one.value < n and min(abs(read.share - one.value / n), abs(1 - read.share - one.value / n)) <= one.step / 2 / n
        + 1e-9 for n in out_of)


def _near(read: float, one: Figure) -> bool:
    """Whether it is that number to its last digit; after "about" to its first."""
    off = abs(read - one.value)
    if off <= one.step / 2 * (1 + 1e-9):
        return True
    if not one.roughly or not one.value:
        return False
    return off <= min(10.0 ** math.floor(math.log10(one.value)) / 2, COARSE * read)


def _named(line: str, snapshot: Snapshot) -> Iterator[tuple[Setting, int]]:
    """The settings that a line names, each with where."""
    said = line.lower()
    for each in snapshot.run.settings if snapshot.run else []:
        names = [each.title.lower(), each.name.lower()]
        names += ["rounds", "round", "epochs", "trees"] if each.name == snapshot.run.rounds_setting else []
        for found in re.finditer(rf"\b(?:{'|'.join(map(re.escape, names))})\b", said):
            yield each, found.start()


def _fits(one: Figure, setting: Setting, at: int, advises: bool) -> bool:
    """Whether it is a figure of a setting that the line names, or one that is advised beside its name."""
    own = (setting.value, setting.usual, setting.low, setting.high, *setting.choices)
    if any(_rounds(each, one) for value in own for each in figures(str(value))):
        return True
    beside = advises and abs(one.start - at) <= BESIDE + len(setting.title)
    return beside and not one.pct and None not in (setting.low, setting.high) and \
        setting.low <= one.value <= setting.high


def _worked_out(one: Figure, traced: Sequence[Figure]) -> bool:
    """Whether two figures of the same line make it."""
    return any(_near(value, one) for a, b in permutations(traced, 2) for value in _made(a, b, one))


def _made(a: Figure, b: Figure, one: Figure) -> Iterator[float]:
    """The sum and difference of like figures, the share of a count, the ratio of two counts."""
    if a.pct == b.pct == one.pct:
        yield from (abs(a.value - b.value), a.value + b.value)
    if one.pct and not (a.pct or b.pct) and a.share is not None and b.share is not None:
        yield 100 * abs(a.value - b.value)  # 0.95 and 0.90 are 5 % apart
    if a.is_whole and one.is_whole and b.share is not None:
        yield a.value * b.share
    if a.is_whole and b.is_whole and b.value > 0:
        yield a.value / b.value * (100 if one.pct else 1)
