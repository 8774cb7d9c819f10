/*
 * tjzw_jni.c - tjzw.h for cn.tjzw.Tjzw: arguments in, one call, result or exception out.
 *
 * Text crosses as byte arrays of UTF-8 (JNI's strings are another encoding). A callback runs in a
 * frame of its own, so that ten thousand items leave no references behind; an exception thrown in
 * it ends the walk and stays pending. Build it with the NDK, or as tests/flow/jni_test.py does.
 */
#include <jni.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/tjzw.h"

#define BYTES "[B"
#define ITEMS "Lcn/tjzw/Tjzw$Items;"
#define ITEM  "cn/tjzw/Tjzw$Item"

/* ---- text ---- */

/* A copy with NUL behind, NULL for null; release it with free(). */
static char *text_in(JNIEnv *env, jbyteArray bytes)
{
    jsize n;
    char *text;

    if (!bytes)
        return NULL;
    n = (*env)->GetArrayLength(env, bytes);
    if (!(text = malloc((size_t)n + 1)))
        abort();
    (*env)->GetByteArrayRegion(env, bytes, 0, n, (jbyte *)text);
    text[n] = '\0';
    return text;
}

/* NULL for NULL, and with an exception pending when Java's heap is full. */
static jbyteArray bytes_out(JNIEnv *env, const char *text, size_t n)
{
    jbyteArray out = text ? (*env)->NewByteArray(env, (jsize)n) : NULL;

    if (out)
        (*env)->SetByteArrayRegion(env, out, 0, (jsize)n, (const jbyte *)text);
    return out;
}

static jbyteArray text_out(JNIEnv *env, const char *text)
{
    return bytes_out(env, text, text ? strlen(text) : 0);
}

/* ---- failures ---- */

static void throw_failure(JNIEnv *env, const struct tjzw_error *e)
{
    jclass class = (*env)->FindClass(env, "cn/tjzw/Tjzw$Failure");
    jmethodID make =
        class ? (*env)->GetMethodID(env, class, "<init>", "(I" BYTES BYTES ")V") : NULL;
    jbyteArray text = make ? text_out(env, e->text) : NULL;
    jbyteArray detail = text ? text_out(env, e->detail) : NULL;
    jobject failure =
        detail ? (*env)->NewObject(env, class, make, (jint)e->code, text, detail) : NULL;

    if (failure)
        (*env)->Throw(env, failure);
}

/* ---- items ---- */

struct walk {
    JNIEnv *env;
    jobject to;
    jclass item;
    jmethodID make, take;
};

static bool walk_begin(JNIEnv *env, jobject to, struct walk *w)
{
    jclass items = (*env)->FindClass(env, "cn/tjzw/Tjzw$Items");

    *w = (struct walk){ .env = env, .to = to, .item = (*env)->FindClass(env, ITEM) };
    if (!items || !w->item)
        return false;
    w->make = (*env)->GetMethodID(env, w->item, "<init>",
                                  "(" BYTES BYTES BYTES BYTES "J" BYTES BYTES ")V");
    w->take = (*env)->GetMethodID(env, items, "item", "(L" ITEM ";)Z");
    return w->make && w->take;
}

static bool walk_one(void *ctx, const struct tjzw_item *i)
{
    struct walk *w = ctx;
    JNIEnv *env = w->env;
    jobject item;
    bool more;

    if ((*env)->PushLocalFrame(env, 16))
        return false;
    item =
        (*env)->NewObject(env, w->item, w->make, text_out(env, i->id), text_out(env, i->stream),
                          text_out(env, i->site), text_out(env, i->column), (jlong)i->date,
                          text_out(env, i->title), bytes_out(env, i->json, i->json_len));
    more = item && (*env)->CallBooleanMethod(env, w->to, w->take, item);
    more = more && !(*env)->ExceptionCheck(env);
    (*env)->PopLocalFrame(env, NULL);
    return more;
}

static void walk_end(JNIEnv *env, enum tjzw_code code, const struct tjzw_error *e)
{
    if (code && !(*env)->ExceptionCheck(env))
        throw_failure(env, e);
}

/* ---- the methods of cn.tjzw.Tjzw ---- */

static struct tjzw *phone(jlong handle)
{
    return (struct tjzw *)(intptr_t)handle;
}

JNIEXPORT jlong JNICALL Java_cn_tjzw_Tjzw_open(JNIEnv *env, jclass class, jbyteArray path)
{
    char *text = text_in(env, path);
    struct tjzw *t = NULL;
    struct tjzw_error e;

    (void)class;
    if (tjzw_open(text, &t, &e))
        throw_failure(env, &e);
    free(text);
    return (jlong)(intptr_t)t;
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_close(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    tjzw_close(phone(handle));
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_follow(JNIEnv *env, jclass class, jlong handle,
                                                jbyteArray url, jbyteArray stream,
                                                jbyteArray trust, jbyteArray cacert)
{
    char *texts[] = { text_in(env, url), text_in(env, stream), text_in(env, trust),
                      text_in(env, cacert) };
    struct tjzw_server server = { texts[0], texts[1], texts[2], texts[3] };
    struct tjzw_error e;

    (void)class;
    if (tjzw_follow(phone(handle), &server, &e))
        throw_failure(env, &e);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
}

/* NULL, with an exception pending, if it failed. */
static jobject synced_out(JNIEnv *env, enum tjzw_code code, const struct tjzw_sync_result *r,
                          const struct tjzw_error *e)
{
    jmethodID make;
    jclass synced;

    if (code) {
        throw_failure(env, e);
        return NULL;
    }
    synced = (*env)->FindClass(env, "cn/tjzw/Tjzw$Synced");
    make = synced ? (*env)->GetMethodID(env, synced, "<init>", "(ZZZZZ" BYTES BYTES "JJJJ)V")
                  : NULL;
    if (!make)
        return NULL;
    return (*env)->NewObject(env, synced, make, (jboolean)r->changed, (jboolean)r->first_use,
                             (jboolean)r->repaired, (jboolean)r->skipped,
                             (jboolean)r->unfinished, text_out(env, r->trust),
                             text_out(env, r->cursor), (jlong)r->requests, (jlong)r->bytes_down,
                             (jlong)r->ms, (jlong)r->wait);
}

static uint32_t seconds_in(jint seconds)
{
    return seconds > 0 ? (uint32_t)seconds : 0;
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Tjzw_sync(JNIEnv *env, jclass class, jlong handle,
                                                 jint seconds)
{
    struct tjzw_sync_options options = { .timeout = seconds_in(seconds) };
    struct tjzw_sync_result r;
    struct tjzw_error e;
    enum tjzw_code code = tjzw_sync(phone(handle), &options, &r, &e);

    (void)class;
    return synced_out(env, code, &r, &e);
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Tjzw_background(JNIEnv *env, jclass class, jlong handle,
                                                       jint seconds)
{
    struct tjzw_sync_result r;
    struct tjzw_error e;
    enum tjzw_code code = tjzw_background(phone(handle), seconds_in(seconds), &r, &e);

    (void)class;
    return synced_out(env, code, &r, &e);
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Tjzw_fetch(JNIEnv *env, jclass class, jlong handle,
                                                  jbyteArray id, jint seconds)
{
    struct tjzw_sync_options options = { .timeout = seconds_in(seconds) };
    char *text = text_in(env, id);
    struct tjzw_sync_result r;
    struct tjzw_error e;
    enum tjzw_code code = tjzw_fetch(phone(handle), text, &options, &r, &e);

    (void)class;
    free(text);
    return synced_out(env, code, &r, &e);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_keep(JNIEnv *env, jclass class, jlong handle,
                                              jbyteArray id, jboolean keep)
{
    char *text = text_in(env, id);
    struct tjzw_error e;

    (void)class;
    if (tjzw_keep(phone(handle), text, keep, &e))
        throw_failure(env, &e);
    free(text);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_horizon(JNIEnv *env, jclass class, jlong handle,
                                                 jbyteArray stream, jlong items)
{
    char *name = text_in(env, stream);
    struct tjzw_error e;

    (void)class;
    if (tjzw_horizon(phone(handle), name, items > 0 ? (uint64_t)items : 0, &e))
        throw_failure(env, &e);
    free(name);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_list(JNIEnv *env, jclass class, jlong handle,
                                              jbyteArray column, jint most, jobject to)
{
    char *path = text_in(env, column);
    struct tjzw_query query = { .column = path, .most = most > 0 ? (uint32_t)most : 0 };
    struct tjzw_error e;
    struct walk w;

    (void)class;
    if (walk_begin(env, to, &w))
        walk_end(env, tjzw_list(phone(handle), &query, walk_one, &w, &e), &e);
    free(path);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_search(JNIEnv *env, jclass class, jlong handle,
                                                jbyteArray words, jint most, jobject to)
{
    char *text = text_in(env, words);
    struct tjzw_query query = { .most = most > 0 ? (uint32_t)most : 0 };
    struct tjzw_error e;
    struct walk w;

    (void)class;
    if (walk_begin(env, to, &w))
        walk_end(env, tjzw_search(phone(handle), text, &query, walk_one, &w, &e), &e);
    free(text);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_read(JNIEnv *env, jclass class, jlong handle,
                                              jbyteArray id, jobject to)
{
    char *text = text_in(env, id);
    enum tjzw_code code;
    struct tjzw_error e;
    struct walk w;

    (void)class;
    if (walk_begin(env, to, &w) &&
        (code = tjzw_read(phone(handle), text, walk_one, &w, &e)) != TJZW_NOT_FOUND)
        walk_end(env, code, &e);
    free(text);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_stop(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    tjzw_stop(phone(handle));
}
