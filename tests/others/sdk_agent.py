"""An agent on the official Python SDK, written as its documentation shows: the SDK speaks, we only say what.

Each word of a prompt is an act: `greet`, `think`, `tool`, `ask`, `count`, `files`, `extension`, `remember`, `fail`,
`refuse`; any other is said back. A session's history lies in a file of the folder that is the first argument: a second
process can take it up. The second argument says how: `load`, `resume` or `none`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from pathlib import Path
from typing import Any, cast

import acp
from acp import schema

FOLDER, MEMORY = Path(sys.argv[1]), sys.argv[2]

OPTIONS = [
    schema.PermissionOption(option_id="go-always", name="Always", kind="allow_always"),
    schema.PermissionOption(option_id="go", name="Go on", kind="allow_once"),
    schema.PermissionOption(option_id="stay", name="Leave it", kind="reject_once"),
]


class SdkAgent:
    """All its sessions; of what the SDK can route to an agent only what this one has."""

    def __init__(self) -> None:
        self._cancelled: dict[str, asyncio.Event] = {}
        self._offered = ""

    def on_connect(self, conn: acp.Client) -> None:
        self._client = conn

    # A life.

    async def initialize(
        self,
        protocol_version: int,
        client_capabilities: schema.ClientCapabilities | None = None,
        client_info: schema.Implementation | None = None,
        **kwargs: Any,
    ) -> acp.InitializeResponse:
        offered = client_capabilities or schema.ClientCapabilities()
        files = offered.fs or schema.FileSystemCapabilities()
        self._offered = f"read={files.read_text_file} write={files.write_text_file} terminal={offered.terminal}"
        resume = schema.SessionResumeCapabilities() if MEMORY == "resume" else None
        return acp.InitializeResponse(
            protocol_version=acp.PROTOCOL_VERSION,
            agent_info=schema.Implementation(name="sdk-agent", title="SDK agent", version="1"),
            agent_capabilities=schema.AgentCapabilities(
                load_session=MEMORY == "load",
                session_capabilities=schema.SessionCapabilities(resume=resume),
            ),
        )

    async def new_session(self, cwd: str, **kwargs: Any) -> acp.NewSessionResponse:
        session_id = uuid.uuid4().hex
        self._write(session_id, [])
        return acp.NewSessionResponse(session_id=session_id)

    async def load_session(self, cwd: str, session_id: str, **kwargs: Any) -> acp.LoadSessionResponse:
        for text in self._read(session_id):
            await self._client.session_update(session_id, acp.update_user_message_text(text))
            await self._say(session_id, f"(once more: {text})")
        return acp.LoadSessionResponse()

    async def resume_session(self, session_id: str, cwd: str, **kwargs: Any) -> schema.ResumeSessionResponse:
        self._read(session_id)
        return schema.ResumeSessionResponse()

    # A turn.

    async def cancel(self, session_id: str, **kwargs: Any) -> None:
        self._cancelled[session_id].set()

    async def prompt(self, session_id: str, prompt: list[Any], **kwargs: Any) -> acp.PromptResponse:
        self._cancelled[session_id] = asyncio.Event()
        text = " ".join(getattr(block, "text", "") for block in prompt)
        for word in text.split():
            act = getattr(self, f"_do_{word}", None)
            stop = await (act(session_id) if act else self._say(session_id, f"{word} "))
            if self._cancelled[session_id].is_set():
                return acp.PromptResponse(stop_reason="cancelled")
            if stop:
                return acp.PromptResponse(stop_reason=stop)
        self._write(session_id, [*self._read(session_id), text])
        return acp.PromptResponse(stop_reason="end_turn")

    async def _say(self, session_id: str, text: str) -> None:
        await self._client.session_update(session_id, acp.update_agent_message_text(text))

    async def _do_greet(self, session_id: str) -> None:
        for part in ("Good ", "day ", "to you."):
            await self._say(session_id, part)

    async def _do_think(self, session_id: str) -> None:
        await self._client.session_update(session_id, acp.update_agent_thought_text("hm"))

    async def _do_tool(self, session_id: str) -> None:
        call = uuid.uuid4().hex
        started = acp.start_tool_call(call, "List the folder", kind="read", status="pending")
        await self._client.session_update(session_id, started)
        content = [acp.tool_content(acp.text_block("a b c"))]
        await self._client.session_update(session_id, acp.update_tool_call(call, status="completed", content=content))

    async def _do_ask(self, session_id: str) -> None:
        call = uuid.uuid4().hex
        started = acp.start_tool_call(call, "Write a file", kind="edit", status="pending")
        await self._client.session_update(session_id, started)
        about = schema.ToolCallUpdate(tool_call_id=call, title="Write a file")
        answer = await self._client.request_permission(session_id=session_id, tool_call=about, options=OPTIONS)
        chosen = getattr(answer.outcome, "option_id", "")
        await self._say(session_id, f"[{answer.outcome.outcome} {chosen}]")
        status: Any = "completed" if chosen.startswith("go") else "failed"
        await self._client.session_update(session_id, acp.update_tool_call(call, status=status))

    async def _do_count(self, session_id: str) -> None:
        """Count until somebody cancels."""
        number = 0
        while not self._cancelled[session_id].is_set():
            number += 1
            await self._say(session_id, f"{number} ")
            await asyncio.sleep(0.01)

    async def _do_files(self, session_id: str) -> None:
        await self._say(session_id, f"[{self._offered}]")
        path = str(FOLDER / "never.txt")
        for what, request in (
            ("read", self._client.read_text_file(path=path, session_id=session_id)),
            ("write", self._client.write_text_file(content="x", path=path, session_id=session_id)),
            ("terminal", self._client.create_terminal(command="true", session_id=session_id)),
        ):
            try:
                await request
                await self._say(session_id, f"[{what} was served]")
            except acp.RequestError as error:
                await self._say(session_id, f"[{what} {error.code}]")

    async def _do_extension(self, session_id: str) -> None:
        await self._client.ext_notification("example.org/news", {"n": 1})
        try:
            await self._client.ext_method("example.org/ask", {"n": 1})
        except acp.RequestError as error:
            await self._say(session_id, f"[extension {error.code}]")

    async def _do_remember(self, session_id: str) -> None:
        await self._say(session_id, f"[{len(self._read(session_id))} before]")

    async def _do_fail(self, session_id: str) -> None:
        raise acp.RequestError(-32603, "It broke", {"details": "the wheel came off"})

    async def _do_refuse(self, session_id: str) -> str:
        return "refusal"

    # What it remembers.

    def _read(self, session_id: str) -> list[str]:
        file = FOLDER / f"{session_id}.json"
        if not file.exists():
            raise acp.RequestError.resource_not_found(session_id)
        texts: list[str] = json.loads(file.read_text())
        return texts

    def _write(self, session_id: str, texts: list[str]) -> None:
        (FOLDER / f"{session_id}.json").write_text(json.dumps(texts))


if __name__ == "__main__":
    asyncio.run(acp.run_agent(cast(acp.Agent, SdkAgent()), use_unstable_protocol=MEMORY == "resume"))
