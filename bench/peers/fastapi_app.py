"""Roles behind an API key in FastAPI and SQLAlchemy, written as their documentation does.

Each request: the key by its HMAC joined with its member and tenant, then the permission, then the work.
A create writes the role, its hashed audit entry, its event and the idempotency record in one transaction.
SQLite in WAL with synchronous=FULL.
"""

import hashlib
import hmac
import json
import os
import secrets
import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, ForeignKey, UniqueConstraint, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

PEPPER = b"bench"
# A connection for each of the 40 threads that FastAPI runs its handlers on.
url = f"sqlite:///{os.environ['BENCH_DATA']}/app.db"
engine = create_engine(url, pool_size=40, connect_args={"timeout": 30})
new_session = sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine, "connect")
def durable(connection, _record):
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


class Base(DeclarativeBase):
    pass


def new_id() -> str:
    return uuid.uuid4().hex


def now() -> datetime:
    return datetime.now(UTC)


class Member(Base):
    __tablename__ = "member"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    tenant: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(JSON)


class ApiKey(Base):
    __tablename__ = "api_key"
    mac: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"))
    expires_at: Mapped[datetime | None]


class Role(Base):
    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("tenant", "name"),)
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    tenant: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    description: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)


class Audit(Base):
    __tablename__ = "audit"
    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    tenant: Mapped[str]
    body: Mapped[str]
    leaf: Mapped[bytes]


class Event(Base):
    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    tenant: Mapped[str]
    type: Mapped[str]
    key: Mapped[str]
    data: Mapped[str]


class Idempotency(Base):
    __tablename__ = "idempotency"
    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[str]


class NewRole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    description: str = ""
    permissions: list[str] = []


class RoleOut(NewRole):
    model_config = ConfigDict(from_attributes=True)
    id: str
    created_at: datetime
    updated_at: datetime
    version: int


class RolePage(BaseModel):
    items: list[RoleOut]
    next: str | None


def mac_of(key: str) -> str:
    return hmac.new(PEPPER, key.encode(), hashlib.sha256).hexdigest()


def session():
    with new_session() as it:
        yield it


Db = Annotated[Session, Depends(session)]


def member(db: Db, authorization: Annotated[str, Header()] = "") -> Member:
    mac = mac_of(authorization.removeprefix("Bearer "))
    found = db.execute(select(Member).join(ApiKey).where(ApiKey.mac == mac)).scalar_one_or_none()
    if found is None:
        raise HTTPException(401)
    return found


def allowed(permission: str):
    def check(who: Annotated[Member, Depends(member)]) -> Member:
        if permission not in who.permissions:
            raise HTTPException(403)
        return who

    return Annotated[Member, Depends(check)]


app = FastAPI()


@app.get("/roles/{id}")
def get_role(id: str, db: Db, who: allowed("roles.read"), response: Response) -> RoleOut:
    role = db.execute(select(Role).where(Role.tenant == who.tenant, Role.id == id)).scalar_one_or_none()
    if role is None:
        raise HTTPException(404)
    response.headers["ETag"] = f'"{role.version}"'
    return RoleOut.model_validate(role)


@app.get("/roles")
def list_roles(
    db: Db, who: allowed("roles.read"), cursor: str = "", limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> RolePage:
    page = select(Role).where(Role.tenant == who.tenant, Role.id > cursor).order_by(Role.id).limit(limit + 1)
    roles = db.execute(page).scalars().all()
    more = roles[limit - 1].id if len(roles) > limit else None
    return RolePage(items=[RoleOut.model_validate(role) for role in roles[:limit]], next=more)


@app.post("/roles", status_code=201)
def create_role(
    new: NewRole, db: Db, who: allowed("roles.write"), idempotency_key: Annotated[str, Header()] = ""
) -> RoleOut:
    fingerprint = hashlib.sha256(new.model_dump_json().encode()).hexdigest()
    db.rollback()  # the caller was read in a transaction of its own
    db.connection().exec_driver_sql("BEGIN IMMEDIATE")
    known = db.get(Idempotency, (who.id, idempotency_key))
    if known is not None:
        if known.fingerprint != fingerprint:
            raise HTTPException(422)
        return RoleOut.model_validate_json(known.answer)
    role = Role(tenant=who.tenant, **new.model_dump())
    db.add(role)
    db.flush()
    answer = RoleOut.model_validate(role)
    entry = {"actor": who.id, "action": "role.create", "target": role.id, "at": str(role.created_at)}
    entry |= {"salt": secrets.token_hex(16), "details": new.model_dump()}
    body = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    db.add(Audit(tenant=who.tenant, body=body, leaf=hashlib.sha256(b"\0" + body.encode()).digest()))
    db.add(Event(tenant=who.tenant, type="role_created", key=role.id, data=answer.model_dump_json()))
    db.add(Idempotency(caller=who.id, key=idempotency_key, fingerprint=fingerprint, answer=answer.model_dump_json()))
    db.commit()
    return answer


@app.get("/bench/durability")
def durability(db: Db) -> dict[str, str | int]:
    pragma = db.connection().exec_driver_sql
    return {
        "journal_mode": pragma("PRAGMA journal_mode").scalar_one(),
        "synchronous": pragma("PRAGMA synchronous").scalar_one(),
    }


def seed() -> None:
    """The schema, one member and the key in BENCH_KEY; run once before the workers start."""
    Base.metadata.create_all(engine)
    with new_session() as db:
        who = Member(tenant="acme", permissions=["roles.read", "roles.write"])
        db.add(who)
        db.flush()
        db.add(ApiKey(mac=mac_of(os.environ["BENCH_KEY"]), member_id=who.id, expires_at=None))
        db.commit()


if __name__ == "__main__":
    seed()
