"""The built-in adviser: rules written by hand over a Snapshot. One file a group of rules, found by itself.

    @rule("few_events", about="imbalance size", at="scan configure evaluate", weight=60)
    def few_events(s: Snapshot) -> Advice | None: ...

Every rule quotes at least one figure and one name of the snapshot it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medml.copilot.facts import STAGES, Snapshot, Stage
from medml.copilot.intents import WORDS, asks_meaning, intents
from medml.copilot.proposal import Proposal
from medml.registry import Registry

MOST = 5  # pieces of advice in one answer


@dataclass(frozen=True, slots=True)
class Advice:
    """What one rule has to say.

    text  one sentence or two, key terms in ** **;   then  what to do, without a full stop ("leave **x** out")
    """

    text: str
    then: str
    proposal: Proposal | None = None


Rule = Callable[[Snapshot], Advice | None]


@dataclass(frozen=True, slots=True)
class Known:
    """A rule with what it is about (names of intents), at which stages it speaks unasked, and how much it matters."""

    name: str
    about: frozenset[str]
    at: frozenset[str]
    weight: float
    ask: Rule


@dataclass(frozen=True, slots=True)
class Advised:
    """An answer of the adviser: Markdown of at most 10 lines, and the change that it would make."""

    text: str
    rules: tuple[str, ...]
    proposal: Proposal | None = None


registry: Registry[Known] = Registry("medml.copilot.adviser")


def rule(name: str, *, about: str, at: str, weight: float) -> Callable[[Rule], Rule]:
    """Register a function as a rule; ValueError for an intent or stage that does not exist."""
    known = Known(name, frozenset(about.split()), frozenset(at.split()), weight, lambda s: None)
    if known.about - set(WORDS) or known.at - set(STAGES):
        raise ValueError(f"{name}: unknown {sorted((known.about - set(WORDS)) | (known.at - set(STAGES)))}")

    def register(function: Rule) -> Rule:
        registry.add(name, Known(name, known.about, known.at, weight, function))
        return function
    return register


def advise(snapshot: Snapshot, stage: Stage, question: str = "") -> Advised:
    """What there is to say, the best first, ending with "Next step: …"; the same answer every time."""
    said = question.lower()
    best = _best(snapshot, stage, intents(question), said)
    aside = [] if best else [f"- Nothing in this work on {_about(snapshot)} answers that; what stands out instead:"]
    best = best or _best(snapshot, stage, frozenset({"next"}), said)
    meaning = _meaning(question) if asks_meaning(question) else []
    if not best or snapshot.is_empty:
        return Advised("\n".join([*meaning, *_nothing(snapshot)]), ())
    lines = [*meaning, *([] if meaning else aside), *(f"- {advice.text}" for _, advice in best),
             f"Next step: {best[0][1].then}."]
    proposal = next((advice.proposal for _, advice in best if advice.proposal is not None), None)
    return Advised("\n".join(lines), tuple(each.name for each, _ in best), proposal)


def _best(snapshot: Snapshot, stage: Stage, asked: frozenset[str], said: str) -> list[tuple[Known, Advice]]:
    """What applies here and fits the question, the best first."""
    found = [(score, each, advice) for each in registry if (score := _score(each, stage, asked)) > 0
             and (advice := each.ask(snapshot)) is not None]
    asked_of = [name for name in snapshot.names if len(name) > 2 and name.lower() in said]
    ranked = sorted(found, key=lambda row: (-row[0] - 50 * any(name in row[2].text for name in asked_of), row[1].name))
    return [(each, advice) for _, each, advice in ranked[:MOST]]


def _score(each: Known, stage: Stage, asked: frozenset[str]) -> float:
    """0: it has nothing to say to this question here."""
    topics = asked - {"next"} if asked <= {"next", "trust"} else asked - {"next", "trust"}
    fits, here = bool(each.about & topics), stage in each.at
    if topics and not fits:
        return 0.0
    if not topics and not here:
        return 0.0
    return each.weight + 60 * fits + 25 * here + 40 * bool("next" in asked and "next" in each.about)


def _meaning(question: str) -> list[str]:
    from medml.copilot.knowledge.terms import meaning_of

    found = meaning_of(question)
    return [f"- **{found.term}**: {found.text}"] if found else []


def _about(snapshot: Snapshot) -> str:
    return f"the outcome **{snapshot.target}**" if snapshot.target else f"{len(snapshot.columns)} columns"


def _nothing(snapshot: Snapshot) -> list[str]:
    """An answer where no rule fits: what is known, and what could be asked."""
    if snapshot.is_empty:
        return ["- There are **no figures** here to answer from: no project is open, or no table of it was picked yet.",
                "Next step: open a project and scan its folder, then ask again there."]
    rows = "fewer than 10 rows" if snapshot.rows is None else f"{snapshot.rows:,} rows"
    return [f"- This work has {rows} on {_about(snapshot)}; nothing in it answers that question.",
            "Next step: ask what to do next, which columns worry me, or why a figure is low."]


__all__ = ["Advice", "Advised", "Known", "advise", "registry", "rule"]
