// SPDX-License-Identifier: Apache-2.0
//
// Replication repeats the channel of a grey image, so that networks for colour
// images accept it. Images that have `channels` channels already pass
// unchanged.

#include "augment/augment.h"

#include <string.h>

typedef struct params {
    int64_t channels;
} params;

static const wsr__option schema[] = {
    {.key = "channels",
     .kind = WSR__INT,
     .offset = offsetof(params, channels),
     .fallback = "3",
     .min = 1,
     .max = 64,
     .unit = "channels",
     .help = "channels of the result"},
    {0},
};

// Colour images pass when they have as many channels as asked for.
static wsr_status infer(wsr__image *out, const void *options, wsr__image in)
{
    const params *const p = options;
    if (in.c != 1 && in.c != p->channels) {
        return WSR_FAIL(WSR_CONFIG,
                        "replicate.channels: %lld channels cannot become "
                        "%lld, only a grey channel is repeated",
                        (long long)in.c, (long long)p->channels);
    }
    *out = (wsr__image){p->channels, in.h, in.w};
    return WSR_OK;
}

// src is (1, h, w) or (channels, h, w), dst (channels, h, w). Each channel is
// one contiguous plane, copied whole.
static void apply(float *restrict dst, const float *restrict src, wsr__image in,
                  const void *options, wsr__rng *rng)
{
    const params *const p = options;
    const int64_t plane = in.h * in.w;
    (void)rng;
    for (int64_t c = 0; c < p->channels; c++) {
        memcpy(dst + c * plane, in.c == 1 ? src : src + c * plane,
               sizeof(float) * (size_t)plane);
    }
}

const wsr__augment_class wsr__augment_replicate = {
    .super = {.name = "replicate",
              .summary = "repeat a grey channel",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .infer = infer,
    .apply = apply,
};
