/*
 * letter_value.c - what a letter says, from JSON (docs/letters.md section 2) to a row's members.
 */
#include <string.h>

#include "server/base/clock.h"
#include "server/citizen/letter_file.h"
#include "server/citizen/letter_send.h"
#include "server/citizen/letter_text.h"
#include "server/citizen/receipt.h"
#include "server/library/item.h"
#include "server/library/org.h"
#include "server/library/stream.h"

enum { UNITS_NAMED = 5 };

static const struct jx_field members[] = {
    { "category", JX_TEXT, true, 1, 20 },
    { "contact", JX_OBJECT, false, 0, 0 },
    { "files", JX_OBJECTS, false, 1, LETTER_FILES },
    { "hidden", JX_BOOL, false, 0, 0 },
    { "item", JX_TEXT, false, 1, 120 },
    { "place", JX_TEXT, false, 1, LETTER_LINE_MAX },
    { "public", JX_BOOL, false, 0, 0 },
    { "receipt", JX_TEXT, false, 1, RECEIPT_TEXT_MAX }, /* of the letter itself, sent again */
    { "seq", JX_INT, false, 1, INT64_MAX },
    { "text", JX_TEXT, true, 0, 0 },
    { "title", JX_TEXT, true, 0, 0 },
    { "unit", JX_TEXT, true, 1, 64 },
    { 0 },
};

static const struct jx_field contact_members[] = {
    { "address", JX_TEXT, false, 1, LETTER_LINE_MAX },
    { "email", JX_TEXT, false, 1, LETTER_LINE_MAX },
    { "name", JX_TEXT, false, 1, LETTER_LINE_MAX },
    { "phone", JX_TEXT, false, 1, LETTER_LINE_MAX },
    { 0 },
};

/* The same in words for who wrote it. */
static enum rc malformed(struct work *w)
{
    char field[sizeof w->err.field];

    strcpy(field, w->err.field);
    return err_field(&w->err, field, "信件的格式不对：%s", *field ? field : "不是规定的成员");
}

static enum rc check_line(struct work *w, const json_t *o, const char *name, const char *field,
                          const char *what)
{
    const char *text = jx_text(o, name);

    return text ? letter_text_check(&w->err, field, what, text, LETTER_LINE_MAX, false) : RC_OK;
}

static enum rc check_contact(struct work *w, const json_t *contact)
{
    enum rc rc;

    if (!contact)
        return RC_OK;
    if (jx_check(&w->err, contact, contact_members, "/contact"))
        return malformed(w);
    if ((rc = check_line(w, contact, "name", "/contact/name", "姓名")) ||
        (rc = check_line(w, contact, "phone", "/contact/phone", "电话")) ||
        (rc = check_line(w, contact, "email", "/contact/email", "电子邮箱")))
        return rc;
    return check_line(w, contact, "address", "/contact/address", "地址");
}

static const char *text_of(struct work *w, const json_t *v)
{
    return letter_text_lines(w->mem, jx_text(v, "text"));
}

static enum rc check_texts(struct work *w, const json_t *v)
{
    enum rc rc;

    if ((rc = letter_text_check(&w->err, "/title", "标题", jx_text(v, "title"),
                                LETTER_TITLE_MAX, false)) ||
        (rc = letter_text_check(&w->err, "/text", "正文", text_of(w, v), LETTER_TEXT_MAX,
                                true)) ||
        (rc = check_line(w, v, "place", "/place", "地点")))
        return rc;
    return check_contact(w, json_object_get(v, "contact"));
}

static const struct jx_field file_members[] = {
    { "hash", JX_TEXT, true, HASH_TEXT - 1, HASH_TEXT - 1 },
    { "name", JX_TEXT, true, 1, LETTER_LINE_MAX },
    { 0 },
};

static enum rc check_file(struct work *w, const json_t *file)
{
    uint8_t hash[HASH_BYTES];

    if (jx_check(&w->err, file, file_members, "/files"))
        return malformed(w);
    if (!hex_parse(jx_text(file, "hash"), HASH_TEXT - 1, hash, sizeof hash))
        return err_field(&w->err, "/files", "附件的 hash 应为 64 位小写十六进制");
    return check_line(w, file, "name", "/files", "文件名");
}

static enum rc find_file(struct work *w, const json_t *file)
{
    struct letter_file found;
    uint8_t hash[HASH_BYTES] = { 0 };
    enum rc rc;

    (void)!hex_parse(jx_text(file, "hash"), HASH_TEXT - 1, hash, sizeof hash);
    if ((rc = letter_file_find(w, w->who.account, hash, &found)) || found.scan != SCAN_INFECTED)
        return rc;
    return err_field(
        &w->err, "/files",
        "附件“%s”没有通过安全检查（可能带有病毒）：请查毒后换一个文件，或去掉它再发",
        jx_text(file, "name"));
}

static enum rc each_file(struct work *w, const json_t *v,
                         enum rc (*look)(struct work *w, const json_t *file))
{
    const json_t *files = json_object_get(v, "files");
    enum rc rc = RC_OK;

    for (size_t i = 0; i < json_array_size(files) && !rc; i++)
        rc = look(w, json_array_get(files, i));
    return rc;
}

enum rc letter_check_files(struct work *w, const json_t *v)
{
    enum rc rc = each_file(w, v, check_file);

    return rc ? rc : each_file(w, v, find_file);
}

/* "main/0190f3c2-…": the published item that a letter is about. As of which `seq` is its writer's word: after a restore it may be more than the stream has. */
static enum rc find_item(struct work *w, const json_t *v)
{
    const char *name = jx_text(v, "item"), *slash = name ? strchr(name, '/') : NULL;
    struct stream stream;
    struct item item;
    struct id id;
    enum rc rc;

    if (!name)
        return RC_OK;
    if (!slash || !id_parse(slash + 1, strlen(slash + 1), &id))
        return err_field(&w->err, "/item", "item 应为“数据流/编号”");
    if (!(rc = stream_find(w, arena_strndup(w->mem, name, (size_t)(slash - name)), &stream)))
        rc = item_find(w, &id, &item);
    if (rc == RC_NOT_FOUND || (!rc && (item.stream != stream.no || item.born < 0)))
        return err_set(&w->err, RC_NOT_FOUND, "信中所指的内容不在这里");
    return rc;
}

/* What is kept of the value beside the row's own members. */
static const char *body_of(struct work *w, const json_t *v)
{
    struct buf b = BUF_IN(w->mem);

    buf_addc(&b, '{');
    if (json_object_get(v, "files")) {
        jx_key(&b, "files");
        jx_canonical(&b, json_object_get(v, "files"));
    }
    jx_put_text(&b, "item", jx_text(v, "item"));
    jx_put_text(&b, "place", jx_text(v, "place"));
    if (json_object_get(v, "seq"))
        jx_put_int(&b, "seq", jx_int(v, "seq", 0));
    jx_put_text(&b, "text", text_of(w, v));
    jx_put_text(&b, "title", jx_text(v, "title"));
    buf_addc(&b, '}');
    return b.p;
}

static const char *canonical(struct work *w, const json_t *v)
{
    struct buf b = BUF_IN(w->mem);

    jx_canonical(&b, v);
    return b.p;
}

const char *letter_said(struct work *w, const json_t *value)
{
    json_t *said = json_copy((json_t *)(uintptr_t)value);
    const char *text;

    json_object_del(said, "receipt");
    text = canonical(w, said);
    json_decref(said);
    return text;
}

/* Who mistook a code reads some that are none, as many as a sentence holds. */
static enum rc no_such_unit(struct work *w)
{
    struct buf some = BUF_IN(w->mem);
    struct org *orgs;
    enum rc rc;
    int n;

    if ((rc = org_some(w, UNITS_NAMED, &orgs, &n)))
        return rc;
    for (int i = 0; i < n; i++) {
        const char *one = arena_printf(w->mem, "%s%s（%s）", some.n ? "、" : "。单位代码例如：",
                                       orgs[i].code, orgs[i].name);

        if (some.n + strlen(one) < sizeof w->err.text - 64)
            buf_adds(&some, one);
    }
    return err_set(&w->err, RC_NOT_FOUND, "没有这个单位%s", some.n ? some.p : "");
}

static enum rc find_unit(struct work *w, const char *code, int64_t *out)
{
    struct org org;
    enum rc rc = org_find(w, code, &org);

    if (rc == RC_NOT_FOUND)
        return no_such_unit(w);
    if (!rc)
        *out = org.no;
    return rc;
}

void letter_hash(struct work *w, const json_t *value, uint8_t out[HASH_BYTES])
{
    const char *said = letter_said(w, value);

    sha256(said, strlen(said), out);
}

bool letter_recalls(struct work *w, const json_t *value, const struct letter *l,
                    struct receipt *out)
{
    const char *text = jx_text(value, "receipt");

    return text && receipt_read(w, text, out) && !memcmp(&out->letter, &l->id, sizeof l->id) &&
           !memcmp(out->hash, l->hash, sizeof l->hash) && out->time <= clock_now();
}

/* By itself, whatever is here. */
static enum rc check_form(struct work *w, const json_t *value, struct letter *l)
{
    enum rc rc;

    if (jx_check(&w->err, value, members, ""))
        return malformed(w);
    if (!(l->kind = letter_kind_parse(jx_text(value, "category"))))
        return err_field(&w->err, "/category", "没有这一类信件");
    l->hidden = jx_bool(value, "hidden", false);
    l->public = jx_bool(value, "public", false);
    if (l->hidden && !l->kind->hide)
        return err_field(&w->err, "/hidden", "%s要有申请人的身份，不能隐去", l->kind->chinese);
    if ((rc = check_texts(w, value)) || (rc = each_file(w, value, check_file)))
        return rc;
    return json_object_get(value, "seq") && !json_object_get(value, "item")
               ? err_field(&w->err, "/seq", "有 seq 而没有 item")
               : RC_OK;
}

/* What was received once is not refused for what the server found, or lost, since. */
enum rc letter_read_value(struct work *w, const json_t *value, struct letter *out)
{
    const json_t *contact = json_object_get(value, "contact");
    struct letter l = *out;
    struct receipt given;
    enum rc rc;

    if ((rc = check_form(w, value, &l)))
        return rc;
    letter_hash(w, value, l.hash);
    if (!letter_recalls(w, value, &l, &given) &&
        ((rc = find_item(w, value)) || (rc = each_file(w, value, find_file))))
        return rc;
    if ((rc = find_unit(w, jx_text(value, "unit"), &l.unit)))
        return rc;
    l.body = body_of(w, value);
    l.contact = contact ? canonical(w, contact) : NULL;
    *out = l;
    return RC_OK;
}
