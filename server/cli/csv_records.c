/*
 * csv_records.c - cell by cell: quoted ones may hold commas, line ends and doubled quotes.
 */
#include "server/cli/csv_records.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "server/base/buf.h"
#include "server/library/field.h"

struct table {
    struct err *e;
    FILE *in;
    struct arena *mem;
    const char *name[CSV_COLUMNS_MAX]; /* of each column */
    int columns, row;
    struct buf cell;
};

/* What columns are called besides the names and labels of field.def. */
static const struct {
    const char *label, *name;
} labels[] = { { "编号", "id" },   { "站点", "source" },      { "栏目", "column" },
               { "类别", "kind" }, { "发布时间", "pubDate" }, { "原文链接", "url" } };

static const char *member_of(const char *head)
{
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (!strcmp(labels[i].label, head))
            return labels[i].name;
    for (int i = 0; i < FIELD_COUNT; i++)
        if (!strcmp(fields[i].label, head))
            return fields[i].name;
    return head;
}

enum ended { END_CELL, END_ROW, END_FILE };

/* The next cell; a carriage return before a line's end is part of that. */
static enum rc read_cell(struct table *t, enum ended *how)
{
    bool quoted = false, first = true;
    int c;

    t->cell.n = 0;
    for (; (c = getc(t->in)) != EOF; first = false) {
        if (t->cell.n > CSV_CELL_MAX)
            return err_set(t->e, RC_TOO_LARGE, "第 %d 行有一格超过 1 MB", t->row);
        if (c == '"' && first) {
            quoted = true;
        } else if (c == '"' && quoted) {
            if ((c = getc(t->in)) == '"') {
                buf_addc(&t->cell, '"');
            } else {
                quoted = false;
                ungetc(c, t->in);
            }
        } else if (!quoted && (c == ',' || c == '\n')) {
            *how = c == ',' ? END_CELL : END_ROW;
            return RC_OK;
        } else if (quoted || c != '\r') {
            buf_addc(&t->cell, (char)c);
        }
    }
    *how = END_FILE;
    return quoted ? err_set(t->e, RC_INVALID, "第 %d 行的引号没有结束", t->row) : RC_OK;
}

static const char *cell_text(struct table *t)
{
    const char *p = t->cell.n ? t->cell.p : "";
    size_t n = t->cell.n;

    while (n && memchr(" \t", p[n - 1], 2))
        n--;
    while (n && memchr(" \t", *p, 2))
        p++, n--;
    return arena_strndup(t->mem, p, n);
}

static enum rc read_head(struct table *t, enum ended *how)
{
    static const char mark[] = "\xef\xbb\xbf";
    enum rc rc;

    t->row = 1;
    do {
        const char *head;

        if (t->columns == CSV_COLUMNS_MAX)
            return err_set(t->e, RC_TOO_LARGE, "超过 %d 列", CSV_COLUMNS_MAX);
        if ((rc = read_cell(t, how)))
            return rc;
        head = cell_text(t);
        if (!t->columns && !strncmp(head, mark, strlen(mark)))
            head += strlen(mark);
        t->name[t->columns++] = member_of(head);
    } while (*how == END_CELL);
    return RC_OK;
}

static json_t *list_of(const char *text)
{
    json_t *list = json_array();

    while (*text) {
        size_t n = 0, step = 1;

        while (text[n] && text[n] != ';' && strncmp(text + n, "；", strlen("；")))
            n++;
        if (text[n] && text[n] != ';')
            step = strlen("；");
        if (n)
            json_array_append_new(list, json_stringn(text, n));
        text += text[n] ? n + step : n;
    }
    return list;
}

static json_t *value_of(const char *name, const char *text)
{
    int field = field_find(name);

    if (field >= 0 && fields[field].type == FIELD_LINES)
        return list_of(text);
    if (field >= 0 && fields[field].type == FIELD_BOOL)
        return json_boolean(!strcmp(text, "是") || !strcmp(text, "true") || !strcmp(text, "1"));
    return json_string(text);
}

static enum rc read_row(struct table *t, json_t *record, enum ended *how)
{
    int column = 0;
    enum rc rc;

    t->row++;
    do {
        const char *text;
        json_t *value;

        if ((rc = read_cell(t, how)))
            return rc;
        text = cell_text(t);
        if (*text && column >= t->columns)
            return err_set(t->e, RC_INVALID, "第 %d 行比第一行多出一格", t->row);
        if (*text && *t->name[column]) {
            if (!(value = value_of(t->name[column], text)) ||
                json_object_set_new(record, t->name[column], value))
                return err_set(t->e, RC_INVALID, "第 %d 行不是 UTF-8：请另存为“CSV UTF-8”再来",
                               t->row);
        }
        column++;
    } while (*how == END_CELL);
    return RC_OK;
}

/* An empty row is an empty line: lines stay rows. */
static enum rc put_row(struct table *t, FILE *out, enum ended *how)
{
    json_t *record = json_object();
    enum rc rc = read_row(t, record, how);

    if (!rc && json_object_size(record))
        json_dumpf(record, out, JSON_COMPACT);
    if (!rc && (json_object_size(record) || *how != END_FILE))
        putc('\n', out);
    json_decref(record);
    if (!rc && ferror(out))
        rc = err_errno(t->e, "write the records");
    return rc;
}

enum rc csv_records(struct err *e, FILE *in, FILE *out)
{
    struct table t = { .e = e, .in = in, .mem = arena_new() };
    enum ended how;
    enum rc rc;

    t.cell = BUF_HEAP;
    rc = read_head(&t, &how);
    putc('\n', out);
    while (!rc && how != END_FILE) {
        struct arena *names = t.mem;

        t.mem = arena_new(); /* of a row */
        rc = put_row(&t, out, &how);
        arena_free(t.mem);
        t.mem = names;
    }
    buf_done(&t.cell);
    arena_free(t.mem);
    return rc;
}

static enum rc open_table(struct err *e, FILE *in, FILE **out)
{
    FILE *lines = tmpfile();
    enum rc rc = lines ? csv_records(e, in, lines) : err_errno(e, "make a temporary file");

    if (!rc && fflush(lines))
        rc = err_errno(e, "write the records");
    if (rc) {
        if (lines)
            fclose(lines);
        return rc;
    }
    rewind(lines);
    *out = lines;
    return RC_OK;
}

enum rc records_open(struct err *e, const char *path, FILE **out)
{
    size_t n = strlen(path);
    FILE *in = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    enum rc rc;

    if (!in)
        return err_errno(e, "open %s", path);
    if (n < 4 || strcasecmp(path + n - 4, ".csv")) {
        *out = in;
        return RC_OK;
    }
    rc = open_table(e, in, out);
    fclose(in);
    return rc;
}
