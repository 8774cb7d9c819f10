/*
 * service.c - see the header. Who hears of changes and of time passing says so before the writer starts (watch()).
 */
#include "server/service.h"

#include <stdio.h>

#include "api/counts.h"
#include "api/events.h"
#include "api/instance.h"
#include "api/porter.h"
#include "api/routes.h"
#include "api/state.h"
#include "api/witness.h"
#include "push/address.h"
#include "push/campaign.h"
#include "push/vendor.h"
#include "server/base/fs.h"
#include "server/base/pool.h"
#include "server/base/seal.h"
#include "server/base/secret.h"
#include "server/channel/mirror_edge.h"
#include "server/channel/purge_hook.h"
#include "server/check/lists.h"
#include "server/citizen/compact.h"
#include "server/citizen/count.h"
#include "server/citizen/count_web.h"
#include "server/citizen/epoch.h"
#include "server/citizen/inbox.h"
#include "server/citizen/letter_clock.h"
#include "server/citizen/letter_file.h"
#include "server/citizen/letter_room.h"
#include "server/citizen/letter_scan.h"
#include "server/citizen/receipt.h"
#include "server/citizen/survey.h"
#include "server/citizen/workday.h"
#include "server/confine.h"
#include "server/http/cache.h"
#include "server/http/shown.h"
#include "server/identity/account.h"
#include "server/identity/code.h"
#include "server/identity/erase.h"
#include "server/identity/erased.h"
#include "server/identity/factor.h"
#include "server/identity/invite.h"
#include "server/identity/keyfile.h"
#include "server/identity/party.h"
#include "server/identity/party_key.h"
#include "server/identity/party_log.h"
#include "server/identity/password.h"
#include "server/identity/password_set.h"
#include "server/identity/provider.h"
#include "server/identity/reseal.h"
#include "server/identity/role.h"
#include "server/identity/session.h"
#include "server/identity/sign_in.h"
#include "server/identity/sms.h"
#include "server/identity/staff_device.h"
#include "server/identity/trail.h"
#include "server/identity/upstream.h"
#include "server/identity/upstream_ask.h"
#include "server/library/publish.h"
#include "server/library/purge_url.h"
#include "server/library/schedule.h"
#include "server/library/takedown.h"
#include "server/retention.h"
#include "server/store/backup.h"
#include "server/store/db.h"
#include "server/store/disk.h"
#include "server/store/writer.h"
#include "sync/live.h"
#include "warning/take.h"

enum {
    EXPIRE_EVERY_MS = 10000,
    SCHEDULE_EVERY_MS = 250,
    TAKEDOWN_EVERY_MS = 1000,
    ERASE_EVERY_MS = 1000,
    PURGE_EVERY_MS = 500,
    CONFINE_EVERY_MS = 1000,
    SESSION_EVERY_MS = 60000,
    RETENTION_EVERY_MS = 1000,
    JWT_EVERY_MS = 60000,
    RESEAL_EVERY_MS = 250,
    PARTY_LOG_EVERY_MS = 5000,
    LETTER_EVERY_MS = 1000,
    LETTER_FILE_EVERY_MS = 60000,
    COUNT_EVERY_MS = 5000,
    INBOX_EVERY_MS = 5000,
    ADDRESS_EVERY_MS = 1000,
    BUILDS_MAX = 16,
    BUILDER_NICENESS = 5,
    BUILDER_ENDS_MS = 500 /* it needs 60 of them, if it gets any */
};

/* A restore that was cut short must not look like an empty library. */
static enum rc check_restored(struct err *e, const char *data)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/" RESTORE_STAGE, data);
    if (!fs_exists(path))
        return RC_OK;
    return err_set(e, RC_CONFLICT, "a restore into %s was cut short; run tjzw restore again",
                   data);
}

static enum rc make_directories(struct err *e, const char *data)
{
    static const char *const names[] = { "keys", "blobs", "objects" };
    char path[4096];
    enum rc rc;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", data, names[i]);
        if ((rc = fs_mkdirs(e, path, 0700)))
            return rc;
    }
    return RC_OK;
}

static enum rc check_keys(struct work *w, void *keys)
{
    return keyfile_check(w, keys);
}

static enum rc remember_keys(struct work *w, void *keys)
{
    return keyfile_remember(w, keys);
}

static enum rc erase_again(struct work *w, void *unused)
{
    (void)unused;
    return erase_replay(w);
}

static enum rc on_writer(struct err *e, enum rc (*run)(struct work *w, void *arg), void *arg)
{
    struct arena *mem = arena_new();
    struct work w;
    enum rc rc;

    work_init(&w, mem, NULL, "system", RIGHT_ALL);
    if ((rc = writer_call(&w, run, arg)))
        *e = w.err;
    arena_free(mem);
    return rc;
}

static enum rc with_keys(struct err *e, const struct conf *c,
                         enum rc (*run)(struct work *w, void *keys))
{
    char keys[4096];

    snprintf(keys, sizeof keys, "%s/keys", c->data);
    return on_writer(e, run, keys);
}

static enum rc load_credentials(struct work *w, void *keys)
{
    uint8_t key[SECRET_BYTES];
    enum rc rc;

    if ((rc = secret_load_or_make(&w->err, arena_printf(w->mem, "%s/token", (char *)keys), key,
                                  sizeof key)) ||
        (rc = session_load(w, key)))
        return rc;
    secret_wipe(key, sizeof key);
    if ((rc = role_load(w)) || (rc = staff_device_load(w)) || (rc = account_count(w)) ||
        (rc = epoch_load(w)))
        return rc;
    return party_load(w);
}

/* None that was lost is made anew in silence; what is made is remembered before it is used. */
static enum rc open_keys(struct err *e, const struct conf *c, bool serves)
{
    char keys[4096];
    enum rc rc;

    snprintf(keys, sizeof keys, "%s/keys", c->data);
    if ((rc = with_keys(e, c, check_keys)) || (rc = seal_load(e, keys, c->seal_suite)) ||
        (rc = receipt_load(e, keys)) || (rc = code_open(e, keys)) ||
        (rc = trail_begin(e, c->data, c->sign_sm2, serves)))
        return rc;
    if ((rc = with_keys(e, c, load_credentials)) ||
        (rc = provider_open(e, c->data, &party_clients)))
        return rc;
    if ((rc = on_writer(e, erase_again, NULL)))
        return rc;
    return with_keys(e, c, remember_keys);
}

/* Before the writer starts: who hears of changes, and of time passing. */
static void watch(const struct conf *c)
{
    sync_watch();
    sync_on_cut(cache_forget_all); /* what was taken down must not be answered from memory */
    writer_tick(EXPIRE_EVERY_MS, publish_tick, NULL);
    writer_tick(SCHEDULE_EVERY_MS, schedule_tick, NULL);
    events_open(c);
    writer_tick(TAKEDOWN_EVERY_MS, takedown_tick, NULL);
    writer_tick(ERASE_EVERY_MS, erase_tick, NULL);
    writer_tick(PURGE_EVERY_MS, purge_hook_tick, NULL);
    writer_tick(CONFINE_EVERY_MS, confine_tick, NULL);
    writer_tick(SESSION_EVERY_MS, session_tick, NULL);
    retention_open(c->audit_keep);
    writer_tick(RETENTION_EVERY_MS, retention_tick, NULL);
    writer_tick(RETENTION_EVERY_MS, compact_tick, NULL);
    writer_tick(JWT_EVERY_MS, provider_tick, NULL);
    writer_tick(RESEAL_EVERY_MS, reseal_tick, NULL);
    writer_tick(PARTY_LOG_EVERY_MS, party_log_tick, NULL);
    writer_tick(LETTER_EVERY_MS, letter_clock, NULL);
    writer_tick(LETTER_FILE_EVERY_MS, letter_file_tick, NULL);
    letter_room_open(c->guest_files, c->guest_files_waiting);
    survey_open(c->survey_browsers);
    count_open(c->counts_population, c->counts_reports, c->counts_pages);
    writer_tick(COUNT_EVERY_MS, count_tick, NULL);
    writer_tick(INBOX_EVERY_MS, inbox_tick, NULL);
    writer_tick(ADDRESS_EVERY_MS, address_tick, NULL);
}

static enum rc open_campaigns(struct err *e, const struct conf *c)
{
    const struct campaign_conf conf = { .news_licence = c->news_licence,
                                        .sender = c->push_sender,
                                        .two_eyes_from = c->push_two_eyes_from,
                                        .a_person = c->push_a_day,
                                        .columns = &c->push_columns,
                                        .missing_after = c->push_missing_after / 1000,
                                        .testers = &c->push_testers };

    vendor_open(c);
    return campaign_open(e, &conf) || take_open(e, c) ? e->rc : RC_OK;
}

static const char *database; /* for the workers, who open it each for themselves */

static enum rc open_reader(struct err *e, struct db **out)
{
    return db_open(e, database, DB_READ, out);
}

/* Who signs in, and how. By a password, or by an upstream, only where people come. */
static enum rc open_sign_in(struct service *s, struct err *e, const struct conf *c)
{
    const struct sms_conf sms = { .url = c->sms_url,
                                  .type = c->sms_type,
                                  .body = c->sms_body,
                                  .headers = c->sms_headers_secret,
                                  .ok = c->sms_ok,
                                  .countries = &c->sms_countries,
                                  .development = c->sms_development };
    struct sign_in_conf conf = { .upstream_only = c->upstream_only };
    char keys[4096];
    enum rc rc;

    snprintf(keys, sizeof keys, "%s/keys", c->data);
    if (s->serves && (rc = passwords_open(e, (int)c->password_threads, &s->passwords)))
        return rc;
    conf.passwords = s->passwords;
    password_set_open(s->passwords);
    invite_open(s->passwords);
    if ((rc = sms_open(e, &sms)))
        return rc;
    if (s->serves && (rc = upstreams_open(e, c->data, c->upstreams)))
        return rc;
    upstream_ask_open(s->workers);
    return sign_in_open(e, keys, &conf);
}

/* ---- in order ---- */

/* What has to stand before the writer starts. */
static enum rc open_directory(struct err *e, const struct conf *c)
{
    enum rc rc;

    if ((rc = check_restored(e, c->data)) || (rc = make_directories(e, c->data)) ||
        (rc = trail_open(e, c->audit_keep)) || (rc = takedown_open(e, c->data)) ||
        (rc = erased_open(e, c->data)))
        return rc;
    if ((rc = letter_files_open(e, c->data)))
        return rc;
    return letter_scan_open(e, c->scan_socket);
}

static enum rc open_pools(struct service *s, struct err *e, const struct conf *c)
{
    enum rc rc;

    if ((rc = pool_new(e, (int)c->workers, (int)c->queue_max, open_reader, db_close,
                       &s->workers)) ||
        (rc = pool_new(e, 1, BUILDS_MAX, open_reader, db_close, &s->builder)))
        return rc;
    if (s->serves) /* a command has nobody to step back for */
        pool_lower(s->builder, BUILDER_NICENESS);
    return RC_OK;
}

enum rc service_open(struct err *e, const struct conf *c, bool serves, struct service *out)
{
    struct service *s = out;
    enum rc rc;

    *s = (struct service){ .conf = c, .serves = serves };
    if (snprintf(s->db_path, sizeof s->db_path, "%s/" DB_NAME, c->data) >=
        (int)sizeof s->db_path - 64)
        return err_set(e, RC_INVALID, "the data directory's path is too long");
    if ((rc = workday_open(e, &c->days_off, &c->days_on)) || (rc = open_campaigns(e, c)) ||
        (rc = lists_open(e, c->data, &c->check_words, &c->check_hosts)) ||
        (rc = mirror_edge_check(e, c)) || (rc = open_directory(e, c)))
        return rc;
    purge_url_watch(*c->purge_hook != '\0');
    watch(c);
    disk_watch(c->data, c->disk_reserve);
    if (serves && (rc = lists_start(e)))
        return rc;
    database = s->db_path;
    if ((rc = writer_start(e, s->db_path, (int)c->queue_max)))
        return rc;
    s->writing = true;
    if ((rc = open_keys(e, c, serves)) || (rc = mirror_edge_settled(e, c, s->db_path)) ||
        (rc = open_pools(s, e, c)) || (rc = open_sign_in(s, e, c)) ||
        (rc = sync_start(e, c, s->builder, s->workers)) ||
        (rc = with_keys(e, c, remember_keys)))
        return rc;
    return on_writer(e, publish_count, NULL);
}

enum rc service_route(struct err *e, const struct service *s)
{
    const struct conf *c = s->conf;
    struct networks staff;
    struct gate_source gate;
    enum rc rc;

    if ((rc = networks_parse(e, "staff_networks", &c->staff_networks, &staff)))
        return rc;
    state_open(c->state_poll);
    routes_set(routes_table);
    gate = porter_source(&staff);
    gate_set(&gate);
    witness_set(&witness_audit);
    shown_set(COUNTS_PREFIX, counts_shown);
    return RC_OK;
}

enum rc service_describe(struct err *e, const struct service *s, const char *origin, bool demo)
{
    const struct conf *c = s->conf;
    struct instance in = { .public_url = c->public_url,
                           .origin = origin,
                           .dir = c->data,
                           .demo = demo,
                           .stream = live_own() ? live_no(live_own()) : 0 };
    char keys[4096];
    enum rc rc;

    snprintf(keys, sizeof keys, "%s/keys", c->data);
    if ((rc = preview_key_load(e, keys, &in.preview)))
        return rc;
    instance_set(&in);
    factor_open(*c->public_url ? c->public_url : origin);
    return RC_OK;
}

/* ---- in reverse ---- */

bool service_stop(struct service *s)
{
    bool built = true;

    sync_stop();
    passwords_close(s->passwords);
    if (s->serves)
        built = pool_end(s->builder, BUILDER_ENDS_MS);
    else
        pool_free(s->builder);
    pool_free(s->workers);
    if (s->writing) {
        party_log_finish();
        count_web_finish();
    }
    trail_finish();
    if (s->writing)
        writer_stop();
    trail_close();
    disk_forget();
    lists_close();
    purge_hook_stop();
    takedown_close();
    erased_close();
    provider_close();
    sign_in_close();
    upstream_book_close();
    upstreams_close();
    sms_close();
    code_close();
    receipt_forget();
    seal_forget();
    return built;
}

void service_done(void)
{
    sync_done();
    events_close();
}
