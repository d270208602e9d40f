"""The idiomatic way: FastAPI and SQLModel as their tutorials put them together."""

import os
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import JSON, Column, Field, Session, SQLModel, create_engine, select


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


engine = create_engine(
    f"sqlite:///{os.environ['BENCHMARK_FOLDER']}/clinic.db",
    connect_args={"check_same_thread": False},
)
app = FastAPI()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


@app.get("/sections/", response_model=list[Section])
def read_sections(session: SessionDep, offset: int = 0, limit: int = 100) -> Any:
    return session.exec(select(Section).offset(offset).limit(limit)).all()


@app.get("/sections/{slug}", response_model=Section)
def read_section(slug: str, session: SessionDep) -> Any:
    section = session.exec(select(Section).where(Section.slug == slug)).first()
    if not section:
        raise HTTPException(status_code=404, detail="Section not found")
    return section
