"""Questions that suit a stage, for buttons: each is one that the built-in adviser can answer too."""

from __future__ import annotations

from medml.copilot.facts import Stage

NEXT = "What should I do next?"
OF_STAGE: dict[Stage, tuple[str, ...]] = {
    "home": ("Is there enough data?",),
    "scan": ("Which of these columns worry you?", "Is there enough data?", "Does a column give the answer away?"),
    "preview": ("Which of these columns worry you?", "What is missing?"),
    "cleanup": ("What does the cleanup change?", "What is missing?"),
    "configure": ("Are these settings sensible?", "Is there enough data?", "How are the patients split?"),
    "train": ("What does the curve say?", "Has it learned by heart?"),
    "evaluate": ("Can I trust these figures?", "Why is sensitivity low?", "Are the probabilities right?"),
    "explain": ("Which columns matter?", "Is it worse for some groups?"),
    "predict": ("What does the threshold mean?", "When does it give no answer?"),
}


def quick_questions(stage: Stage) -> tuple[str, ...]:
    """Two to four questions, "What should I do next?" first."""
    return (NEXT, *OF_STAGE[stage])
