/*
 * phone_live.c - tjzw-phone's commands that keep and fetch: older content, blobs, hints, the background slot.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/phone.h"

/* ---- what is kept ---- */

static int keep_or_not(struct phone *p, const char *id, bool keep)
{
    const char *name = keep ? "keep" : "unkeep";
    struct tjzw_error e;
    enum tjzw_code rc = tjzw_keep(p->t, id, keep, &e);

    if (rc == TJZW_USAGE)
        return phone_not_an_id(id);
    if (rc == TJZW_NOT_FOUND)
        fprintf(stderr, "本机没有这一条。如果它在保留范围之外，请用 fetch 取回。\n");
    if (rc)
        return phone_failed(p, name, &e);
    printf(keep ? "已收藏。\n" : "已取消收藏。\n");
    return phone_finish(name);
}

int phone_keep(struct phone *p, const char *id)
{
    return keep_or_not(p, id, true);
}

int phone_unkeep(struct phone *p, const char *id)
{
    return keep_or_not(p, id, false);
}

int phone_fetch(struct phone *p, const char *id)
{
    const struct tjzw_sync_options options = { .stream = p->stream, .timeout = p->timeout };
    struct tjzw_error e;
    enum tjzw_code rc;

    phone_runs(p->t);
    rc = tjzw_fetch(p->t, id, &options, &p->synced, &e);
    phone_runs(NULL);
    if (rc == TJZW_USAGE)
        return phone_not_an_id(id);
    if (rc)
        return phone_failed(p, "fetch", &e);
    if (!p->json && p->synced.requests)
        printf("已取回并通过签名核验，留在本机。\n");
    else if (!p->json)
        printf("本机已有这一条。\n");
    return phone_finish("fetch");
}

/* ---- blobs ---- */

/* stdout, or a file of the user's. */
static int copy_out(struct phone *p, const struct tjzw_blob *blob)
{
    FILE *in = fopen(blob->path, "rb"), *out = p->more ? fopen(p->more, "wb") : stdout;
    char room[16384];
    bool good = in && out;
    size_t n;

    while (good && (n = fread(room, 1, sizeof room, in)) > 0)
        good = fwrite(room, 1, n, out) == n;
    good = good && !ferror(in) && fflush(out) == 0;
    if (in)
        fclose(in);
    if (p->more && out && fclose(out))
        good = false;
    if (!good && p->more)
        return phone_wrong("写不了文件", p->more, strerror(errno));
    return good ? phone_finish("blob") : EXIT_FAILURE;
}

int phone_blob(struct phone *p, const char *hash)
{
    const struct tjzw_blob_options options = { .timeout = p->timeout };
    struct tjzw_blob blob;
    struct tjzw_error e;
    enum tjzw_code rc;

    phone_runs(p->t);
    rc = tjzw_blob(p->t, hash, &options, &blob, &e);
    phone_runs(NULL);
    if (rc == TJZW_USAGE)
        return phone_wrong("不是图片或附件的名字：", hash,
                           "它是 64 位小写十六进制，用 show 可以看到。");
    if (rc)
        return phone_failed(p, "blob", &e);
    if (p->verbose)
        fprintf(stderr, "%" PRIu64 " 字节，%s，哈希相符\n", blob.bytes,
                blob.fetched ? "从服务器取回" : "本机已有");
    return copy_out(p, &blob);
}

/* ---- hints ---- */

static bool tell_one(void *ctx, const char *stream, const struct tjzw_sync_result *result,
                     enum tjzw_code code, const struct tjzw_error *e)
{
    struct phone *p = ctx;
    time_t now = time(NULL);
    char at[32];

    p->synced = *result;
    p->code = code;
    if (p->json) {
        phone_tell_json(p);
    } else {
        printf("%s %s：", phone_time(now, "%H:%M:%S", at), stream);
        if (code)
            printf("%s\n", e->text);
        else
            phone_tell_sync(p, result);
    }
    return fflush(stdout) != 0;
}

/* What has changed of a person's, as he would say it; the first that fits. */
static const char *change_word(const char *type)
{
    static const struct {
        const char *begins, *word;
    } words[] = {
        { "message", "有新消息，用 inbox 看" },
        { "letter", "信件有进展，用 letter list 看" },
        { "survey", "问卷有结果，用 survey 看" },
        { "", "收藏、关注或设置有变化" },
    };
    size_t i = 0;

    while (strncmp(words[i].begins, type ? type : "", strlen(words[i].begins)) != 0)
        i++;
    return words[i].word;
}

/* A line for each kind of change, not for each of five hundred favourites. */
static void tell_change(void *ctx, const char *type, const char *key)
{
    struct phone *p = ctx;
    const char *word = change_word(type);
    time_t now = time(NULL);
    char at[32];

    (void)key;
    if (p->json || (p->told == word && p->told_at == now))
        return;
    p->told = word;
    p->told_at = now;
    printf("%s %s。\n", phone_time(now, "%H:%M:%S", at), word);
    fflush(stdout);
}

/* The seconds behind the command's name. */
static bool seconds_of(const struct phone *p, uint32_t *out)
{
    *out = 0;
    return !p->more || phone_number(p->more, out);
}

int phone_listen(struct phone *p, const char *none)
{
    struct tjzw_listen_options options = { .stream = p->stream, .synced = tell_one, .ctx = p };
    struct tjzw_error e;
    enum tjzw_code rc;

    (void)none;
    if (!seconds_of(p, &options.seconds))
        return phone_wrong("不是有效的秒数：", p->more, "请给出 1 以上的整数。");
    tjzw_on_change(p->t, tell_change, p);
    phone_runs(p->t);
    rc = tjzw_listen(p->t, &options, &e);
    phone_runs(NULL);
    p->code = TJZW_OK;
    return rc && rc != TJZW_STOPPED ? phone_failed(p, "listen", &e) : phone_finish("listen");
}

/* ---- the background slot ---- */

int phone_background(struct phone *p, const char *none)
{
    struct tjzw_error e;
    uint32_t seconds;
    enum tjzw_code rc;
    char span[48];

    (void)none;
    if (!seconds_of(p, &seconds))
        return phone_wrong("不是有效的秒数：", p->more, "请给出 1 以上的整数。");
    phone_runs(p->t);
    rc = tjzw_background(p->t, seconds, &p->synced, &e);
    phone_runs(NULL);
    if (rc)
        return phone_failed(p, "background", &e);
    if (p->json)
        return phone_finish("background");
    if (p->synced.skipped)
        printf("还没到时候，没有联网；%s后再来。\n", phone_span(p->synced.wait, span));
    else if (p->synced.unfinished)
        printf("时间到了，还没有取完：已收到的保留，已核验的可以阅读，下次继续。\n");
    else
        phone_tell_sync(p, &p->synced);
    return phone_finish("background");
}
