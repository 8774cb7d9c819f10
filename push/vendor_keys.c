/*
 * vendor_keys.c - files that hold keys.
 *
 *     push_apns_key         the .p8 that Apple gave: a PEM with a key on P-256
 *     push_huawei_account   the JSON that Huawei gave: project_id, key_id, sub_account, private_key (a PEM with an RSA key)
 *     DATA/keys/webpush     ours: a PEM with a key on P-256, mode 0600
 */
#include "push/vendor_keys.h"

#include <string.h>

#include "push/vendor_part.h"
#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/base/secret.h"

enum { FILE_MAX = 16384 };

static const char *path_of(struct arena *mem, const char *data, const char *name)
{
    return *name == '/' ? name : arena_printf(mem, "%s/%s", data, name);
}

/* The file's text, wiped by the caller; NULL: it cannot be read, or is no key file by its size. */
static char *slurp(struct arena *mem, const char *path, size_t *n)
{
    struct err e;
    char *text = NULL;

    return fs_read(&e, mem, path, FILE_MAX, &text, n) ? NULL : text;
}

static enum rc open_apns(struct err *e, const char *name, const char *data,
                         struct vendor_keys *k)
{
    size_t n;
    char *pem;

    if (!*name)
        return RC_OK;
    if (!(pem = slurp(k->mem, path_of(k->mem, data, name), &n)))
        return err_set(e, RC_INVALID, "push_apns_key: this file cannot be read");
    k->apns = crypt_key_read(pem, n);
    secret_wipe(pem, n);
    if (!k->apns || !crypt_key_is_p256(k->apns))
        return err_set(e, RC_INVALID, "push_apns_key: this file holds no key on P-256");
    return RC_OK;
}

static const char *member(struct arena *mem, const json_t *o, const char *name)
{
    const char *text = o ? jx_text(o, name) : NULL;

    return text && *text && !strpbrk(text, "\r\n\"\\/") ? arena_strdup(mem, text) : NULL;
}

static enum rc open_huawei(struct err *e, const char *name, const char *data,
                           struct vendor_keys *k)
{
    struct err why;
    const char *pem;
    json_t *o = NULL;
    size_t n;
    char *text;

    if (!*name)
        return RC_OK;
    if (!(text = slurp(k->mem, path_of(k->mem, data, name), &n)))
        return err_set(e, RC_INVALID, "push_huawei_account: this file cannot be read");
    if (jx_object(&why, k->mem, text, n, &o))
        o = NULL;
    secret_wipe(text, n);
    k->huawei_project = member(k->mem, o, "project_id");
    k->huawei_kid = member(k->mem, o, "key_id");
    k->huawei_iss = member(k->mem, o, "sub_account");
    pem = o ? jx_text(o, "private_key") : NULL;
    k->huawei = pem ? crypt_key_read(pem, strlen(pem)) : NULL;
    if (k->huawei && !crypt_key_is_p256(k->huawei) && k->huawei_project && k->huawei_kid &&
        k->huawei_iss)
        return RC_OK;
    return err_set(e, RC_INVALID,
                   "push_huawei_account: this file is no service account of Huawei: "
                   "project_id, key_id, sub_account and private_key");
}

static enum rc open_webpush(struct err *e, bool on, const char *data, struct vendor_keys *k)
{
    const char *path = arena_printf(k->mem, "%s/keys/webpush", data);
    char pem[CRYPT_PEM_MAX], *text;
    uint8_t point[CRYPT_POINT];
    enum rc rc;
    size_t n;

    if (!on)
        return RC_OK;
    if (!fs_exists(path)) {
        k->webpush = crypt_key_make(pem);
        rc = fs_write(e, path, pem, strlen(pem), 0600);
        secret_wipe(pem, sizeof pem);
        if (rc)
            return rc;
    } else {
        if (!(text = slurp(k->mem, path, &n)))
            return err_set(e, RC_INVALID, "keys/webpush cannot be read");
        k->webpush = crypt_key_read(text, n);
        secret_wipe(text, n);
    }
    if (!k->webpush || !crypt_key_is_p256(k->webpush))
        return err_set(e, RC_CORRUPT, "keys/webpush holds no key on P-256");
    crypt_point(k->webpush, point);
    b64url_text(point, sizeof point, k->webpush_point, sizeof k->webpush_point);
    return RC_OK;
}

enum rc vendor_keys_open(struct err *e, const struct conf *c, const char *data,
                         struct vendor_keys **out)
{
    struct arena *mem = arena_new();
    struct vendor_keys *k = arena_zalloc(mem, sizeof *k);
    enum rc rc;

    k->mem = mem;
    if ((rc = open_apns(e, c->push_apns_key, data, k)) ||
        (rc = open_huawei(e, c->push_huawei_account, data, k)) ||
        (rc = open_webpush(e, c->push_webpush, data, k))) {
        vendor_keys_close(k);
        return rc;
    }
    *out = k;
    return RC_OK;
}

void vendor_keys_close(struct vendor_keys *k)
{
    if (!k)
        return;
    crypt_key_free(k->apns);
    crypt_key_free(k->huawei);
    crypt_key_free(k->webpush);
    arena_free(k->mem);
}

const char *vendor_keys_webpush(const struct vendor_keys *k)
{
    return k->webpush_point;
}
