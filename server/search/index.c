/*
 * index.c - a document for each published item, and its words in two lists: those of the title, and all.
 *
 *     newest change of an item --> document (title, text, marks) --> doc_add, title_word_add, text_word_add
 *     the document before      --> its words, made again of its text --> title_word_drop, text_word_drop, doc_drop
 *
 * The lists keep no text, so what is taken out of them has to be given in the same words: that is one reason why the text is kept. Another version
 * of words.c or fold.c is another version of the projection.
 *
 * A list of words that is written in another order than that of its numbers is written to disk each time the order breaks; so a batch is gathered and sorted first.
 *
 * FTS5 3.40 marks what is deleted and leaves it in older segments until they are merged. wipe() merges until there is one segment and nothing is left.
 */
#include "server/search/index.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/markup.h"
#include "server/library/field.h"
#include "server/library/item.h"
#include "server/library/row.h"
#include "server/search/marks.h"
#include "server/search/words.h"

enum {
    VERSION = 2,
    SLOT_BITS = 16, /* documents of a day */
    DAY = 86400,
    BEIJING = 8 * 3600,
    DAYS_1900 = 25567, /* from 1900-01-01 to 1970-01-01 */
    DAYS_MOST = 146097,
    TEXT_MOST = 4 << 20,
    LEVEL = 3,
    MERGE_PAGES = 400
};

struct entry {
    struct entry *next;
    int64_t stream, born, seq, date;
    struct id item;
    const char *title, *marks; /* NULL title: nothing is published any more */
    const char *text;
    size_t n;
};

struct op { /* on the lists of words */
    int64_t no;
    bool add;
    int place; /* of equal numbers the earlier first */
    const char *title, *text, *marks;
    size_t text_n;
};

static struct {
    struct entry *first, **last;
    int n;
} batch;

/* ---- numbers ---- */

int64_t doc_first_of_day(int64_t at)
{
    int64_t local = at + BEIJING, day = local / DAY - (local % DAY < 0) + DAYS_1900;

    day = day < 0 ? 0 : day > DAYS_MOST ? DAYS_MOST : day;
    return day << SLOT_BITS;
}

/* The next one of that day, or of the day before if 65,536 have been given. */
static enum rc next_no(struct work *w, int64_t date, int64_t *out)
{
    for (int64_t first = doc_first_of_day(date);; first -= (int64_t)1 << SLOT_BITS) {
        int64_t most = first + ((int64_t)1 << SLOT_BITS) - 1;
        struct rows q;
        enum rc rc = db_one(w, SQL_doc_last, &q, "ii", first, most);

        if (!rc)
            *out = rows_int(&q, 0) + 1;
        if ((rc = row_finish(&q, rc)) || *out <= most)
            return rc;
    }
}

/* ---- what a record says ---- */

static void add_line(struct buf *b, const char *s)
{
    if (!s || !*s)
        return;
    buf_adds(b, s);
    buf_addc(b, '\n');
}

static void add_value(struct buf *b, const struct field *f, const json_t *v)
{
    const char *s = json_string_value(v);

    if (s && f->type == FIELD_TEXT)
        markup_text(b, s, strlen(s));
    else
        add_line(b, s);
    for (size_t i = 0; i < json_array_size(v); i++)
        add_line(b, json_string_value(json_array_get(v, i)));
}

static bool is_searched(enum field_no i)
{
    if (i == FIELD_title || i == FIELD_body || i == FIELD_language || i == FIELD_sender ||
        i == FIELD_areas)
        return false;
    return fields[i].type == FIELD_LINE || fields[i].type == FIELD_TEXT ||
           fields[i].type == FIELD_LINES;
}

/* The body first, for that is what a snippet shows. */
static const char *text_of(struct arena *mem, const json_t *record, size_t *n)
{
    const json_t *files = json_object_get(record, "attachments");
    struct buf b = BUF_IN(mem);

    buf_adds(&b, "");
    add_value(&b, &fields[FIELD_body], json_object_get(record, "body"));
    for (int i = 0; i < FIELD_COUNT; i++)
        if (is_searched((enum field_no)i))
            add_value(&b, &fields[i], json_object_get(record, fields[i].name));
    for (size_t i = 0; i < json_array_size(files); i++)
        add_line(&b, jx_text(json_array_get(files, i), "name"));
    *n = b.n;
    return b.p ? b.p : "";
}

static void mark(struct buf *b, enum mark m, const char *s)
{
    if (!s)
        return;
    mark_text(b, m, s, strlen(s));
    buf_addc(b, ' ');
}

/* 一级\二级 is both, and the whole. */
static void mark_theme(struct buf *b, const char *s)
{
    size_t n = s ? strcspn(s, "\\/") : 0;

    mark(b, MARK_THEME, s);
    if (!s || !s[n])
        return;
    mark_text(b, MARK_THEME, s, n);
    buf_addc(b, ' ');
    mark(b, MARK_THEME, s + n + 1);
}

static void mark_areas(struct buf *b, const json_t *areas)
{
    for (size_t i = 0; i < json_array_size(areas); i++) {
        const char *code = json_string_value(json_array_get(areas, i));

        if (code && *code && strspn(code, "0123456789") == strlen(code))
            buf_printf(b, ":a:%.12s ", code);
    }
}

/* Of 生成日期, else of the date that lists go by. */
static void mark_year(struct buf *b, const json_t *record, int64_t date)
{
    const char *day = jx_text(record, "writtenDate");
    char text[CLOCK_TEXT];

    buf_printf(b, ":y:%.4s ", day ? day : clock_day(date, text));
}

static const char *marks_of(struct arena *mem, const struct derived_change *c)
{
    const json_t *record = c->record, *issuers = json_object_get(record, "issuers");
    const char *kind = jx_text(record, "kind");
    struct buf b = BUF_IN(mem);

    mark_place(&b, 's', c->stream, c->site);
    buf_addc(&b, ' ');
    mark_place(&b, 'c', c->stream, c->column);
    buf_printf(&b, " :k:%s ", kind && kind_parse(kind) >= 0 ? kind : "none");
    mark_year(&b, record, c->date);
    mark_theme(&b, jx_text(record, "theme"));
    mark_theme(&b, jx_text(record, "theme2"));
    mark(&b, MARK_VALIDITY, jx_text(record, "validity"));
    for (size_t i = 0; i < json_array_size(issuers); i++)
        mark(&b, MARK_ORGAN, json_string_value(json_array_get(issuers, i)));
    mark(&b, MARK_ORGAN, jx_text(record, "contentSource"));
    mark_areas(&b, json_object_get(record, "areas"));
    if ((kind && !strcmp(kind, "policy")) || jx_text(record, "indexNumber"))
        buf_adds(&b, ":x:1 ");
    return b.p;
}

/* ---- a batch ---- */

static void begin(struct work *w)
{
    (void)w;
    batch.first = NULL;
    batch.last = &batch.first;
    batch.n = 0;
}

/* A mirrored stream may say anything of anybody's item; the library takes it from the item's own alone (mirror_items.c). */
static enum rc speaks_for_item(struct work *w, const struct derived_change *c, bool *is)
{
    struct item it;
    enum rc rc = item_find(w, &c->item, &it);

    *is = rc || it.stream == c->stream;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc take(struct work *w, const struct derived_change *c, bool *shown)
{
    struct arena *mem = work_kept(w);
    struct entry *e;
    bool speaks;
    enum rc rc;

    if (!c->newest)
        return RC_OK;
    if ((rc = speaks_for_item(w, c, &speaks)))
        return rc;
    e = arena_zalloc(mem, sizeof *e);
    *e = (struct entry){
        .stream = c->stream, .born = c->born, .seq = c->seq, .date = c->date, .item = c->item
    };
    if (speaks && c->op == CHANGE_PUT && c->record) {
        const char *title = jx_text(c->record, "title");

        e->title = arena_strdup(mem, title ? title : "");
        e->text = text_of(mem, c->record, &e->n);
        e->marks = marks_of(mem, c);
    }
    *batch.last = e;
    batch.last = &e->next;
    batch.n++;
    *shown = true;
    return RC_OK;
}

const char *doc_text(struct arena *mem, const void *packed, size_t packed_n, size_t *n)
{
    unsigned long long size = packed ? ZSTD_getFrameContentSize(packed, packed_n) : 0;
    char *text;

    *n = 0;
    if (!packed || size > TEXT_MOST)
        return "";
    text = arena_alloc(mem, size + 1);
    if (ZSTD_decompress(text, size, packed, packed_n) != size)
        return "";
    text[size] = '\0';
    *n = size;
    return text;
}

static enum rc add_doc(struct work *w, const struct entry *e, struct op *op)
{
    size_t room = ZSTD_compressBound(e->n), n;
    void *packed = arena_alloc(w->mem, room);
    enum rc rc;

    if (ZSTD_isError(n = ZSTD_compress(packed, room, e->text, e->n, LEVEL)))
        return err_set(&w->err, RC_INTERNAL, "a text cannot be packed: %s",
                       ZSTD_getErrorName(n));
    *op = (struct op){
        .add = true, .title = e->title, .text = e->text, .text_n = e->n, .marks = e->marks
    };
    if ((rc = next_no(w, e->date, &op->no)))
        return rc;
    return db_run(w, SQL_doc_add, "iiiibttb", op->no, e->stream, e->born, e->seq, e->item.b,
                  sizeof e->item.b, e->marks, e->title, packed, n);
}

struct before {
    int64_t no; /* 0: there is none */
    const char *marks, *title, *text;
    size_t n;
};

static enum rc read_before(struct work *w, const struct entry *e, struct before *out)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_doc_of, &q, "ii", e->stream, e->born);

    *out = (struct before){ 0 };
    if (rc)
        return rc;
    if (rows_next(&q)) {
        size_t n;
        const void *packed = rows_blob(&q, 5, &n);

        *out = (struct before){ .no = rows_int(&q, 0),
                                .marks = rows_dup_text(w, &q, 3),
                                .title = rows_dup_text(w, &q, 4) };
        out->text = doc_text(w->mem, packed, n, &out->n);
    }
    return rows_done(&q);
}

static bool is_same(const struct before *b, const struct entry *e)
{
    return b->no && e->title && doc_first_of_day(e->date) >> SLOT_BITS == b->no >> SLOT_BITS &&
           !strcmp(b->marks, e->marks) && !strcmp(b->title, e->title) && b->n == e->n &&
           !memcmp(b->text, e->text, e->n);
}

static enum rc write_entry(struct work *w, const struct entry *e, struct op *ops, int *n)
{
    struct before b;
    enum rc rc;

    if ((rc = read_before(w, e, &b)))
        return rc;
    if (is_same(&b, e))
        return db_run(w, SQL_doc_moved, "ii", b.no, e->seq);
    if (b.no) {
        if ((rc = db_run(w, SQL_doc_drop, "i", b.no)))
            return rc;
        ops[*n] = (struct op){
            .no = b.no, .title = b.title, .text = b.text, .text_n = b.n, .marks = b.marks
        };
        ops[*n].place = *n;
        ++*n;
    }
    if (!e->title)
        return RC_OK;
    if ((rc = add_doc(w, e, &ops[*n])))
        return rc;
    ops[*n].place = *n;
    ++*n;
    return RC_OK;
}

static int by_no(const void *a, const void *b)
{
    const struct op *x = a, *y = b;

    return x->no != y->no ? (x->no < y->no ? -1 : 1) : x->place - y->place;
}

/* Deleting wants what adding was given, to the byte. */
static enum rc write_words(struct work *w, const struct op *op)
{
    struct folded title, text;
    struct buf in_title = BUF_IN(w->mem), in_text = BUF_IN(w->mem);
    enum rc rc;

    fold(w->mem, op->title, strlen(op->title), false, &title);
    fold(w->mem, op->text, op->text_n, false, &text);
    buf_adds(&in_title, op->marks);
    words_add(&in_title, title.p, title.n);
    buf_add(&in_text, in_title.p, in_title.n);
    words_add(&in_text, text.p, text.n);
    rc = db_run(w, op->add ? SQL_title_word_add : SQL_title_word_drop, "is", op->no, in_title.p,
                in_title.n);
    return rc ? rc
              : db_run(w, op->add ? SQL_text_word_add : SQL_text_word_drop, "is", op->no,
                       in_text.p, in_text.n);
}

static enum rc settle(struct work *w)
{
    struct op *ops = arena_alloc(w->mem, (size_t)(2 * batch.n + 1) * sizeof *ops);
    enum rc rc = RC_OK;
    int n = 0;

    for (const struct entry *e = batch.first; e && !rc; e = e->next)
        rc = write_entry(w, e, ops, &n);
    qsort(ops, (size_t)n, sizeof *ops, by_no);
    for (int i = 0; i < n && !rc; i++) {
        work_part(w);
        rc = write_words(w, &ops[i]);
        work_part_done(w);
    }
    batch.first = NULL;
    return rc;
}

/* ---- wiping ---- */

static enum rc written_so_far(struct work *w, int64_t *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_derived_written, &q, "");

    if (!rc)
        *out = rows_int(&q, 0);
    return row_finish(&q, rc);
}

static enum rc merge(struct work *w, enum sql sql, int pages, int64_t *written)
{
    int64_t before = 0, after = 0;
    enum rc rc;

    if ((rc = written_so_far(w, &before)) || (rc = db_run(w, sql, "i", (int64_t)pages)) ||
        (rc = written_so_far(w, &after)))
        return rc;
    *written = after - before;
    return RC_OK;
}

/* FTS5 says that nothing is left to merge by writing less than two rows. */
static enum rc wipe(struct work *w, bool first, bool *more)
{
    static const enum sql lists[] = { SQL_title_word_merge, SQL_text_word_merge };
    static size_t at;
    int64_t written;
    enum rc rc;

    if (first) {
        at = 0;
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            if ((rc = merge(w, lists[i], -MERGE_PAGES, &written)))
                return rc;
    } else if ((rc = merge(w, lists[at], MERGE_PAGES, &written))) {
        return rc;
    } else if (written < 2) {
        at++;
    }
    *more = at < sizeof lists / sizeof *lists;
    return RC_OK;
}

static const char *const tables[] = {
    "doc", "title_word_data", "title_word_idx", "text_word_data", "text_word_idx", NULL
};

const struct projection search_projection = { .name = "search",
                                              .version = VERSION,
                                              .take = take,
                                              .begin = begin,
                                              .settle = settle,
                                              .wipe = wipe,
                                              .tables = tables };
