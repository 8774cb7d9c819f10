/*
 * warning_sender.c - rows of warning_sender, and what their texts say.
 *
 * A text is kept in canonical form, and read anew whenever it counts: so what was confirmed is what is believed, byte for byte.
 */
#include "warning/warning_sender.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/library/field.h"
#include "server/library/row.h"
#include "server/store/db.h"

/* ---- what it says ---- */

static const struct jx_field spec_members[] = { { "areas", JX_TEXTS, true, 1, WARNING_AREAS },
                                                { "from", JX_TEXT, true, 10, 40 },
                                                { "keys", JX_OBJECTS, true, 1, WARNING_KEYS },
                                                { "levels", JX_TEXTS, true, 1,
                                                  LEVEL_COUNT - 1 },
                                                { "name", JX_TEXT, true, 1, 60 },
                                                { "until", JX_TEXT, true, 10, 40 },
                                                { 0 } };
static const struct jx_field key_members[] = { { "id", JX_TEXT, true, 1, WARNING_KEY_ID },
                                               { "pem", JX_TEXT, true, 1, SIGNER_PEM_MAX },
                                               { 0 } };

static enum rc read_areas(struct work *w, const json_t *list, struct warning_spec *s)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!area_read(text, strlen(text), s->areas[s->nareas++]))
            return err_field(&w->err, "/areas", "区划代码应是 6、9 或 12 位数字：“%.20s”",
                             text);
    }
    return RC_OK;
}

static enum rc read_levels(struct work *w, const json_t *list, struct warning_spec *s)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        enum level level = level_parse(json_string_value(json_array_get(list, i)));

        if (!level)
            return err_field(&w->err, "/levels", "级别是 red、orange、yellow、blue 之一");
        s->levels |= 1U << level;
    }
    return RC_OK;
}

static enum rc read_key(struct work *w, const json_t *value, struct warning_spec *s)
{
    struct warning_key *key = &s->keys[s->nkeys];
    enum rc rc;

    if ((rc = jx_check(&w->err, value, key_members, "/keys")))
        return rc;
    key->id = jx_text(value, "id");
    if (strspn(key->id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") !=
        strlen(key->id))
        return err_field(&w->err, "/keys/id", "密钥的代号由字母、数字和 - 组成");
    for (int i = 0; i < s->nkeys; i++)
        if (!strcmp(s->keys[i].id, key->id))
            return err_field(&w->err, "/keys/id", "有两把密钥都叫 %s", key->id);
    if ((rc = signer_read(&w->err, w->mem, jx_text(value, "pem"), &key->signer)))
        return rc == RC_INVALID ? err_field(&w->err, "/keys/pem", "密钥 %s：%s", key->id,
                                            arena_strdup(w->mem, w->err.text))
                                : rc;
    s->nkeys++;
    return RC_OK;
}

static enum rc read_day(struct work *w, const json_t *value, const char *name, int64_t *out)
{
    const char *text = jx_text(value, name);

    return clock_parse(text, strlen(text), out)
               ? err_field(&w->err, name[0] == 'f' ? "/from" : "/until",
                           "%s 应是日期或时间，如 2026-11-21", name)
               : RC_OK;
}

enum rc warning_spec_read(struct work *w, const json_t *value, struct warning_spec *out)
{
    const json_t *keys = json_object_get(value, "keys");
    struct warning_spec s = { 0 };
    enum rc rc;

    if ((rc = jx_check(&w->err, value, spec_members, "")))
        return rc;
    s.name = jx_text(value, "name");
    if ((rc = field_check_line(&w->err, "/name", s.name, strlen(s.name), 1, 60)) ||
        (rc = read_areas(w, json_object_get(value, "areas"), &s)) ||
        (rc = read_levels(w, json_object_get(value, "levels"), &s)) ||
        (rc = read_day(w, value, "from", &s.from)) ||
        (rc = read_day(w, value, "until", &s.until)))
        return rc;
    for (size_t i = 0; i < json_array_size(keys); i++)
        if ((rc = read_key(w, json_array_get(keys, i), &s)))
            return rc;
    if (s.until <= s.from)
        return err_field(&w->err, "/until", "until 应在 from 以后");
    *out = s;
    return RC_OK;
}

enum rc warning_spec_parse(struct work *w, const char *text, struct warning_spec *out)
{
    json_t *value;
    enum rc rc = jx_object(&w->err, w->mem, text, strlen(text), &value);

    return rc ? rc : warning_spec_read(w, value, out);
}

void warning_spec_hash(const char *text, uint8_t out[HASH_BYTES])
{
    sha256(text, strlen(text), out);
}

/* ---- rows ---- */

static void read_row(struct work *w, const struct rows *q, struct warning_sender *out)
{
    *out = (struct warning_sender){ .no = rows_int(q, 0),
                                    .code = rows_dup_text(w, q, 1),
                                    .spec = rows_dup_text(w, q, 2),
                                    .proposed = rows_dup_text(w, q, 3),
                                    .proposer = rows_dup_text(w, q, 4),
                                    .stopped = rows_dup_text(w, q, 5),
                                    .created = rows_int(q, 6),
                                    .changed = rows_int(q, 7) };
}

enum rc warning_sender_find(struct work *w, const char *code, struct warning_sender *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_warning_sender_one, &q, "t", code);

    if (!rc)
        read_row(w, &q, out);
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, RC_NOT_FOUND, "没有编码为 %.20s 的预警发布单位", code);
    return rc;
}

enum rc warning_sender_list(struct work *w, struct warning_sender **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct warning_sender one;
    struct rows q;
    enum rc rc = db_query(w, SQL_warning_senders, &q, "");

    if (rc)
        return rc;
    while (rows_next(&q)) {
        read_row(w, &q, &one);
        buf_add(&list, &one, sizeof one);
    }
    *out = (struct warning_sender *)(void *)list.p;
    *n = (int)(list.n / sizeof one);
    return rows_done(&q);
}

static enum rc update(struct work *w, struct warning_sender *s)
{
    s->changed = clock_now();
    return db_change(w, SQL_warning_sender_set, "itttti", s->no, s->spec, s->proposed,
                     s->proposer, s->stopped, s->changed);
}

static enum rc insert(struct work *w, struct warning_sender *s)
{
    struct rows q;
    enum rc rc;

    s->created = s->changed = clock_now();
    if (!(rc = db_one(w, SQL_warning_sender_add, &q, "ttti", s->code, s->proposed, s->proposer,
                      s->created)))
        s->no = rows_int(&q, 0);
    return row_finish(&q, rc);
}

/* ---- steps ---- */

static const char *canonical(struct work *w, const json_t *value)
{
    struct buf b = BUF_IN(w->mem);

    jx_canonical(&b, value);
    return b.p;
}

enum rc warning_sender_propose(struct work *w, const char *code, const json_t *value,
                               struct warning_sender *out)
{
    struct warning_sender s = { .code = code, .spec = "", .stopped = "" };
    struct warning_spec spec;
    enum rc rc;
    bool is_new;

    if ((rc = work_need(w, RIGHT_SECURE)))
        return rc;
    if (!ident_is_code(code, strlen(code)))
        return err_field(&w->err, "sender",
                         "发布单位的编码是 11 位：区划 6 位、机构 3 位、扩展 2 位（或 14 位）");
    if ((rc = warning_spec_read(w, value, &spec)))
        return rc;
    rc = warning_sender_find(w, code, &s);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    is_new = rc == RC_NOT_FOUND;
    s.proposed = canonical(w, value);
    s.proposer = w->who.name;
    if ((rc = is_new ? insert(w, &s) : update(w, &s)))
        return rc;
    *out = s;
    return RC_OK;
}

enum rc warning_sender_confirm(struct work *w, const char *code, const uint8_t hash[HASH_BYTES],
                               struct warning_sender *out)
{
    uint8_t is[HASH_BYTES];
    struct warning_sender s;
    enum rc rc;

    if ((rc = work_need(w, RIGHT_SECURE)) || (rc = warning_sender_find(w, code, &s)))
        return rc;
    if (!*s.proposed)
        return err_set(&w->err, RC_CONFLICT, "没有等待确认的登记");
    warning_spec_hash(s.proposed, is);
    if (memcmp(is, hash, sizeof is))
        return err_set(&w->err, RC_CONFLICT, "登记又改过了：请看过现在的内容再确认");
    if (!w->who.operator&& !strcmp(s.proposer, w->who.name))
        return err_set(&w->err, RC_FORBIDDEN, "登记要由另一个人确认");
    s.spec = s.proposed;
    s.proposed = s.proposer = s.stopped = "";
    if ((rc = update(w, &s)))
        return rc;
    *out = s;
    return RC_OK;
}

enum rc warning_sender_stop(struct work *w, const char *code, const char *why,
                            struct warning_sender *out)
{
    struct warning_sender s;
    enum rc rc;

    if ((rc = work_need(w, RIGHT_SECURE)) || (rc = warning_sender_find(w, code, &s)))
        return rc;
    if (!why || field_check_text(&w->err, "text", why, strlen(why), 1, WARNING_WHY_MAX))
        return err_field(&w->err, "/text", "停用要写明理由，%d 个字以内", WARNING_WHY_MAX);
    s.stopped = why;
    if ((rc = update(w, &s)))
        return rc;
    *out = s;
    return RC_OK;
}
