"""What the service is measured against, as `uvicorn` starts it: ready bytes, and the tutorial."""

import json
import os
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import JSON, Column, Field, Session, SQLModel, create_engine, select
from starlette.types import Receive, Scope, Send

FOLDER = Path(os.environ["BENCHMARK_FOLDER"])
BODIES = {f"/{file.stem}": file.read_bytes() for file in FOLDER.glob("*.body")}
HEADERS = {
    f"/{file.stem}": [
        (name.encode(), value.encode()) for name, value in json.loads(file.read_text())
    ]
    for file in FOLDER.glob("*.headers")
}


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Nothing but uvicorn: body and headers that the service answers with."""
    if scope["type"] != "http":
        return
    headers = HEADERS[scope["path"]]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODIES[scope["path"]]})


class Section(SQLModel, table=True):
    """The service's own table, as the tutorial would declare it."""

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(index=True)
    title: str
    summary: str
    position: int
    markdown: str
    notices: list[str] = Field(sa_column=Column(JSON))
    references: list[dict[str, Any]] = Field(sa_column=Column(JSON))
    withdrawn_on: date | None = None
    version: int
    published_at: datetime
    updated_at: datetime


engine = create_engine(f"sqlite:///{FOLDER}/clinic.db", connect_args={"check_same_thread": False})
tutorial = FastAPI()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


@tutorial.get("/sections/", response_model=list[Section])
def read_sections(session: SessionDep, offset: int = 0, limit: int = 100) -> Any:
    return session.exec(select(Section).offset(offset).limit(limit)).all()


@tutorial.get("/sections/{slug}", response_model=Section)
def read_section(slug: str, session: SessionDep) -> Any:
    section = session.exec(select(Section).where(Section.slug == slug)).first()
    if not section:
        raise HTTPException(status_code=404, detail="Section not found")
    return section
