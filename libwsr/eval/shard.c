// SPDX-License-Identifier: Apache-2.0
//
// Which images a shard of an evaluation has: of B batches, part i of N has the
// batches [B i / N, B (i + 1) / N). An image then lies in the same batch, at
// the same place, as in the undivided evaluation.

#include "eval/eval.h"

#include <string.h>

// A number without sign or spaces, of `length` bytes.
static bool parse_count(size_t *out, const char *text, size_t length)
{
    enum { DIGITS = 6 };
    size_t n = 0;
    if (length == 0 || length > DIGITS) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        n = 10 * n + (size_t)(text[i] - '0');
    }
    *out = n;
    return true;
}

wsr_status wsr__shard_parse(wsr__shard *out, const char *text)
{
    const size_t slash = strcspn(text, "/");
    const char *const after = text[slash] == '/' ? text + slash + 1 : "";
    size_t number = 0;
    if (!parse_count(&number, text, slash) ||
        !parse_count(&out->of, after, strlen(after)) || number < 1 ||
        number > out->of) {
        return WSR_FAIL(WSR_CONFIG,
                        "attack.shard: '%.40s' is not I/N with 1 <= I <= N",
                        text);
    }
    out->number = number - 1;
    return WSR_OK;
}

wsr_status wsr__shard_images_of(wsr__shard_images *out, const wsr__shard *shard,
                                size_t images, size_t batch)
{
    const size_t batches = (images + batch - 1) / batch;
    if (batches < shard->of) {
        return WSR_FAIL(WSR_ARG,
                        "attack.shard: %zu images in batches of %zu make %zu "
                        "shards at most, not %zu; attack.batch makes smaller "
                        "batches",
                        images, batch, batches, shard->of);
    }
    const size_t first = batches * shard->number / shard->of * batch;
    const size_t end = batches * (shard->number + 1) / shard->of * batch;
    *out = (wsr__shard_images){first, (end < images ? end : images) - first};
    return WSR_OK;
}
