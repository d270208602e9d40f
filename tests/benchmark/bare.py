"""A bare ASGI application that sends recorded answers of the service, without other work."""

import json
import os
from pathlib import Path

from starlette.types import Receive, Scope, Send

FOLDER = Path(os.environ["BENCHMARK_FOLDER"])
BODIES = {f"/{file.stem}": file.read_bytes() for file in FOLDER.glob("*.body")}
HEADERS = {
    f"/{file.stem}": [
        (name.encode(), value.encode()) for name, value in json.loads(file.read_text())
    ]
    for file in FOLDER.glob("*.headers")
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    headers = HEADERS[scope["path"]]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODIES[scope["path"]]})
