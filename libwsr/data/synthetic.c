// SPDX-License-Identifier: Apache-2.0
//
// Draws images that a network can learn: stripes, checks, dots and plain
// figures, at random places and sizes, in random colours, under noise. Classes
// from the eleventh on have the same patterns as two by two small copies. All
// patterns survive mirroring and small shifts, so that flips and crops keep the
// label true.
//
// Everything is computed in integers from (seed, split, sample): the same
// bytes on every machine, and sample i does not depend on how many there are.

#include "data/data.h"

// A pattern is drawn in a square of size x size pixels, or in each of four
// squares of half that side.
typedef struct params {
    int64_t classes;
    int64_t count;
    int64_t test_count;
    int64_t size; // pixels
    int64_t channels;
    double noise; // of the range of a pixel
    int64_t seed;
} params;

static const char *const names[] = {
    "horizontal stripes",
    "vertical stripes",
    "checks",
    "dots",
    "disc",
    "ring",
    "square",
    "frame",
    "cross",
    "triangle",
    "fine horizontal stripes",
    "fine vertical stripes",
    "fine checks",
    "fine dots",
    "four discs",
    "four rings",
    "four squares",
    "four frames",
    "four crosses",
    "four triangles",
};

enum {
    TEXTURES = 4,
    PATTERNS = 10,
    CLASSES = sizeof(names) / sizeof(names[0]),
    MAX_CHANNELS = 16
};

static const wsr__option schema[] = {
    {.key = "classes",
     .kind = WSR__INT,
     .offset = offsetof(params, classes),
     .fallback = "10",
     .min = 2,
     .max = CLASSES,
     .unit = "",
     .help = "number of classes, sample i has class i mod classes"},
    {.key = "count",
     .kind = WSR__INT,
     .offset = offsetof(params, count),
     .fallback = "2000",
     .min = 1,
     .max = 1000000,
     .unit = "samples",
     .help = "samples of the train split"},
    {.key = "test_count",
     .kind = WSR__INT,
     .offset = offsetof(params, test_count),
     .fallback = "500",
     .min = 1,
     .max = 1000000,
     .unit = "samples",
     .help = "samples of the test split"},
    {.key = "size",
     .kind = WSR__INT,
     .offset = offsetof(params, size),
     .fallback = "32",
     .min = 8,
     .max = 256,
     .unit = "pixels",
     .help = "height and width"},
    {.key = "channels",
     .kind = WSR__INT,
     .offset = offsetof(params, channels),
     .fallback = "3",
     .min = 1,
     .max = MAX_CHANNELS,
     .unit = "channels",
     .help = "colour channels"},
    {.key = "noise",
     .kind = WSR__FLOAT,
     .offset = offsetof(params, noise),
     .fallback = "0.1",
     .min = 0,
     .max = 1,
     .unit = "",
     .help = "largest deviation of a pixel from its colour"},
    {.key = "seed",
     .kind = WSR__INT,
     .offset = offsetof(params, seed),
     .fallback = "0",
     .unit = "",
     .help = "of all random choices"},
    {0},
};

// Where and how large a pattern is, in pixels of one copy.
typedef struct pose {
    int64_t side; // of the square that one copy fills
    int64_t x;
    int64_t y;
    int64_t r;
} pose;

static int64_t absolute(int64_t v)
{
    return v < 0 ? -v : v;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Textures: (x, y) is moved by the pose, so any phase occurs.
static bool texture(int64_t pattern, int64_t x, int64_t y, const pose *p)
{
    const int64_t stripe = larger(p->side / 6, 1);
    const int64_t cell = larger(p->side / 3, 2);
    const int64_t u = x + p->x + p->side;
    const int64_t v = y + p->y + p->side;
    const int64_t du = 2 * (u % cell) - (cell - 1); // twice, from the centre
    const int64_t dv = 2 * (v % cell) - (cell - 1);
    switch (pattern) {
    case 0:
        return (v / stripe) % 2 == 0;
    case 1:
        return (u / stripe) % 2 == 0;
    case 2:
        return (u / stripe + v / stripe) % 2 == 0;
    default:
        return 3 * (du * du + dv * dv) < cell * cell;
    }
}

// Figures: centred on the pose, distances doubled to stay whole.
static bool figure(int64_t pattern, int64_t x, int64_t y, const pose *p)
{
    const int64_t dx = 2 * (x - p->x) - (p->side - 1);
    const int64_t dy = 2 * (y - p->y) - (p->side - 1);
    const int64_t ax = absolute(dx);
    const int64_t ay = absolute(dy);
    const int64_t r = 2 * p->r;
    const int64_t square = dx * dx + dy * dy;
    const int64_t most = larger(ax, ay);
    switch (pattern) {
    case 4:
        return square <= r * r;
    case 5:
        return square <= r * r && 25 * square > 9 * r * r;
    case 6:
        return most <= r;
    case 7:
        return most <= r && 5 * most > 3 * r;
    case 8:
        return most <= r && 4 * smaller(ax, ay) <= r;
    default:
        return ay <= r && 2 * ax <= dy + r;
    }
}

// The shift is at most an eighth of the side and the radius at most three
// eighths, so that no figure leaves its square.
static pose draw_pose(const params *p, int64_t copies, wsr__rng *rng)
{
    const int64_t side = p->size / copies;
    const int64_t shift = larger(side / 8, 1);
    pose out = {.side = side};
    out.x = (int64_t)wsr__rng_below(rng, (uint32_t)(2 * shift + 1)) - shift;
    out.y = (int64_t)wsr__rng_below(rng, (uint32_t)(2 * shift + 1)) - shift;
    out.r = side / 4 + wsr__rng_below(rng, (uint32_t)(side / 8 + 1));
    return out;
}

// Random bytes, four from each number.
typedef struct byte_stream {
    wsr__rng *rng;
    uint32_t bits;
    unsigned left;
} byte_stream;

static int64_t next_byte(byte_stream *s)
{
    if (s->left == 0) {
        s->bits = wsr__rng_u32(s->rng);
        s->left = 4;
    }
    s->left--;
    s->bits = s->bits << 8 | s->bits >> 24;
    return s->bits & 255;
}

// A colour with noise in [-amplitude, amplitude].
static unsigned char pixel(int64_t level, int64_t amplitude, byte_stream *s)
{
    const int64_t noise = next_byte(s) * (2 * amplitude + 1) / 256;
    const int64_t v = level + noise - amplitude;
    return (unsigned char)(v < 0 ? 0 : smaller(v, 255));
}

// dst is (channels, size, size). Inside and outside differ by at least 64
// levels in every channel, one bright and one dark, so the pattern shows under
// any colours.
static void draw(unsigned char *dst, const params *p, int64_t class,
                 wsr__rng *rng)
{
    const int64_t pattern = class % PATTERNS;
    const pose at = draw_pose(p, 1 + class / PATTERNS, rng);
    const int64_t amplitude = (int64_t)(p->noise * 255.0 + 0.5);
    const int64_t plane = p->size * p->size;
    const bool dark = wsr__rng_below(rng, 2) == 1;
    int64_t colours[2][MAX_CHANNELS]; // outside, inside
    byte_stream stream = {.rng = rng};
    for (int64_t c = 0; c < p->channels; c++) {
        colours[dark][c] = wsr__rng_below(rng, 96);
        colours[!dark][c] = 160 + wsr__rng_below(rng, 96);
    }
    for (int64_t i = 0; i < plane; i++) {
        const int64_t y = i / p->size % at.side;
        const int64_t x = i % p->size % at.side;
        const bool in = pattern < TEXTURES ? texture(pattern, x, y, &at)
                                           : figure(pattern, x, y, &at);
        for (int64_t c = 0; c < p->channels; c++) {
            dst[c * plane + i] = pixel(colours[in][c], amplitude, &stream);
        }
    }
}

// The split is part of the key, so train and test never share an image.
static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    wsr_status status = WSR_OK;
    const params *const p = options;
    const bool train = request->split == WSR__TRAIN;
    const size_t have = (size_t)(train ? p->count : p->test_count);
    const size_t count = have < request->limit ? have : request->limit;
    const wsr__image image = {p->channels, p->size, p->size};
    dataset->stored = image;
    dataset->classes = p->classes;
    dataset->names = names;
    WSR_TRY(wsr__dataset_reserve(dataset, count));
    for (size_t i = 0; i < count; i++) {
        wsr__rng rng = wsr__rng_at((uint64_t)p->seed, WSR__RNG_SYNTHETIC,
                                   train ? 0 : 1, (uint32_t)i);
        const int64_t class = (int64_t)i % p->classes;
        dataset->labels[i] = (int32_t) class;
        draw(dataset->bytes + i * (size_t)wsr__image_floats(image), p, class,
             &rng);
    }
out:
    return status;
}

const wsr__dataset_class wsr__dataset_synthetic = {
    .super = {.name = "synthetic",
              .summary = "drawn shapes and textures that can be learned",
              .reference = "",
              .schema = schema,
              .params_size = sizeof(params)},
    .load = load,
};
