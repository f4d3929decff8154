// SPDX-License-Identifier: Apache-2.0
//
// What a program that serves a model may write (docs/protocol.md): a hello,
// then answers to queries of two images.

#include "attack/engine/protocol.h"
#include "fuzz/fuzz.h"

#include <string.h>

enum { HEADER = WSR__PROTOCOL_HEADER, IMAGES = 2, CLASSES = 5 };

// A hello, the logits of two images, and an error.
static void seeds(void)
{
    static const uint8_t shape[] = {3, 0, 0, 0, 6,       0, 0, 0,
                                    6, 0, 0, 0, CLASSES, 0, 0, 0};
    const wsr__protocol_header messages[] = {
        {WSR__HELLO, WSR__PROTOCOL_VERSION, 0, sizeof(shape) + 3},
        {WSR__LOGITS, IMAGES, 1, IMAGES * CLASSES * sizeof(float)},
        {WSR__REFUSAL, 0, 2, 4}};
    uint8_t out[512];
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        wsr__protocol_put(out + n, &messages[i]);
        memset(out + n + HEADER, 'x', (size_t)messages[i].length);
        if (i == 0) {
            memcpy(out + HEADER, shape, sizeof(shape));
        }
        n += HEADER + (size_t)messages[i].length;
    }
    fuzz_seed(out, n);
}

const fuzz_target fuzz = {.seeds = seeds, .files = 1, .rounds = 20000};

static void take_refusal(const uint8_t *payload, size_t length)
{
    char text[WSR__PROTOCOL_MESSAGE + 1];
    wsr__protocol_text(text, payload, length);
    fuzz_demand(text[length] == '\0');
    fuzz_check(WSR_OK, true); // to the end of the conversation
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
        fuzz_demand(hello.classes >= 2 &&
                    hello.classes <= WSR__PROTOCOL_CLASSES);
        fuzz_demand(hello.channels >= 1 && hello.height >= 1 &&
                    hello.width >= 1);
        query.query++;
        at += HEADER + (size_t)h.length;
    }
    return 0;
}
