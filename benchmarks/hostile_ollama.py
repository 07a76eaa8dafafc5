"""Serves scripted language models behind Ollama's own protocol: `/api/chat`, as a model of a name.

The name of the model says which script answers. Trimtab's client, ADK and all checks of replies are
the real ones.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

from hostile_models import SCRIPTS, Turn

from agents.brief import Brief, read_brief
from agents.fence import OPENING

_CREATED_AT: Final = "2026-11-30T00:00:00Z"


class ServedModels(NamedTuple):
    """A running server: its address, and how often each script was asked."""

    address: str
    calls: Counter[str]


@contextmanager
def serve_hostile_models() -> Iterator[ServedModels]:
    """Serve the scripts on a free port of this machine until the block ends."""
    calls: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            request = json.loads(self.rfile.read(length))
            calls[request["model"]] += 1
            answer = json.dumps(_answer(request)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ServedModels(f"http://127.0.0.1:{server.server_address[1]}", calls)
    finally:
        server.shutdown()
        server.server_close()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    messages = request["messages"]
    turn = SCRIPTS[request["model"]](
        Turn(
            brief=_find_brief(messages),
            has_tool_results=any(each["role"] == "tool" for each in messages),
            is_complaint="Your last answer was refused" in messages[-1].get("content", ""),
        )
    )
    message: dict[str, Any] = {"role": "assistant", "content": turn.text}
    if turn.calls:
        message["tool_calls"] = [
            {"function": {"name": name, "arguments": arguments}} for name, arguments in turn.calls
        ]
    return {
        "model": request["model"],
        "created_at": _CREATED_AT,
        "message": message,
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 1,
        "eval_count": 1,
    }


def _find_brief(messages: list[dict[str, Any]]) -> Brief:
    asked = [each["content"] for each in messages if each["role"] == "user"]
    texts = [text for text in asked if OPENING in text]
    return read_brief(texts[-1])
