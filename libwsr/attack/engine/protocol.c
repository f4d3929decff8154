// SPDX-License-Identifier: Apache-2.0
//
// Messages between the library and a program that serves a model. A header is
//
//   4 bytes  type: "WSRH", "WSRQ", "WSRA" or "WSRE"
//   u32      version of a hello, number of images of a query or an answer
//   u64      number of the query, from 1; that of an answer is its query's
//   u64      bytes of the payload
//
// All numbers are little-endian.

#include "attack/engine/protocol.h"

#include <string.h>

enum { TYPE_SIZE = 4, TYPES = 4 };

static const char types[TYPES][TYPE_SIZE + 1] = {
    [WSR__HELLO] = "WSRH",
    [WSR__QUERY] = "WSRQ",
    [WSR__LOGITS] = "WSRA",
    [WSR__REFUSAL] = "WSRE",
};

static void put_number(unsigned char *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = (unsigned char)(value >> (8 * i) & 0xff);
    }
}

static uint64_t get_number(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

void wsr__protocol_put(unsigned char out[WSR__PROTOCOL_HEADER],
                       const wsr__protocol_header *header)
{
    memcpy(out, types[header->type], TYPE_SIZE);
    put_number(out + 4, header->number, 4);
    put_number(out + 8, header->query, 8);
    put_number(out + 16, header->length, 8);
}

// What is printable of bytes that a program sent; a byte that is not becomes
// '?', so that nothing can spoil a line of the log or a terminal.
static void printable(char *out, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '?';
    }
    out[n] = '\0';
}

wsr_status wsr__protocol_get(wsr__protocol_header *out,
                             const unsigned char bytes[WSR__PROTOCOL_HEADER])
{
    char text[WSR__PROTOCOL_HEADER + 1];
    for (size_t i = 0; i < TYPES; i++) {
        if (memcmp(bytes, types[i], TYPE_SIZE) == 0) {
            *out = (wsr__protocol_header){
                .type = (wsr__message)i,
                .number = (uint32_t)get_number(bytes + 4, 4),
                .query = get_number(bytes + 8, 8),
                .length = get_number(bytes + 16, 8)};
            return WSR_OK;
        }
    }
    printable(text, bytes, WSR__PROTOCOL_HEADER);
    return WSR_FAIL(WSR_FORMAT,
                    "wrote '%s' to its standard output, which is no message of "
                    "the protocol",
                    text);
}

static wsr_status check_refusal(const wsr__protocol_header *header)
{
    return header->length <= WSR__PROTOCOL_MESSAGE
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT,
                          "announces an error text of %llu bytes, at most %d "
                          "are permitted",
                          (unsigned long long)header->length,
                          WSR__PROTOCOL_MESSAGE);
}

wsr_status wsr__protocol_check_hello(const wsr__protocol_header *header)
{
    if (header->type == WSR__REFUSAL) {
        return check_refusal(header);
    }
    if (header->type != WSR__HELLO) {
        return WSR_FAIL(WSR_FORMAT, "began with the message %s, not with %s",
                        types[header->type], types[WSR__HELLO]);
    }
    if (header->number != WSR__PROTOCOL_VERSION) {
        return WSR_FAIL(WSR_FORMAT,
                        "speaks version %lu of the protocol, not version %d",
                        (unsigned long)header->number, WSR__PROTOCOL_VERSION);
    }
    if (header->length < WSR__PROTOCOL_NUMBERS ||
        header->length > WSR__PROTOCOL_NUMBERS + WSR__PROTOCOL_NAME) {
        return WSR_FAIL(WSR_FORMAT,
                        "announces %llu bytes of shape and name, %d to %d are "
                        "permitted",
                        (unsigned long long)header->length,
                        WSR__PROTOCOL_NUMBERS,
                        WSR__PROTOCOL_NUMBERS + WSR__PROTOCOL_NAME);
    }
    return WSR_OK;
}

wsr_status wsr__protocol_hello_of(wsr__protocol_hello *out,
                                  const unsigned char *payload, size_t length)
{
    static const struct {
        const char *what;
        uint64_t least;
        uint64_t most;
    } bounds[] = {{"channels", 1, WSR__PROTOCOL_CHANNELS},
                  {"rows of pixels", 1, WSR__PROTOCOL_SIDE},
                  {"columns of pixels", 1, WSR__PROTOCOL_SIDE},
                  {"classes", 2, WSR__PROTOCOL_CLASSES}};
    int64_t values[4];
    for (size_t i = 0; i < 4; i++) {
        const uint64_t value = get_number(payload + 4 * i, 4);
        if (value < bounds[i].least || value > bounds[i].most) {
            return WSR_FAIL(WSR_FORMAT,
                            "announces %llu %s, %llu to %llu are permitted",
                            (unsigned long long)value, bounds[i].what,
                            (unsigned long long)bounds[i].least,
                            (unsigned long long)bounds[i].most);
        }
        values[i] = (int64_t)value;
    }
    *out = (wsr__protocol_hello){.channels = values[0],
                                 .height = values[1],
                                 .width = values[2],
                                 .classes = values[3]};
    printable(out->name, payload + WSR__PROTOCOL_NUMBERS,
              length - WSR__PROTOCOL_NUMBERS);
    return WSR_OK;
}

wsr_status wsr__protocol_check_logits(const wsr__protocol_header *header,
                                      const wsr__protocol_header *query,
                                      size_t classes)
{
    const uint64_t bytes = (uint64_t)query->number * classes * sizeof(float);
    if (header->type == WSR__REFUSAL) {
        return check_refusal(header);
    }
    if (header->type != WSR__LOGITS) {
        return WSR_FAIL(WSR_FORMAT, "answered with the message %s, not with %s",
                        types[header->type], types[WSR__LOGITS]);
    }
    if (header->query != query->query) {
        return WSR_FAIL(WSR_FORMAT,
                        "answered query %llu where query %llu waits",
                        (unsigned long long)header->query,
                        (unsigned long long)query->query);
    }
    if (header->number != query->number) {
        return WSR_FAIL(WSR_FORMAT, "answered for %lu images, %lu were sent",
                        (unsigned long)header->number,
                        (unsigned long)query->number);
    }
    if (header->length != bytes) {
        return WSR_FAIL(WSR_FORMAT,
                        "announces %llu bytes of logits, %lu images of %zu "
                        "classes have %llu",
                        (unsigned long long)header->length,
                        (unsigned long)query->number, classes,
                        (unsigned long long)bytes);
    }
    return WSR_OK;
}

void wsr__protocol_text(char out[WSR__PROTOCOL_MESSAGE + 1],
                        const unsigned char *payload, size_t length)
{
    printable(out, payload, length);
}

void wsr__protocol_floats(unsigned char *bytes, size_t n)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (size_t i = 0; i < n; i++) {
        unsigned char *const b = bytes + 4 * i;
        const unsigned char swapped[4] = {b[3], b[2], b[1], b[0]};
        memcpy(b, swapped, sizeof(swapped));
    }
#else
    (void)bytes;
    (void)n;
#endif
}
