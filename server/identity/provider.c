/*
 * provider.c - the one piece of state of the provider that is not a row.
 */
#include "server/identity/provider.h"

#include <stdio.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/secret.h"
#include "server/identity/account.h"
#include "server/identity/grant_scope.h"
#include "server/identity/parked.h"

static struct jwt_keys *keys;
static const struct provider_clients *known;

/*
 * `tjzw login`. It is ours, so it is no party: number 0, whose sessions are those of our own apps, with all rights of who signed in. For
 * that reason members of staff alone may let it in (api/ask.c), and it can ask for nothing in any other way than by letters that he types.
 */
static const struct grant_client command_line = {
    .party = 0,
    .id = "tjzw-cli",
    .name = "tjzw 命令行（以您的身份操作后台）",
    .ways = GRANT_BY_DEVICE | GRANT_BY_REFRESH,
    .scopes = SCOPE_openid | SCOPE_offline_access,
    .ceiling = ACCOUNT_LEVEL_MAX,
    .sector = "tjzw-cli",
};

static bool by_id(struct arena *mem, const char *id, struct grant_client *out)
{
    if (strcmp(id, command_line.id) != 0)
        return known->by_id(mem, id, out);
    *out = command_line;
    return true;
}

static bool by_number(struct arena *mem, int64_t party, struct grant_client *out)
{
    if (party != command_line.party)
        return known->by_number(mem, party, out);
    *out = command_line;
    return true;
}

static int64_t key_of(int64_t party, const char *key)
{
    return known->key_of(party, key);
}

static const struct provider_clients all_clients = { by_id, by_number, key_of };

enum rc provider_open(struct err *e, const char *data, const struct provider_clients *clients)
{
    uint8_t token_key[SECRET_BYTES];
    char path[4096];
    enum rc rc;

    snprintf(path, sizeof path, "%s/keys/token", data);
    if ((rc = secret_load_or_make(e, path, token_key, sizeof token_key)) ||
        (rc = jwt_keys_open(e, data, &jwt_times_usual, &keys)))
        return rc;
    parked_set_key(token_key);
    secret_wipe(token_key, sizeof token_key);
    known = clients;
    return RC_OK;
}

void provider_close(void)
{
    jwt_keys_close(keys);
    keys = NULL;
}

const struct provider_clients *provider_clients(void)
{
    return &all_clients;
}

struct jwt_keys *provider_keys(void)
{
    return keys;
}

void provider_tick(struct db *db, void *unused)
{
    struct err e = { 0 };

    (void)db, (void)unused;
    if (keys && jwt_keys_tick(keys, &e))
        LOG(LOG_ERROR, "jwt_keys_not_moved", L_STR("why", e.text));
}
