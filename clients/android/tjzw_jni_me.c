/*
 * tjzw_jni_me.c - tjzw_me.h for cn.tjzw.Me: who holds the phone, what is his, and his letters. As tjzw_jni.c.
 */
#include "clients/c/tjzw_me.h"

#include <stdlib.h>
#include <string.h>

#include "clients/android/tjzw_jni.h"

/* ---- texts in and out ---- */

enum { TEXTS_MOST = 8 };

/* Several arguments at once, in the order of `bytes`. */
static void texts_in(JNIEnv *env, const jbyteArray *bytes, size_t n, char **out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = jni_text_in(env, bytes[i]);
}

static void texts_free(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
}

/* An object of a class of ours; NULL, with an exception pending, if there is none. */
static jmethodID constructor(JNIEnv *env, const char *name, const char *make, jclass *class)
{
    *class = (*env)->FindClass(env, name);
    return *class ? (*env)->GetMethodID(env, *class, "<init>", make) : NULL;
}

/* ---- who is here ---- */

JNIEXPORT jint JNICALL Java_cn_tjzw_Me_askCode(JNIEnv *env, jclass class, jlong handle,
                                               jbyteArray number)
{
    char *text = jni_text_in(env, number);
    struct tjzw_code_sent sent = { 0 };
    struct tjzw_error e;

    (void)class;
    if (tjzw_ask_code(jni_phone(handle), text, &sent, &e))
        jni_throw(env, &e);
    free(text);
    return (jint)sent.expires_in;
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Me_signIn(JNIEnv *env, jclass class, jlong handle,
                                                 jbyteArray number, jbyteArray code,
                                                 jbyteArray login, jbyteArray password,
                                                 jbyteArray ticket, jbyteArray totp,
                                                 jbyteArray passkey, jbyteArray device)
{
    const jbyteArray bytes[TEXTS_MOST] = { number, code, login,   password,
                                           ticket, totp, passkey, device };
    char *t[TEXTS_MOST];
    struct tjzw_step step;
    struct tjzw_error e;
    enum tjzw_code rc;
    jmethodID make;
    jclass made;

    (void)class;
    texts_in(env, bytes, TEXTS_MOST, t);
    rc = tjzw_sign_in(jni_phone(handle),
                      &(struct tjzw_sign_in){ t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7] },
                      &step, &e);
    texts_free(t, TEXTS_MOST);
    if (rc) {
        jni_throw(env, &e);
        return NULL;
    }
    make = constructor(env, "cn/tjzw/Me$Step", "(IJZ" BYTES BYTES BYTES ")V", &made);
    return make ? (*env)->NewObject(env, made, make, (jint)step.kind, (jlong)step.account,
                                    (jboolean)step.is_new, jni_text_out(env, step.factors),
                                    jni_text_out(env, step.ticket),
                                    jni_text_out(env, step.passkey))
                : NULL;
}

JNIEXPORT void JNICALL Java_cn_tjzw_Me_signOut(JNIEnv *env, jclass class, jlong handle)
{
    struct tjzw_error e;

    (void)class;
    if (tjzw_sign_out(jni_phone(handle), &e))
        jni_throw(env, &e);
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Me_state(JNIEnv *env, jclass class, jlong handle)
{
    struct tjzw_error e;
    struct tjzw_me me;
    jmethodID make;
    jclass made;

    (void)class;
    if (tjzw_me(jni_phone(handle), &me, &e)) {
        jni_throw(env, &e);
        return NULL;
    }
    make = constructor(env, "cn/tjzw/Me$State", "(JZZIJJJ)V", &made);
    return make ? (*env)->NewObject(env, made, make, (jlong)me.account, (jboolean)me.guest,
                                    (jboolean)me.ended, (jint)me.level, (jlong)me.unsent,
                                    (jlong)me.attention, (jlong)me.unread)
                : NULL;
}

JNIEXPORT jobject JNICALL Java_cn_tjzw_Me_sync(JNIEnv *env, jclass class, jlong handle,
                                               jint seconds)
{
    struct tjzw_sync_options options = { .timeout = jni_seconds_in(seconds) };
    struct tjzw_sync_result r;
    struct tjzw_error e;
    enum tjzw_code code = tjzw_me_sync(jni_phone(handle), &options, &r, &e);

    (void)class;
    return jni_synced_out(env, code, &r, &e);
}

/* ---- what is his ---- */

JNIEXPORT void JNICALL Java_cn_tjzw_Me_put(JNIEnv *env, jclass class, jlong handle,
                                           jbyteArray type, jbyteArray key, jbyteArray value)
{
    const jbyteArray bytes[] = { type, key, value };
    char *t[3];
    struct tjzw_error e;

    (void)class;
    texts_in(env, bytes, 3, t);
    if (tjzw_put(jni_phone(handle), t[0], t[1], t[2], &e))
        jni_throw(env, &e);
    texts_free(t, 3);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Me_fav(JNIEnv *env, jclass class, jlong handle,
                                           jbyteArray id, jboolean fav)
{
    char *text = jni_text_in(env, id);
    struct tjzw_error e;

    (void)class;
    if (tjzw_fav(jni_phone(handle), text, fav, &e))
        jni_throw(env, &e);
    free(text);
}

static const struct jni_walk_kind entries = {
    "cn/tjzw/Me$Entries",        "entry", "(Lcn/tjzw/Me$Entry;)Z", "cn/tjzw/Me$Entry",
    "(" BYTES BYTES BYTES "Z)V",
};

static bool walk_entry(void *ctx, const struct tjzw_entry *one)
{
    struct jni_walk *w = ctx;
    JNIEnv *env = w->env;

    return jni_walk_open(w) &&
           jni_walk_give(
               w, (*env)->NewObject(env, w->class, w->make, jni_text_out(env, one->type),
                                    jni_text_out(env, one->key), jni_text_out(env, one->value),
                                    (jboolean)one->pending));
}

JNIEXPORT void JNICALL Java_cn_tjzw_Me_entries(JNIEnv *env, jclass class, jlong handle,
                                               jbyteArray type, jobject to)
{
    char *text = jni_text_in(env, type);
    struct tjzw_error e;
    struct jni_walk w;

    (void)class;
    if (jni_walk_begin(env, to, &entries, &w))
        jni_walk_end(env, tjzw_entries(jni_phone(handle), text, NULL, walk_entry, &w, &e), &e);
    free(text);
}

/* ---- letters, surveys ---- */

JNIEXPORT jbyteArray JNICALL Java_cn_tjzw_Me_act(JNIEnv *env, jclass class, jlong handle,
                                                 jbyteArray type, jbyteArray value)
{
    const jbyteArray bytes[] = { type, value };
    char *t[2], key[37] = "";
    struct tjzw_error e;

    (void)class;
    texts_in(env, bytes, 2, t);
    if (tjzw_act(jni_phone(handle), t[0], t[1], key, &e))
        jni_throw(env, &e);
    texts_free(t, 2);
    return key[0] ? jni_text_out(env, key) : NULL;
}

JNIEXPORT jbyteArray JNICALL Java_cn_tjzw_Me_attach(JNIEnv *env, jclass class, jlong handle,
                                                    jbyteArray path)
{
    char *text = jni_text_in(env, path), hash[65] = "";
    struct tjzw_error e;

    (void)class;
    if (tjzw_attach(jni_phone(handle), text, hash, &e))
        jni_throw(env, &e);
    free(text);
    return hash[0] ? jni_text_out(env, hash) : NULL;
}

static const struct jni_walk_kind letters = {
    "cn/tjzw/Me$Letters",
    "letter",
    "(Lcn/tjzw/Me$Letter;)Z",
    "cn/tjzw/Me$Letter",
    "(" BYTES BYTES BYTES BYTES BYTES "IZ" BYTES ")V",
};

static bool walk_letter(void *ctx, const struct tjzw_letter *l)
{
    struct jni_walk *w = ctx;
    JNIEnv *env = w->env;

    return jni_walk_open(w) &&
           jni_walk_give(
               w, (*env)->NewObject(env, w->class, w->make, jni_text_out(env, l->id),
                                    jni_text_out(env, l->sent), jni_text_out(env, l->state),
                                    jni_text_out(env, l->number), jni_text_out(env, l->receipt),
                                    (jint)l->receipt_state, (jboolean)l->waits,
                                    jni_text_out(env, l->detail)));
}

JNIEXPORT void JNICALL Java_cn_tjzw_Me_letters(JNIEnv *env, jclass class, jlong handle,
                                               jobject to)
{
    struct tjzw_error e;
    struct jni_walk w;

    (void)class;
    if (jni_walk_begin(env, to, &letters, &w))
        jni_walk_end(env, tjzw_letters(jni_phone(handle), walk_letter, &w, &e), &e);
}

JNIEXPORT void JNICALL Java_cn_tjzw_Me_answer(JNIEnv *env, jclass class, jlong handle,
                                              jbyteArray survey, jbyteArray answers)
{
    const jbyteArray bytes[] = { survey, answers };
    char *t[2];
    struct tjzw_error e;

    (void)class;
    texts_in(env, bytes, 2, t);
    if (tjzw_survey_answer(jni_phone(handle), t[0], t[1], &e))
        jni_throw(env, &e);
    texts_free(t, 2);
}
