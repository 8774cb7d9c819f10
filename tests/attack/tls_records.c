/*
 * tls_records.c - records of TLS that no honest client sends, on many connections at once.
 *
 *     tls-records PORT ADDRESS CONNECTIONS KIND COUNT
 *
 * Each connection from ADDRESS shakes hands and begins HTTP/2; what it shall say is made in memory first, COUNT records of KIND, and then all say it as
 * fast as the server takes it. Prints how many connections the server has ended two seconds later.
 *
 *     keys    new keys (KeyUpdate): 27 octets, which cost the server a dozen hashes and a cipher
 *     asked   the same, each asking the server for new keys of its own
 *     bytes   one byte each, of a frame that never ends
 *     again   TLS 1.2: a handshake within the connection
 *
 * and what OpenSSL would not say, sealed here under the connection's own keys (AES-128-GCM):
 *
 *     empty   no content at all
 *     pauses  the same, with a byte between every thirty, so that there are never too many in a row
 *     empty2  pauses, over TLS 1.2
 *     ticket  NewSessionTicket, which only servers send
 *     part    the beginning of a handshake message that never ends, a byte a record
 *     hello2  TLS 1.2: HelloRequest, which only servers send
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>

enum { HEAD = 33, KEY = 16, IV = 12, SALT = 4, TAG = 16, RECORD_MOST = 5 + 8 + HEAD + 1 + TAG };

static const char greeting[HEAD] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
/* The beginning of a frame of 16 KB that nobody knows. */
static const char data[] = "\0\x3f\xff\xbe\0\0\0\0";

/* What is sealed here; `every`: after so many a byte of data. */
static const struct row {
    const char *kind;
    int version;
    uint8_t type;
    size_t n;
    char bytes[9];
    int every;
} rows[] = {
    { "empty", TLS1_3_VERSION, SSL3_RT_APPLICATION_DATA, 0, "", 0 },
    { "pauses", TLS1_3_VERSION, SSL3_RT_APPLICATION_DATA, 0, "", 30 },
    { "empty2", TLS1_2_VERSION, SSL3_RT_APPLICATION_DATA, 0, "", 30 },
    { "ticket", TLS1_3_VERSION, SSL3_RT_HANDSHAKE, 4, "\4\0\0\0", 0 },
    { "part", TLS1_3_VERSION, SSL3_RT_HANDSHAKE, 1, "\30", 0 },
    { "hello2", TLS1_2_VERSION, SSL3_RT_HANDSHAKE, 4, "\0\0\0\0", 0 },
};

struct peer {
    int fd;
    bool over;
    char *say;
    size_t n, at;
};

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int dial(int port, const char *from)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (fd < 0 || inet_pton(AF_INET, from, &at.sin_addr) != 1)
        fail("socket");
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at))
        fail("bind");
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    at.sin_port = htons((uint16_t)port);
    if (connect(fd, (struct sockaddr *)&at, sizeof at))
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void say_one(SSL *ssl, const char *kind, long nth)
{
    if (!strcmp(kind, "bytes")) {
        SSL_write(ssl, nth < 9 ? data + nth : "z", 1);
    } else if (!strcmp(kind, "again")) {
        SSL_renegotiate(ssl);
        SSL_do_handshake(ssl);
    } else {
        SSL_key_update(ssl, strcmp(kind, "asked") ? SSL_KEY_UPDATE_NOT_REQUESTED
                                                  : SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(ssl);
    }
}

/* ---- records of our own ---- */

struct sealer {
    EVP_CIPHER_CTX *cipher;
    uint8_t iv[IV]; /* TLS 1.2: its first four, and the number is said in each record */
    uint64_t number;
    bool is_13;
};

static uint8_t secret13[EVP_MAX_MD_SIZE]; /* of the connection that shook hands last */

static void on_secret(const SSL *ssl, const char *line)
{
    static const char mine[] = "CLIENT_TRAFFIC_SECRET_0 ";
    const char *hex = strrchr(line, ' ') + 1;

    (void)ssl;
    if (strncmp(line, mine, sizeof mine - 1) != 0)
        return;
    for (size_t i = 0; i < 32; i++)
        sscanf(hex + 2 * i, "%2hhx", &secret13[i]);
}

static void derive(const char *kdf, const OSSL_PARAM *how, uint8_t *out, size_t n)
{
    EVP_KDF *one = EVP_KDF_fetch(NULL, kdf, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(one);

    if (EVP_KDF_derive(ctx, out, n, how) != 1)
        fail(kdf);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(one);
}

/* RFC 8446 7.3. */
static void derive13(const char *label, uint8_t *out, size_t n)
{
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM how[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret13, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, (char *)"tls13 ", 6),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, (char *)label, strlen(label)),
        OSSL_PARAM_construct_end(),
    };

    derive("TLS13-KDF", how, out, n);
}

/* RFC 5246 6.3: the client's key, the server's, the client's salt. */
static void derive12(SSL *ssl, uint8_t key[KEY], uint8_t salt[SALT])
{
    uint8_t master[48], client[32], server[32], block[2 * KEY + 2 * SALT];
    OSSL_PARAM how[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, sizeof master),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (char *)"key expansion", 13),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, server, sizeof server),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, client, sizeof client),
        OSSL_PARAM_construct_end(),
    };

    SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
    SSL_get_client_random(ssl, client, sizeof client);
    SSL_get_server_random(ssl, server, sizeof server);
    derive("TLS1-PRF", how, block, sizeof block);
    memcpy(key, block, KEY);
    memcpy(salt, block + 2 * KEY, SALT);
}

static struct sealer sealer_of(SSL *ssl, bool is_13)
{
    /* Number 0 of TLS 1.2 was Finished. */
    struct sealer s = { .cipher = EVP_CIPHER_CTX_new(), .is_13 = is_13, .number = !is_13 };
    uint8_t key[KEY];

    if (is_13) {
        derive13("key", key, KEY);
        derive13("iv", s.iv, IV);
    } else {
        derive12(ssl, key, s.iv);
    }
    EVP_EncryptInit_ex(s.cipher, EVP_aes_128_gcm(), NULL, key, NULL);
    return s;
}

static void put_number(uint8_t *at, uint64_t n)
{
    for (int i = 0; i < 8; i++)
        at[i] ^= (uint8_t)(n >> (56 - 8 * i));
}

/* How many octets are at `out` now. */
static size_t seal(struct sealer *s, uint8_t type, const char *content, size_t n, uint8_t *out)
{
    size_t inner = n + s->is_13, explicit = s->is_13 ? 0 : 8, length = explicit + inner + TAG;
    uint8_t head[5] = { s->is_13 ? SSL3_RT_APPLICATION_DATA : type, 3, 3,
                        (uint8_t)(length >> 8), (uint8_t)length },
            plain[HEAD + 1], about[13] = { 0 }, nonce[IV];
    int moved;

    memcpy(plain, content, n);
    plain[n] = type;
    memcpy(nonce, s->iv, IV);
    put_number(nonce + SALT, s->number);
    put_number(about, s->number++);
    memcpy(about + 8, head, 3);
    about[12] = (uint8_t)n;
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, nonce + SALT, explicit);
    out += sizeof head + explicit;
    EVP_EncryptInit_ex(s->cipher, NULL, NULL, NULL, nonce);
    EVP_EncryptUpdate(s->cipher, NULL, &moved, s->is_13 ? head : about,
                      s->is_13 ? sizeof head : sizeof about);
    EVP_EncryptUpdate(s->cipher, out, &moved, plain, (int)inner);
    EVP_EncryptFinal_ex(s->cipher, out + moved, &moved);
    EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_GCM_GET_TAG, TAG, out + inner);
    return sizeof head + length;
}

static void prepare_row(struct peer *p, SSL *ssl, const struct row *r, long count)
{
    struct sealer s = sealer_of(ssl, r->version == TLS1_3_VERSION);
    uint8_t *out = malloc((size_t)(2 * count + 2) * RECORD_MOST);

    p->n = seal(&s, SSL3_RT_APPLICATION_DATA, greeting, sizeof greeting, out);
    p->n += seal(&s, SSL3_RT_APPLICATION_DATA, data, sizeof data, out + p->n);
    for (long i = 0; i < count; i++) {
        p->n += seal(&s, r->type, r->bytes, r->n, out + p->n);
        if (r->every && i % r->every == 0)
            p->n += seal(&s, SSL3_RT_APPLICATION_DATA, "z", 1, out + p->n);
    }
    p->say = (char *)out;
    EVP_CIPHER_CTX_free(s.cipher);
}

/* ---- those of OpenSSL ---- */

/* From here on OpenSSL writes into memory, and hears nothing. */
static void prepare(struct peer *p, SSL *ssl, const char *kind, long count)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *said;

    SSL_set0_rbio(ssl, BIO_new(BIO_s_mem()));
    SSL_set0_wbio(ssl, memory);
    if (SSL_write(ssl, greeting, sizeof greeting) <= 0)
        fail("SSL_write");
    for (long i = 0; i < count; i++)
        say_one(ssl, kind, i);
    p->n = (size_t)BIO_get_mem_data(memory, &said);
    p->say = memcpy(malloc(p->n), said, p->n);
}

/* Whether something went, or the server has ended it. */
static bool push(struct peer *p)
{
    ssize_t n =
        p->over || p->at == p->n ? 0 : send(p->fd, p->say + p->at, p->n - p->at, MSG_NOSIGNAL);

    if (n > 0)
        p->at += (size_t)n;
    p->over = p->over || (n < 0 && errno != EAGAIN);
    return n > 0;
}

static bool has_ended(struct peer *p)
{
    char nothing[4096];
    ssize_t n;

    while (!p->over && (n = recv(p->fd, nothing, sizeof nothing, 0)) > 0)
        ;
    p->over = p->over || !n || errno != EAGAIN;
    return p->over;
}

static const struct row *row_of(const char *kind)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].kind, kind))
            return &rows[i];
    return NULL;
}

/* One cipher, so that there is one way to seal. */
static SSL_CTX *context(const char *kind, const struct row *r)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (!strcmp(kind, "again"))
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (r) {
        SSL_CTX_set_min_proto_version(ctx, r->version);
        SSL_CTX_set_max_proto_version(ctx, r->version);
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
        SSL_CTX_set_cipher_list(ctx, "ECDHE+AES128+AESGCM");
        SSL_CTX_set_keylog_callback(ctx, on_secret);
    }
    SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\2h2", 3);
    return ctx;
}

int main(int argc, char **argv)
{
    int port = argc == 6 ? atoi(argv[1]) : 0, many = argc == 6 ? atoi(argv[3]) : 0, ended = 0;
    struct peer *peers = calloc((size_t)many + 1, sizeof *peers);
    const struct row *r;
    double quiet_since;
    SSL_CTX *ctx;

    if (!port)
        return 2;
    r = row_of(argv[4]);
    ctx = context(argv[4], r);
    for (int i = 0; i < many; i++) {
        SSL *ssl = SSL_new(ctx);

        peers[i].fd = dial(port, argv[2]);
        SSL_set_fd(ssl, peers[i].fd);
        if (SSL_connect(ssl) != 1)
            fail("SSL_connect");
        if (r)
            prepare_row(&peers[i], ssl, r, atol(argv[5]));
        else
            prepare(&peers[i], ssl, argv[4], atol(argv[5]));
        fcntl(peers[i].fd, F_SETFL, O_NONBLOCK);
    }
    for (quiet_since = now(); now() < quiet_since + 2;) {
        bool moved = false;

        for (int i = 0; i < many; i++)
            moved = push(&peers[i]) || moved;
        if (moved)
            quiet_since = now();
        else
            usleep(1000);
    }
    for (int i = 0; i < many; i++)
        ended += has_ended(&peers[i]);
    printf("%d\n", ended);
    return 0;
}
