/*
 * vendor_receipt.c - what vendors tell of messages that they took, as far as they tell it alike: Huawei's statuses, and lists of tokens with commas.
 */
#include <stdlib.h>
#include <string.h>

#include "push/vendor_part.h"

enum { TOKEN_MOST = 512 };

bool vendor_receipt_add(struct vendor_receipts *list, const char *mark, const char *token,
                        size_t n, enum vendor_receipt_kind kind)
{
    struct vendor_receipt *r = &list->of[list->n];

    if (!n || n > TOKEN_MOST)
        return true;
    if (list->n == VENDOR_RECEIPTS)
        return false;
    list->n++;
    *r = (struct vendor_receipt){ .kind = kind,
                                  .mark = arena_strdup(list->mem, mark ? mark : ""),
                                  .token = arena_strndup(list->mem, token, n) };
    return true;
}

bool vendor_receipt_add_all(struct vendor_receipts *list, const char *mark, const char *tokens,
                            enum vendor_receipt_kind kind)
{
    for (const char *at = tokens ? tokens : ""; *at;) {
        size_t n = strcspn(at, ", ");

        if (!vendor_receipt_add(list, mark, at, n, kind))
            return false;
        at += n + strspn(at + n, ", ");
    }
    return true;
}

/* What Huawei's code of a status means: 27 and 201 are kept for later, of which we shall hear again. */
static bool kind_of(int64_t code, enum vendor_receipt_kind *out)
{
    *out = code ? VENDOR_DROPPED : VENDOR_DELIVERED;
    return code >= 0 && code != 27 && code != 201;
}

bool vendor_read_statuses(struct arena *mem, const char *body, size_t n,
                          struct vendor_receipts *out)
{
    enum vendor_receipt_kind kind;
    const char *token;
    json_t *o, *one;
    struct err e;
    size_t i;

    if (jx_object(&e, mem, body, n, &o) || !json_is_array(json_object_get(o, "statuses")))
        return false;
    json_array_foreach(json_object_get(o, "statuses"), i, one)
    {
        const json_t *v2 = json_object_get(one, "deliveryStatus");
        int64_t code = v2 ? jx_int(v2, "result", -1) : jx_int(one, "status", -1);

        token = json_is_object(one) ? jx_text(one, "token") : NULL;
        if (token && kind_of(code, &kind) &&
            !vendor_receipt_add(out, jx_text(one, "biTag"), token, strlen(token), kind))
            return false;
    }
    return true;
}

/* ---- by message: {"MESSAGE":{"param":MARK,"targets":"TOKEN,TOKEN","type":1},…} ---- */

/* Some write their numbers as texts. */
static int64_t number_of(const json_t *o, const char *name, int64_t otherwise)
{
    const char *text = jx_text(o, name);

    return text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10
               ? strtol(text, NULL, 10)
               : jx_int(o, name, otherwise);
}

bool vendor_read_messages(struct arena *mem, const char *body, size_t n, const char *type,
                          int64_t otherwise, const struct vendor_receipt_type *types,
                          struct vendor_receipts *out)
{
    const struct vendor_receipt_type *t;
    json_t *o, *one;
    const char *id;
    struct err e;

    if (jx_object(&e, mem, body, n, &o))
        return false;
    json_object_foreach(o, id, one)
    {
        if (!json_is_object(one))
            return false;
        for (t = types; t->kind && t->number != number_of(one, type, otherwise); t++)
            ;
        if (t->kind && !vendor_receipt_add_all(out, jx_text(one, "param"),
                                               jx_text(one, "targets"), t->kind))
            return false;
    }
    return true;
}

static int hex_of(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) % 16 : -1;
}

const char *vendor_form_value(struct arena *mem, const char *form, const char *name)
{
    size_t name_n = strlen(name);
    char *value, *to;

    while (strncmp(form, name, name_n) || form[name_n] != '=') {
        if (!(form = strchr(form, '&')))
            return NULL;
        form++;
    }
    form += name_n + 1;
    value = to = arena_strndup(mem, form, strcspn(form, "&"));
    for (const char *at = value; *at; at++) {
        int high, low;

        if (*at != '%') {
            *to++ = *at == '+' ? ' ' : *at;
            continue;
        }
        high = hex_of(at[1]);
        low = high < 0 ? -1 : hex_of(at[2]);
        if (low < 0 || !(high | low))
            return NULL; /* broken, or a NUL */
        *to++ = (char)(high << 4 | low);
        at += 2;
    }
    *to = '\0';
    return value;
}
