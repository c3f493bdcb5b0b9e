"""G1: whether the run can be made again."""

from __future__ import annotations

from medml.evaluate.catalogue import found, many
from medml.evaluate.checks import Evidence, rule
from medml.types import Check

SAME = 1e-6  # of a probability: sums of several threads come in any order; another seed differs by 1e-3 and more
AGAIN = "Train again: a run whose origin is not recorded cannot be signed off."


@rule("G1")
def reproducible(evidence: Evidence) -> Check:
    """Data hash, code version, packages, seeds, threads and split are recorded, and one fold was made a second time
    from what was saved, with the same numbers; not tried is no pass."""
    context = evidence.context
    recorded = {"the hash of the data": context.data_sha256, "the hash of the split": context.split_sha256,
                "the version of the code": context.code_version, "the versions of the packages": context.versions,
                "the seeds": context.seeds, "the number of processor cores": context.threads}
    lacking = [name for name, value in recorded.items() if not value]
    if lacking:
        return found("G1", "block", f"Not recorded: {', '.join(lacking)}.", AGAIN, lacking=len(lacking))
    if context.data_sha256 != context.config.data_sha256:
        return found("G1", "block", "The table that was read is not the one that was configured.", AGAIN, lacking=0)
    again = context.rerun
    recorded = f"Data, split, code, seeds, processor cores and {many(len(context.versions), 'version')} are recorded."
    if again.difference is None:
        return found("G1", "could_not_tell", f"{recorded} No fold was made a second time: {again.why}.", lacking=0,
                     rerun=-1)
    if not again.difference <= SAME:
        # an accelerator cannot promise the order of its sums, so there it is no proof of a fault of ours
        return found("G1", "block" if again.device == "cpu" else "warn",
                     "A fold made a second time from the same data, code and seeds gave other numbers "
                     f"(by up to {again.difference:.2g}, on the {again.device}).",
                     "Do not sign it off: find out what differs (packages, processor cores, device), then train again.",
                     lacking=0, rerun=0, n=again.n)
    return found("G1", "pass", f"{recorded} One fold was made a second time from what was saved: the same numbers, "
                               f"{many(again.n, 'prediction')}.", lacking=0, rerun=1, n=again.n)
