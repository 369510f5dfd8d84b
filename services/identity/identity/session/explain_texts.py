"""What speaks for somebody's access or against it, as a sentence in either language."""

from identity import days
from identity.post.holding_queries import Holding
from identity.unit.model import Unit
from tongxiao.identity.v1 import session_pb2 as pb

_PREFIX = "ACCESS_REASON_KIND_"
_SENTENCES = {
    "GOVERNS": ("岗位“{post}”管辖“{unit}”及其下级", 'The post "{post}" governs "{unit}" and all below it'),
    "BELONGS": ("岗位“{post}”属于“{unit}”，限本人的记录", 'The post "{post}" belongs to "{unit}": own records only'),
    "NOT_ACTIVE": ("该员工已停职或离职", "The employee is suspended or has left"),
    "NO_POST": ("该员工今天没有任何岗位", "The employee holds no post today"),
    "PERMISSION_MISSING": ("岗位“{post}”的角色“{role}”没有此权限", 'The role "{role}" of the post "{post}" lacks it'),
    "UNIT_BEYOND": ("岗位“{post}”不属于也不管辖该单元", 'The post "{post}" neither belongs to nor governs the unit'),
    "NOT_OWNER": (
        "该记录在“{unit}”归他人所有，岗位“{post}”只能用于本人的记录",
        'Somebody else owns it in "{unit}"; the post "{post}" reaches own records only',
    ),
    "SHARED": (
        "该记录已共享给该员工，且岗位“{post}”有此权限",
        'It is shared with the employee; the post "{post}" holds it',
    ),
    "SHARED_READ_ONLY": ("该记录共享给该员工，但仅供查看", "It is shared with the employee for reading only"),
    "SHARE_FALLS_SHORT": (
        "该记录已共享给该员工，但共享不含此权限",
        "It is shared with the employee, but no share allows this",
    ),
    "NOT_VALID_TODAY": ("岗位“{post}”或其任职今天无效", 'The post "{post}" or its tenure is not valid today'),
}
_UNTIL = ("，至 {day}", ", until {day}")
# What speaks for it; all else stands in the way.
FOR = ("GOVERNS", "BELONGS", "SHARED")


def reason(
    kind: str, holding: Holding | None = None, unit: Unit | None = None, *, end_date: str = ""
) -> pb.AccessReason:
    """One reason; of two last days, the earlier counts."""
    post, role = (holding.post, holding.role) if holding else (None, None)
    end = min(filter(None, (end_date, days.text_of(holding.end_on) if holding else "")), default="")
    named = {"post": post, "role": role, "unit": unit}
    zh = {key: one.name if one else "" for key, one in named.items()}
    en = {key: one.name_en or one.name if one else "" for key, one in named.items()}
    texts = [
        text.format(**values) + (until.format(day=end) if end else "")
        for text, until, values in zip(_SENTENCES[kind], _UNTIL, (zh, en), strict=True)
    ]
    return pb.AccessReason(
        kind=pb.AccessReasonKind.Value(_PREFIX + kind),
        post_id=str(post.id) if post else "",
        post_name=zh["post"],
        role_id=str(role.id) if role else "",
        role_name=zh["role"],
        unit_id=str(unit.id) if unit else "",
        unit_name=zh["unit"],
        end_date=end,
        text=texts[0],
        text_en=texts[1],
    )


def kind_of(found: pb.AccessReason) -> str:
    """The kind's name, such as "GOVERNS"."""
    return pb.AccessReasonKind.Name(found.kind).removeprefix(_PREFIX)
