#!/usr/bin/env python3
"""
embed.py - puts files into the program as C arrays.

    embed.py OUT.h OUT.c TABLE FILE...

Each FILE becomes a symbol named after its base name, other characters than letters and digits as '_' (page.css: page_css):

    extern const char embed_page_css[];      the bytes, and one NUL behind them that is not counted
    extern const size_t embed_page_css_n;    their number

and all of them stand, sorted by base name and ended by a row of zeros, in

    extern const struct embed embed_TABLE[]; { name, bytes, n } (server/embed.h); its size is declared

Two files whose names give the same symbol are an error. In meson.build:

    pages = custom_target('pages', input: files('a.css', 'b.js'), output: ['pages_gen.h', 'pages_gen.c'],
      command: [python, embed_py, '@OUTPUT0@', '@OUTPUT1@', 'pages', '@INPUT@'])
    server_src += pages
    server_gen += pages[0]

and in C: #include "server/FOLDER/pages_gen.h".
"""
import os
import re
import sys

COLUMNS = 100  # bytes a line of the array


def literal(data):
    """The bytes as lines of C string literals. Octal escapes of three digits cannot swallow what follows."""
    def byte(b):
        char = chr(b)
        if char in '"\\?':  # '?' because of trigraphs
            return "\\" + char
        return char if 32 <= b < 127 else "\\%03o" % b

    lines = ["".join(map(byte, data[i:i + COLUMNS])) for i in range(0, len(data), COLUMNS)]
    return "\n".join('    "%s"' % line for line in lines or [""])


def main(header, source, table, paths):
    symbols = {}
    for path in sorted(paths, key=os.path.basename):
        symbol = re.sub(r"[^A-Za-z0-9]", "_", os.path.basename(path))
        if symbol in symbols:
            sys.exit("%s: has the same symbol embed_%s as %s" % (path, symbol, symbols[symbol]))
        symbols[symbol] = path

    guard = "EMBED_%s_H" % table.upper()
    with open(header, "w", encoding="ascii") as out:
        out.write("/* Made by server/embed.py. */\n#ifndef %s\n#define %s\n\n" % (guard, guard))
        out.write('#include "server/embed.h"\n\n')
        for symbol in symbols:
            out.write("extern const char embed_%s[];\nextern const size_t embed_%s_n;\n" % (symbol, symbol))
        out.write("extern const struct embed embed_%s[%d];\n\n#endif\n" % (table, len(symbols) + 1))

    rows = []
    with open(source, "w", encoding="ascii") as out:
        # The header stands beside this file.
        out.write('/* Made by server/embed.py. */\n#include "%s"\n\n' % os.path.basename(header))
        for symbol, path in symbols.items():
            with open(path, "rb") as file:
                data = file.read()
            out.write("const char embed_%s[] =\n%s;\n" % (symbol, literal(data)))
            out.write("const size_t embed_%s_n = %d;\n\n" % (symbol, len(data)))
            rows.append('    { "%s", embed_%s, %d },\n' % (os.path.basename(path), symbol, len(data)))
        out.write("const struct embed embed_%s[%d] = {\n%s    { 0 },\n};\n" % (table, len(rows) + 1, "".join(rows)))


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit("usage: embed.py OUT.h OUT.c TABLE FILE...")
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
