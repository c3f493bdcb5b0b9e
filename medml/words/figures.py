"""Figures that say what a model is worth."""

from medml.words import drawings as draw
from medml.words.term import Term, of_metric

TITLE = "Figures of a model"
ENTRIES = (
    of_metric("auroc", ("AUC", "ROC AUC", "area under the ROC curve", "c-statistic"),
              "With an AUROC of 0.85, of 100 pairs of one sick and one healthy patient the sick one gets the higher "
              "probability in 85.", draw.roc_area()),
    Term("ROC curve", ("ROC", "ROC curves"),
         "Sensitivity against the share of false alarms, at every threshold that one could choose.",
         "Moving along it is what a laboratory does when it sets the cut-off of troponin lower: more infarcts are "
         "found, and more healthy people are kept in.", draw.roc()),
    of_metric("auprc", ("average precision", "area under the precision-recall curve"),
              "Where 5 of 100 patients have sepsis, an AUPRC of 0.40 is eight times chance although it looks low.",
              draw.precision_recall()),
    Term("precision-recall curve", ("precision and recall", "precision-recall", "precision", "recall"),
         "How pure the list of flagged patients is (precision, the positive predictive value) against the share of the "
         "sick that are on it (recall, the sensitivity), at every threshold.",
         "A longer list for the outreach team finds more who will deteriorate, and more who would not have.",
         draw.precision_recall()),
    of_metric("accuracy", (),
              "Where 2 of 100 patients die, saying “lives” to everybody is 98 % accurate and finds nobody."),
    of_metric("balanced_accuracy", (),
              "A test that finds 60 % of the sick and clears 90 % of the healthy has a balanced accuracy of 75 %, "
              "however rare the disease is."),
    of_metric("sensitivity", ("sensitivities", "true positive rate"),
              "Of 10 patients with appendicitis a sensitivity of 90 % finds 9.", draw.crowd(10, range(9))),
    of_metric("specificity", ("specificities", "true negative rate"),
              "Of 10 patients without appendicitis a specificity of 90 % sends 9 home without an operation.",
              draw.crowd(10, (*range(9), 19))),
    of_metric("ppv", ("PPV",),
              "Of 10 women called back after screening, 1 or 2 have cancer: the predictive value is low because cancer "
              "is rare there, however good the test is.", draw.crowd(4, range(8))),
    of_metric("npv", ("NPV",),
              "Of 1,000 patients with a low D-dimer and little suspicion 998 have no embolism, so one may stop "
              "looking."),
    of_metric("f1", ("F1 score",),
              "Finding 80 % of the septic with half of the alarms true gives an F1 of 0.62."),
    of_metric("mcc", ("Matthews correlation coefficient", "MCC"),
              "Calling every patient healthy gives 0, even where 98 % are healthy and 98 % of the answers are right."),
    of_metric("brier", ("Brier", "Brier scores"),
              "Saying 80 % to a patient who then has the outcome costs 0.04, saying 20 % costs 0.64."),
    of_metric("log_loss", (),
              "Saying 1 % to a patient who then has the outcome costs 4.6, more than six times as much as saying 50 "
              "%."),
    of_metric("mae", ("MAE",),
              "For length of stay, an error of 1.5 means that the forecast is off by a day and a half on average."),
    of_metric("rmse", ("RMSE",),
              "Nine forecasts off by a day and one by ten days give a mean error of 1.9 days and 3.3 here."),
    of_metric("r2", ("R-squared",),
              "If age and sex explain a quarter of why lung volumes differ between people, R² is 0.25."),
    Term("confusion matrix", ("confusion matrices",),
         "A table of how many cases of each true class were called what.",
         "Like the ward's tally at the end of a year: appendicitis found, missed, and operated on for nothing.",
         draw.crossed()),
    Term("false alarm", ("false alarms", "false positive", "false positives"),
         "A patient without the outcome who is called “yes”.",
         "Somebody with a harmless mole who is sent to surgery.", draw.crowd(5, (7, 13))),
    Term("miss", ("misses", "missed case", "missed cases", "false negative", "false negatives"),
         "A patient with the outcome who is called “no”.",
         "Somebody with an infarct who is sent home.", draw.crowd(5, (0, 1, 3)), everyday=True),
    Term("prevalence", ("prevalences",),
         "The share of patients that have the outcome.",
         "Of 303 patients sent for angiography 139 had narrowed arteries: a prevalence of 46 %, far above that of a "
         "family practice.", draw.crowd(6)),
    Term("probability", ("probabilities", "predicted probability", "predicted probabilities"),
         "How likely the outcome is, between 0 and 1, for patients like this one.",
         "A probability of 0.3 means that of ten such patients about three will have the outcome.",
         draw.crowd(3, total=10), everyday=True),
    Term("log odds", ("log-odds", "logit"),
         "The logarithm of a probability divided by the rest to 1, a scale on which influences can be added up.",
         "A probability of 0.5 is 0 there, 0.9 is about 2.2 and 0.1 about -2.2."),
    Term("correlation", ("correlations", "rank correlation", "correlated"),
         "How closely two things rise and fall together, from -1 over 0 (not at all) to 1.",
         "Height and weight of children correlate at about 0.8."),
    Term("loss", ("losses",),
         "How wrong a model still is, as one number that training makes small.",
         "Like the sum of all red marks in an exercise book.", draw.learning(), everyday=True),
)
