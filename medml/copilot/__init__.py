"""The co-pilot: what may be read of a state of the work, and an answer that speaks of it. No screen; nothing leaves.

    s = snapshot_of_project(project, "configure")
    asking = ask(s, "configure", question, history=messages(project), passages=look_up(question, s))
    for event in asking: ...          # "text": a piece; "wait": nothing yet (10 a second); "again": forget the pieces
    answer                            # the generator's return value; `answer(asking)` runs it to its end instead
    remember(project, "configure", question, answer)

A Proposal in an Answer is shown as a button; whoever applies it writes the configuration, then calls `accepted`.
"""

from medml.copilot.chat import Model, Settings, Unavailable, choose, is_here, models, unload
from medml.copilot.facts import STAGES, Snapshot, Stage
from medml.copilot.giving_way import give_way
from medml.copilot.history import Change, Turn, accepted, changes, forget, messages, remember, turns
from medml.copilot.knowledge import Passage
from medml.copilot.knowledge.shelves import Documents, documents, forget_documents, look_up, read_documents
from medml.copilot.prompting import Message, Prompt, prompt
from medml.copilot.proposal import Proposal
from medml.copilot.quick import quick_questions
from medml.copilot.snapshot import snapshot, snapshot_of_project, snapshot_of_run
from medml.copilot.talk import ADVISER, Answer, Asking, Event, answer, ask
from medml.copilot.told import as_text

__all__ = [
    "ADVISER", "STAGES", "Answer", "Asking", "Change", "Documents", "Event", "Message", "Model", "Passage", "Prompt",
    "Proposal", "Settings", "Snapshot", "Stage", "Turn", "Unavailable", "accepted", "answer", "as_text", "ask",
    "changes", "choose", "documents", "forget", "forget_documents", "give_way", "is_here", "look_up", "messages",
    "models", "prompt", "quick_questions", "read_documents", "remember", "snapshot", "snapshot_of_project",
    "snapshot_of_run", "turns", "unload",
]
