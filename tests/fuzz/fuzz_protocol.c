// SPDX-License-Identifier: Apache-2.0
//
// What a program that serves a model may write (docs/protocol.md), for
// libFuzzer: a hello, then answers to queries of two images.
//
//   clang -fsanitize=fuzzer,address -Ilibwsr -Ilibwsr/include
//       tests/fuzz/fuzz_protocol.c libwsr.a ... && ./a.out -max_total_time=60
//
// test_protocol.c feeds it with changes of a good conversation.

#include "attack/engine/protocol.h"

#include <stdlib.h>

enum { HEADER = WSR__PROTOCOL_HEADER, IMAGES = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What must hold of everything that is believed.
static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void take_refusal(const uint8_t *payload, size_t length)
{
    char text[WSR__PROTOCOL_MESSAGE + 1];
    wsr__protocol_text(text, payload, length);
    demand(text[length] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsr__protocol_hello hello = {0};
    wsr__protocol_header query = {WSR__QUERY, IMAGES, 0, 0};
    wsr__protocol_header h;
    size_t at = 0;
    while (size - at >= HEADER && wsr__protocol_get(&h, data + at) == WSR_OK) {
        const uint8_t *const payload = data + at + HEADER;
        const wsr_status status =
            query.query == 0
                ? wsr__protocol_check_hello(&h)
                : wsr__protocol_check_logits(&h, &query, (size_t)hello.classes);
        if (status != WSR_OK || h.length > size - at - HEADER) {
            break;
        }
        if (h.type == WSR__REFUSAL) {
            take_refusal(payload, (size_t)h.length);
            break;
        }
        if (query.query == 0 &&
            wsr__protocol_hello_of(&hello, payload, (size_t)h.length) !=
                WSR_OK) {
            break;
        }
        demand(hello.classes >= 2 && hello.classes <= WSR__PROTOCOL_CLASSES);
        demand(hello.channels >= 1 && hello.height >= 1 && hello.width >= 1);
        query.query++;
        at += HEADER + (size_t)h.length;
    }
    return 0;
}
