"""The one place with SQL: jobs, their progress, and which processes are about. WAL, short transactions, any process.

`jobs` is the truth about work; the queue beside it carries a job's id and nothing else. No column holds a patient's
value.
"""

from medml.store.copilot import forget_owner
from medml.store.database import DatabaseError, connect, connect_once, copy_to, held_open, only_one, path
from medml.store.jobs import (
    ATTEMPTS,
    ENDED,
    WAITING,
    Job,
    Progress,
    State,
    ask_stop,
    claim,
    due,
    finish,
    get,
    give_back,
    jobs,
    own,
    progress_since,
    ask_pause,
    pulse,
    ask_to_rest,
    put_first,
    put_off,
    submit,
)
from medml.store.processes import Process, enter, leave, processes

    let_go_on,
__all__ = [
    "ATTEMPTS", "ENDED", "WAITING", "DatabaseError", "Job", "Process", "Progress", "State", "ask_stop", "claim",
    "connect", "connect_once", "copy_to", "due", "enter", "finish", "forget_owner", "get", "give_back", "held_open",
    "jobs", "leave", "only_one", "own", "path", "processes", "progress_since", "pulse", "put_first", "put_off",
    "submit",
]
