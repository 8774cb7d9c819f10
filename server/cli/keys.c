/*
 * keys.c - `tjzw keys`: the public key that a phone is told to trust.
 */
#include <stdio.h>

#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/cli/commands.h"
#include "sync/verify.h"

int cmd_keys(const struct args *a)
{
    struct arena *mem = arena_new();
    uint8_t key[VERIFY_ED25519];
    struct sync_err why = { 0 };
    char path[4096], hex[HASH_TEXT], *text;
    struct err e = { 0 };
    struct conf c;
    size_t n;
    int code;

    if (!(code = cli_conf(a, &c))) {
        snprintf(path, sizeof path, "%s/keys/chain", c.data);
        if (fs_read(&e, mem, path, VERIFY_KEYS_MAX, &text, &n))
            code = cli_fail(&e, "keys", "they are made at the first start of tjzw serve");
        else if (verify_keys_first(&why, text, n, key) &&
                 err_set(&e, RC_CORRUPT, "%s: %.300s", path, why.text))
            code = cli_fail(&e, "keys", "restore the directory keys/ from the backup");
        else
            printf("platform ed25519 %s\n%s", hex_text(key, sizeof key, hex), text);
        conf_done(&c);
    }
    arena_free(mem);
    return code;
}
