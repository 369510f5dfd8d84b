"""What the columns of imported files may fill, and by which names files call it; among them Odoo's and HubSpot's."""

from chassis.imports import Field

CUSTOMER = (
    Field("id", "编号", "Id", (), key=True),
    Field(
        "name",
        "客户名称",
        "Name",
        ("company name", "公司名称", "企业名称", "客户", "complete name", "display name"),
        required=True,
    ),
    Field("short_name", "简称", "Short name", ("客户简称",)),
    Field("name_en", "英文名称", "English name", ("name in english",)),
    Field("credit_code", "统一社会信用代码", "Credit code", ("tax id", "vat", "税号", "信用代码"), key=True),
    Field("industry", "行业代码", "Industry code", ("行业",)),
    Field("size", "规模", "Size", ("人员规模",)),
    Field("tier", "客户等级", "Tier", ("等级", "客户级别")),
    Field("source", "来源", "Source", ("客户来源", "original source")),
    Field("division_code", "行政区划代码", "Division code", ("区划代码", "postal division")),
    Field("address", "地址", "Address", ("street", "street address", "详细地址")),
    Field("website", "网站", "Website", ("website url", "website link", "网址", "company domain name")),
    Field("phones", "电话", "Phones", ("phone", "phone number", "联系电话", "座机"), unique=True),
    Field("tags", "标签", "Tags", ("标记",)),
    Field("note", "备注", "Note", ("notes", "description", "说明")),
    Field("next_contact_date", "下次联系日", "Next contact", ("下次跟进",)),
    Field("parent", "上级客户", "Parent company", ("母公司", "parent", "related company")),
    Field("line", "业务线", "Product line", ("line", "产品线")),
    Field(
        "owner",
        "负责人工号",
        "Owner number",
        ("owner", "负责人", "业务员工号", "company owner", "account owner", "salesperson", "业务员"),
    ),
    Field("unit", "单元编码", "Unit code", ("unit", "部门编码", "组织编码")),
)
# What comes to the fields above, and is no column of an export.
CUSTOMER_PARTS = (
    Field("mobile", "手机", "Mobile", ("mobile phone", "mobile phone number", "手机号", "手机号码"), unique=True),
    Field("street2", "地址（续）", "Street 2", ("street address 2", "address line 2")),
    Field("city", "城市", "City", ("市", "所在城市")),
    Field("province", "省份", "Province", ("省", "state", "state region", "所在省份")),
    Field("is_company", "是否公司", "Is a company", ("company type",)),
)

CONTACT = (
    Field("id", "编号", "Id", (), key=True),
    Field(
        "name",
        "姓名",
        "Name",
        ("full name", "contact name", "联系人", "联系人姓名", "complete name", "display name"),
        required=True,
    ),
    Field("name_en", "英文名", "English name", ("name in english",)),
    Field(
        "customer",
        "客户",
        "Customer",
        (
            *("客户名称", "公司名称", "company name", "company", "统一社会信用代码"),
            *("associated company", "primary associated company", "related company", "parent company"),
        ),
        required=True,
    ),
    Field("mobile", "手机", "Mobile", ("mobile phone", "mobile phone number", "手机号", "手机号码")),
    Field("phone", "电话", "Phone", ("phone number", "座机", "办公电话")),
    Field("email", "邮箱", "E-mail", ("email", "email address", "电子邮件")),
    Field("wechat", "微信", "WeChat", ("微信号",)),
    Field("birthday", "生日", "Birthday", ("date of birth", "出生日期")),
    Field("role", "角色", "Role", ("buying role", "决策角色")),
    Field("job_title", "职务", "Job title", ("job position", "职位")),
    Field("department", "部门", "Department", ()),
    Field("note", "备注", "Note", ("notes", "说明")),
)

CONTACT_PARTS = (
    Field("last_name", "姓", "Last name", ("family name", "surname")),
    Field("first_name", "名", "First name", ("given name",)),
    Field("is_company", "是否公司", "Is a company", ("company type",)),
)
