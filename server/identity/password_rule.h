/*
 * password_rule.h - which passwords somebody who guesses tries first.
 */
#ifndef IDENTITY_PASSWORD_RULE_H
#define IDENTITY_PASSWORD_RULE_H

#include "server/base/err.h"

enum { PASSWORD_OWN_MAX = 8 };

/*
 * `normal` is password_normal()'s. `own`: what belongs to the account and others know, like its
 * sign-in name, its phone number, its real name, its place; at most PASSWORD_OWN_MAX, NULL ones
 * are passed over. RC_INVALID: too easy to guess.
 */
enum rc password_is_fit(struct err *e, const char *normal, const char *const *own, int n);

#endif
