"""Workbooks from before 2007, and kinds that are told apart. The .xls was written by xlwt 1.3: 12 rows, 2 sheets."""

from __future__ import annotations

import base64
import zipfile
import zlib

import pytest

from medml.data import find_tables
from medml.data.values import is_numeric, read_dates, read_numbers

OLD = zlib.decompress(base64.b85decode(
    'c-rllT}TvB6vxk<o&9uo-8Gd|5Lw8~G>Be;&^7ZTk`?QvPpCDQ5^a@LDC;51_N54do{C-!3o5XWhdwPTBBCOr9)cp!dh{tM2vVnW'
    '&diREjo^j}#+>E;=iYPYH|NgWui1G!931JtnLi3MtP*T6skp&0%_lIqQ-uIvy`oSyb#!4;EL&9Oc40?4?C`+%+DUy#{XGg2+>oE3'
    '0(`-=3p$~(BOWVSK&$39L<O~>LdZDwB)EXd4|&|KEY`iOOIWY-xkIc~>^aR^f#;5h9WWejEM2RO<84xi>-?w!?lAL_J*y!HUeGu`'
    'dPb<{+F^a7HQK(&Dhg#U3;=d%eJmbJP&pGWfd^naT6rW=UQ;sy+1T9!@IxsA_@0{AkBcn-!ukcE|EJOKoW<|LPMqmKE6D)8pzIMe'
    'n3LdzkW4i)v`3q}lHh}rv@+w!h#lzc?iq&?TD*Ct<A`r<u>nN)#Sl5TKNiPASL_gur8-Oz53TsTLIeyegpcQq7qta4IUnTN6Tk+J'
    'U-|Yf(%cl@&7NM~71X_B88s9XI7S4*ey;I>+E{>6CRVZ@=c^WQKA$xkZvc<QO*vYou8+?-!L`L0XARr?@bYQ-63i#ZHs38wehsg{'
    '{9yg);q1W=;eH6=Ue<y<{raFxl!^1_$nJ$xN1?4UpIP(%SaDoZKx@0AZIGETL30c($f}m;=?J|fY0pY6*|22Ot|ew%>me*<pL%`}'
    '8p5>hU3?~CnP|bZtkIGQt#S_5PgO);)@g}pyGGkgXd81L*0yS*uj;hT5L-5(W#;^>zcvs(sME3`w%vrbGnd7Bs+Q<mI&C+^c9_uW'
    '9p|zZ)DwMMryYjaP7~V6Tt4fyjYQwqX{RB!%Y=3@SID|<6VZ=!+GU9CHlf|jg;-xT5dBoA-G<m66I$)7V%D7zqMz%u#}GTigw9~D'
    'ly$6;=$AU3VTkQDp}owlVm;DC^c$V_>ai;&><b!}xJOUf{H-%E>pC-Ki*23ZX9i}^%reU?v&=Hf{?3H@FF<?$1Ky))=XGk|btW)P'
    'TAxY&TiXI1`0K{Ml(i7YV*+~88b7&U7pZHBIWnp5g=AYXdIH*@ncLBp_V~p&Co%ng<_rerZwjRwe=?nR{^R(+0l_OiGX'
))
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def only(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    return find_tables(tmp_path / name)


@pytest.mark.parametrize("name", ["x.xls", "x.xlsx"])
def test_an_old_workbook_is_read(tmp_path, name):
    entries, tables = only(tmp_path, name, OLD)
    frame = tables[0].frame()
    assert [(entry.sheet, entry.action, entry.rows) for entry in entries] == [
        ("labs", "read", 12), ("empty", "skip", None)]
    assert is_numeric(read_numbers(frame["age"])) and read_dates(frame["when"]).readable == 1.0
    assert frame.row(0) == ("0", "40.5", "2024-03-01", "F")


@pytest.mark.parametrize(("name", "content", "code"), [
    ("x.xlsx", OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le"), "password"),
    ("x.doc", OLE + bytes(500) + "WordDocument".encode("utf-16-le"), "not_a_table"),
    ("x.xls", OLD[:3000], "damaged"), ("x.xls", OLE + "Workbook".encode("utf-16-le") + bytes(9000), "damaged"),
])
def test_what_cannot_be_read_is_told(tmp_path, name, content, code):
    entries, tables = only(tmp_path, name, content)
    assert (entries[0].action, entries[0].reason_code) == ("skip", code) and not tables


@pytest.mark.parametrize(("name", "part", "code"), [
    ("x.xlsb", "xl/workbook.bin", "unsupported_type"), ("x.ods", "content.xml", "unsupported_type"),
    ("x.docx", "word/document.xml", "not_a_table"), ("x.zip", "a.csv", "not_a_table"),
])
def test_other_containers_are_told_apart(tmp_path, name, part, code):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr(part, "x")
    assert find_tables(tmp_path)[0][0].reason_code == code
