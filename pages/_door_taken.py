"""A file that is made when its download button is pressed."""

from __future__ import annotations

from typing import Any

from streamlit.runtime.backend_operation_handler import DeferredFileHandler as Downloads


def keep_what_was_taken() -> None:
    """Let such a file count among those of the window in which the button was pressed, until that is drawn anew.

    Streamlit keeps it for no window: it may be let go of, after drawings of other windows, before the browser has
    fetched it, and on the ward, where a file is only for who has drawn it, nobody could fetch it at all.
    """
    plain = Downloads.handle

    async def handle(self: Downloads, request: Any, session_id: str) -> Any:
        answer = await plain(self, request, session_id)
        file = answer.deferred_file.url.rsplit("/", 1)[-1].split(".")[0]
        files = self._get_media_file_mgr()
        with files._lock:
            drawn = files._files_by_session_and_coord.get(session_id)  # None: that window has gone
            if file and drawn is not None:
                drawn[f"taken {request.deferred_file.file_id}"] = file
        return answer
    Downloads.handle = handle
