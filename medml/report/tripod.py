"""TRIPOD+AI (Collins et al., BMJ 2024;385:e078378) filled from a run: item numbers theirs, wording ours."""

from __future__ import annotations

from medml import gallery
from medml.evaluate import headline
from medml.evaluate.catalogue import many
from medml.evaluate.words import title
from medml.profile.names import SITE_WORDS, says, unit_of
from medml.report import wording as w
from medml.report.checklist import Answer, Item, ask, say


def _title(run: gallery.Run) -> str:
    return (f"Development and internal validation of a model ({w.sort_of_model(run)}) that estimates {w.outcome(run)}"
            if not w.elsewhere(run) else
            f"Development and external validation of a model ({w.sort_of_model(run)}) that estimates {w.outcome(run)}"
            ) + "."


def _abstract(run: gallery.Run) -> str:
    return f"{w.aim(run)} {w.division(run)} {w.result(run)}"


def objectives(run: gallery.Run) -> str:
    done = "developed and judged on data from elsewhere" if w.elsewhere(run) else "developed and judged internally"
    return f"To estimate {w.outcome(run)}; the model was {done}."


def _source(run: gallery.Run) -> str:
    return (f"“{run.manifest.source_file}” (SHA-256 {run.manifest.data_sha256[:16]}…), "
            f"{many(run.manifest.n_rows, 'row')}.")


def _preparation(run: gallery.Run) -> str:
    done = "; ".join(f"{words} ({reason.rstrip('.')})" for words, reason in w.cleaning(run)) or "no step was needed"
    return f"Cleanup: {done}. {w.learned_inside(run)} {w.left_out(run)}"


def _predictors(run: gallery.Run) -> str:
    if run.config.choice.pictures is not None:
        return "Pixels of the pictures, brought to one size; no other column."
    names = ", ".join(each.name + (f" ({each.unit})" if each.unit and not unit_of(each.name) else "")
                      for each in w.predictors(run))
    return f"Candidate predictors: {names}."


def _entered(run: gallery.Run) -> str:
    return _predictors(run) if run.config.choice.pictures is not None else \
        "Numbers as they are, categories each as columns of their own."


def _sample_size(run: gallery.Run) -> str:
    found = w.check(run, "N1")
    return found.what if found else "It was not worked out for this task."


def model(run: gallery.Run) -> str:
    chosen = run.report.selection_note or "No selection of predictors was made."
    return (f"{w.sort_of_model(run).capitalize()}; settings: {w.settings(run)}. Seed {run.config.seed}. {chosen} "
            f"{w.division(run)} {run.config.compared} "
            f"{'configuration was' if run.config.compared == 1 else 'configurations were'} tried on this table and "
            "outcome, this one included.")


def measures(run: gallery.Run) -> str:
    names = ", ".join(title(name) for name in w.shown_metrics(run))
    return f"{names}; each with a 95 % interval from resampling patients. Calibration by slope, intercept and curve."


def _recalibrated(run: gallery.Run) -> Answer:
    found = run.report.recalibration
    if found is None:
        return Answer("does_not_apply", "The model was not updated or recalibrated.")
    if found.method == "none":
        slope = w.figure(found.before.get("slope"))
        return Answer("does_not_apply", "The model was not updated or recalibrated: on the training part its "
                                        f"probabilities are best left as they are (calibration slope {slope}).")
    how = {"platt": "put right by a logistic map", "isotonic": "put right by a rising step function"}[found.method]
    return Answer("done", f"On the training part the probabilities are best {how}; calibration slope before "
                          f"{w.figure(found.before.get('slope'))}, after {w.figure(found.after.get('slope'))}.")


def _balance(run: gallery.Run) -> Answer:
    if run.report.task == "regression":
        return Answer("does_not_apply", "The outcome is a number.")
    return say(_share, "L9")(run)


def _share(run: gallery.Run) -> str:
    report, found = run.report, w.check(run, "L9")
    n = [sum(row) for row in report.confusion]
    shares = ", ".join(f"“{name}” {each / sum(n):.1%}" for name, each in zip(report.classes, n, strict=False))
    said = f"{shares} of the cases." if report.n_events is None else \
        f"{report.n_events / report.n_cases:.1%} of the cases had the outcome."
    return f"{said} {found.what if found else ''}".strip()


def _fairness(run: gallery.Run) -> Answer:
    if not run.report.subgroups:
        return Answer("needs_you", "No subgroup (sex, age band, site) could be told from the columns. Which groups "
                                   "might the model serve worse, and how was that looked at?")
    columns = sorted({w.column_of(each) for each in run.report.subgroups})
    return say(lambda _: f"Performance was looked at by {', '.join(columns)} (see the table of subgroups).", "F1")(run)


def _output(run: gallery.Run) -> str:
    if run.report.task == "regression":
        return "A number in the unit of the outcome."
    threshold = "" if run.report.threshold is None else \
        f" “{run.report.positive}” is said from {run.report.threshold:g} on. {run.report.threshold_reason}"
    named = "; the likeliest is named" if run.report.task == "multiclass" else ""
    return f"A probability for each class{named}.{threshold}"


def _specification(run: gallery.Run) -> str:
    return (f"The whole model can be taken out as one file (ONNX, with its preprocessing) and is kept as run "
            f"{run.run}, checkpoint {run.chain.current}; code version {run.manifest.code_version}.")


def _performance(run: gallery.Run) -> str:
    figures = "; ".join(f"{title(name)} {w.figure(run.report.metrics[name])}" for name in w.shown_metrics(run)[:6])
    groups = " Groups: see the table of subgroups." if run.report.subgroups else ""
    return f"{figures}. Measured on {run.report.measured_on}. {w.held_out(run)}".rstrip() + groups


def flow(run: gallery.Run) -> str:
    boxes = "; ".join(f"{each.what}: {each.n_removed:,} left out, {each.n_after:,} remain" for each in w.flow(run))
    return boxes or f"{run.report.n_cases:,} cases."


def _characteristics(run: gallery.Run) -> str:
    pictures = w.table_of(run).pictures
    if pictures is not None:
        return f"The files tell of the pictures: {w.acquired(pictures)}."
    return f"See the table of predictors (5th to 95th percentile, share missing). {w.missing(run)}"


def _numbers(run: gallery.Run) -> str:
    report = run.report
    events = "" if report.n_events is None else f", {report.n_events:,} with the outcome"
    judge = w.check(run, "N3")
    closed = f"; held-out part: {run.manifest.n_test:,} cases" if run.config.split.scheme == "held_out" else ""
    closed += f". {judge.what.rstrip('.')}" if closed and judge else ""
    judged = f"{report.n_cases:,} cases of {report.n_patients:,} patients{events}"
    apart = "" if run.manifest.n_train == report.n_cases else f"{run.manifest.n_train:,} cases; judged on "
    return f"Development: {apart}{judged}{closed}."


def _heterogeneity(run: gallery.Run) -> Answer:
    """Sex and age make groups of patients (see 14 and 23a), no centres."""
    places = [each for each in run.report.subgroups if says(each.column, SITE_WORDS) is not None]
    if not places:
        return Answer("needs_you", "Does the performance differ between centres, wards or periods? No such column was "
                                   "told.")
    enough = [each for each in places if each.enough and each.figure is not None]
    said = "; ".join(f"{name}: {figure}, n = {n}" for name, n, figure, _ in map(w.of_group, enough[:12]))
    return Answer("done", f"{title(headline(run.report))} by group: {said or 'too few cases in each to say'}.")


def _limits(run: gallery.Run) -> str:
    open_checks = [each for each in run.report.checks if each.verdict in ("warn", "block")]
    stamps = " ".join(f"{each[:1].upper()}{each[1:]}." for each in run.report.stamps)
    said = " ".join(each.what for each in open_checks)
    return f"{stamps} {said}".strip() or "No check found a fault."


def _abstains(run: gallery.Run) -> str:
    found = w.check(run, "P1")
    return found.what if found else ("No answer is given for a category that too few patients had, or where a "
                                     "predictor is missing on which the answer depends.")


ITEMS: tuple[Item, ...] = (
    Item("1", "Title", "Says that a prediction model is developed or evaluated, for whom, what outcome", say(
        _title, then_ask="Add the target population.")),
    Item("2", "Abstract", "Structured summary", say(_abstract)),
    Item("3a", "Introduction", "Health context, and why a model is needed", ask(
        "Which decision is the model for, and which models exist already?")),
    Item("3b", "Introduction", "Who it is for and where in the care of a patient", ask(
        "For which patients, at which moment, used by whom?")),
    Item("3c", "Introduction", "Known inequalities between groups", ask(
        "Which groups of patients are known to fare differently with this disease or its care?")),
    Item("4", "Introduction", "Objectives", say(objectives)),
    Item("5a", "Methods", "Where the data come from and how well they stand for the target population", say(
        _source, "L6", then_ask="How were these data collected, and how well do they stand for your patients?")),
    Item("5b", "Methods", "Dates of the data", ask("From when to when were patients included and followed?")),
    Item("6a", "Methods", "Setting and number of centres", ask("In how many centres, of which sort, where?")),
    Item("6b", "Methods", "Who was eligible", ask("Which patients were included and which were not?")),
    Item("6c", "Methods", "Treatments received", ask(
        "Which treatments did patients receive before and after the moment of prediction?")),
    Item("7", "Methods", "Preparation of the data", say(_preparation, "L7")),
    Item("8a", "Methods", "Outcome, and over which time", say(
        lambda run: f"The model estimates {w.outcome(run)}.", then_ask="How is it defined, and over which time?")),
    Item("8b", "Methods", "Who judged the outcome", ask(
        "If judging the outcome needs interpretation: who did it, with which training?")),
    Item("8c", "Methods", "Blinding of the outcome", ask("Did whoever judged the outcome know the predictors?")),
    Item("9a", "Methods", "Choice of the first predictors", say(
        _predictors, "L4", "L5", "L13", then_ask="Why these?")),
    Item("9b", "Methods", "Definition of predictors and when they are measured", ask(
        "How and when is each predictor measured, and is that before the moment of prediction?")),
    Item("9c", "Methods", "Who judged predictors that need interpretation", ask(
        "If a predictor needs interpretation (an image, a grade): who did it?")),
    Item("10", "Methods", "Sample size", say(_sample_size, "N1", "N2", "N3", "N4")),
    Item("11", "Methods", "Missing values", say(w.missing, "M1", "M2")),
    Item("12a", "Methods", "How the data were divided", say(w.division, "L1", "L2", "L3", "L10")),
    Item("12b", "Methods", "How predictors entered the model", say(
        lambda run: f"{_entered(run)} {w.learned_inside(run)}", "M4")),
    Item("12c", "Methods", "Type of model, building, settings, internal validation", say(model, "L8", "E3")),
    Item("12d", "Methods", "Differences between centres or other clusters", _heterogeneity),
    Item("12e", "Methods", "Measures of performance", say(measures, "E2")),
    Item("12f", "Methods", "Updating of the model", _recalibrated),
    Item("12g", "Methods", "How predictions are worked out", say(_specification)),
    Item("13", "Methods", "Imbalance of classes", _balance),
    Item("14", "Methods", "Fairness", _fairness),
    Item("15", "Methods", "What the model says, and thresholds", say(_output, "E6")),
    Item("16", "Methods", "Differences between the data for development and for evaluation", say(
        lambda run: "Both come from the same table." if not w.elsewhere(run) else
        f"Judged also on {len(w.elsewhere(run))} set(s) of data from elsewhere.")),
    Item("17", "Methods", "Ethical approval", ask("Which committee approved it, and how was consent handled?")),
    Item("18a", "Open science", "Funding", ask("Who paid for the study, and what was their part in it?")),
    Item("18b", "Open science", "Conflicts of interest", ask("Which interests do the authors declare?")),
    Item("18c", "Open science", "Protocol", ask("Where can the protocol be read?")),
    Item("18d", "Open science", "Registration", ask("Where is the study registered?")),
    Item("18e", "Open science", "Sharing of data", ask("Who may have the data, and how?")),
    Item("18f", "Open science", "Sharing of code", say(
        lambda run: f"Made with MedML, code version {run.manifest.code_version}; settings, versions of "
                    f"{len(run.manifest.packages)} packages and the division are kept with the run.", "G1")),
    Item("19", "Patients and public", "Involvement of patients and the public", ask(
        "How were patients involved in the design, conduct or reporting?")),
    Item("20a", "Results", "Flow of participants", say(flow, "M3")),
    Item("20b", "Results", "Characteristics of participants", say(_characteristics)),
    Item("20c", "Results", "Development and evaluation data side by side", say(
        lambda run: "Evaluated on parts of the same data." if not w.elsewhere(run) else
        "See the external validations.")),
    Item("21", "Results", "Numbers of participants and events in each analysis", say(_numbers)),
    Item("22", "Results", "The full model", say(_specification)),
    Item("23a", "Results", "Performance with intervals", say(_performance, "E2", "E4", "E5", "E7", "E8", "L11", "L12")),
    Item("23b", "Results", "Performance in clusters and groups", _heterogeneity),
    Item("24", "Results", "Results of updating", _recalibrated),
    Item("25", "Discussion", "Interpretation", ask(
        "What do the results mean beside earlier models and beside how care is decided today?")),
    Item("26", "Discussion", "Limitations", say(_limits, then_ask="What else limits the study?")),
    Item("27a", "Discussion", "Poor or missing input when it is used", say(_abstains, "P1")),
    Item("27b", "Discussion", "What its use asks of people", ask(
        "Which training or supervision does a user need, and who enters the values?")),
    Item("27c", "Discussion", "Next steps", ask("What comes next before it may be used?")),
)
