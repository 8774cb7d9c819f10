/*
 * cap.c - by expat, with a table of the elements that we read.
 *
 *     alert
 *       identifier sender sent status msgType scope note references
 *       info*  language event urgency severity certainty effective onset expires senderName headline description instruction web
 *         area*  areaDesc  geocode* value
 *
 * What an element holds is gathered until its end and then put where its row says. Whatever fails stops the parser: the first fault is the one that is told.
 */
#include "warning/cap.h"

#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/library/field.h"

static const char namespace_of_cap[] = "urn:oasis:names:tc:emergency:cap:1.2";
enum { SEPARATOR = '|', NAME_MAX_SHOWN = 40 };

/* ---- words ---- */

static const char *const statuses[] = { "",     "Actual", "Exercise", "System",
                                        "Test", "Draft",  NULL };
static const char *const types[] = { "", "Alert", "Update", "Cancel", "Ack", "Error", NULL };
static const char *const scopes[] = { "", "Public", "Restricted", "Private", NULL };
static const char *const urgencies[] = { "",     "Immediate", "Expected", "Future",
                                         "Past", "Unknown",   NULL };
static const char *const severities[] = { "",      "Extreme", "Severe", "Moderate",
                                          "Minor", "Unknown", NULL };
static const char *const certainties[] = { "",         "Observed", "Likely", "Possible",
                                           "Unlikely", "Unknown",  NULL };

static int word_of(const char *const *words, const char *word)
{
    for (int i = 1; words[i]; i++)
        if (!strcmp(words[i], word))
            return i;
    return 0;
}

const char *cap_status_word(enum cap_status status)
{
    return statuses[status];
}

const char *cap_type_word(enum cap_type type)
{
    return types[type];
}

int cap_status_parse(const char *word)
{
    return word_of(statuses, word);
}

int cap_type_parse(const char *word)
{
    return word_of(types, word);
}

/* ---- the table ---- */

enum inside { NOWHERE, ROOT, IN_ALERT, IN_INFO, IN_AREA, IN_GEOCODE, OTHER };

enum kind { OPENS, LINE, TEXT, TIME, WORD, CODE, REFERENCES };

/* Where a value goes: a member of the alert, of the info or of the area that is being read. */
struct row {
    enum inside at;
    const char *name;
    enum kind kind;
    enum inside opens; /* OPENS */
    size_t to;         /* offset of the member: a text, a time, or an int of a word */
    int most;          /* characters */
    const char *const
        *words; /* WORD; the number of the word goes to an int, unless `as_text` */
    bool as_text, must;
};

#define A(member) offsetof(struct cap, member)
#define I(member) offsetof(struct cap_info, member)
#define R(member) offsetof(struct cap_area, member)
/* clang-format off */
static const struct row rows[] = {
    { ROOT, "alert", OPENS, .opens = IN_ALERT },
    { IN_ALERT, "identifier", LINE, .to = A(identifier), .most = 64, .must = true },
    { IN_ALERT, "sender", LINE, .to = A(sender), .most = 64, .must = true },
    { IN_ALERT, "sent", TIME, .to = A(sent), .must = true },
    { IN_ALERT, "status", WORD, .to = A(status), .words = statuses, .must = true },
    { IN_ALERT, "msgType", WORD, .to = A(type), .words = types, .must = true },
    { IN_ALERT, "scope", WORD, .to = A(scope), .words = scopes, .must = true },
    { IN_ALERT, "note", TEXT, .to = A(note), .most = 2000 },
    { IN_ALERT, "references", REFERENCES, .to = A(references), .most = 8000 },
    { IN_ALERT, "info", OPENS, .opens = IN_INFO },
    { IN_INFO, "language", LINE, .to = I(language), .most = 35 },
    { IN_INFO, "event", LINE, .to = I(event), .most = 100, .must = true },
    { IN_INFO, "urgency", WORD, .to = I(urgency), .words = urgencies, .as_text = true, .must = true },
    { IN_INFO, "severity", WORD, .to = I(severity), .words = severities, .as_text = true, .must = true },
    { IN_INFO, "certainty", WORD, .to = I(certainty), .words = certainties, .as_text = true, .must = true },
    { IN_INFO, "effective", TIME, .to = I(effective) },
    { IN_INFO, "onset", TIME, .to = I(onset) },
    { IN_INFO, "expires", TIME, .to = I(expires) },
    { IN_INFO, "senderName", LINE, .to = I(sender_name), .most = 100 },
    { IN_INFO, "headline", LINE, .to = I(headline), .most = 200 },
    { IN_INFO, "description", TEXT, .to = I(description), .most = 20000 },
    { IN_INFO, "instruction", TEXT, .to = I(instruction), .most = 20000 },
    { IN_INFO, "web", LINE, .to = I(web), .most = 2000 },
    { IN_INFO, "area", OPENS, .opens = IN_AREA },
    { IN_AREA, "areaDesc", TEXT, .to = R(desc), .most = 2000, .must = true },
    { IN_AREA, "geocode", OPENS, .opens = IN_GEOCODE },
    { IN_GEOCODE, "value", CODE, .most = 64 },
};
/* clang-format on */
#undef A
#undef I
#undef R

enum { ROWS = sizeof rows / sizeof *rows };

static const char *const places[] = {
    [IN_ALERT] = "alert", [IN_INFO] = "info", [IN_AREA] = "area", [IN_GEOCODE] = "geocode"
};

/* ---- reading ---- */

struct reading {
    struct err *e;
    struct arena *mem;
    XML_Parser parser;
    enum rc rc;
    enum inside stack[CAP_DEPTH + 1];
    const struct row *open[CAP_DEPTH + 1]; /* whose text is being gathered; NULL: nobody's */
    int depth, elements;
    struct buf text;
    uint32_t
        seen[OTHER]; /* rows that were there, by place; bits of the row's number within it */
    struct cap cap;
    struct cap_info info;
    struct cap_area area;
    struct buf infos, areas, codes, references;
};

static void stop(struct reading *r, enum rc rc)
{
    if (!r->rc)
        r->rc = rc;
    XML_StopParser(r->parser, XML_FALSE);
}

/* A row's bit among those of its place. */
static uint32_t bit_of(const struct row *row)
{
    int n = 0;

    for (const struct row *other = rows; other < row; other++)
        n += other->at == row->at;
    return 1U << n;
}

static const struct row *find(enum inside at, const char *name)
{
    size_t n = strlen(namespace_of_cap);

    if (strncmp(name, namespace_of_cap, n) || name[n] != SEPARATOR)
        return NULL;
    for (int i = 0; i < ROWS; i++)
        if (rows[i].at == at && !strcmp(rows[i].name, name + n + 1))
            return &rows[i];
    return NULL;
}

static const char *pointer(struct reading *r, const struct row *row)
{
    return row->at == ROOT ? "/alert"
                           : arena_printf(r->mem, "/%s/%s", places[row->at], row->name);
}

/* What CAP asks for of the place that ends now. */
static void check_whole(struct reading *r, enum inside at)
{
    for (int i = 0; i < ROWS; i++)
        if (rows[i].at == at && rows[i].must && !(r->seen[at] & bit_of(&rows[i]))) {
            stop(r, err_field(r->e, pointer(r, &rows[i]), "%s 里缺少 %s", places[at],
                              rows[i].name));
            return;
        }
}

static bool has_room(struct reading *r, const struct buf *list, size_t size, int most,
                     const char *what)
{
    if (list->n / size < (size_t)most)
        return true;
    stop(r, err_field(r->e, "/alert", "%s 超过了 %d 个", what, most));
    return false;
}

/* ---- a place opens, and ends ---- */

static void open_place(struct reading *r, const struct row *row)
{
    r->seen[row->opens] = 0;
    if (row->opens == IN_INFO) {
        r->info = (struct cap_info){ .language = "zh-CN" };
        r->areas = BUF_IN(r->mem);
    } else if (row->opens == IN_AREA) {
        r->area = (struct cap_area){ 0 };
        r->codes = BUF_IN(r->mem);
    }
}

static void end_place(struct reading *r, enum inside at)
{
    check_whole(r, at);
    if (at == IN_AREA && has_room(r, &r->areas, sizeof r->area, CAP_AREAS, "area")) {
        r->area.codes = (const char *const *)(const void *)r->codes.p;
        r->area.ncodes = (int)(r->codes.n / sizeof *r->area.codes);
        buf_add(&r->areas, &r->area, sizeof r->area);
    } else if (at == IN_INFO && has_room(r, &r->infos, sizeof r->info, CAP_INFOS, "info")) {
        r->info.areas = (const struct cap_area *)(const void *)r->areas.p;
        r->info.nareas = (int)(r->areas.n / sizeof *r->info.areas);
        buf_add(&r->infos, &r->info, sizeof r->info);
    }
}

/* ---- values ---- */

static void *member(struct reading *r, const struct row *row)
{
    void *all = row->at == IN_ALERT  ? (void *)&r->cap
                : row->at == IN_INFO ? (void *)&r->info
                                     : (void *)&r->area;

    return (char *)all + row->to;
}

/* Blanks around a value are the document's layout. */
static char *trimmed(struct reading *r, size_t *n)
{
    const char *p = r->text.p ? r->text.p : "";
    size_t len = r->text.n;

    while (len && strchr(" \t\r\n", p[len - 1]))
        len--;
    while (len && strchr(" \t\r\n", *p)) {
        p++;
        len--;
    }
    *n = len;
    return arena_strndup(r->mem, p, len);
}

/* Seconds, in a zone that is said: a warning's time is nobody's guess. */
static bool read_time(const char *s, int64_t *out)
{
    size_t n = strlen(s);

    return n >= sizeof "2026-11-21T10:00:00Z" - 1 && s[10] == 'T' &&
           (s[n - 1] == 'Z' ||
            (n == sizeof "2026-11-21T10:00:00+08:00" - 1 && (s[19] == '+' || s[19] == '-'))) &&
           !clock_parse(s, n, out);
}

/* "sender,identifier,sent", with blanks between them. */
static enum rc read_references(struct reading *r, const char *s)
{
    while (*(s += strspn(s, " \t\r\n"))) {
        size_t n = strcspn(s, " \t\r\n");
        char *one = arena_strndup(r->mem, s, n), *comma = strchr(one, ','),
             *second = comma ? strchr(comma + 1, ',') : NULL;
        struct cap_reference ref = { .sender = one };

        if (!second)
            return err_field(r->e, "/alert/references",
                             "references 的每一条应为 sender,identifier,sent");
        *comma = *second = '\0';
        ref.identifier = comma + 1;
        if (!read_time(second + 1, &ref.sent))
            return err_field(r->e, "/alert/references",
                             "references 里的时间应如 2026-11-21T10:00:00+08:00");
        if (!has_room(r, &r->references, sizeof ref, CAP_REFERENCES, "references"))
            return r->rc;
        buf_add(&r->references, &ref, sizeof ref);
        s += n;
    }
    return RC_OK;
}

static enum rc put_word(struct reading *r, const struct row *row, const char *value)
{
    int word = word_of(row->words, value);

    if (!word)
        return err_field(r->e, pointer(r, row), "%s 没有这个取值：“%.40s”", row->name, value);
    if (row->as_text)
        *(const char **)member(r, row) = row->words[word];
    else
        *(int *)member(r, row) = word;
    return RC_OK;
}

static enum rc check_text(struct reading *r, const struct row *row, const char *value, size_t n)
{
    bool line = row->kind != TEXT;

    if (line ? field_check_line(r->e, row->name, value, n, row->must, row->most)
             : field_check_text(r->e, row->name, value, n, row->must, row->most))
        return err_field(r->e, pointer(r, row), "%s 应是%s %d 个字以内的文字，没有控制字符",
                         row->name, row->must ? "不空的" : "", row->most);
    return RC_OK;
}

static enum rc put(struct reading *r, const struct row *row)
{
    size_t n;
    const char *value = trimmed(r, &n);
    enum rc rc;

    if (row->kind == TIME)
        return read_time(value, member(r, row))
                   ? RC_OK
                   : err_field(r->e, pointer(r, row),
                               "%s 应是带时区的时间，如 2026-11-21T10:00:00+08:00", row->name);
    if (row->kind == WORD)
        return put_word(r, row, value);
    if (row->kind == REFERENCES)
        return n > (size_t)row->most ? err_field(r->e, pointer(r, row), "references 太长")
                                     : read_references(r, value);
    if ((rc = check_text(r, row, value, n)))
        return rc;
    if (row->kind != CODE) {
        *(const char **)member(r, row) = n ? value : NULL;
        return RC_OK;
    }
    if (has_room(r, &r->codes, sizeof value, CAP_CODES, "geocode"))
        buf_add(&r->codes, &value, sizeof value);
    return r->rc;
}

/* ---- expat ---- */

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct reading *r = arg;
    const struct row *row;

    (void)attributes;
    if (r->rc)
        return;
    if (++r->elements > CAP_ELEMENTS || r->depth + 1 > CAP_DEPTH) {
        stop(r, err_set(r->e, RC_TOO_LARGE, "XML 的元素太多或层次太深：最多 %d 个、%d 层",
                        CAP_ELEMENTS, CAP_DEPTH));
        return;
    }
    if (r->open[r->depth]) {
        stop(r, err_field(r->e, pointer(r, r->open[r->depth]), "%s 里面不能再有元素",
                          r->open[r->depth]->name));
        return;
    }
    row = find(r->stack[r->depth], name);
    if (!r->depth && !row) {
        stop(r, err_field(r->e, "/alert", "根元素应是 CAP 1.2 的 alert（命名空间 %s）",
                          namespace_of_cap));
        return;
    }
    r->depth++;
    r->stack[r->depth] = row && row->kind == OPENS ? row->opens : OTHER;
    r->open[r->depth] = row && row->kind != OPENS ? row : NULL;
    r->text.n = 0;
    if (!row)
        return;
    if (row->kind == OPENS)
        open_place(r, row);
    else if (r->seen[row->at] & bit_of(row))
        stop(r, err_field(r->e, pointer(r, row), "%s 出现了不止一次", row->name));
    r->seen[row->at] |= bit_of(row);
}

static void on_end(void *arg, const char *name)
{
    struct reading *r = arg;
    enum inside at = r->stack[r->depth];
    const struct row *row = r->open[r->depth];
    enum rc rc;

    (void)name;
    if (r->rc)
        return;
    r->depth--;
    if (row && (rc = put(r, row)))
        stop(r, rc);
    else if (!row && at < OTHER)
        end_place(r, at);
}

static void on_text(void *arg, const char *s, int n)
{
    struct reading *r = arg;

    if (!r->rc && r->open[r->depth])
        buf_add(&r->text, s, (size_t)n);
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public,
                       int has)
{
    struct reading *r = arg;

    (void)name;
    (void)system;
    (void)public;
    (void)has;
    stop(r, err_field(r->e, "/alert", "XML 里不能有 DOCTYPE，也不能有实体"));
}

static void on_declaration(void *arg, const char *version, const char *encoding, int alone)
{
    struct reading *r = arg;

    (void)version;
    (void)alone;
    if (encoding && strcasecmp(encoding, "utf-8"))
        stop(r, err_field(r->e, "/alert", "XML 的编码应是 UTF-8"));
}

static enum rc parse(struct reading *r, const char *text, size_t n)
{
    XML_Parser p = r->parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
    enum XML_Status status;

    XML_SetUserData(p, r);
    XML_SetElementHandler(p, on_start, on_end);
    XML_SetCharacterDataHandler(p, on_text);
    XML_SetStartDoctypeDeclHandler(p, on_doctype);
    XML_SetXmlDeclHandler(p, on_declaration);
    XML_SetParamEntityParsing(p, XML_PARAM_ENTITY_PARSING_NEVER);
    status = XML_Parse(p, text, (int)n, XML_TRUE);
    if (!r->rc && status != XML_STATUS_OK)
        r->rc = err_field(r->e, "/alert", "不是格式良好的 XML：第 %lu 行，%s",
                          (unsigned long)XML_GetCurrentLineNumber(p),
                          XML_ErrorString(XML_GetErrorCode(p)));
    XML_ParserFree(p);
    return r->rc;
}

enum rc cap_read(struct err *e, struct arena *mem, const char *text, size_t n, struct cap *out)
{
    struct reading r = { .e = e,
                         .mem = mem,
                         .stack = { ROOT },
                         .text = BUF_IN(mem),
                         .infos = BUF_IN(mem),
                         .references = BUF_IN(mem) };
    enum rc rc;

    if (n > CAP_MAX)
        return err_set(e, RC_TOO_LARGE, "预警信息最多 %d 字节", CAP_MAX);
    if (!n)
        return err_field(e, "/alert", "没有内容：应是一份 CAP 1.2 的 XML");
    if ((rc = parse(&r, text, n)))
        return rc;
    r.cap.infos = (const struct cap_info *)(const void *)r.infos.p;
    r.cap.ninfos = (int)(r.infos.n / sizeof *r.cap.infos);
    r.cap.references = (const struct cap_reference *)(const void *)r.references.p;
    r.cap.nreferences = (int)(r.references.n / sizeof *r.cap.references);
    *out = r.cap;
    return RC_OK;
}

const struct cap_info *cap_info_shown(const struct cap *c)
{
    for (int i = 0; i < c->ninfos; i++)
        if (!strncasecmp(c->infos[i].language, "zh", 2))
            return &c->infos[i];
    return c->ninfos ? &c->infos[0] : NULL;
}
