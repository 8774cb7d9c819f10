/*
 * bare_push.c - the least that sending to Apple's interface costs with libcurl: a loop over one multi handle, and nothing else.
 *
 *     bare_push URL CA N        POSTs the same message to URL/3/device/TOKEN for N tokens, and fails unless each is answered with 200
 *
 * As many under way, over as few connections, with the settings that push/post.c has (server/http/transfer.c): the loop that somebody would write who does not care what became
 * of whom.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

enum { FLYING = 256 };

static const char body[] =
    "{\"aps\":{\"alert\":{\"title\":\"示例：明天停水\",\"body\":\"八点到十点，请提前备水。\"},"
    "\"sound\":\"default\"},\"campaign\":1}";

static struct curl_slist *headers;
static const char *url, *ca;
static long begun, ended, wanted;

static size_t ignore(char *p, size_t size, size_t n, void *unused)
{
    (void)p, (void)unused;
    return size * n;
}

static void header(const char *line)
{
    headers = curl_slist_append(headers, line);
}

static void make_headers(void)
{
    char line[256] = "authorization: bearer ";

    memset(line + strlen(line), 'x', 200);
    header(line);
    header("apns-topic: cn.example.app");
    header("apns-push-type: alert");
    header("apns-priority: 10");
    header("apns-collapse-id: c-1");
    header("apns-expiration: 1800000000");
    header("content-type: application/json");
}

static void begin(CURLM *multi, CURL *h)
{
    char to[512];

    snprintf(to, sizeof to, "%s/3/device/%064lx", url, (unsigned long)begun++);
    curl_easy_setopt(h, CURLOPT_URL, to);
    curl_easy_setopt(h, CURLOPT_CAINFO, ca);
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(h, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, ignore);
    curl_multi_add_handle(multi, h);
}

static void finish(CURLM *multi, CURL *h, CURLcode code)
{
    long status = 0;

    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    if (code || status != 200)
        errx(1, "a request ended with %s, status %ld", curl_easy_strerror(code), status);
    curl_multi_remove_handle(multi, h);
    ended++;
    if (begun < wanted)
        begin(multi, h);
    else
        curl_easy_cleanup(h);
}

int main(int argc, char **argv)
{
    CURLM *multi = curl_multi_init();
    int running, left;

    if (argc != 4)
        errx(2, "bare_push URL CA N");
    url = argv[1];
    ca = argv[2];
    wanted = strtol(argv[3], NULL, 10);
    make_headers();
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 4L);
    for (int i = 0; i < FLYING && begun < wanted; i++)
        begin(multi, curl_easy_init());
    while (ended < wanted) {
        CURLMsg *m;

        curl_multi_perform(multi, &running);
        while ((m = curl_multi_info_read(multi, &left)))
            finish(multi, m->easy_handle, m->data.result);
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return 0;
}
