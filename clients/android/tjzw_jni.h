/*
 * tjzw_jni.h - what the two files of the example share: text, failures and callbacks over JNI's border.
 */
#ifndef TJZW_JNI_H
#define TJZW_JNI_H

#include <jni.h>

#include "clients/c/tjzw.h"

#define BYTES "[B"

static inline struct tjzw *jni_phone(jlong handle)
{
    return (struct tjzw *)(intptr_t)handle;
}

/* A copy with NUL behind, NULL for null; release it with free(). */
char *jni_text_in(JNIEnv *env, jbyteArray bytes);
/* NULL for NULL, and with an exception pending when Java's heap is full. */
jbyteArray jni_bytes_out(JNIEnv *env, const char *text, size_t n);
jbyteArray jni_text_out(JNIEnv *env, const char *text);
uint32_t jni_seconds_in(jint seconds);
/* NULL, with an exception pending, if it failed. */
jobject jni_synced_out(JNIEnv *env, enum tjzw_code code, const struct tjzw_sync_result *r,
                       const struct tjzw_error *e);
void jni_throw(JNIEnv *env, const struct tjzw_error *e);

/* Who takes what: an interface with one method, and the class of what it is given. */
struct jni_walk_kind {
    const char *takers, *method, *take; /* "cn/tjzw/Tjzw$Items", "item", its signature */
    const char *one, *make;             /* "cn/tjzw/Tjzw$Item", its constructor's signature */
};

struct jni_walk {
    JNIEnv *env;
    jobject to;
    jclass class;
    jmethodID make, take;
};

bool jni_walk_begin(JNIEnv *env, jobject to, const struct jni_walk_kind *kind,
                    struct jni_walk *w);
/* A frame of references for one, and what is made in it given away: false: it wants no more, or an exception is pending. */
bool jni_walk_open(struct jni_walk *w);
bool jni_walk_give(struct jni_walk *w, jobject made);
void jni_walk_end(JNIEnv *env, enum tjzw_code code, const struct tjzw_error *e);

#endif
