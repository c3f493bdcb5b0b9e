"""People at an app, without their browsers: websockets that speak Streamlit's own messages as its page does.

A browser for each of twenty people would need more than the two cores that the app itself is measured on. What is sent
and awaited is the same: the state of widgets with every click, fragments asked again at their interval, messages that
are kept by their hash. What a browser draws is left out, for every app alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

PATIENCE = 120.0  # seconds until an answer counts as never given
BIGGEST = 200_000_000  # bytes of a message
SUCCESS = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
MISTAKE = "MedML made a mistake"


class Broken(Exception):
    """What a person would have seen go wrong."""


@dataclass
class Shown:
    """One element on the page."""

    element: Element
    fragment: str
    run: int


@dataclass
class Person:
    """One browser tab. Every `act` returns the seconds from the click to the end of the run that it brought about;
    `waited` is how many of them went by until something of it was there to be seen."""

    address: str  # host:port
    name: str = ""
    cookie: str = ""  # of who has signed in
    shown: dict[tuple[int, ...], Shown] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    polls: int = 0
    received: int = 0  # elements that were sent to this tab, those of a page that is being left too

    def __post_init__(self) -> None:
        self.page, self.query, self.pages = "", "", {}
        self.kept: dict[str, ForwardMsg] = {}
        self.timers: dict[str, asyncio.Task] = {}
        self.run, self.ended, self.leaving = 0, 0.0, False
        self.first, self.waited = 0.0, 0.0
        self.fragments: list[str] = []
        self.idle = False
        self.finished = asyncio.Event()
        self.changed = asyncio.Event()
        self.states: dict[str, WidgetState] = {}

    async def open(self, page: str = "", query: str = "") -> float:
        """Connect and draw a page."""
        self.line = await websockets.connect(f"ws://{self.address}/_stcore/stream", subprotocols=["streamlit"],
                                             origin=f"http://{self.address}", max_size=BIGGEST,
                                             additional_headers={"Cookie": self.cookie} if self.cookie else None)
        self.listening = asyncio.create_task(self._listen())
        self.query = query
        return await self._asked(ClientState(query_string=query, page_name=page))

    async def close(self) -> None:
        self.leaving = True
        self._forget_timers()
        self.listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.listening
        await self.line.close()

    async def press(self, label: str) -> float:
        """Click on the button with that label (or whose label begins so)."""
        found = self.find("button", label)
        if found is None:
            raise Broken(f"{self.name}: no button “{label}” among {self.labels('button')}")
        return await self._told(WidgetState(id=found.element.button.id, trigger_value=True), found.fragment)

    async def follow(self, label: str) -> float:
        """Click on a link to another page of the app."""
        found = self.find("page_link", label)
        if found is None:
            raise Broken(f"{self.name}: no link “{label}” among {self.labels('page_link')}")
        self._forget_timers()  # as Streamlit's page does: a part asked for again now would name the page that is left
        link = found.element.page_link
        self.query = link.query_string
        return await self._asked(ClientState(query_string=self.query, page_script_hash=link.page_script_hash))

    async def set(self, kind: str, label: str, **value: object) -> float:
        """Change a widget: checkbox bool_value=True, selectbox string_value="…", slider string_array_value=["…"]."""
        found = self.find(kind, label)
        if found is None:
            raise Broken(f"{self.name}: no {kind} “{label}” among {self.labels(kind)}")
        state = WidgetState(id=getattr(found.element, kind).id)
        for name, each in value.items():
            if name.endswith("array_value"):
                getattr(state, name).data.extend(each)
            else:
                setattr(state, name, each)
        self.states[state.id] = state
        return await self._told(state, found.fragment)

    async def slide(self, label: str, to: int) -> float:
        """Move a slider over words or fixed numbers to one of them, counted from the left and round again."""
        found = self.find("slider", label)
        options = list(found.element.slider.options) if found else []
        if not options:
            raise Broken(f"{self.name}: no slider “{label}” among {self.labels('slider')}")
        return await self.set("slider", label, string_array_value=[options[to % len(options)]])

    async def until(self, there, seconds: float = PATIENCE) -> None:
        """Wait, polls going on, until what is shown satisfies a person."""
        deadline = time.monotonic() + seconds
        while not (self.idle and there()):
            self.changed.clear()
            left = deadline - time.monotonic()
            if left <= 0:
                raise Broken(f"{self.name}: waited in vain on {self.title()}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), left)

    def find(self, kind: str, label: str = "") -> Shown | None:
        """The first element of that kind whose label begins so and that can be used."""
        for each in self.shown.values():
            if each.element.WhichOneof("type") == kind:
                one = getattr(each.element, kind)
                if one.label.replace("**", "").startswith(label) and not getattr(one, "disabled", False):
                    return each
        return None

    def labels(self, kind: str) -> list[str]:
        return [getattr(each.element, kind).label for each in self.shown.values()
                if each.element.WhichOneof("type") == kind]

    def title(self) -> str:
        """The page's address."""
        return self.pages.get(self.page, self.page)

    def words(self) -> str:
        """All that stands on the page as HTML or Markdown."""
        found = []
        for each in self.shown.values():
            kind = each.element.WhichOneof("type")
            if kind in ("html", "markdown"):
                found.append(getattr(each.element, kind).body)
        return " ".join(found)

    async def _told(self, state: WidgetState, fragment: str) -> float:
        changed = WidgetStates(widgets=[*(each for each in self.states.values() if each.id != state.id), state])
        return await self._asked(ClientState(query_string=self.query, page_script_hash=self.page,
                                             widget_states=changed, fragment_id=fragment))

    async def _asked(self, state: ClientState) -> float:
        self.awaits, self.asked_at = state.fragment_id, self.run
        self.finished.clear()
        begun = time.perf_counter()
        await self._send(state)
        try:
            await asyncio.wait_for(self.finished.wait(), PATIENCE)
        except TimeoutError:
            raise Broken(f"{self.name}: no answer on {self.title()} within {PATIENCE:.0f} s") from None
        self.waited = (self.first or self.ended) - begun
        return self.ended - begun

    async def _send(self, state: ClientState) -> None:
        state.cached_message_hashes.extend(self.kept)
        state.context_info.timezone = "UTC"
        state.context_info.locale = "en"
        await self.line.send(BackMsg(rerun_script=state).SerializeToString())

    def _forget_timers(self) -> None:
        for each in self.timers.values():
            each.cancel()
        self.timers.clear()

    async def _listen(self) -> None:
        try:
            async for content in self.line:
                self._take(ForwardMsg.FromString(content))
                self.changed.set()
        finally:  # a person who is not told anything any more
            if not self.leaving:
                self.errors.append(f"{self.name}: the connection ended on {self.title()}")

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            metadata = message.metadata
            message = self.kept[message.ref_hash]
            message.metadata.CopyFrom(metadata)
            kind = message.WhichOneof("type")
        elif message.metadata.cacheable:
            self.kept[message.hash] = message
        act = getattr(self, f"_on_{kind}", None)
        if act is not None:
            act(message)

    def _on_new_session(self, message: ForwardMsg) -> None:
        new = message.new_session
        self.run, self.first = self.run + 1, 0.0
        self.fragments = list(message.metadata.run.fragment_ids)
        self.idle = self.idle and bool(self.fragments)  # while a part of a page is asked again, one can click on it
        self.page = new.page_script_hash
        if not self.fragments:
            self._forget_timers()

    def _on_navigation(self, message: ForwardMsg) -> None:
        self.pages = {each.page_script_hash: each.url_pathname for each in message.navigation.app_pages}
        self.page = message.navigation.page_script_hash or self.page

    def _on_page_info_changed(self, message: ForwardMsg) -> None:
        self.query = message.page_info_changed.query_string

    def _on_delta(self, message: ForwardMsg) -> None:
        path = tuple(message.metadata.delta_path)
        if message.delta.WhichOneof("type") != "new_element":
            self.shown.pop(path, None)
            return
        self.received += 1
        self.first = self.first or time.perf_counter()
        element = message.delta.new_element
        self.shown[path] = Shown(element, message.delta.fragment_id, self.run)
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(f"{self.name}: {element.exception.type} on {self.title()}")
        elif kind == "html" and MISTAKE in element.html.body:
            self.errors.append(f"{self.name}: a mistake on {self.title()}")

    def _on_auto_rerun(self, message: ForwardMsg) -> None:
        asked = message.auto_rerun
        old = self.timers.pop(asked.fragment_id, None)
        if old is not None:
            old.cancel()
        self.timers[asked.fragment_id] = asyncio.create_task(self._poll(asked.fragment_id, asked.interval))

    def _on_stop_auto_rerun(self, message: ForwardMsg) -> None:
        for each in message.stop_auto_rerun.fragment_ids:
            if each in self.timers:
                self.timers.pop(each).cancel()

    def _on_script_finished(self, message: ForwardMsg) -> None:
        if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.errors.append(f"{self.name}: the script of {self.title()} could not be run")
        if message.script_finished not in SUCCESS:
            return  # it starts again
        self.idle = True
        if not self.fragments:
            self.shown = {path: each for path, each in self.shown.items() if each.run == self.run}
        ours = self.awaits in self.fragments if self.awaits else not self.fragments
        if self.run > self.asked_at and (ours or not self.fragments):
            self.ended = time.perf_counter()
            self.finished.set()

    async def _poll(self, fragment: str, interval: float) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await asyncio.sleep(interval)
                self.polls += 1
                await self._send(ClientState(query_string=self.query, page_script_hash=self.page,
                                             fragment_id=fragment, is_auto_rerun=True))
