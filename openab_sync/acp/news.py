"""What an agent tells of a session (`session/update`): whose it is, whether it is to be told, and what it changes.

An update belongs to the session that is open. Before its id is known updates are kept, history replayed while a
session is brought back is swallowed, and other sessions' updates are dropped. Pure; belongs to one peer, which sends
the requests and reads their answers.
"""

from __future__ import annotations

from . import convert, schema
from .early import EarlyUpdates
from .events import Command, CommandsChanged, Event, Noise, OptionsChanged
from .noise import Noises
from .options import OptionBook, Order

__all__ = ["SessionNews"]

_HISTORY = (schema.UserChunk, schema.AgentChunk, schema.ThoughtChunk, schema.ToolNews, schema.PlanUpdate)
_OF_OPTIONS = (schema.ModeUpdate, schema.ConfigUpdate)


class SessionNews:
    """The session as its updates and answers have told it so far."""

    __slots__ = ("_early", "_noises", "_replayed", "book", "commands", "session_id")

    def __init__(self, noises: Noises) -> None:
        self.session_id: str | None = None
        self.book = OptionBook()
        self.commands: tuple[Command, ...] = ()
        self._noises = noises
        self._early: EarlyUpdates | None = None  # as long as there are some
        self._replayed: str | None = None  # the session that is being brought back

    def expect(self, session_id: str | None) -> None:
        """A session is being opened: brought back, or a new one without an id yet. Updates are kept from now on."""
        self.session_id, self._replayed = None, session_id

    def give_up(self) -> None:
        """No session was opened: what was kept belongs to nobody."""
        self._replayed = self._early = None

    def begin(self, session_id: str, answer: dict[str, object], answered: Event, events: list[Event]) -> None:
        """The session is open: tell `answered`, then its options, then what was kept, in order."""
        self.session_id, self._replayed = session_id, None
        kept = [] if self._early is None else self._early.release(session_id)
        self._early = None
        self.book, self.commands = OptionBook(), ()
        for news in kept:  # older than the answer: where both speak of options the answer is right
            if isinstance(news, _OF_OPTIONS):
                self._set(news, events)
        self._noises.tell(self.book.take(answer), events)
        events.append(answered)
        if self.book.options:
            events.append(OptionsChanged(self.book.options))
        for news in kept:
            if not isinstance(news, _OF_OPTIONS):
                self._tell(news, events)

    def obey(self, order: Order, answer: dict[str, object], events: list[Event]) -> None:
        """An option was set: a config option is answered by the whole list, the others by nothing, meaning "done"."""
        self._noises.tell(self.book.take(answer), events)
        if order.via != "config" and isinstance(order.value, str):
            self.book.move(order.via, order.value)

    def take(self, params: schema.Params, events: list[Event]) -> None:
        """Take in one `session/update`."""
        news, owner = params.update, params.session_id
        if news is None:
            return  # what it was has been told by a Noise, or it was nothing
        if owner is None:
            self._noises.once("update", "", Noise("an update of no session"), events)
        elif self.session_id is None:
            self._keep(owner, news, events)
        elif owner != self.session_id:
            self._noises.once("session", "", Noise("an update of another session"), events)
        else:
            self._tell(news, events)

    def _keep(self, owner: str, news: schema.Update, events: list[Event]) -> None:
        if owner == self._replayed and isinstance(news, _HISTORY):
            return
        if self._early is None:
            self._early = EarlyUpdates()
        if not self._early.keep(owner, news):
            noise = Noise("too many updates before there was a session: the oldest are lost")
            self._noises.once("early", "", noise, events)

    def _tell(self, news: schema.Update, events: list[Event]) -> None:
        """Turn an update of our session into its event."""
        if isinstance(news, _OF_OPTIONS):
            before = self.book.options
            self._set(news, events)
            if self.book.options != before:
                events.append(OptionsChanged(self.book.options))
        elif (event := convert.update(news)) is not None:
            if isinstance(event, CommandsChanged):
                self.commands = event.commands
            events.append(event)

    def _set(self, news: schema.ModeUpdate | schema.ConfigUpdate, events: list[Event]) -> None:
        if isinstance(news, schema.ConfigUpdate):
            self._noises.tell(self.book.take_config(news.config_options), events)
        elif (mode := news.current_mode_id or news.mode_id) is not None:
            self.book.move("mode", mode)
