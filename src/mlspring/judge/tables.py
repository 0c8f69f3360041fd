"""The tables of the board; a change here needs a revision in migrations/versions."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from mlspring.core.errors import InternalError


class UtcTime(TypeDecorator[datetime]):
    """A moment: stored in UTC, read with its time zone; one without a zone is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC.

        Raises:
            InternalError: the moment has no time zone.
        """
        if value is not None and value.tzinfo is None:
            raise InternalError(f"the clock gave {value}, which has no time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its zone; SQLite keeps none, and what it keeps is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share: every constraint has a name, so that a revision can change it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  the ORM reads it
        datetime: UtcTime,
        float: Double,
        dict[str, Any]: JSON,
    }


class Learner(Base):
    """Somebody on the board; ``key`` is the name without case, so that nobody poses as another."""

    __tablename__ = "learners"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(256), unique=True)
    joined: Mapped[datetime]


class Submission(Base):
    """A file handed in; its content lies beside the database, at ``file`` in files/."""

    __tablename__ = "submissions"
    __table_args__ = (
        CheckConstraint("state IN ('received', 'scored', 'rejected', 'failed')", name="state"),
        Index(None, "homework", "source", "learner_id", "received"),
        # All that a board reads (standings.py), sorted by learner and score.
        Index(
            "ix_submissions_board",
            *("homework", "source", "state", "answers", "learner_id"),
            *("public", "received", "private", "final"),
        ),
        Index(None, "state"),
        {"sqlite_autoincrement": True},  # a number that people have seen is never given again
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    homework: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(32))
    learner_id: Mapped[int] = mapped_column(ForeignKey("learners.id"))
    filename: Mapped[str] = mapped_column(String(255))
    file: Mapped[str] = mapped_column(String(255), unique=True)
    num_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    answers: Mapped[str] = mapped_column(String(64))
    received: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    public: Mapped[float | None]
    private: Mapped[float | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    message: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    seconds: Mapped[float] = mapped_column(default=0.0, server_default="0")
    num_attempts: Mapped[int] = mapped_column(default=1, server_default="1")
    final: Mapped[bool] = mapped_column(default=False, server_default=false())

    learner: Mapped[Learner] = relationship(lazy="joined", innerjoin=True)
