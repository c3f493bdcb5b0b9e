"""What a question is about, by its words: chosen by hand, no model, the same answer every time."""

from __future__ import annotations

import re

WORDS: dict[str, str] = {
    "sensitivity": r"sensitiv\w*|recall|miss(?:es|ing cases|ed)? (?:so )?(?:many )?(?:patients|cases)|overlook\w*|"
                   r"false negative\w*",
    "specificity": r"specific(?:ity)?\b|false alarm\w*|false positive\w*|precision|predictive value|ppv",
    "calibration": r"calibrat\w*|probabilit\w*|slope|too extreme|overconfident|brier|ici",
    "threshold": r"threshold|cut-?off|cutpoint|who is called",
    "columns": r"column\w*|variable\w*|predictor\w*|feature\w*|worr\w*|suspicious|which of these",
    "missing": r"missing|gaps?\b|empty|not recorded|imput\w*|filled",
    "leak": r"leak\w*|too good|cheat\w*|gives? (?:\w+ )*?away|shortcut\w*|knows? the answer|suspicious|"
            r"proxy",
    "overfit": r"over-?fit\w*|over-?learn\w*|by heart|memori[sz]\w*|optimis\w*|train\w* (?:and|v\w*|than) ",
    "underfit": r"under-?fit\w*|under-?train\w*|not learn\w*|still (?:falling|improving)|more rounds|longer|epochs?|"
                r"rounds?\b|curve\w*",
    "imbalance": r"imbalanc\w*|rare\b|few events|prevalence|uneven|minority|class(?:es)?\b",
    "size": r"how many|enough|sample size|more patients|too few|small data|events per",
    "groups": r"subgroups?|groups?\b|fair\w*|bias\w*|women|men\b|sex\b|age\b|site\b",
    "external": r"external\w*|other hospital\w*|elsewhere|generali[sz]\w*|transport\w*",
    "baseline": r"baseline\w*|compar\w*|better than|logistic|simple model|worth it|beat\w*",
    "trust": r"trust\w*|believ\w*|good\b|bad\b|reliab\w*|valid\b|publish\w*|reviewer\w*|auroc|auc\b|accura\w*|how well|"
             r"result\w*|figure\w*|check\w*|problem\w*|wrong\b",
    "quality": r"how (?:good|well|accurate|strong)\b|(?:good|well) (?:enough|is it)|headline",
    "next": r"next|what (?:should|can|do|now)|how (?:do|can) i (?:go|improve|continue)|improve\w*|now what|start",
    "settings": r"setting\w*|parameter\w*|learning rate|batch|depth|trees?\b|layers?|dropout|width|family|which model|"
                r"regulari[sz]\w*|slider\w*",
    "split": r"split\w*|folds?\b|cross-?validation|held[- ]out|test (?:set|part)|leave out|same patient|patient column",
    "benefit": r"benefit\w*|useful\w*|decision\w*|harm\w*|act(?:ing)? on|net\b",
    "cleanup": r"clean\w*|prepar\w*|duplicat\w*|cop(?:y|ies)\b|outlier\w*|units?\b|steps?\b|codes?\b",
    "explain": r"explain\w*|why does|matter\w*|important|importance|drives?|shap|because|goes by|reasons?",
    "predict": r"predict\w*|new patient|one patient|abstain\w*|no number|no answer|use (?:it|the model)",
}
_INTENTS = {name: re.compile(rf"\b(?:{words})", re.IGNORECASE) for name, words in WORDS.items()}
_MEANING = re.compile(r"\b(?:what (?:is|are|does|do)|what's|meaning of|explain the (?:word|term)|define)\b",
                      re.IGNORECASE)


def intents(question: str) -> frozenset[str]:
    """What is asked about; empty where no word is known."""
    return frozenset(name for name, words in _INTENTS.items() if words.search(question))


def asks_meaning(question: str) -> bool:
    """Whether it asks what a word means."""
    return bool(_MEANING.search(question))
