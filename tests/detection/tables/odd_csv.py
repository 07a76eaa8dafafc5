"""CSV files as programs and people write them, with the values that every reader must see."""

import gzip
from datetime import UTC, datetime
from typing import Any, Final

Table = dict[str, list[Any]]
"""Values by column; None where one is missing."""

PLAIN: Final = "a,b,c\n1,x,2.5\n2,y,3.5\n3,x,\n"
PLAIN_TABLE: Final[Table] = {"a": [1, 2, 3], "b": ["x", "y", "x"], "c": [2.5, 3.5, None]}
LATE: Final = 30_000
"""Rows after which something new comes: more than any reader looks at first."""


def late(first: str, last: str) -> str:
    """A column whose last value is of another kind."""
    return "a\n" + f"{first}\n" * LATE + f"{last}\n"


def many(first: Any, last: Any) -> list[Any]:
    return [first] * LATE + [last]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day, …


def broken_across_blocks() -> tuple[str, Table]:
    """Quoted line breaks, of which some lie where a megabyte ends."""
    lines, size, notes = ["note,row"], 9, []
    for row in range(60_000):
        crosses = (size + 40) // 2**20 > size // 2**20
        notes.append("see\npage 1, then" if crosses else "none")
        lines.append(f'"{notes[-1]}",{row}')
        size += len(lines[-1]) + 1
    return "\n".join(lines) + "\n", {"note": notes, "row": list(range(60_000))}


ODD_FILES: Final[dict[str, tuple[str | bytes, Table]]] = {
    "comma": (PLAIN, PLAIN_TABLE),
    "semicolon": (PLAIN.replace(",", ";"), PLAIN_TABLE),
    "tab": (PLAIN.replace(",", "\t"), PLAIN_TABLE),
    "pipe": (PLAIN.replace(",", "|"), PLAIN_TABLE),
    "gzip": (gzip.compress(PLAIN.encode()), PLAIN_TABLE),
    "carriage return and line feed": (PLAIN.replace("\n", "\r\n"), PLAIN_TABLE),
    "carriage return alone": (PLAIN.replace("\n", "\r"), PLAIN_TABLE),
    "byte order mark": ("\ufeff" + PLAIN, PLAIN_TABLE),
    "no last line feed": (PLAIN + "4,z,1", {"a": [1, 2, 3, 4], "b": [*"xyxz"],
                                            "c": [2.5, 3.5, None, 1.0]}),
    "decimal commas": ("a;b;c\n0,25;x;1\n-1,5;y;2\n", {"a": [0.25, -1.5], "b": ["x", "y"],
                                                       "c": [1, 2]}),
    "decimal commas among whole numbers": ("a;b\n1;x\n0,5;y\n", {"a": [1.0, 0.5],
                                                                 "b": ["x", "y"]}),
    "a late decimal comma": (late("1;x", "0,5;y").replace("a", "a;b", 1),
                             {"a": many(1.0, 0.5), "b": many("x", "y")}),
    "commas between thousands": ("a;b\n1,250;x\n12,000;y\n", {"a": ["1,250", "12,000"],
                                                              "b": ["x", "y"]}),
    "a quoted delimiter": ('a,b\n"x, y",1\n"z",2\n', {"a": ["x, y", "z"], "b": [1, 2]}),
    "a late quoted delimiter": ("a,b\n" + "x,1\n" * LATE + '"x, y",2\n',
                                {"a": many("x", "x, y"), "b": many(1, 2)}),
    "a quoted line break": ('a,b\n"x\ny",1\n"z",2\n', {"a": ["x\ny", "z"], "b": [1, 2]}),
    "line breaks across blocks": broken_across_blocks(),
    "doubled quotes": ('a,b\n"x ""q"" y",1\n"z",2\n', {"a": ['x "q" y', "z"], "b": [1, 2]}),
    "quotes behind backslashes": ('a,b\n"x \\"q\\" y",1\n"z",2\n', {"a": ['x "q" y', "z"],
                                                                    "b": [1, 2]}),
    "single quotes": ("a,b\n'x, y',1\n'z',2\n", {"a": ["x, y", "z"], "b": [1, 2]}),
    "what stands for missing": ("a,b,c\n1,NA,\nNA,x,null\n3,N/A,5\nnan,None,6\n4,NULL,NaN\n5,-,1\n",
                                {"a": [1, None, 3, None, 4, 5],
                                 "b": [None, "x", None, None, None, "-"],
                                 "c": [None, None, 5, 6, None, 1]}),
    "an empty quoted text": ('a,b\n1,""\n2,x\n', {"a": [1, 2], "b": [None, "x"]}),
    "an empty column": ("a,b\n1,\n2,\n", {"a": [1, 2], "b": [None, None]}),
    "short lines": ("a,b,c\n1,2,3\n4,5\n6,7,8\n", {"a": [1, 4, 6], "b": [2, 5, 7],
                                                  "c": [3, None, 8]}),
    "a late short line": ("a,b\n" + "1,2\n" * LATE + "3\n", {"a": many(1, 3),
                                                             "b": many(2, None)}),
    "short lines with line breaks": ('a,b,c\n1,"x\ny",3\n4,z\n', {"a": [1, 4],
                                                                  "b": ["x\ny", "z"],
                                                                  "c": [3, None]}),
    "only short lines": ("a,b,c\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4], "c": [None, None]}),
    "a delimiter at each line's end": ("a,b\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),
    "a name without a column": ("a,b,\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4],
                                                      "column2": [None, None]}),
    "an index that pandas wrote": (",a\n0,x\n1,y\n", {"Unnamed: 0": [0, 1], "a": ["x", "y"]}),
    "names that differ in case": ("a,A\n1,2\n3,4\n", {"a": [1, 3], "A": [2, 4]}),
    "names with spaces around them": ("a , b\n1,x\n2,y\n", {"a": [1, 2], "b": ["x", "y"]}),
    "names of any signs": ('größe,😀,"a\nb","c, d"\n1,2,3,4\n', {"größe": [1], "😀": [2],
                                                                 "a\nb": [3], "c, d": [4]}),
    "numbers for names": ("2019,2020\n1,2\n3,4\n", {"2019": [1, 3], "2020": [2, 4]}),
    "a header alone": ("a,b\n", {"a": [], "b": []}),
    "one column": ("a\n1\n2\n", {"a": [1, 2]}),
    "one column of texts with commas": ('a\n"x, y"\n"z"\n', {"a": ["x, y", "z"]}),
    "blank lines": ("a,b\n1,2\n\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}),
    "a comment above": ("# made by a program\na,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
    "a title above": ("Sales of May\n\na,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
    "codes with leading zeros": ("a\n00123\n04567\n", {"a": ["00123", "04567"]}),
    "plus signs": ("a\n+1\n+2\n", {"a": [1, 2]}),
    "exponents": ("a,b\n1e5,1E-3\n2.5e3,3\n", {"a": [100_000.0, 2500.0], "b": [0.001, 3.0]}),
    "infinite numbers": ("a\n1.5\ninf\n-Infinity\n", {"a": [1.5, float("inf"), float("-inf")]}),
    "digits of a program": ("a,b\n0x10,1_000\n0x11,2_000\n", {"a": ["0x10", "0x11"],
                                                             "b": ["1_000", "2_000"]}),
    "numbers beyond exact floats": ("a\n9007199254740993\n9007199254740992\n",
                                    {"a": [9007199254740993, 9007199254740992]}),
    "a late number beyond exact floats": (late("1", "9007199254740993"),
                                          {"a": many(1, 9007199254740993)}),
    "a late decimal": (late("1", "2.5"), {"a": many(1.0, 2.5)}),
    "a late word": (late("1", "many"), {"a": many("1", "many")}),
    "a late first value": ("a,b\n" + ",1\n" * LATE + "2,1\n", {"a": many(None, 2),
                                                               "b": many(1, 1)}),
    "truth values": ("a,b\ntrue,FALSE\nfalse,True\n", {"a": [True, False], "b": [False, True]}),
    "words that are no truth values": ("a,b,c\nyes,T,1\nno,F,0\n", {"a": ["yes", "no"],
                                                                    "b": ["T", "F"],
                                                                    "c": [1, 0]}),
    "days": ("a\n2026-01-31\n2026-02-01\n", {"a": [utc(2026, 1, 31), utc(2026, 2, 1)]}),
    "times": ("a\n2026-01-31 12:00\n2026-02-01T13:30:05.25\n",
              {"a": [utc(2026, 1, 31, 12), utc(2026, 2, 1, 13, 30, 5, 250_000)]}),
    "times with a zone": ("a\n2026-01-31T12:00:01Z\n2026-02-01 13:30:02+01:00\n",
                          {"a": [utc(2026, 1, 31, 12, 0, 1), utc(2026, 2, 1, 12, 30, 2)]}),
    "days that do not exist": ("a\n2026-02-28\n2026-02-30\n", {"a": ["2026-02-28", "2026-02-30"]}),
    "days in another order": ("a,b\n01/02/2026,31-01-26\n02/02/2026,02-02-26\n",
                              {"a": ["01/02/2026", "02/02/2026"],
                               "b": ["31-01-26", "02-02-26"]}),
    "clocks": ("a\n13:00\n14:30\n", {"a": ["13:00", "14:30"]}),
    "numbers for people": ("a,b,c\n12%,€12,1 250\n13%,€13,2 000\n", {"a": ["12%", "13%"],
                                                                     "b": ["€12", "€13"],
                                                                     "c": ["1 250", "2 000"]}),
    "a byte 0": ("a,b\n1,x\0y\n2,z\n", {"a": [1, 2], "b": ["x\0y", "z"]}),
}  # fmt: skip
"""Content by what is odd about it, with the table that it is."""

REFUSED_FILES: Final[dict[str, tuple[str | bytes, str]]] = {
    "long lines": ("a,b\n1,2\n3,4,5\n", "its line 3 has more than 2 values"),
    "a late long line": ("a,b\n" + "1,2\n" * LATE + "3,4,5\n", "its line 30,002 has more than 2"),
    "only long lines": ("a,b,c,d\n" + "1,2,3,4,5\n" * 50, "its line 2 has more than 4"),
    "two columns of one name": ("a,a,b\n1,2,3\n", "two columns called 'a'"),
    "no names": ("\n\n", "has no names"),
    "another encoding": ("shop\nKöln\n".encode("latin-1"), "UTF-8"),
    "no gzip": (b"\x1f\x8b and no more", "cannot be read"),
}
"""Content that is no table, with the reason."""
