"""Refusals: one error type with a reason that stays, texts in two languages, and a kind that each edge maps once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import EnumDescriptor

from chassis.ids import is_fresh
from tongxiao.common.v1 import options_pb2, reason_pb2

Kind = options_pb2.Kind


class DomainError(Exception):
    """A refusal that callers can tell apart by `reason`; everything else that is raised is a fault.

    `trace` is what the refusal itself leaves behind, such as that it was told: all else of the call's work is undone.
    """

    def __init__(
        self,
        reason: str,
        *,
        domain: str,
        kind: Kind.ValueType,
        text: str,
        zh: str = "",
        fields: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason
        self.domain = domain
        self.kind = kind
        self.text, self.zh = text, zh
        self.fields = tuple(fields)
        self.metadata = dict(metadata or {})
        self.trace: Callable[[Any], None] | None = None

    @property
    def field(self) -> str:
        """The field it concerns, the first of them where there are several; empty where there is none."""
        return self.fields[0] if self.fields else ""


# The texts of every reason that this process can refuse with.
_sentences: dict[str, tuple[str, str]] = {}


class Refusals:
    """Makes the refusals that one enum of reasons declares, and the common ones: `raise refuse("NOT_FOUND")`."""

    def __init__(self, reasons: EnumDescriptor) -> None:
        self._reasons = {**_declared(_COMMON), **_declared(reasons)}
        _sentences.update((reason, (options.zh, options.en)) for reason, (_, options) in self._reasons.items())

    def __call__(self, reason: str, *, field: str | Sequence[str] = "", **metadata: object) -> DomainError:
        """The refusal, of one field or of several together."""
        domain, options = self._reasons[reason]
        fields = ((field,) if field else ()) if isinstance(field, str) else field
        values = {key: str(value) for key, value in metadata.items()}
        return DomainError(
            reason, domain=domain, kind=options.kind, text=options.en, zh=options.zh, fields=fields, metadata=values
        )

    def unknown(self, reason: str, id_: UUID, *, field: str = "") -> DomainError:
        """The refusal of an id that is not known here: NOT_YET_KNOWN, naming it, while it may only be new."""
        return self("NOT_YET_KNOWN", field=field, id=id_) if is_fresh(id_) else self(reason, field=field)

    def __contains__(self, reason: str) -> bool:
        return reason in self._reasons


def sentence(reason: str) -> tuple[str, str]:
    """What a reason that this process can refuse with says to people, in Chinese and English; else nothing."""
    return _sentences.get(reason, ("", ""))


def _declared(reasons: EnumDescriptor) -> dict[str, tuple[str, options_pb2.ReasonOptions]]:
    """Reason to its domain (`customers.tongxiao`) and options; the zero value declares nothing."""
    service = reasons.full_name.split(".")[1]
    return {
        value.name.removeprefix("REASON_"): (f"{service}.tongxiao", value.GetOptions().Extensions[options_pb2.reason])
        for value in reasons.values
        if value.number
    }


_COMMON = reason_pb2.DESCRIPTOR.enum_types_by_name["Reason"]
refuse = Refusals(_COMMON)
