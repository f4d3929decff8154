// SPDX-License-Identifier: Apache-2.0
//
// Changes of what an honest program writes, the same in each run, for the
// fuzzer's target fuzz_protocol.c.

#include "attack/engine/protocol.h"
#include "support/support.h"

#include <string.h>

enum { ROUNDS = 20000, HEADER = WSR__PROTOCOL_HEADER, CLASSES = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A hello, the logits of two images, and an error.
static size_t conversation(uint8_t *out)
{
    static const uint8_t shape[] = {3, 0, 0, 0, 6,       0, 0, 0,
                                    6, 0, 0, 0, CLASSES, 0, 0, 0};
    const wsr__protocol_header messages[] = {
        {WSR__HELLO, WSR__PROTOCOL_VERSION, 0, sizeof(shape) + 3},
        {WSR__LOGITS, 2, 1, 2 * CLASSES * sizeof(float)},
        {WSR__REFUSAL, 0, 2, 4}};
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        wsr__protocol_put(out + n, &messages[i]);
        memset(out + n + HEADER, 'x', (size_t)messages[i].length);
        if (i == 0) {
            memcpy(out + HEADER, shape, sizeof(shape));
        }
        n += HEADER + (size_t)messages[i].length;
    }
    return n;
}

START_TEST(changed_conversations_do_no_harm)
{
    static uint8_t bytes[512];
    wsr__rng rng = wsr__rng_at(5, WSR__RNG_TEST, 0, 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        const size_t n = conversation(bytes);
        const uint32_t changes = wsr__rng_below(&rng, 4);
        for (uint32_t k = 0; k < changes; k++) {
            const size_t at = wsr__rng_below(&rng, (uint32_t)n);
            const uint32_t kind = wsr__rng_below(&rng, 3);
            bytes[at] = kind == 0   ? 0xff
                        : kind == 1 ? (uint8_t)wsr__rng_u32(&rng)
                                    : (uint8_t)(bytes[at] ^ 1u);
        }
        const bool cut = wsr__rng_below(&rng, 4) == 0;
        const size_t size = cut ? wsr__rng_below(&rng, (uint32_t)n) : n;
        ck_assert_int_eq(LLVMFuzzerTestOneInput(bytes, size), 0);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {changed_conversations_do_no_harm, NULL};
    return suite_of("fuzz protocol", tests);
}
