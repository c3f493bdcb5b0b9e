"""What a model goes by."""

from medml.words import drawings as draw
from medml.words.term import Term

TITLE = "What a model goes by"
ENTRIES = (
    Term("SHAP value", ("SHAP", "SHAP values", "Shapley value", "Shapley values"),
         "The part of one patient's answer that goes with one column, shared out so that all parts together lead from "
         "the average answer to this one.",
         "A bill split fairly among those at table, by what each of them added to it.", draw.weights()),
    Term("contribution", ("contributions",),
         "How far a column moves a patient's answer away from that for a typical patient, up or down.",
         "“Age 81” raises this patient's risk, “normal creatinine” lowers it.", draw.weights(), everyday=True),
    Term("permutation", ("permutation importance", "permuted", "antithetic permutation"),
         "Dealing a column's values out to other patients, to see how much the answers depend on them.",
         "Swap everybody's laboratory slips: if nothing changes, nobody was reading them."),
    Term("beeswarm", ("beeswarm plot",),
         "One dot for each patient in each column: to the right the column raises the answer, the shade is its value.",
         "Dark dots on the right for age say that old age goes with higher risk.", draw.swarm()),
    Term("dependence", ("dependence plot",),
         "How far a column moves the answer, drawn against the column's value.",
         "For age it often stays flat until 60 and then rises.", draw.learning_curve(), everyday=True),
    Term("interaction", ("interactions", "interact"),
         "Two columns that together mean something else than one by one.",
         "A low blood pressure means little in a runner and much in a patient with fever."),
    Term("association", ("associated with", "goes with"),
         "Two things are found together more often than by chance, which does not say that one is the reason of the "
         "other.",
         "People who carry lighters have more lung cancer.", everyday=True),
    Term("heatmap", ("heatmaps",),
         "A colouring of a picture that shows on which places the answer depended.",
         "If it glows over the side marker and not over the lung, the model has learned the wrong thing.",
         draw.heatmap()),
    Term("Grad-CAM", (),
         "A heatmap worked out from how strongly the last layer of a network reacts at each place for one answer.",
         "It is coarse: it says “lower left lung”, not the outline of the nodule.", draw.heatmap()),
    Term("second look", ("cases to look at again",),
         "The cases on which the written answer and the model disagree most.",
         "Some are typing errors in the outcome, others are patients from whom one learns most."),
    Term("relabelling", ("relabelled", "relabel"),
         "Correcting the written answer of a case after a second look; it is printed in every report.",
         "The pathologist looks at the slide again and changes the diagnosis."),
)
