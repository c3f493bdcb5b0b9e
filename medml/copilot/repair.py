"""An answer of a model made fit to be shown: its form is mended, and what cannot be mended is named.

Whatever a model writes is somebody else's text: links, pictures and HTML become words, nothing of it can call out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from medml.words import jargon

MOST_LINES, LONGEST_LINE = 10, 400
LETTERS = 0.35  # share of an answer's signs below which it is noise
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_TARGET = r"(?:\((?:[^()\n]|\([^)\n]*\))*\)?|\[[^\]\n]*\])"
_PICTURE = re.compile(rf"!\[([^\]]*)\]{_TARGET}?")
_LINK = re.compile(rf"\[([^\]]*)\]{_TARGET}")
_REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s*\S+.*$", re.MULTILINE)
_HTML = re.compile(r"<!--.*?-->|</?[a-zA-Z!][^>]*>?", re.DOTALL)
_ADDRESS = re.compile(r"(?:https?|ftp|file|data|javascript):\S+|www\.\S+", re.IGNORECASE)
_DIRECTIVE = re.compile(r":material/\w+:|:[a-z]+(?:-[a-z]+)*\[([^\]]*)\]|:[a-z_]+:")
_PLAINER = {"epoch": "round", "iteration": "round", "hyperparameter": "setting", "regularization": "regularisation"}
_SAID = re.compile(r"\b(epoch|iteration|hyper-?parameter|regularization)(?=s?\b)", re.IGNORECASE)
_START = re.compile(r"^(?:\s*(?:[-*+•–]|\d{1,2}[.)])\s+|\s*#{1,6}\s*|\s*>\s*)+")
_NEXT = re.compile(r"^[\W_]*next\s+steps?\b[\s*_]*[::.–-]*[\s*_]*(.*)$", re.IGNORECASE)
_HEADING = re.compile(r"^\s*#{1,6}\s")
_RULE = re.compile(r"^[\s|:=*_-]*$")
_DOSE = re.compile(r"\b\d+(?:[.,]\d+)?\s?(?:mg|mcg|µg|micrograms?|grams?|IU|tablets?|capsules?|drops|puffs|ml)"
                   r"(?:/kg)?\b(?!\s?/\s?(?:d?l|ml)\b)", re.IGNORECASE)
_TREATS = re.compile(r"\b(?:prescribe|administer|inject|titrate|start (?:the|this|your) patient on|dos(?:e|age) of|"
                     r"give (?:the|this|your) patient)\b", re.IGNORECASE)
_DIAGNOSES = re.compile(r"\b(?:(?:the|this|your) patient (?:probably |likely |clearly )?(?:has|suffers|is suffering)|"
                        r"you (?:probably |likely )?(?:have|suffer from) (?:a |an )?(?:disease|cancer|tumou?r|diabetes|"
                        r"infection)|(?:my|the likely|the most likely|final) diagnosis|i diagnose|diagnosed with)\b",
                        re.IGNORECASE)
_ACTED = re.compile(r"\bI(?:'ve| have)? (?:now |just )?(?:changed|set|deleted|started|applied|trained|removed|run)\b")


def faults(text: str, names: Sequence[str] = ()) -> list[str]:
    """What is wrong with a mended answer, as sentences for the model; [] where it may be shown.

    names  of the snapshot: a column may be called "diagnosis" or "dose of insulin"
    """
    lines = text.split("\n")
    bare = _without(text, names)
    found = []
    if len(lines) < 2 or sum(each.isalpha() for each in text) < LETTERS * len(text.replace(" ", "")) or _stutters(text):
        found.append("Answer in 2 to 8 bullets of plain words.")
    if not lines[-1].startswith("Next step: "):
        found.append("End with a line that starts with “Next step: ”.")
    if _DOSE.search(bare) or _TREATS.search(bare):
        found.append("Give no treatment and no dose.")
    if _DIAGNOSES.search(bare):
        found.append("Give no diagnosis and do not speak of a single patient.")
    if _ACTED.search(bare):
        found.append("You cannot change anything: propose it.")
    return found


def unexplained(text: str, names: Sequence[str] = ()) -> list[str]:
    """What to tell a model of words that nobody explains to a doctor, as `faults`; [] where there are none."""
    found = jargon.unexplained(_without(text.replace("*", ""), names))
    return [f"Say it in plain words, without: {', '.join(found)}."] if found else []


def _without(text: str, names: Sequence[str]) -> str:
    for name in names:
        if len(name) > 3:
            text = text.replace(name, "that column")
    return text


def _stutters(text: str) -> bool:
    """The same few words over and over."""
    words = text.lower().split()
    return len(words) > 40 and len(set(words)) < len(words) / 5


def repair(text: str, terms: Sequence[str] = ()) -> str:
    """Bullets, at most 10 lines, key terms in bold, "Next step: …" last where there is one; no code, link or HTML.

    terms  words to set in bold where the model set none, the longest first
    """
    lines, then = _lines(words_alone(text))
    lines = [f"- {_balanced(each)}" for each in lines[:MOST_LINES - 1]]
    if lines and not any("**" in each for each in lines):
        lines = _with_bold(lines, terms)
    return "\n".join(lines + ([f"Next step: {_balanced(then)}"] if then else []))


def words_alone(text: str) -> str:
    """The text without thoughts, code, pictures, links, addresses, HTML and what a screen would draw; names in bold."""
    text = _CODE.sub("\n", _THOUGHT.sub("\n", text))
    text = _REFERENCE.sub("", _LINK.sub(r"\1", _PICTURE.sub(r"\1", text)))
    text = _ADDRESS.sub("", _HTML.sub("", text))
    text = _DIRECTIVE.sub(lambda found: found[1] or "", text)
    text = re.sub(r"\*{0,2}‹([^›\n]*)›\*{0,2}", r"**\1**", text)
    text = text.replace("`", "").replace("$", "").replace("<", "under ")
    text = _SAID.sub(lambda found: _plainer(found[1]), text)
    return re.sub(r"!+(?=\[)", "", text).replace("](", "] (")  # what the removals may have put together anew


def _plainer(word: str) -> str:
    said = _PLAINER[word.lower().replace("-", "")]
    return said.capitalize() if word[0].isupper() else said


def _lines(text: str) -> tuple[list[str], str]:
    """(what is said, a line each; what to do next)."""
    said: list[str] = []
    then, waiting = "", False
    for line in text.splitlines():
        bare = _START.sub("", line).strip().replace("|", " ").strip()
        found = _NEXT.match(bare)
        if not bare or _RULE.match(bare) or found is None and _HEADING.match(line):
            continue
        if found is not None and len(bare) < LONGEST_LINE:
            then, waiting = found[1].strip(" *_"), not found[1].strip(" *_")
        elif waiting:
            then, waiting = bare, False
        else:
            said.append(re.sub(r"\s+", " ", bare))
    return [_short(each) for each in said], _short(then)


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE].rsplit(" ", 1)[0] + " …"


def _balanced(line: str) -> str:
    """Without a bold that is never closed, and without other stars that would draw."""
    if line.count("**") % 2:
        line = line[::-1].replace("**", "", 1)[::-1]
    return re.sub(r"(?<!\*)\*(?!\*)", "", line)


def _with_bold(lines: list[str], terms: Sequence[str]) -> list[str]:
    """The first term of each line in bold."""
    known = "|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in terms if len(each) > 2)
    wanted = re.compile(known, re.IGNORECASE)
    return [wanted.sub(lambda found: f"**{found[0]}**", each, count=1) if known else each for each in lines]
