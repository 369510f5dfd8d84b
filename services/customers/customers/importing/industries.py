"""How files call industries, as codes of GB/T 4754: its own sections, and what HubSpot and LinkedIn name."""

import re

_CODE = re.compile(r"[A-T][0-9]{0,4}")
_NAMES = {
    "A": "农林牧渔业, farming, ranching, dairy, fishery, agriculture, environmental and forestry products",
    "A02": "paper and forest products",
    "B": "采矿业, mining and metals, mining",
    "B07": "oil and energy",
    "C": "制造业, manufacturing, packaging and containers, business supplies and equipment, plastics",
    "C13": "food production, food and beverages",
    "C15": "wine and spirits",
    "C16": "tobacco",
    "C17": "textiles",
    "C18": "apparel and fashion",
    "C21": "furniture",
    "C22": "paper products",
    "C24": "sporting goods",
    "C26": "chemicals, cosmetics",
    "C27": "pharmaceuticals, biotechnology",
    "C30": "building materials, glass ceramics and concrete",
    "C34": "machinery",
    "C35": "medical devices, industrial automation, mechanical or industrial engineering",
    "C36": "automotive",
    "C37": "aviation and aerospace, shipbuilding, defense and space, railroad manufacture",
    "C38": "electrical electronic manufacturing, renewables and environment",
    "C39": "computer hardware, consumer electronics, semiconductors, nanotechnology",
    "D": "电力热力燃气及水生产和供应业, utilities",
    "E": "建筑业, construction, civil engineering",
    "F": "批发和零售业, 批发零售业, wholesale, import and export, consumer goods, luxury goods and jewelry",
    "F52": "retail, supermarkets",
    "G": "交通运输仓储和邮政业, transportation truckingrailroad, logistics and supply chain",
    "G55": "maritime",
    "G56": "airlinesaviation",
    "G59": "warehousing",
    "G60": "package freight delivery",
    "H": "住宿和餐饮业, hospitality",
    "H62": "restaurants",
    "I": "信息传输软件和信息技术服务业, information technology and services, information services",
    "I63": "telecommunications, wireless",
    "I64": "internet, online media",
    "I65": "computer software, computer games, computer networking, computer and network security",
    "J": "金融业, financial services",
    "J66": "banking",
    "J67": "investment banking, investment management, capital markets, venture capital and private equity",
    "J68": "insurance",
    "K": "房地产业, real estate, commercial real estate",
    "L": "租赁和商务服务业, facilities services, outsourcingoffshoring, events services",
    "L72": "management consulting, law practice, legal services, accounting, staffing and recruiting, human resources, "
    "marketing and advertising, public relations and communications, market research, security and investigations",
    "L7291": "leisure travel and tourism",
    "M": "科学研究和技术服务业, research, design, graphic design, architecture and planning, think tanks",
    "N": "水利环境和公共设施管理业, environmental services",
    "O": "居民服务修理和其他服务业, consumer services, individual and family services",
    "P": "教育, education management, elearning, higher education, primary secondary education, "
    "professional training and coaching",
    "Q": "卫生和社会工作, hospital and health care, medical practice, mental health care, health wellness and fitness, "
    "alternative medicine, veterinary",
    "R": "文化体育和娱乐业, entertainment, sports, recreational facilities and services, fine art, performing arts, "
    "museums and institutions, gambling and casinos, music, photography, animation",
    "R86": "publishing, newspapers, writing and editing, broadcast media, media production, printing",
    "R87": "motion pictures and film",
    "S": "公共管理社会保障和社会组织, government administration, government relations, public policy, public safety, "
    "law enforcement, judiciary, military, legislative office, political organization, executive office",
    "S94": "nonprofit organization management, philanthropy, fund raising, civic and social organization, religious "
    "institutions",
    "T": "国际组织, international affairs",
}


def _folded(name: str) -> str:
    return "".join(letter for letter in name.lower().replace("&", "and") if letter.isalnum())


_CODES = {_folded(name): code for code, names in _NAMES.items() for name in names.split(", ")}


def code_of(cell: str) -> str:
    """The code that a cell is, or names; nothing where it is neither."""
    code = cell.strip().upper()
    return code if _CODE.fullmatch(code) else _CODES.get(_folded(cell), "")
