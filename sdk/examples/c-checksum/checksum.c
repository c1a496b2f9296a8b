/* checksum: a plugwire plugin in C99, with nothing but the standard library.
 *
 *     cc -O2 -o checksum checksum.c
 *
 * Here is what it does; the frames, the JSON scanner and the conversation are in plugin.h. */
#define PLUGIN_NAME "checksum"
#define PLUGIN_METHODS "[\"crc32\",\"adler32\"]"
#define PLUGIN_CAPABILITIES ""
#include "plugin.h"

static uint32_t crc32(const char *text, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static uint32_t adler32(const char *text, size_t size)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < size; i++) {
        a = (a + (unsigned char)text[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void answer_checksum(struct piece id, struct piece params, const char *name,
                            uint32_t (*sum)(const char *, size_t))
{
    char result[64];
    struct piece value = member(params, "text");
    if (!value.at || *value.at != '"') { refuse_params(id, "$.text", "a string"); return; }
    size_t size;
    char *text = unescape(value, &size);
    snprintf(result, sizeof result, "{\"%s\":\"%08lx\",\"bytes\":%zu}", name, (unsigned long)sum(text, size), size);
    free(text);
    send_result(id, result);
}

static bool receive_call(struct piece id, struct piece method, struct piece params)
{
    if (equals(method, "checksum/crc32")) answer_checksum(id, params, "crc32", crc32);
    else if (equals(method, "checksum/adler32")) answer_checksum(id, params, "adler32", adler32);
    else return false;
    return true;
}

/* We make no calls, so every response is one that nobody waits for [MSG-19, MSG-28]. */
static void receive_response(struct piece id, struct piece result, struct piece error)
{
    (void)id, (void)result, (void)error;
}

/* Nothing is in flight while we read. */
static void receive_shutdown(struct piece id) { send_result(id, "null"); }
