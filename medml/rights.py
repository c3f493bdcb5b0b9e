"""Who may do what: roles, acts, and whom projects, runs and jobs belong to. Asked where an act happens, in the library
and at the worker's door, so that no screen can forget it.

On a laptop there is one person, the owner of the machine, who may do everything; so it is on the command line and in
the worker, which holds what was allowed when it was handed in. An app that is served to others calls `served_to` once,
and from then on nobody acts there without a session.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from medml import audit, inherited
from medml import store as jobs
from medml.errors import UserError
from medml.store import Job
from medml.store import accounts as store
from medml.store.accounts import Owner

log = logging.getLogger(__name__)
ROLES = ("viewer", "clinician", "administrator")  # each may do what those before it may
ROLE_WORDS = {"viewer": "sees models and asks them", "clinician": "makes models too",
              "administrator": "sees everything, keeps accounts and settings"}


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts, and from where; `teams` are the groups of that person."""

    id: str
    name: str
    role: str
    teams: tuple[str, ...] = ()
    place: str = "this machine"
    once: bool = False  # signed in by a password that must be changed before anything else
    by_hospital: bool = False  # the hospital's own service keeps the password

    @property
    def sees_all(self) -> bool:
        return self.role == ROLES[-1]


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done: the least role that may, in words after "You may not", and whether the audit log notes it,
    everywhere or on the ward alone."""

    least: str
    words: str
    noted: bool = True
    on_the_ward: bool = False


OWNER = Person("owner", "owner of this machine", "administrator")
ACTS: dict[str, Act] = {
    "see": Act("viewer", "look at this", noted=False),
    "look": Act("viewer", "look at patients", noted=False, on_the_ward=True),
    "look at one": Act("viewer", "look at one patient", noted=False, on_the_ward=True),
    "predict": Act("viewer", "ask a model about patients"),
    "create": Act("clinician", "start a project", noted=False), "change": Act("clinician", "change this", noted=False),
    "delete": Act("clinician", "delete this"), "scan": Act("clinician", "read a folder"),
    "train": Act("clinician", "train a model"), "explain": Act("clinician", "have a model explained"),
    "stop": Act("clinician", "stop this work"), "schedule": Act("clinician", "change when work is done"),
    "export": Act("clinician", "take a model out"), "download": Act("clinician", "download this"),
    "answers": Act("viewer", "download these answers"),
    "give": Act("administrator", "say whom this belongs to"), "settings": Act("administrator", "change settings"),
    "accounts": Act("administrator", "change accounts"),
    "audit": Act("administrator", "read the audit log", noted=False),
    "forget": Act("clinician", "delete what was asked"), "bring": Act("clinician", "bring a model in"),
}
JOBS = {"scan": "scan", "train": "train", "continue": "train", "without": "train", "forecast": "train",
        "held_out": "train", "external": "train", "explain": "explain", "score": "explain", "export": "export",
        "predict": "predict", "documents": "settings"}
MAKES_ROOM = {"stop", "delete"}  # done though the log cannot be written
QUESTIONS = {"bring": "settings", "patient": "predict", "look_new": "predict",  # of worker.ask and worker.answer
             "judged": "look",  # every picture of a run with its answer; "look" draws six of them
             # parts of "explained": what the first keeps stays with the run
             "groups": "change", "swarm": "look", "again": "look", "one": "look at one"}
_who: Callable[[], Person | None] | None = None
_here: ContextVar[Person | None] = ContextVar("acting", default=None)  # of a request, or of a thread of ours


# ---- who acts --------------------------------------------------------------------------------------------------

def served_to(who: Callable[[], Person | None] | None) -> None:
    """From here on every act in this process asks who acts; None there refuses it. None here: a laptop again."""
    global _who
    _who = who


def of_many() -> bool:
    """Whether this process is served to people with accounts."""
    return _who is not None


def current() -> Person:
    """Who acts. UserError where nobody is signed in."""
    if _who is None:
        return OWNER
    person = _here.get() or _who()
    if person is None:
        raise UserError(what="You are signed out.", fix="Sign in again.", code="signed_out")
    return person


def in_words() -> str:
    """Who acts, as in a sentence."""
    person = current()
    return person.name if of_many() else f"the {person.name}"


def acting(person: Person | None) -> None:
    """Let what follows in this request or thread be done by that person, whose session was looked at just now."""
    _here.set(person)


def as_now(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function for a thread of its own, done by who acts now."""
    person = current() if of_many() else None

    def done(*given: Any, **more: Any) -> Any:
        acting(person)
        return function(*given, **more)
    return done


# ---- what may be done ------------------------------------------------------------------------------------------

def may(act: str, person: Person | None = None) -> bool:
    """Whether somebody's role allows an act at all: for screens, that hide what cannot be done."""
    role = (person or current()).role
    return role in ROLES and ROLES.index(role) >= ROLES.index(ACTS[act].least)


def why_not(act: str) -> str:
    """One sentence for a button that is off; "" where the role allows it."""
    return "" if may(act) else f"As {_article(current().role)} you may not {ACTS[act].words}."


def require(act: str, sort: str = "", thing: str = "", *, ready: Callable[[], object] | None = None,
            noted_as: str = "") -> Person:
    """Let an act happen, and note it; whoever may not is told why, and that is noted too.

    sort, thing  "project", "run", "job", "account" and its id, or "" where the act is about none of them
    noted_as     what the log says of it where the act's own name says too little
    ready        looks whether it can be done at all (its folder may be read, say), once it is known who may; what it
                 refuses is noted as refused, not as done
    raises       UserError: the role does not allow it, it belongs to others (in the words for what is not there),
                 `ready` refuses, or the log cannot be written
    """
    person, words = current(), noted_as or act
    if not may(act, person):
        note(words, sort, thing, "refused", by=person)
        raise UserError(what=why_not(act), code="role",
                        fix=f"Ask {_article(ACTS[act].least)} to do it, or an administrator for that role.")
    if thing and sort in ("project", "run") and not sees(sort, thing, person):
        note(words, sort, thing, "refused", by=person)
        raise gone(sort)
    # a change of a project is noted by what was changed, see medml.project
    noted = ACTS[act].noted or of_many() and (ACTS[act].on_the_ward or (act, sort) == ("change", "run"))
    if ready is not None:
        _see_that(ready, lambda: noted and note(words, sort, thing, "refused", by=person))
    if noted:
        with contextlib.ExitStack() as tolerated:
            if act in MAKES_ROOM:
                tolerated.enter_context(even_unwritten(act))
            note(words, sort, thing, by=person)
    return person


def _see_that(ready: Callable[[], object], refused: Callable[[], object]) -> None:
    try:
        ready()
    except UserError:
        refused()
        raise


@contextlib.contextmanager
def even_unwritten(act: str) -> Iterator[None]:
    """A full disk must not keep anybody from what empties it, nor a broken log from stopping work."""
    try:
        yield
    except UserError as unwritten:
        log.error("the audit log could not be written (%s) for: %s", unwritten.code, act)


def taken(run: str, make: Callable[[], bytes | str], act: str = "download") -> Callable[[], bytes | str]:
    """What a download button calls: asks, when it is pressed and of whoever presses it, whether that may be taken."""
    def take() -> bytes | str:
        require(act, "run", run)
        return make()
    return take


def _article(role: str) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"


def gone(sort: str) -> UserError:
    """What belongs to others is spoken of as what is not there."""
    if sort == "project":
        return UserError(what="This project is no longer there.", fix="Choose another one on the Home page.",
                         code="gone")
    return UserError(what="This model is no longer there.", fix="Choose another one on the Gallery page.",
                     code="no_run")


def note(act: str, sort: str = "", thing: str = "", outcome: str = "done", *, by: Person | None = None) -> None:
    """One entry of the audit log: ids and names of accounts, never a path or a value."""
    person = by or current()
    audit.add(person=person.id, name=person.name, act=act, sort=sort, thing=thing, outcome=outcome, place=person.place)


def note_on_the_ward(act: str, sort: str, thing: str) -> None:
    """As `note`, where several people share the app: on a laptop it is the owner's own work on their own data."""
    if of_many():
        note(act, sort, thing)


# ---- whom it belongs to ----------------------------------------------------------------------------------------

def sees(sort: str, thing: str, person: Person | None = None) -> bool:
    """Whether a project ("project") or run ("run") is that person's, or of a group of theirs."""
    person = person or current()
    return person.sees_all or _is_theirs(_owner(sort, thing), person)


def _owner(sort: str, thing: str) -> Owner | None:
    found = store.owner(sort, thing)
    if found is None and sort == "run" and jobs.is_shared():
        inherited.look()
        found = store.owner(sort, thing)
    return found


def seen(sort: str) -> Callable[[str], bool]:
    """As `sees` for many ids: the table is read once."""
    person = current()
    if person.sees_all:
        return lambda thing: True
    if sort == "run" and jobs.is_shared():
        inherited.look()
    owners = store.owners(sort)
    return lambda thing: _is_theirs(owners.get(thing), person)


def _is_theirs(owner: Owner | None, person: Person) -> bool:
    return owner is not None and (owner.person == person.id or (owner.team != "" and owner.team in person.teams))


def own(sort: str, thing: str, team: str = "") -> None:
    """What was just made belongs to who made it, or to a group of theirs; on a laptop nothing needs to be said."""
    if of_many():
        store.give(sort, thing, Owner(current().id, team))


def shared_with(project: str) -> str:
    """The group that sees a project, or "a colleague's" where it is not one's own; "" where it is, and on a laptop."""
    if not of_many():
        return ""
    owner = store.owner("project", project)
    if owner is not None and (owner.team or owner.person == current().id):
        return owner.team
    return "a colleague's" if owner is not None else "nobody's"


def team_of_own(team: str) -> str:
    """A group to give something to. UserError where it is none of one's own."""
    person = current()
    if team and team not in person.teams and not person.sees_all:
        raise UserError(what="You are not in that group.", fix="Choose one of your own groups.", code="team")
    return team


def inherit(run: str, project: str) -> None:
    """A run belongs to whom its project belongs, unless it has somebody already."""
    owner = store.owner("project", project)
    if owner is not None and store.owner("run", run) is None:
        store.give("run", run, owner)


def disown(sort: str, thing: str) -> None:
    """A project or run is gone."""
    store.disown(sort, thing)


def require_talk(owner: str, act: str = "see") -> None:
    """Let the co-pilot's history of a project or run be read, added to or forgotten; what is asked of neither is one's
    own."""
    if not of_many() or owner == talk_of_own():
        return
    sort = next((each for each in ("project", "run") if sees(each, owner)), None)
    if sort is None:
        raise gone("project")
    if act != "see":
        require(act, sort, owner)


def talk_of_own() -> str:
    """Under which name questions are kept that belong to no project."""
    return f"home {current().id}" if of_many() else "home"


# ---- jobs ------------------------------------------------------------------------------------------------------

def require_job(kind: str, payload: Mapping[str, Any], project: str | None = None, *,
                ready: Callable[[], object] | None = None) -> None:
    """Let a job of that kind be handed in about the project and run that it names; ready as in `require`."""
    act, about = JOBS.get(kind, "train"), _about(payload, project)
    for sort, thing in about[1:]:
        require("see", sort, thing)
    require(act, *(about[0] if about else ()), ready=ready)


def require_answer(question: str, about: Mapping[str, Any], *, ready: Callable[[], object] | None = None) -> None:
    """Let a child be asked about the runs that the question names; a question about a patient is noted, not the
    patient. ready as in `require`."""
    runs = [about[name] for name in ("run", "left", "right") if isinstance(about.get(name), str)]
    act = QUESTIONS.get(str(about.get("part")) if question == "explained" else question, "see")
    if question == "patient" and not about.get("values"):
        act = "see"  # nobody is asked about: the model is only made ready
    for each in runs or [""]:
        require(act, "run" if each else "", each, ready=ready)


def sees_job(job: Job) -> bool:
    """Whether a job is about a project or run that one sees; of one about neither only administrators know."""
    return _sees_job(job, sees)


def seen_jobs() -> Callable[[Job], bool]:
    """As `sees_job` for many jobs: whom things belong to is read once."""
    by_sort = functools.cache(seen)  # nothing is read of what no job is about
    return lambda job: _sees_job(job, lambda sort, thing: by_sort(sort)(thing))


def _sees_job(job: Job, sees: Callable[[str, str], bool]) -> bool:
    if not of_many() or current().sees_all:
        return True
    about = _about(job.payload, job.project)
    return bool(about) and all(sees(sort, thing) for sort, thing in about)


def require_of_job(act: str, job: str) -> None:
    """Let somebody stop or move a job by its id; nothing is said where there is no such job, or it is not theirs."""
    try:
        found = jobs.get(job)
    except KeyError:
        return  # whoever asks a job that is not there to stop has what they want
    if not sees_job(found):
        note(act, "job", job, "refused")
        raise UserError(what="This work is no longer there.", fix="The Jobs page lists what there is.", code="gone")
    require(act, "job", job)


def _about(payload: Mapping[str, Any], project: str | None) -> list[tuple[str, str]]:
    """The run and the project that a job is about, the run first."""
    run, of = payload.get("run"), project or payload.get("project")
    return [(sort, thing) for sort, thing in (("run", run), ("project", of)) if isinstance(thing, str) and thing]
