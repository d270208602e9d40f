"""Keyrings, sealed values and keyed digests."""

import base64
import hashlib
import json
import os
import stat
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, delete
from sqlmodel import Session

from api.server import CannotStart, open_keyring
from data.crypto import (
    Keyring,
    KeyringFault,
    SealBroken,
    parse_document,
    read_document,
    write_keyring,
)
from data.sealing_keys import verify_keys
from models.sealing_key import SealingKey
from tests.support.apps import client_of, running, settings_in
from tests.support.intake import opened, post


def key_of(name: str) -> str:
    """The base64 of a key that is derived from a name."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def ring(active: str, **keys: str) -> Keyring:
    """A keyring with these keys."""
    return Keyring(parse_document(json.dumps({"active": active, "keys": keys}), source="test"))


LOCATION = "table.column:an-id"
OLD, NEW, OTHER = key_of("old"), key_of("new"), key_of("other")


@pytest.mark.parametrize(
    "document",
    [
        "", "{", "null", "[]", '"x"', "{}", '{"active": "a"}', '{"active": "a", "keys": {}}',
        json.dumps({"active": "b", "keys": {"a": OLD}}),
        json.dumps({"keys": {"a": OLD}}),
        json.dumps({"active": "a", "keys": {"a": OLD[:-4]}}),
        json.dumps({"active": "a", "keys": {"a": OLD[:20]}}),
        json.dumps({"active": "a", "keys": {"a": OLD[:20] + "\n" + OLD[20:]}}),
        json.dumps({"active": "a", "keys": {"a": OLD + "é"}}),
        json.dumps({"active": "a", "keys": {"a": base64.b64encode(bytes(33)).decode() + OLD}}),
        json.dumps({"active": "a", "keys": {"a": OLD, "b": "c2hvcnQ=" + NEW[:12]}}),
        json.dumps({"active": "", "keys": {"": OLD}}),
        json.dumps({"active": "k" * 41, "keys": {"k" * 41: OLD}}),
        json.dumps({"active": "é" * 21, "keys": {"é" * 21: OLD}}),
        json.dumps({"active": "a", "keys": {"a": OLD}, "secret": NEW}),
        json.dumps({"active": "a", "keys": {"a": [OLD]}}),
        json.dumps({"active": OLD, "keys": OLD}),
        "[" * 100_000,
    ],
)  # fmt: skip
def test_a_keyring_with_a_fault_is_refused(document: str) -> None:
    """Each fault is a `KeyringFault` that names the source, and shows no part of a key."""
    with pytest.raises(KeyringFault) as fault:
        parse_document(document, source="CLINIC_KEYRING")
    shown = f"{fault.value!s} {fault.value!r}"
    assert "CLINIC_KEYRING contains no valid keyring" in shown
    assert fault.value.__suppress_context__
    for secret in (OLD, NEW):
        assert not any(secret[i : i + 8] in shown for i in range(len(secret) - 8))


def test_a_new_keyring(tmp_path: Path) -> None:
    """A new keyring is valid, random, readable by its owner only, and never replaces a file."""
    path = tmp_path / "keys" / "keyring.json"
    write_keyring(path, generated=False)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    written = path.read_text()
    with pytest.raises(FileExistsError):
        write_keyring(path, generated=True)
    assert path.read_text() == written
    keyring = Keyring(read_document(path))
    assert not keyring.generated
    write_keyring(tmp_path / "other.json", generated=True)
    assert Keyring(read_document(tmp_path / "other.json")).generated
    assert keyring.active.secret != ring("a", a=OLD).active.secret


def test_a_sealed_value() -> None:
    """A sealed value begins with its key's id; two of the same text have nothing else in common."""
    keyring = ring("2030-a", **{"2030-a": OLD})
    one, two = (keyring.seal(b"what was typed", location="here") for _ in range(2))
    head = b"\x01\x06" + b"2030-a"
    assert one.startswith(head)
    assert two.startswith(head)
    assert one[len(head) : len(head) + 12] != two[len(head) : len(head) + 12]
    assert one[len(head) + 12 :] != two[len(head) + 12 :]
    assert b"typed" not in one
    assert keyring.unseal(one, location="here") == b"what was typed"
    empty = keyring.seal(b"", location="")
    assert keyring.unseal(empty, location="") == b""


def test_sealed_values_after_a_rotation() -> None:
    """After a rotation old values can be opened, and new values are sealed with the new key."""
    before, after = ring("old", old=OLD), ring("new", old=OLD, new=NEW)
    sealed = before.seal(b"x", location="here")
    assert after.unseal(sealed, location="here") == b"x"
    assert after.seal(b"x", location="here")[2:5] == b"new"
    assert after.digests("p", b"x")[1:] == before.digests("p", b"x")
    with pytest.raises(SealBroken):
        ring("new", new=NEW).unseal(sealed, location="here")
    with pytest.raises(SealBroken):
        before.unseal(after.seal(b"x", location="here"), location="here")


def test_a_changed_or_moved_value_cannot_be_opened() -> None:
    """A value that was moved, cut, extended or has a flipped bit cannot be opened."""
    keyring = ring("a", a=OLD, b=NEW)
    sealed = keyring.seal(b"what was typed", location=LOCATION)
    flipped = (
        sealed[:i] + bytes([sealed[i] ^ 1 << bit]) + sealed[i + 1 :]
        for i in range(len(sealed))
        for bit in range(8)
    )
    cut = (sealed[:end] for end in range(len(sealed)))
    renamed = sealed[:2] + b"b" + sealed[3:]
    for broken in (*flipped, *cut, sealed + b"\0", renamed, b"\xff" * 60):
        with pytest.raises(SealBroken) as fault:
            keyring.unseal(broken, location=LOCATION)
        assert (fault.value.args, fault.value.__suppress_context__) == ((LOCATION,), True)
        assert str(fault.value).startswith("table an-id cannot be opened")
    for location in ("", "there", f"{LOCATION} ", LOCATION[:-1]):
        with pytest.raises(SealBroken):
            keyring.unseal(sealed, location=location)


def test_digests_depend_on_key_purpose_and_content() -> None:
    """Digests of different keys, purposes or contents differ."""
    keys = (ring("a", a=OLD), ring("a", a=NEW))
    digests = {k.digests(p, c)[0] for k in keys for p in ("p", "q") for c in (b"x", b"y", b"")}
    assert len(digests) == 12
    assert {len(digest) for digest in digests} == {32}


def test_no_representation_shows_a_secret() -> None:
    """The `repr` of a key or a keyring contains no secret."""
    keyring = ring("a", a=OLD)
    secret = base64.b64decode(OLD)
    shown = f"{keyring!r} {keyring.active!r} {keyring.active!s} {keyring.keys!r}"
    assert repr(secret)[2:-1] not in shown
    assert OLD not in shown


async def test_a_lost_or_wrong_key_is_noticed(
    app: FastAPI, client: httpx.AsyncClient, engine: Engine, open_clinic: None, folder: Path
) -> None:
    """Once a value is sealed, its key must be present and correct; errors contain no secret."""
    used: str = app.state.runtime.keyring.active.id
    right = json.loads((folder / "keyring.json").read_text())["keys"][used]
    with Session(engine) as session:
        session.connection().execute(delete(SealingKey))
        verify_keys(session, ring("other", other=OTHER))  # nothing is sealed yet
    assert (await post(client)).status_code == 201
    rings = {
        "lost": ({"other": OTHER}, "which is not in the keyring"),
        "wrong": ({"other": OTHER, used: NEW}, "is not the one that the data was sealed with"),
    }
    for keys, reason in rings.values():
        with Session(engine) as session, pytest.raises(KeyringFault, match=reason) as fault:
            verify_keys(session, ring("other", **keys))
        assert used in str(fault.value)
        assert not any(key in str(fault.value) for key in (*keys.values(), right))
        (folder / "keyring.json").write_text(json.dumps({"active": "other", "keys": keys}))
        with pytest.raises(CannotStart, match=reason):
            open_keyring(engine, settings_in(folder), may_create=True)
    (folder / "keyring.json").unlink()
    with pytest.raises(CannotStart, match="there is no keyring"):
        open_keyring(engine, settings_in(folder), may_create=True)
    assert not (folder / "keyring.json").exists()


async def test_a_new_active_key(
    app: FastAPI, client: httpx.AsyncClient, open_clinic: None, folder: Path
) -> None:
    """With a new active key old requests can be opened, and old answers are replayed."""
    first = await post(client, key="before-the-rotation")
    document = json.loads((folder / "keyring.json").read_text())
    document = {"active": "new", "keys": {**document["keys"], "new": NEW}}
    (folder / "keyring.json").write_text(json.dumps(document))
    async with running(folder) as rotated:
        async with client_of(rotated) as again:
            replayed = await post(again, key="before-the-rotation")
            assert (replayed.status_code, replayed.content) == (201, first.content)
            second = await post(again, key="after-the-rotation")
            assert (await post(again, key="after-the-rotation")).content == second.content
        assert opened(rotated, first) == opened(rotated, second)
    # The application that was running loads the new key from the file.
    assert opened(app, second) == opened(app, first)
