"""The words that a text for a doctor needs an entry for, and those that none holds: screens and answers alike."""

from __future__ import annotations

import re

from medml.words.glossary import find, named_in

# What a programmer calls it. A class of ours is named nowhere either.
NEVER = re.compile(r"""(?<![-\w.])(?:tensors?|null|NoneType|exceptions?|invalid|tracebacks?|stack\ trace|data\ ?frames?|
    dtypes?|epochs?|kwargs|booleans?|integers?|floats?|illegal|fatal|abort(?:ed|s)?|hyper-?parameters?|logits?|softmax|
    back-?end|front-?end|daemons?|threads?|mutex|runtime|debug\w*|stdout|stderr|payloads?|enqueued?|callbacks?|
    instantiat\w+|iterat(?:e|ion)s?|pars(?:e|ed|er|ing)|regex|deprecated|segfault|errno|oops|whoops|n_samples|
    subprocess(?:es)?|sigkill|pickled?|serializ\w+|hash\ ?map|tuples?|string|bugs?|crash(?:ed|es)?|
    samples?\ size\ mismatch|out\ of\ memory|OOM|ground\ truth)(?![-\w])""", re.VERBOSE)

# The field's own words: each that a screen or an answer uses must have an entry.
FIELD = re.compile(r"""(?<![-\w])(?:accuracy|activation|ablation|anomal\w+|antithetic|area\ under|auroc|auc|auprc|
    autoencoders?|average\ precision|backbones?|bagging|baselines?|bayes\w*|beeswarm|bonferroni|boost(?:ing|ed)|
    bootstrap\w*|brier|calibrat\w+|c-statistic|censor(?:ed|ing)|centiles?|checkpoints?|chi-squared?|class\ weights?|
    cluster\w*|coefficients?|collinear\w*|conformal|confound\w+|convolution\w*|correlat\w+|cosine|covariates?|
    cross-entropy|cross-validat\w+|deciles?|decision\ curves?|degrees\ of\ freedom|dichotom\w+|dropout|early\ stopping|
    effect\ size|embedding\w*|encod\w+|ensembles?|entropy|estimators?|euclidean|external\ validation|
    false\ (?:positive|negative|alarm)s?|features?|fine-tun\w+|folds?|gaussian|gini|grad-cam|gradients?|hazards?|
    heatmaps?|held-out|imput\w+|imbalanc\w+|interquartile|isotonic|kappa|kernels?|lasso|latent|learning\ rates?|
    likelihood|log\ (?:loss|odds)|logistic|logits?|loss|markov|medians?|momentum|multicollinear\w*|n-grams?|nested|
    net\ benefit|neurons?|nomograms?|null\ hypothesis|odds\ ratios?|one-hot|optimi[sz]er|optimism|outliers?|out-of-fold|
    p-values?|parity|patience|penalt\w+|percentiles?|perceptron|permut\w+|perplexity|platt|pooling|posterior|
    pretrained|prevalence|principal\ components?|propensity|quantiles?|quartiles?|random\ forests?|recalibrat\w+|
    regression|regulari[sz]\w+|resampl\w+|ridge|roc|sensitivity|shap|shapley|sigmoid|skew\w*|smote|specificity|
    standard\ deviations?|stochastic|subgroups?|support\ vectors?|surrogates?|t-test|tokeni\w+|transformers?|
    true\ (?:positive|negative)s?|validation\ part|variances?|variational|weight\ decay|winner.s\ curse|youden|
    z-scores?)(?![-\w])""", re.VERBOSE | re.IGNORECASE)

# What doctors say of patients and read in their journals: an answer may say it too.
DOCTORS = re.compile(r"""(?:abort(?:ed)?|ablation|activation|anomal(?:y|ies|ous)|chi-squared?|clusters?|
    coefficients?|correlat\w+|confound\w+|covariates?|crash(?:ed)?|exceptions?|fatal|hazards?|illegal|interquartile|
    kappa|latent|likelihood|medians?|momentum|nested|neurons?|odds\ ratios?|p-values?|parity|patience|percentiles?|
    pooling|posterior|quartiles?|standard\ deviations?|string|t-test|threads?|variances?)""",
                     re.VERBOSE | re.IGNORECASE)


def explained(text: str, found: re.Match[str]) -> bool:
    """Whether a word of the text has an entry, alone or as part of a longer term."""
    return find(found.group()) is not None or any(begin <= found.start() < end for begin, end, _ in named_in(text))


def unexplained(text: str) -> list[str]:
    """The words of an answer that a doctor is left alone with; what doctors say themselves may stand."""
    words = [each.group() for each in NEVER.finditer(text)]
    words += [each.group() for each in FIELD.finditer(text) if not explained(text, each)]
    return [each for each in dict.fromkeys(words) if not DOCTORS.fullmatch(each)]
