"""The same section and intake as the tutorials of FastAPI and SQLModel would write them."""

import os
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import JSON, Column, Field, Session, SQLModel, create_engine, select


class Section(SQLModel, table=True):
    """The service's own table, declared as in the tutorial."""

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


class RequestBase(SQLModel):
    name: str
    email: str | None = None
    phone: str | None = None
    topic: str
    message: str | None = None
    consent_to_contact: bool
    form_version: int


class Request(RequestBase, table=True):
    """A request stored as in the tutorial: unencrypted, in one table."""

    __tablename__ = "tutorial_request"

    id: int | None = Field(default=None, primary_key=True)


class RequestPublic(RequestBase):
    id: int


engine = create_engine(
    f"sqlite:///{os.environ['BENCHMARK_FOLDER']}/clinic.db",
    connect_args={"check_same_thread": False},
)
Request.__table__.create(engine, checkfirst=True)  # type: ignore[attr-defined] # SQLAlchemy's
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


@app.post("/requests/", response_model=RequestPublic)
def create_request(request: RequestBase, session: SessionDep) -> Any:
    row = Request.model_validate(request)
    session.add(row)
    session.commit()
    session.refresh(row)
    return row
