/*
 * content.c - one gate for text: each member by the rule of its row in field.def.
 *
 * A value is kept as its canonical JSON text, so that a record is put together by copying
 * (record.c), and equal content has equal bytes and one hash:
 *
 *     hash = SHA-256( canonical object of the editable fields and the kind )
 */
#include "server/library/content.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/library/question.h"
#include "sync/addressed.h"

enum {
    BODY_MAX = 200 * 1024,
    LINE_IN_LIST_MAX = 200,
    LINK_MAX = 2000,
    FILE_SIZE_MAX = 1 << 30
};

struct reading {
    struct err *e;
    struct arena *mem;
    struct content *c;
    struct buf text;                           /* all values, one after the other */
    size_t from[FIELD_COUNT], to[FIELD_COUNT]; /* places in `text` */
};

static enum rc wrong_type(struct err *e, const char *name, const char *want)
{
    return err_field(e, name, "%s should be %s", name, want);
}

static enum rc need_text(struct err *e, const char *name, const json_t *v)
{
    return json_is_string(v) ? RC_OK : wrong_type(e, name, "a string");
}

static void put_text(struct reading *r, const json_t *v)
{
    jx_quote(&r->text, json_string_value(v), json_string_length(v));
}

static enum rc read_line(struct reading *r, const struct field *f, const json_t *v)
{
    enum rc rc = need_text(r->e, f->name, v);

    if (rc || (rc = field_check_line(r->e, f->name, json_string_value(v), json_string_length(v),
                                     f->min, f->max)))
        return rc;
    put_text(r, v);
    return RC_OK;
}

static enum rc read_text(struct reading *r, const struct field *f, const json_t *v)
{
    enum rc rc = need_text(r->e, f->name, v);

    if (rc)
        return rc;
    if (json_string_length(v) > BODY_MAX)
        return err_set(r->e, RC_TOO_LARGE, "%s is longer than %d bytes", f->name, BODY_MAX);
    if ((rc = field_check_text(r->e, f->name, json_string_value(v), json_string_length(v),
                               f->min, f->max)))
        return rc;
    put_text(r, v);
    return RC_OK;
}

static enum rc read_day(struct reading *r, const struct field *f, const json_t *v)
{
    enum { SHOWN = 40 }; /* more than any date has; the sentence repeats what was sent */
    const char *day = json_string_value(v);
    int64_t at;
    enum rc rc = need_text(r->e, f->name, v);

    if (rc || (rc = field_check_line(r->e, f->name, day, json_string_length(v), 0, SHOWN)))
        return rc;
    if (clock_parse(day, json_string_length(v), &at))
        return err_field(r->e, f->name, "%s: \"%s\" is no date; write it like 2026-11-21",
                         f->name, day);
    if (f == &fields[FIELD_sourceDate]) {
        r->c->dated = true;
        r->c->source_date = at;
    } else if (f == &fields[FIELD_expires]) {
        r->c->expires = at;
    }
    put_text(r, v);
    return RC_OK;
}

static enum rc read_lines(struct reading *r, const struct field *f, const json_t *v)
{
    size_t i;
    const json_t *line;
    enum rc rc;

    if (!json_is_array(v))
        return wrong_type(r->e, f->name, "an array of strings");
    if (json_array_size(v) > (size_t)f->max)
        return err_field(r->e, f->name, "%s has more than %d elements", f->name, (int)f->max);
    buf_addc(&r->text, '[');
    for (i = 0; i < json_array_size(v); i++) {
        line = json_array_get(v, i);
        if ((rc = need_text(r->e, f->name, line)) ||
            (rc = field_check_line(r->e, f->name, json_string_value(line),
                                   json_string_length(line), 1, LINE_IN_LIST_MAX)))
            return rc;
        if (i)
            buf_addc(&r->text, ',');
        put_text(r, line);
    }
    buf_addc(&r->text, ']');
    return RC_OK;
}

static enum rc read_choice(struct reading *r, const struct field *f, const json_t *v)
{
    enum rc rc = need_text(r->e, f->name, v);

    if (rc)
        return rc;
    for (const char *const *choice = f->choices; *choice; choice++)
        if (!strcmp(*choice, json_string_value(v))) {
            put_text(r, v);
            return RC_OK;
        }
    return err_field(r->e, f->name, "%s is not one of those there are", f->name);
}

static enum rc read_hash(struct reading *r, const struct field *f, const json_t *v)
{
    uint8_t hash[HASH_BYTES];

    if (!json_is_string(v) ||
        !hex_parse(json_string_value(v), json_string_length(v), hash, sizeof hash))
        return wrong_type(r->e, f->name, "a SHA-256 in 64 lower-case hex digits");
    put_text(r, v);
    return RC_OK;
}

/* Only what a browser can open, and nothing that could end an attribute or a header. */
static enum rc read_url(struct reading *r, const struct field *f, const json_t *v)
{
    const char *s = json_string_value(v);
    enum rc rc = need_text(r->e, f->name, v);

    if (rc || (rc = field_check_line(r->e, f->name, s, json_string_length(v), 1, f->max)))
        return rc;
    if ((strncmp(s, "http://", 7) && strncmp(s, "https://", 8)) || strpbrk(s, " \"'<>\\^`{|}"))
        return err_field(r->e, f->name, "%s is not an http or https URL", f->name);
    put_text(r, v);
    return RC_OK;
}

static enum rc read_bool(struct reading *r, const struct field *f, const json_t *v)
{
    if (!json_is_boolean(v))
        return wrong_type(r->e, f->name, "true or false");
    buf_adds(&r->text, json_is_true(v) ? "true" : "false");
    return RC_OK;
}

/* An item here by its id, or a page anywhere. Whether the item is there is not asked: an
 * explanation may come before what it explains. */
static enum rc read_link(struct reading *r, const struct field *f, const json_t *v)
{
    struct field one = { .name = f->name, .max = LINK_MAX };
    struct id id;

    if (json_is_string(v) && id_parse(json_string_value(v), json_string_length(v), &id)) {
        put_text(r, v);
        return RC_OK;
    }
    if (!json_is_string(v) || !strchr(json_string_value(v), ':'))
        return wrong_type(r->e, f->name, "an array of items' ids and URLs");
    return read_url(r, &one, v);
}

static enum rc read_links(struct reading *r, const struct field *f, const json_t *v)
{
    enum rc rc;

    if (!json_is_array(v))
        return wrong_type(r->e, f->name, "an array of items' ids and URLs");
    if (json_array_size(v) > (size_t)f->max)
        return err_field(r->e, f->name, "%s has more than %d elements", f->name, (int)f->max);
    buf_addc(&r->text, '[');
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (i)
            buf_addc(&r->text, ',');
        if ((rc = read_link(r, f, json_array_get(v, i))))
            return rc;
    }
    buf_addc(&r->text, ']');
    return RC_OK;
}

static const struct jx_field file_members[] = {
    { "hash", JX_TEXT, true, 64, 64 },
    { "name", JX_TEXT, true, 1, 200 },
    { "size", JX_INT, true, 0, FILE_SIZE_MAX },
    { "type", JX_TEXT, true, 3, 100 },
    {},
};

/* A name is what a citizen's computer will call the file: no path, nothing hidden. */
static enum rc read_file(struct reading *r, const json_t *v, struct content_file *out)
{
    const char *hash, *type;
    enum rc rc;

    if (!json_is_object(v))
        return wrong_type(r->e, "attachments", "an array of objects");
    if ((rc = jx_check(r->e, v, file_members, "attachments")))
        return rc;
    hash = jx_text(v, "hash");
    *out = (struct content_file){ .name = jx_text(v, "name"), .size = jx_int(v, "size", 0) };
    out->type = type = jx_text(v, "type");
    if (!hex_parse(hash, strlen(hash), out->hash, sizeof out->hash))
        return wrong_type(r->e, "attachments/hash", "a SHA-256 in 64 lower-case hex digits");
    if (strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789/+.-") != strlen(type) ||
        !strchr(type, '/'))
        return wrong_type(r->e, "attachments/type", "a media type");
    if (strpbrk(out->name, "/\\") || out->name[0] == '.')
        return err_field(r->e, "attachments/name", "an attachment's name has no path");
    return field_check_line(r->e, "attachments/name", out->name, strlen(out->name), 1, 200);
}

static enum rc read_files(struct reading *r, const struct field *f, const json_t *v)
{
    struct content_file *files;
    size_t n = json_array_size(v);
    enum rc rc;

    if (!json_is_array(v))
        return wrong_type(r->e, f->name, "an array of objects");
    if (n > (size_t)f->max)
        return err_field(r->e, f->name, "%s has more than %d elements", f->name, (int)f->max);
    files = arena_alloc(r->mem, (n ? n : 1) * sizeof *files);
    for (size_t i = 0; i < n; i++)
        if ((rc = read_file(r, json_array_get(v, i), &files[i])))
            return rc;
    jx_canonical(&r->text, v);
    r->c->files = files;
    r->c->files_n = (int)n;
    return RC_OK;
}

static enum rc read_questions(struct reading *r, const struct field *f, const json_t *v)
{
    struct question *questions;
    enum rc rc;
    int n;

    if ((rc = questions_read(r->e, r->mem, v, f->name, &questions, &n)))
        return rc;
    jx_canonical(&r->text, v);
    return RC_OK;
}

static bool nobody(void *unused, const char *word)
{
    (void)unused, (void)word;
    return false;
}

static enum rc read_addressed(struct reading *r, const struct field *f, const json_t *v)
{
    size_t from = r->text.n;

    if (!json_is_object(v) || !jx_is_canonical(v))
        return wrong_type(r->e, f->name, "an object");
    jx_canonical(&r->text, v);
    if (addressed_tell(r->text.p + from, r->text.n - from, nobody, NULL) ==
        ADDRESSED_UNREADABLE)
        return err_field(r->e, f->name,
                         "对象写成 all、column、org、area、tag 与 and、or、not 的组合，如 "
                         "{\"and\":[{\"area\":\"120101\"},{\"tag\":\"养老\"}]}");
    return RC_OK;
}

static enum rc (*const readers[])(struct reading *, const struct field *, const json_t *) = {
    [FIELD_LINE] = read_line,
    [FIELD_TEXT] = read_text,
    [FIELD_DAY] = read_day,
    [FIELD_LINES] = read_lines,
    [FIELD_CHOICE] = read_choice,
    [FIELD_HASH] = read_hash,
    [FIELD_URL] = read_url,
    [FIELD_FILES] = read_files,
    [FIELD_BOOL] = read_bool,
    [FIELD_LINKS] = read_links,
    [FIELD_QUESTIONS] = read_questions,
    [FIELD_ADDRESSED] = read_addressed,
};

/* A name that ends in '*' stands for all that begin so. */
static bool is_in(const char *const *names, const char *name)
{
    for (; names && *names; names++) {
        size_t n = strlen(*names);

        if ((*names)[n - 1] == '*' ? !strncmp(*names, name, n - 1) : !strcmp(*names, name))
            return true;
    }
    return false;
}

static enum rc read_member(struct reading *r, const char *name, const json_t *v,
                           const char *const *also)
{
    int no = field_find(name);
    enum rc rc;

    if (is_in(also, name) || (no >= 0 && fields[no].type == FIELD_SYSTEM))
        return RC_OK;
    if (no < 0)
        return err_field(r->e, name, "there is no field \"%.80s\"", name);
    if (!(fields[no].kinds & 1U << r->c->kind))
        return err_field(r->e, name, "a %s has no field \"%s\"", kind_name(r->c->kind), name);
    r->from[no] = r->text.n;
    if ((rc = readers[fields[no].type](r, &fields[no], v)))
        return rc;
    r->to[no] = r->text.n;
    return RC_OK;
}

static void hash_content(struct content *c, struct arena *mem, size_t room)
{
    struct buf text = BUF_IN(mem);

    buf_reserve(&text, room + 1024);
    content_write(c, &text);
    sha256(text.p, text.n, c->hash);
}

enum rc content_read(struct err *e, struct arena *mem, enum item_kind kind,
                     const json_t *object, const char *const *also, struct content *out)
{
    struct content c = { .kind = kind };
    struct reading r = { .e = e, .mem = mem, .c = &c, .text = BUF_IN(mem) };
    const char *name;
    json_t *v;
    enum rc rc;

    json_object_foreach((json_t *)(uintptr_t)object, name,
                        v) if ((rc = read_member(&r, name, v, also))) return rc;
    if (!r.to[FIELD_title])
        return err_field(e, "title", "the title is missing");
    if (kind == KIND_SURVEY && !r.to[FIELD_questions])
        return err_field(e, "questions", "a survey has questions");
    if (r.text.n > CONTENT_MAX)
        return err_set(e, RC_TOO_LARGE, "the content is longer than %d bytes", CONTENT_MAX);
    for (int i = 0; i < FIELD_COUNT; i++)
        if (r.to[i])
            c.value[i] = (struct slice){ r.text.p + r.from[i], r.to[i] - r.from[i] };
    c.title = jx_text(object, "title");
    c.summary = jx_text(object, "summary");
    hash_content(&c, mem, r.text.n);
    *out = c;
    return RC_OK;
}

enum rc content_parse(struct err *e, struct arena *mem, const char *text, size_t n,
                      struct content *out)
{
    json_t *object;
    const char *kind;
    enum rc rc;

    if ((rc = jx_object(e, mem, text, n, &object)))
        return rc;
    kind = jx_text(object, "kind");
    if (!kind || kind_parse(kind) < 0)
        return err_field(e, "kind", "there is no kind \"%.20s\"", kind ? kind : "");
    return content_read(e, mem, (enum item_kind)kind_parse(kind), object, NULL, out);
}

void content_write(const struct content *c, struct buf *out)
{
    buf_addc(out, '{');
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (i == FIELD_kind) {
            jx_put_text(out, "kind", kind_name(c->kind));
        } else if (c->value[i].p) {
            jx_key(out, fields[i].name);
            buf_add(out, c->value[i].p, c->value[i].n);
        }
    }
    buf_addc(out, '}');
}

static bool digits(const char **s, int least, int most)
{
    int n = 0;

    for (; n < most && **s >= '0' && **s <= '9'; n++)
        (*s)++;
    return n >= least;
}

static bool literal(const char **s, const char *want)
{
    size_t n = strlen(want);

    if (strncmp(*s, want, n))
        return false;
    *s += n;
    return true;
}

/* 津政发〔2026〕1号, or 国务院令第711号. */
static bool usual_doc_number(const char *s)
{
    const char *year = strstr(s, "〔"), *order = strstr(s, "令第");

    if (year && year > s)
        return literal(&year, "〔") && digits(&year, 4, 4) && literal(&year, "〕") &&
               digits(&year, 1, 6) && literal(&year, "号");
    return order && literal(&order, "令第") && digits(&order, 1, 6) && literal(&order, "号");
}

/* 000014349/2019-00005 */
static bool usual_index_number(const char *s)
{
    return digits(&s, 9, 9) && literal(&s, "/") && digits(&s, 4, 4) && literal(&s, "-") &&
           digits(&s, 5, 5) && !*s;
}

const char *content_warning(const struct content *c)
{
    static const struct {
        enum field_no field;
        bool (*usual)(const char *);
        const char *warning;
    } rules[] = {
        { FIELD_docNumber, usual_doc_number, "发文字号不是「机关代字〔年份〕序号号」的样式" },
        { FIELD_indexNumber, usual_index_number, "索引号不是「9位/4位-5位」的样式" },
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct slice *v = &c->value[rules[i].field];
        char text[512];

        if (!v->p || v->n >= sizeof text)
            continue;
        memcpy(text, v->p + 1, v->n - 2);
        text[v->n - 2] = '\0';
        if (!rules[i].usual(text))
            return rules[i].warning;
    }
    return NULL;
}
