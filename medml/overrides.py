"""Who changed the list of columns after seeing how they scored: kept with the configuration, printed in the report."""

from __future__ import annotations

from medml import gallery, home
from medml.errors import UserError
from medml.types import Manifest, SelectionPlan, SelectionScore


class Seen:
    """What a clinician has already seen of this table and target: the latest scores, and the lists before the first."""

    def __init__(self, data_sha256: str, target: str) -> None:
        self.scores: list[SelectionScore] = []
        self.note = ""
        self.before: SelectionPlan | None = None  # the plan of the first run that showed scores
        for run in _runs_on(data_sha256, target):
            if run.report.selection:
                self.scores, self.note = run.report.selection, run.report.selection_note
                self.before = self.before or run.config.selection

    def judge(self, plan: SelectionPlan) -> SelectionPlan:
        """The plan with `override_after_scores` set if its lists differ from those before any score was seen."""
        lists = (sorted(plan.forced_in), sorted(plan.forced_out))
        before = ([], []) if self.before is None else (sorted(self.before.forced_in), sorted(self.before.forced_out))
        after = self.before is not None and lists != before
        return plan.model_copy(update={"override_after_scores": after})


def _runs_on(data_sha256: str, target: str) -> list[gallery.Run]:
    """Whole runs that learned this target from this very table, oldest first."""
    found = []
    for manifest in home.runs_folder().glob("[!.]*/manifest.json"):
        try:
            known = home.read_model(manifest, Manifest)
            if (known.data_sha256, known.target) == (data_sha256, target):
                found.append(gallery.open_run(manifest.parent.name))
        except (UserError, ValueError, OSError):
            continue  # damaged or going: the gallery says so, it has shown no scores
    return sorted(found, key=lambda each: each.manifest.made)
