"""The one place with SQL: jobs, their progress, and which processes are about. WAL, short transactions, any process.

`jobs` is the truth about work; the queue beside it carries a job's id and nothing else. No column holds a patient's
value.
"""

from medml.store.copilot import forget_owner
from medml.store.database import (
    DatabaseError,
    connect,
    connect_once,
    copy_to,
    held_open,
    is_damaged,
    locked,
    only_one,
    only_one_here,
    path,
)
from medml.store.jobs import (
    ATTEMPTS,
    ENDED,
    GOING,
    JUDGING,
    WAITING,
    Job,
    Progress,
    State,
    ask_pause,
    ask_stop,
    ask_to_rest,
    claim,
    counts_on,
    due,
    finish,
    get,
    give_back,
    has,
    has_points,
    jobs,
    let_go_on,
    own,
    progress_since,
    pulse,
    put_aside,
    put_first,
    put_off,
    seconds_of_attempts,
    submit,
)
from medml.store.link import AWAY, clock, in_words, is_shared
from medml.store.link import check as check_shared
from medml.store.machine import Machine, be_at_work, be_gone, is_here, machines, mark
from medml.store.processes import Process, enter, leave, processes
from medml.store.spare import keep
from medml.store.took import Took, took
from medml.store.trouble import seen, troubles

__all__ = [
    "ATTEMPTS", "AWAY", "ENDED", "GOING", "JUDGING", "WAITING", "DatabaseError", "Job", "Machine", "Process",
    "Progress", "State", "Took", "ask_pause", "ask_stop", "ask_to_rest", "be_at_work", "be_gone", "check_shared",
    "claim", "clock", "connect", "connect_once", "copy_to", "counts_on", "due", "enter", "finish", "forget_owner",
    "get", "give_back", "has", "has_points", "held_open", "in_words", "is_damaged", "is_here", "is_shared", "jobs",
    "keep", "leave", "let_go_on", "locked", "machines", "mark", "only_one", "only_one_here", "own", "path",
    "processes", "progress_since", "pulse", "put_aside", "put_first", "put_off", "seconds_of_attempts", "seen",
    "submit", "took", "troubles",
]
