/*
 * demo_accounts.h - people to sign in as before one has any, marked 示例: citizens, one of each kind of staff, somebody who acts for a
 * district.
 */
#ifndef SERVER_DEMO_ACCOUNTS_H
#define SERVER_DEMO_ACCOUNTS_H

#include "server/base/work.h"

/* In the data directory, mode 0600: what a demo's start prints of them. */
#define DEMO_ACCOUNTS "demo-accounts"

/*
 * Makes them, unless they are there. Their password and the secrets of their second factors are new for every data directory and
 * stand in DATA/demo-accounts alone: no account of ours can be opened by who has read our documents. After sign_in_open(); waits for the writer.
 */
enum rc demo_accounts_make(struct err *e, const char *data);

#endif
