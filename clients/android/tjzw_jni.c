/*
 * tjzw_jni.c - tjzw.h for cn.tjzw.Tjzw: arguments in, one call, result or exception out.
 *
 * Text crosses as byte arrays of UTF-8 (JNI's strings are another encoding). A callback runs in a
 * frame of its own, so that ten thousand items leave no references behind; an exception thrown in
 * it ends the walk and stays pending. Build it with the NDK, or as tests/flow/jni_test.py does.
 */
#include "clients/android/tjzw_jni.h"

#include <stdlib.h>
#include <string.h>

#include "clients/c/tjzw.h"

/* ---- text ---- */

char *jni_text_in(JNIEnv *env, jbyteArray bytes)
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

jbyteArray jni_bytes_out(JNIEnv *env, const char *text, size_t n)
{
    jbyteArray out = text ? (*env)->NewByteArray(env, (jsize)n) : NULL;

    if (out)
        (*env)->SetByteArrayRegion(env, out, 0, (jsize)n, (const jbyte *)text);
    return out;
}

jbyteArray jni_text_out(JNIEnv *env, const char *text)
{
    return jni_bytes_out(env, text, text ? strlen(text) : 0);
}

/* ---- failures ---- */

void jni_throw(JNIEnv *env, const struct tjzw_error *e)
{
    jclass class = (*env)->FindClass(env, "cn/tjzw/Tjzw$Failure");
    jmethodID make =
        class ? (*env)->GetMethodID(env, class, "<init>", "(I" BYTES BYTES ")V") : NULL;
    jbyteArray text = make ? jni_text_out(env, e->text) : NULL;
    jbyteArray detail = text ? jni_text_out(env, e->detail) : NULL;
    jobject failure =
        detail ? (*env)->NewObject(env, class, make, (jint)e->code, text, detail) : NULL;

    if (failure)
        (*env)->Throw(env, failure);
}

/* ---- walks ---- */

bool jni_walk_begin(JNIEnv *env, jobject to, const struct jni_walk_kind *kind,
                    struct jni_walk *w)
{
    jclass takers = (*env)->FindClass(env, kind->takers);

    *w = (struct jni_walk){ .env = env, .to = to, .class = (*env)->FindClass(env, kind->one) };
    if (!takers || !w->class)
        return false;
    w->make = (*env)->GetMethodID(env, w->class, "<init>", kind->make);
    w->take = (*env)->GetMethodID(env, takers, kind->method, kind->take);
    return w->make && w->take;
}

bool jni_walk_open(struct jni_walk *w)
{
    return (*w->env)->PushLocalFrame(w->env, 16) == 0;
}

bool jni_walk_give(struct jni_walk *w, jobject made)
{
    JNIEnv *env = w->env;
    bool more = made && (*env)->CallBooleanMethod(env, w->to, w->take, made);

    more = more && !(*env)->ExceptionCheck(env);
    (*env)->PopLocalFrame(env, NULL);
    return more;
}

void jni_walk_end(JNIEnv *env, enum tjzw_code code, const struct tjzw_error *e)
{
    if (code && !(*env)->ExceptionCheck(env))
        jni_throw(env, e);
}

/* ---- items ---- */

static const struct jni_walk_kind items = {
    "cn/tjzw/Tjzw$Items",
    "item",
    "(Lcn/tjzw/Tjzw$Item;)Z",
    "cn/tjzw/Tjzw$Item",
    "(" BYTES BYTES BYTES BYTES "J" BYTES BYTES ")V",
};

static bool walk_one(void *ctx, const struct tjzw_item *i)
{
    struct jni_walk *w = ctx;
    JNIEnv *env = w->env;

    return jni_walk_open(w) &&
           jni_walk_give(w, (*env)->NewObject(env, w->class, w->make, jni_text_out(env, i->id),
                                              jni_text_out(env, i->stream),
                                              jni_text_out(env, i->site),
                                              jni_text_out(env, i->column), (jlong)i->date,
                                              jni_text_out(env, i->title),
                                              jni_bytes_out(env, i->json, i->json_len)));
}

/* ---- the methods of cn.tjzw.Tjzw ---- */

JNIEXPORT jlong JNICALL Java_cn_tjzw_Tjzw_open(JNIEnv *env, jclass class, jbyteArray path)
{
    char *text = jni_text_in(env, path);
    struct tjzw *t = NULL;
    struct tjzw_error e;

    (void)class;
    if (tjzw_open(text, &t, &e))
        jni_throw(env, &e);
    free(text);
    return (jlong)(intptr_t)t;
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_close(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    tjzw_close(jni_phone(handle));
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_follow(JNIEnv *env, jclass class, jlong handle,
                                                jbyteArray url, jbyteArray stream,
                                                jbyteArray trust, jbyteArray cacert)
{
    char *texts[] = { jni_text_in(env, url), jni_text_in(env, stream), jni_text_in(env, trust),
                      jni_text_in(env, cacert) };
    struct tjzw_server server = { texts[0], texts[1], texts[2], texts[3] };
    struct tjzw_error e;

    (void)class;
    if (tjzw_follow(jni_phone(handle), &server, &e))
        jni_throw(env, &e);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
}

jobject jni_synced_out(JNIEnv *env, enum tjzw_code code, const struct tjzw_sync_result *r,
                       const struct tjzw_error *e)
{
    jmethodID make;
    jclass synced;

    if (code) {
        jni_throw(env, e);
        return NULL;
    }
    synced = (*env)->FindClass(env, "cn/tjzw/Tjzw$Synced");
    make = synced ? (*env)->GetMethodID(env, synced, "<init>", "(ZZZZZ" BYTES BYTES "JJJJ)V")
                  : NULL;
    if (!make)
        return NULL;
    return (*env)->NewObject(env, synced, make, (jboolean)r->changed, (jboolean)r->first_use,
                             (jboolean)r->repaired, (jboolean)r->skipped,
                             (jboolean)r->unfinished, jni_text_out(env, r->trust),
                             jni_text_out(env, r->cursor), (jlong)r->requests,
                             (jlong)r->bytes_down, (jlong)r->ms, (jlong)r->wait);
}

uint32_t jni_seconds_in(jint seconds)
{
    return seconds > 0 ? (uint32_t)seconds : 0;
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Tjzw_sync(JNIEnv *env, jclass class, jlong handle,
                                                 jint seconds)
{
    struct tjzw_sync_options options = { .timeout = jni_seconds_in(seconds) };
    struct tjzw_sync_result r;
    struct tjzw_error e;
    enum tjzw_code code = tjzw_sync(jni_phone(handle), &options, &r, &e);

    (void)class;
    return jni_synced_out(env, code, &r, &e);
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Tjzw_background(JNIEnv *env, jclass class, jlong handle,
                                                       jint seconds)
{
    struct tjzw_sync_result r;
    struct tjzw_error e;
    enum tjzw_code code = tjzw_background(jni_phone(handle), jni_seconds_in(seconds), &r, &e);

    (void)class;
    return jni_synced_out(env, code, &r, &e);
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Tjzw_fetch(JNIEnv *env, jclass class, jlong handle,
                                                  jbyteArray id, jint seconds)
{
    struct tjzw_sync_options options = { .timeout = jni_seconds_in(seconds) };
    char *text = jni_text_in(env, id);
    struct tjzw_sync_result r;
    struct tjzw_error e;
    enum tjzw_code code = tjzw_fetch(jni_phone(handle), text, &options, &r, &e);

    (void)class;
    free(text);
    return jni_synced_out(env, code, &r, &e);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_keep(JNIEnv *env, jclass class, jlong handle,
                                              jbyteArray id, jboolean keep)
{
    char *text = jni_text_in(env, id);
    struct tjzw_error e;

    (void)class;
    if (tjzw_keep(jni_phone(handle), text, keep, &e))
        jni_throw(env, &e);
    free(text);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_horizon(JNIEnv *env, jclass class, jlong handle,
                                                 jbyteArray stream, jlong items)
{
    char *name = jni_text_in(env, stream);
    struct tjzw_error e;

    (void)class;
    if (tjzw_horizon(jni_phone(handle), name, items > 0 ? (uint64_t)items : 0, &e))
        jni_throw(env, &e);
    free(name);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_list(JNIEnv *env, jclass class, jlong handle,
                                              jbyteArray column, jint most, jobject to)
{
    char *path = jni_text_in(env, column);
    struct tjzw_query query = { .column = path, .most = most > 0 ? (uint32_t)most : 0 };
    struct tjzw_error e;
    struct jni_walk w;

    (void)class;
    if (jni_walk_begin(env, to, &items, &w))
        jni_walk_end(env, tjzw_list(jni_phone(handle), &query, walk_one, &w, &e), &e);
    free(path);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_search(JNIEnv *env, jclass class, jlong handle,
                                                jbyteArray words, jint most, jobject to)
{
    char *text = jni_text_in(env, words);
    struct tjzw_query query = { .most = most > 0 ? (uint32_t)most : 0 };
    struct tjzw_error e;
    struct jni_walk w;

    (void)class;
    if (jni_walk_begin(env, to, &items, &w))
        jni_walk_end(env, tjzw_search(jni_phone(handle), text, &query, walk_one, &w, &e), &e);
    free(text);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_read(JNIEnv *env, jclass class, jlong handle,
                                              jbyteArray id, jobject to)
{
    char *text = jni_text_in(env, id);
    enum tjzw_code code;
    struct tjzw_error e;
    struct jni_walk w;

    (void)class;
    if (jni_walk_begin(env, to, &items, &w) &&
        (code = tjzw_read(jni_phone(handle), text, walk_one, &w, &e)) != TJZW_NOT_FOUND)
        jni_walk_end(env, code, &e);
    free(text);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Tjzw_stop(JNIEnv *env, jclass class, jlong handle)
{
    (void)env, (void)class;
    tjzw_stop(jni_phone(handle));
}
