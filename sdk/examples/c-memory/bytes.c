/* bytes: a plugwire plugin in C99 and POSIX that reads shared memory (chapter 9), with no SDK.
 *
 *     cc -O2 -o bytes bytes.c
 *
 * bytes/crc32 gets {"data":{"$memory":"mem_..."}} and answers with the CRC-32 of the bytes that are committed there. For
 * that it makes three calls of its own while it serves the request: it attaches and sums what it finds, attaches again
 * to learn whether the bytes were written over meanwhile, and releases. One request at a time, since it declares no
 * concurrency; the host knows by that what its calls are made for [CAL-18]. */
#define _POSIX_C_SOURCE 200809L
#define PLUGIN_NAME "bytes"
#define PLUGIN_METHODS "[\"crc32\"]"
#define PLUGIN_CAPABILITIES "\"capabilities\":{\"memory\":true},"
#include "../c-checksum/plugin.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CANCELLED = -32800, INTERNAL_ERROR = -32603, OVERLOADED = -32013, MEMORY_CHANGED = 1 };
enum { HANDLE = 36, MAX_ID = 1600, MAX_PATH = 4096 };

/* The request that is served, if any, and how far it is. */
static enum { NOTHING, ATTACHING, VERIFYING, RELEASING } step = NOTHING;
static char request_id[MAX_ID], handle[HANDLE + 1];
static size_t request_id_size;
static long long last_call;                           /* the id of our last call; earlier ones are answered */
static long long length, generation;
static uint32_t sum;
static int failure;                                   /* the code of the error to answer with, if any */
static const char *reason;

static uint32_t crc32(const unsigned char *bytes, size_t size)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            table[i] = i;
            for (int bit = 0; bit < 8; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xEDB88320u : 0);
        }
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xFF];
    return ~crc;
}

static void fail(int code, const char *why)           /* the first reason counts */
{
    if (!failure) { failure = code; reason = why; }
}

static void finish(void)
{
    struct piece id = { request_id, request_id_size };
    char result[64];
    snprintf(result, sizeof result, "{\"crc32\":\"%08lx\",\"bytes\":%lld}", (unsigned long)sum, length);
    if (failure) send_error(id, failure, reason, NULL);
    else send_result(id, result);
    step = NOTHING;
}

static void call_host(const char *method, const char *more_params)
{
    send_body("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"method\":\"%s\",\"params\":{\"memory\":\"%s\"%s}}", ++last_call,
              method, handle, more_params);
}

/* Maps the committed bytes and sums them. A length of 0 cannot be mapped, and has the sum 0 anyway. */
static void sum_file(const char *path)
{
    struct stat found;
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) { fail(INTERNAL_ERROR, "the host's file cannot be opened"); return; }
    if (fstat(file, &found) != 0 || found.st_size < length)     /* reading behind its end would end this process */
        fail(INTERNAL_ERROR, "the host's file is too short");
    else if (length > 0) {
        void *bytes = mmap(NULL, (size_t)length, PROT_READ, MAP_SHARED, file, 0);
        if (bytes == MAP_FAILED) fail(INTERNAL_ERROR, "the host's file cannot be mapped");
        else {
            sum = crc32(bytes, (size_t)length);
            munmap(bytes, (size_t)length);
        }
    }
    close(file);
}

/* MEM-11: a commit may say what the sum is. */
static void compare_checksum(struct piece stated)
{
    char text[32];
    snprintf(text, sizeof text, "crc32:%08lx", (unsigned long)sum);
    if (stated.at && !equals(stated, text)) fail(MEMORY_CHANGED, "the bytes do not fit the checksum of their commit");
}

static void read_committed(struct piece result)
{
    size_t size;
    char path[MAX_PATH];
    struct piece value = member(result, "path");
    if (!value.at || *value.at != '"' || !read_integer(member(result, "length"), &length) || length < 0
        || !read_integer(member(result, "generation"), &generation)) {
        fail(INTERNAL_ERROR, "the host's answer cannot be understood");
        return;
    }
    char *text = unescape(value, &size);
    if (size < sizeof path && memchr(text, '\0', size) == NULL) {
        memcpy(path, text, size);
        path[size] = '\0';
        sum_file(path);
    } else fail(INTERNAL_ERROR, "the path of the host's file is none");
    free(text);
    if (!failure) compare_checksum(member(result, "checksum"));
}

static void go_on(struct piece result)
{
    char more[64];
    switch (step) {
    case ATTACHING:
        if (failure) break;                           /* without a lease there is nothing to release */
        read_committed(result);
        step = VERIFYING;
        snprintf(more, sizeof more, ",\"generation\":%lld", generation);
        if (!failure) { call_host("memory/attach", more); return; }
        /* fall through */
    case VERIFYING:
        step = RELEASING;
        call_host("memory/release", "");
        return;
    default: break;
    }
    finish();
}

static void receive_response(struct piece id, struct piece result, struct piece error)
{
    long long number;
    if (step == NOTHING || !id.at || !read_integer(id, &number) || number != last_call) return;   /* MSG-19 */
    if (error.at && step == ATTACHING) fail(INVALID_PARAMS, "the memory cannot be attached; is it committed?");
    if (error.at && step == VERIFYING) fail(MEMORY_CHANGED, "the bytes were written over while they were read");
    go_on(result);
}

/* A handle is lower-case letters, digits and one underscore, so it can be sent on as it came. */
static bool read_handle(struct piece reference)
{
    size_t size;
    struct piece value = member(reference, "$memory");
    if (!value.at || *value.at != '"') return false;
    char *text = unescape(value, &size);
    bool fits = size == HANDLE && memcmp(text, "mem_", 4) == 0;
    for (size_t i = 4; fits && i < size; i++)
        fits = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (fits) {
        memcpy(handle, text, size);
        handle[size] = '\0';
    }
    free(text);
    return fits;
}

static bool receive_call(struct piece id, struct piece method, struct piece params)
{
    if (!equals(method, "bytes/crc32")) return false;
    if (step != NOTHING || id.size > MAX_ID) {        /* CAL-14; more than one at a time was never declared */
        send_error(id, OVERLOADED, "this plugin serves one request at a time", "{\"limit\":1}");
        return true;
    }
    if (!read_handle(member(params, "data"))) {
        refuse_params(id, "$.data", "a reference to a memory");
        return true;
    }
    memcpy(request_id, id.at, id.size);
    request_id_size = id.size;
    failure = 0;
    length = 0;
    sum = 0;
    step = ATTACHING;
    call_host("memory/attach", "");
    return true;
}

static void receive_shutdown(struct piece id)
{
    if (step != NOTHING) {                            /* the host ends our lease with us */
        failure = 0;
        fail(CANCELLED, "the plugin was asked to finish");
        finish();
    }
    send_result(id, "null");
}
