// SPDX-License-Identifier: Apache-2.0
//
// The messages between the library and a program that serves a model
// (docs/protocol.md): a header of 24 bytes and its payload. Nothing here reads
// or writes; what a program sent is checked before anything believes it.

#ifndef WSR_ATTACK_ENGINE_PROTOCOL_H
#define WSR_ATTACK_ENGINE_PROTOCOL_H

#include "base/base.h"

enum {
    WSR__PROTOCOL_VERSION = 1,
    WSR__PROTOCOL_HEADER = 24,     // bytes
    WSR__PROTOCOL_NUMBERS = 4 * 4, // of a hello, in front of the name
    WSR__PROTOCOL_NAME = 256,      // bytes at most
    WSR__PROTOCOL_MESSAGE = 1024,  // bytes at most
    WSR__PROTOCOL_CHANNELS = 1024, // at most
    WSR__PROTOCOL_SIDE = 4096,     // of an image, at most
    WSR__PROTOCOL_CLASSES = 100000 // at most
};

typedef enum wsr__message {
    WSR__HELLO,  // "WSRH" of the program: version; shape, classes, name
    WSR__QUERY,  // "WSRQ" of the library: count; images
    WSR__LOGITS, // "WSRA" of the program: count; logits
    WSR__REFUSAL // "WSRE" of the program: 0; a text
} wsr__message;

typedef struct wsr__protocol_header {
    wsr__message type;
    uint32_t number;
    uint64_t query;  // number of the query, which its answer repeats
    uint64_t length; // bytes of the payload
} wsr__protocol_header;

typedef struct wsr__protocol_hello {
    int64_t channels;
    int64_t height;
    int64_t width;
    int64_t classes;
    char name[WSR__PROTOCOL_NAME + 1]; // printable; "" where there is none
} wsr__protocol_hello;

void wsr__protocol_put(unsigned char out[WSR__PROTOCOL_HEADER],
                       const wsr__protocol_header *header);

/// FORMAT for bytes that are no header.
wsr_status wsr__protocol_get(wsr__protocol_header *out,
                             const unsigned char bytes[WSR__PROTOCOL_HEADER]);

/// FORMAT unless the header is that of a hello, of this version, or of a
/// refusal, each of a length that is permitted.
wsr_status wsr__protocol_check_hello(const wsr__protocol_header *header);

/// FORMAT for shapes and numbers of classes that are not permitted.
wsr_status wsr__protocol_hello_of(wsr__protocol_hello *out,
                                  const unsigned char *payload, size_t length);

/// FORMAT unless the header is that of logits for a query, or of a refusal.
wsr_status wsr__protocol_check_logits(const wsr__protocol_header *header,
                                      const wsr__protocol_header *query,
                                      size_t classes);

/// The text of a refusal, printable and on one line.
void wsr__protocol_text(char out[WSR__PROTOCOL_MESSAGE + 1],
                        const unsigned char *payload, size_t length);

/// Floats in the order of bytes of the protocol, in place: nothing on machines
/// whose order that is.
void wsr__protocol_floats(unsigned char *bytes, size_t n);

#endif
