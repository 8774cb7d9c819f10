#!/usr/bin/env python3
"""
gen_sql.py - makes the table of statements from server/store/sql/*.sql.

    gen_sql.py OUT.h OUT.c FILE.sql...

A file holds statements, each after a line that names it:

    -- Whatever else a comment says stays here.
    -- name: site_by_code
    SELECT no, name FROM site WHERE code = ?1;

    -- name: site_all
    -- scan: a handful of rows
    SELECT no, name FROM site ORDER BY no;

* A name is lower-case letters, digits and '_', and unique over all files: it becomes SQL_site_by_code.
* One statement a name, ended by one ';' at the end of a line.
* Parameters are ?1 ?2 ... without a gap; a '?' without a number is an error. PostgreSQL gets $1 $2 ...
* `-- schema: derived`, before the first name, says that the file's statements are for DATA/derived.db (docs/derived.md): SQLite alone,
  so they are written for it. All others are for the library.
* `-- scan: reason` allows the statement to read a whole table; tests/sql refuses it otherwise.
* Comments start with '--'; other comments are an error, and so is text outside of a statement.

Every error names file and line.
"""
import os
import re
import sys

NAME = re.compile(r"[a-z][a-z0-9_]*$")
SCHEMAS = ["library", "derived"]
# A literal or quoted name, a comment, a parameter, or any other character.
TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--.*|/\*|\?(\d*)|.", re.S)


class Statement:
    def __init__(self, name, where, schema):
        self.name, self.where, self.schema = name, where, schema
        self.scan = None
        self.text = self.pg = ""
        self.params = set()
        self.ended = False

    def add(self, line, where):
        """Takes one line of SQL: white space at its ends goes, and so do comments."""
        text, pg = "", ""
        for token in TOKEN.finditer(line.strip()):
            t = token.group(0)
            if t.startswith("--"):
                break
            if not t.isspace() and self.ended:
                die(where, "text behind the ';' of %s" % self.name)
            if t == "/*":
                die(where, "write comments with '--'")
            if t in "'\"":
                die(where, "a literal must end on its line")
            if t == ";":
                self.ended = True
                continue
            if t.startswith("?"):
                if not token.group(1):
                    die(where, "a '?' without a number: write ?1, ?2, ...")
                self.params.add(int(token.group(1)))
                pg += "$" + token.group(1)
            else:
                pg += t
            text += t
        if text.strip():
            self.text = (self.text + " " + text.strip()).strip()
            self.pg = (self.pg + " " + pg.strip()).strip()

    def finish(self):
        if not self.text:
            die(self.where, "%s has no text" % self.name)
        if not self.ended:
            die(self.where, "%s does not end with ';'" % self.name)
        if self.params != set(range(1, len(self.params) + 1)):
            die(self.where, "the parameters of %s are not ?1, ?2, ... without a gap" % self.name)


def die(where, what):
    sys.exit("%s:%d: %s" % (where[0], where[1], what))


def read(path, names, statements):
    current, schema = None, "library"
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            where = (path, number)
            mark = re.match(r"--\s*(schema|name|scan):\s*(.*?)\s*$", line)
            if mark and mark.group(1) == "schema":
                schema = mark.group(2)
                if current or schema not in SCHEMAS:
                    die(where, "'-- schema: %s' stands before the first name" % "|".join(SCHEMAS))
            elif mark and mark.group(1) == "name":
                if current:
                    current.finish()
                name = mark.group(2)
                if not NAME.match(name):
                    die(where, "'%s' is no name for a statement" % name)
                if name in names:
                    die(where, "%s stands already at %s:%d" % ((name,) + names[name]))
                names[name] = where
                current = Statement(name, where, schema)
                statements.append(current)
            elif mark:
                if not current or current.text:
                    die(where, "'-- scan:' stands between '-- name:' and the statement")
                if not mark.group(2):
                    die(where, "'-- scan:' wants a reason")
                current.scan = mark.group(2)
            elif current:
                current.add(line, where)
            elif line.strip() and not line.startswith("--"):
                die(where, "a statement without '-- name:' before it")
    if current:
        current.finish()


def quote(text):
    if text is None:
        return "NULL"
    out = ""
    for b in text.encode("utf-8"):
        c = chr(b)
        out += "\\" + c if c in '"\\?' else c if 32 <= b < 127 else "\\%03o" % b
    return '"%s"' % out


def main(header, source, paths):
    names, statements = {}, []
    for path in sorted(paths, key=os.path.basename):
        read(path, names, statements)

    with open(header, "w", encoding="ascii") as out:
        out.write("/* Made by server/store/gen_sql.py. */\n#ifndef STORE_SQL_GEN_H\n#define STORE_SQL_GEN_H\n\n")
        out.write("enum sql {\n%s    SQL_COUNT\n};\n\n" % "".join("    SQL_%s,\n" % s.name for s in statements))
        out.write("enum db_schema { %s };\n\n" % ", ".join("DB_" + s.upper() for s in SCHEMAS))
        out.write("struct sql_statement {\n    const char *name, *text, *pg_text, *scan_reason;\n    int params;\n    enum db_schema schema;\n};\n")
        out.write("extern const struct sql_statement sql_statements[];\n\n#endif\n")
    with open(source, "w", encoding="ascii") as out:
        out.write('/* Made by server/store/gen_sql.py. */\n#include "sql_gen.h"\n\n#include <stddef.h>\n\n')
        out.write("const struct sql_statement sql_statements[] = {\n")
        for s in statements:
            out.write("    { %s,\n      %s,\n      %s,\n      %s, %d, DB_%s },\n"
                      % (quote(s.name), quote(s.text), quote(s.pg), quote(s.scan), len(s.params), s.schema.upper()))
        out.write("    { 0 },\n};\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: gen_sql.py OUT.h OUT.c FILE.sql...")
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
