"""G1: whether the run can be made again."""

from __future__ import annotations

from medml.evaluate.catalogue import found, many
from medml.evaluate.checks import Evidence, rule
from medml.types import Check

AGAIN = "Train again: a run whose origin is not recorded cannot be signed off."


@rule("G1")
def reproducible(evidence: Evidence) -> Check:
    """Data hash, code version, packages, seeds and split are recorded; a re-run, where there was one, agrees."""
    context = evidence.context
    recorded = {"the hash of the data": context.data_sha256, "the hash of the split": context.split_sha256,
                "the version of the code": context.code_version, "the versions of the packages": context.versions,
                "the seeds": context.seeds}
    lacking = [name for name, value in recorded.items() if not value]
    if lacking:
        return found("G1", "block", f"Not recorded: {', '.join(lacking)}.", AGAIN, lacking=len(lacking))
    if context.data_sha256 != context.config.data_sha256:
        return found("G1", "block", "The table that was read is not the one that was configured.", AGAIN, lacking=0)
    if context.rerun_matches is False:
        return found("G1", "block", "A second run from the same data, code and seeds gave other numbers.",
                     "Do not sign it off: find out what differs (packages, threads, device), then train again.",
                     lacking=0, rerun=0)
    again = ("A second run gave the same numbers." if context.rerun_matches
             else "It has not been run a second time yet.")
    return found("G1", "pass", f"Data, split, code, seeds and {many(len(context.versions), 'package version')} are "
                               f"recorded. {again}", lacking=0, rerun=1 if context.rerun_matches else -1)
