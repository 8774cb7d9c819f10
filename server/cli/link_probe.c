/*
 * link_probe.c - see the header. GET, because many servers know no HEAD; of an answer 64 KB are read, and a longer one is an answer as well.
 */
#include "server/cli/link_probe.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/memory.h"
#include "server/http/client.h"

enum { TOGETHER = 16, TIMEOUT_MS = 10000, ANSWER_MAX = 64 * 1024, URL_MAX = 2000 };

struct probe {
    json_t *urls; /* address: line, as they came */
    int most, asked;
    bool private_net;
    pthread_mutex_t lock;
    pthread_cond_t landed;
    int flying;
};

struct probe *probe_new(int most, bool private_net)
{
    struct probe *p = calloc(1, sizeof *p);

    if (!p || !(p->urls = json_object()))
        memory_end();
    p->most = most;
    p->private_net = private_net;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->landed, NULL);
    return p;
}

void probe_free(struct probe *p)
{
    if (!p)
        return;
    json_decref(p->urls);
    free(p);
}

int probe_asked(const struct probe *p)
{
    return p->asked;
}

void probe_note(struct probe *p, const char *url, int line)
{
    if ((strncmp(url, "http://", 7) && strncmp(url, "https://", 8)) || strlen(url) > URL_MAX ||
        (int)json_object_size(p->urls) >= p->most || json_object_get(p->urls, url))
        return;
    json_object_set_new(p->urls, url, json_integer(line));
}

void probe_note_all(struct probe *p, const char *text, int line)
{
    for (const char *at = text; (at = strstr(at, "http")); at++) {
        size_t n = 0;
        char url[URL_MAX + 1];

        while (at[n] > ' ' && at[n] < 127 && !strchr("()[]<>\"'|\\", at[n]) && n < URL_MAX)
            n++;
        memcpy(url, at, n);
        url[n] = '\0';
        probe_note(p, url, line);
    }
}

static void on_landed(struct client_request *rq)
{
    struct probe *p = rq->arg;

    pthread_mutex_lock(&p->lock);
    p->flying--;
    pthread_cond_signal(&p->landed);
    pthread_mutex_unlock(&p->lock);
}

static void send(struct probe *p, struct client_request *rq, const char *url)
{
    *rq = (struct client_request){ .method = "GET",
                                   .url = url,
                                   .answer_max = ANSWER_MAX,
                                   .timeout_ms = TIMEOUT_MS,
                                   .public_only = !p->private_net,
                                   .done = on_landed,
                                   .arg = p };
    pthread_mutex_lock(&p->lock);
    p->flying++;
    pthread_mutex_unlock(&p->lock);
    p->asked++;
    if (!client_send(rq)) {
        rq->rc = RC_BUSY;
        on_landed(rq);
    }
}

static void wait_all(struct probe *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->flying)
        pthread_cond_wait(&p->landed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

/* NULL: somebody answers. */
static const char *fault_of(const struct client_request *rq, char said[32])
{
    if (rq->rc == RC_TOO_LARGE)
        return NULL;
    if (rq->rc)
        return "连不上";
    if (rq->status != 404 && rq->status != 410 && rq->status < 500)
        return NULL;
    snprintf(said, 32, "答复 %d", rq->status);
    return said;
}

void probe_ask(struct probe *p,
               void (*dead)(void *arg, const char *url, int line, const char *why), void *arg)
{
    struct client_request rq[TOGETHER];
    void *at = json_object_iter(p->urls);
    struct err e = { 0 };

    if (client_start(&e, TOGETHER))
        return;
    while (at) {
        int n = 0, line[TOGETHER];

        for (; at && n < TOGETHER; at = json_object_iter_next(p->urls, at), n++) {
            line[n] = (int)json_integer_value(json_object_iter_value(at));
            send(p, &rq[n], json_object_iter_key(at));
        }
        wait_all(p);
        for (int i = 0; i < n; i++) {
            char said[32];
            const char *why = fault_of(&rq[i], said);

            if (why)
                dead(arg, rq[i].url, line[i], why);
            client_request_done(&rq[i]);
        }
    }
    client_stop();
}
