"""Folder -> Profile -> Choice: what is there, what is odd about it, and what to learn from it."""

from medml.profile.choice import propose_choice, propose_plan, task_of
from medml.profile.listing import for_owner
from medml.profile.outcomes import name_gives_away
from medml.profile.proposals import by_reason, left_out
from medml.profile.regroup import is_foreseen, regrouped
from medml.profile.scan import scan, scan_listed, scan_table

__all__ = ["by_reason", "for_owner", "is_foreseen", "left_out", "name_gives_away", "propose_choice", "propose_plan",
           "regrouped", "scan", "scan_listed", "scan_table", "task_of"]
