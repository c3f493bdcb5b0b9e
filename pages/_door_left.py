"""When a page is closed or reloaded: what was asked for on it is done all the same."""

from __future__ import annotations

from streamlit.runtime.websocket_session_manager import WebsocketSessionManager as Sessions


def finish_what_was_asked() -> None:
    """Let the last click before a page is closed count.

    Streamlit stops a session's script as soon as its page is gone, and with it goes a click that had to wait for the
    drawing before it: a note typed, Enter, window closed, and it was not kept. Nothing here runs long (long work is in
    the queue), so the script goes on to its end, drawn for nobody.
    """
    plain = Sessions.disconnect_session

    def disconnect(self: Sessions, session_id: str) -> None:
        found = self.get_active_session_info(session_id)
        if found is None:
            return plain(self, session_id)
        found.session.request_script_stop = lambda: None
        try:
            plain(self, session_id)
        finally:
            del found.session.request_script_stop
    Sessions.disconnect_session = disconnect
