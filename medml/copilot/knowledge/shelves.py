"""Looking things up: what MedML itself explains, and a folder of the clinician's documents, by words and meaning."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medml import project, rights
from medml.copilot import chat
from medml.copilot.facts import Snapshot
from medml.copilot.knowledge.documents import Unreadable, files_in, read
from medml.copilot.knowledge.passage import Passage
from medml.copilot.knowledge.terms import meanings
from medml.errors import Stopped, UserError
from medml.evaluate.catalogue import TITLES
from medml.store import copilot as store
from medml.value import Value
from medml.watch import Silent, Watch

SILENT = Silent()
OURS, THEIRS = "medml", "documents"
HELP = Path(__file__).resolve().parents[2] / "help"
STOP = frozenset("a about an and are as at be by can do does for from has have how i if in is it its me my of on or "
                 "our should so than that the their them these they this to was we what when which who why will with "
                 "would you your not no more most much many low high next".split())
FUSED = 60  # of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)
PATIENCE = 5.0  # seconds for the embedding of a question; by words alone after that
BATCH = 32  # passages embedded in one request


class Documents(Value):
    """The folder that was read: how many documents and passages, and which were left out and why."""

    folder: str
    files: int
    passages: int
    left_out: dict[str, str] = {}
    embedded_by: str = ""  # the embedding model, where there is one


def look_up(question: str, snapshot: Snapshot | None = None, *, most: int = 6,
            settings: chat.Settings | None = None) -> list[Passage]:
    """Passages that speak of the question, the best first: checks of this run, terms, help pages, own documents.

    settings  where an embedding model is asked; None: by words alone. Without such a model it is by words alone too.
    """
    _our_shelf()
    words = words_of(question)
    by_words = store.search(words, 4 * most)
    by_meaning = _by_meaning(question, 4 * most, settings) if settings is not None else []
    scores: dict[int, float] = {}
    for ranked in (by_words, by_meaning):
        for place, each in enumerate(ranked):
            scores[each.id] = scores.get(each.id, 0.0) + 1 / (FUSED + place)
    rows = {each.id: each for each in (*by_words, *by_meaning)}
    best = sorted(scores, key=lambda each: (-scores[each], each))
    return [*_checks(words, snapshot), *(_passage(rows[each]) for each in best)][:most]


def words_of(question: str) -> list[str]:
    """The words of a question that say what it is about."""
    found = re.findall(r"[^\W_]{2,}", question.lower())
    return list(dict.fromkeys(each for each in found if each not in STOP))[:24]


def _passage(row: store.Row) -> Passage:
    return Passage(kind=row.kind, title=row.title, text=row.text, source=row.source, place=row.place)


def _checks(words: Sequence[str], snapshot: Snapshot | None) -> list[Passage]:
    """At most two checks of this run that the question names, with what to do."""
    report = snapshot.report if snapshot else None
    named = [each for each in (report.checks if report else [])
             if each.id.lower() in words or set(words_of(each.title)) & set(words)]
    return [Passage(kind="check", title=f"{each.id} {each.title}", text=f"{each.said} {each.fix}".strip(),
                    source=each.id) for each in named[:2]]


# ---- what MedML itself explains --------------------------------------------------------------------------------

def _our_shelf() -> None:
    """Bring glossary, checks and help pages into the index, where they have changed since."""
    found = _ours()
    content = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    if (store.shelf(OURS) or ("", 0.0))[0] != content:
        store.fill_shelf(OURS, content, found)


def _ours() -> list[tuple[str, str, str, str, str]]:
    terms = [("term", each.term, each.text + (f" Also called: {', '.join(each.also)}." if each.also else ""), each.term,
              "") for each in meanings()]
    checks = [("check", f"{name} {title}", f"Check {name} asks: {title[0].lower()}{title[1:]}.", name, "")
              for name, title in TITLES.items()]
    pages = [("help", each.title, each.text, file.stem, each.place)
             for file in (files_in(HELP) if HELP.is_dir() else []) for each in read(file)]
    return terms + checks + pages


# ---- the clinician's own documents -----------------------------------------------------------------------------

def read_documents(folder: str | Path, *, watch: Watch = SILENT, settings: chat.Settings | None = None) -> Documents:
    """Index a folder of documents in the place of the one before. Their text is kept in MedML's own folder until
    `forget_documents`; it is long work: the job "documents" does it.

    raises  UserError where the folder is not there, not allowed, or holds no document that can be read; Stopped: the
            index stays as it was
    """
    rights.require("settings")
    place = project.check_source(folder)
    files, found, left_out = files_in(place), [], {}
    for number, file in enumerate(files):
        watch.say("documents", number / len(files), f"document {number + 1:,} of {len(files):,}")
        if watch.stopping():
            raise Stopped
        try:
            found += read(file)
        except Unreadable as unreadable:
            left_out[file.name] = unreadable.why
    if not found:
        raise UserError(what="There is no text, Markdown or PDF document in that folder that can be read.",
                        fix="Choose a folder with .txt, .md or .pdf files that hold text.", code="no_documents")
    known = Documents(folder=str(place), files=len(files) - len(left_out), passages=len(found), left_out=left_out)
    store.fill_shelf(THEIRS, known.model_dump_json(),
                     [(each.kind, each.title, each.text, each.source, each.place) for each in found])
    return _embedded(known, settings)


def documents() -> Documents | None:
    """What was indexed; None where nothing is."""
    found = store.shelf(THEIRS)
    return None if found is None else Documents.model_validate_json(found[0])


def forget_documents() -> None:
    """Delete the index of the clinician's documents with every word of them; the documents stay where they are."""
    rights.require("settings")
    store.clear_shelf(THEIRS)


def _embedded(known: Documents, settings: chat.Settings | None) -> Documents:
    """With vectors beside the words, where the server has an embedding model."""
    if settings is None:
        return known
    rows, model = store.passages(THEIRS), ""
    for start in range(0, len(rows), BATCH):
        part = rows[start:start + BATCH]
        came = chat.embed([each.text for each in part], settings)
        if came is None:
            return known
        model = came[0]
        store.keep_vectors(model, [(each.id, _bytes(vector)) for each, vector in zip(part, came[1], strict=True)])
    known = known.model_copy(update={"embedded_by": model})
    store.describe_shelf(THEIRS, known.model_dump_json())
    return known


def _by_meaning(question: str, most: int, settings: chat.Settings) -> list[store.Row]:
    kept = store.vectors(THEIRS)
    quick = settings.model_copy(update={"silence": min(settings.silence, PATIENCE)})
    came = chat.embed([question], quick) if kept else None
    usable = [(each, np.frombuffer(vector, "<f4")) for each, model, vector in kept if came and model == came[0]]
    if not usable:
        return []
    asked = np.frombuffer(_bytes(came[1][0]), "<f4")
    fitting = [(each, vector) for each, vector in usable if vector.shape == asked.shape]
    near = sorted(fitting, key=lambda each: -float(each[1] @ asked))[:most]
    rows = {each.id: each for each in store.passages(THEIRS)}
    return [rows[each] for each, _ in near]


def _bytes(vector: Sequence[float]) -> bytes:
    """A vector of length 1, float32."""
    values = np.asarray(vector, "<f4")
    length = float(np.linalg.norm(values))
    return (values / length if length else values).tobytes()
