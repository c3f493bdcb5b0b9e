"""Draw every screen of an app on this machine once, as a browser asks: `python -m pages._proof URL [PROJECT RUN]`.

For `python -m medml doctor --prove`, where the app that draws them is watched. Ends with 1 where one was not drawn.
"""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from medml import egress
from medml.errors import apology

PATIENCE = 300.0  # seconds for one message of the app; under strace, on a busy machine
OURS = apology("").partition(";")[0]  # how a fault of ours begins on a screen


def screens() -> list[str]:
    """The path of every screen: a file of this folder that does not begin with "_"; "" for the first one."""
    names = sorted(each.stem for each in Path(__file__).parent.glob("[!_]*.py"))
    return ["" if each == "home" else each for each in names]


def is_drawn(url: str, page: str, query: str = "") -> bool:
    """Open a window on a page and wait until it is drawn; False where it was not, or shows a fault of ours."""
    asked = BackMsg()
    asked.rerun_script.page_name, asked.rerun_script.query_string = page, query
    try:
        with connect(f"ws{url.removeprefix('http')}/_stcore/stream", subprotocols=["streamlit"], max_size=None,
                     proxy=None, close_timeout=1, additional_headers={"Origin": url}) as window:
            window.send(asked.SerializeToString())
            return _has_ended_well(window)
    except (OSError, WebSocketException):  # a TimeoutError is an OSError
        return False


def _has_ended_well(window) -> bool:
    shown = 0
    while True:
        came = ForwardMsg()
        came.ParseFromString(window.recv(timeout=PATIENCE))
        kind = came.WhichOneof("type")
        if kind == "script_finished" and came.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return came.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY and shown > 0
        if kind == "page_not_found" or OURS in str(came):
            return False
        shown += kind == "delta"


def main(url: str, project: str = "", run: str = "") -> int:
    """Draw them all, with that project and run open."""
    egress.install()
    query = f"project={project}&run={run}" if project else ""
    left = [each or "home" for each in screens() if not is_drawn(url, each, query)]
    sys.stdout.write(f"{len(screens()) - len(left)} of {len(screens())} screens were drawn"
                     f"{'; not ' + ', '.join(left) if left else ''}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
