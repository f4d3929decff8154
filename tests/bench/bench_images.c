// SPDX-License-Identifier: Apache-2.0
//
// Image files to training images: read and decode a JPEG or PNG file, random
// resized crop, flip, floats. Images per second of one core. The peer, Pillow
// and torchvision (peer_images.py), does the same crops and flips, and counts
// the pixels that differ. Prints one JSON object.
//
// bench_images [dir=FOLDER of folders] [images=64] [size=224] [repeat=3]
//              [peer=COMMAND]
//
// Without a folder, pictures of 500x375 are drawn.

#include "bench/bench.h"
#include "data/files.h"
#include "support/pictures.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct world {
    wsr_dataset *dataset;
    wsr__pipeline *pipeline;
    wsr__reader reader;
    size_t images;
    long size;
    float *dst;
} world;

// What makes pictures says so where it cannot.
void skip(const char *reason)
{
    fprintf(stderr, "bench_images: %s\n", reason);
    exit(77);
}

static wsr__rng rng_of(size_t i)
{
    return wsr__rng_at(1, WSR__RNG_AUGMENT, 0, (uint32_t)i);
}

static void read_one(world *w, size_t i)
{
    wsr__rng rng = rng_of(i);
    bench_must(wsr__files_read(w->dst, w->dataset,
                               i % wsr_dataset_count(w->dataset), w->pipeline,
                               &w->reader, &rng));
}

static double cpu_seconds(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Best of some passes over all images.
static double images_per_second(world *w, long repeat)
{
    double best = 0;
    for (long r = 0; r < repeat; r++) {
        const double start = cpu_seconds();
        for (size_t i = 0; i < w->images; i++) {
            read_one(w, i);
        }
        const double speed = (double)w->images / (cpu_seconds() - start);
        best = speed > best ? speed : best;
    }
    return best;
}

static uint64_t sum_of(const world *w)
{
    const size_t n = 3 * (size_t)(w->size * w->size);
    uint64_t sum = 14695981039346656037u;
    for (size_t k = 0; k < n; k++) {
        const unsigned char byte = (unsigned char)(w->dst[k] * 255.0f + 0.5f);
        sum = (sum ^ byte) * 1099511628211u;
    }
    return sum;
}

// For the peer: path, crop, flip, and a checksum of the pixels, a line for each
// image.
static void write_list(world *w, FILE *out)
{
    const wsr__augment_class *const crop = &wsr__augment_random_resized_crop;
    const wsr__view view = {{3, w->size, w->size}, w->size};
    void *params = NULL;
    bench_must(wsr__class_params(&params, &crop->super, ""));
    crop->bind(params, &view);
    for (size_t i = 0; i < w->images; i++) {
        size_t at = i % wsr_dataset_count(w->dataset);
        const wsr__files *const files = wsr__files_of(w->dataset, &at);
        const char *const path = wsr__files_path(files, at);
        wsr__rng rng = rng_of(i);
        wsr__window box;
        bench_must(wsr__image_open(&w->reader.file, path));
        bench_must(
            crop->window(&box, params, w->reader.file.super.shape, &rng));
        const bool flipped = wsr__rng_uniform(&rng) < 0.5f;
        read_one(w, i);
        fprintf(out, "%s\t%lld\t%lld\t%lld\t%lld\t%d\t%llu\n", path,
                (long long)box.top, (long long)box.left, (long long)box.h,
                (long long)box.w, flipped, (unsigned long long)sum_of(w));
    }
    wsr__free(params);
}

static void run_peer(world *w, const char *command, long repeat,
                     double images_per_s)
{
    char list[64];
    char text[1024];
    char line[1024];
    (void)snprintf(list, sizeof(list), "bench_images-%ld.txt", (long)getpid());
    FILE *const out = fopen(list, "w");
    if (out == NULL) {
        fprintf(stderr, "bench_images: %s: cannot be written\n", list);
        exit(1);
    }
    write_list(w, out);
    fclose(out);
    (void)snprintf(line, sizeof(line), "%s list=%s size=%ld repeat=%ld",
                   command, list, w->size, repeat);
    bench_peer(text, sizeof(text), line);
    (void)unlink(list);
    const double peer = bench_field(text, "images_per_s");
    printf(", \"peer_images_per_s\": %.1f, \"ratio\": %.2f, "
           "\"different_images\": %.0f",
           peer, images_per_s / peer, bench_field(text, "different"));
}

// Pictures of our own, in a new folder.
static void draw_pictures(char folder[64], long images)
{
    const jpeg_kind kind = {
        .h = 375, .w = 500, .channels = 3, .across = 2, .down = 2};
    char path[128];
    (void)snprintf(folder, 64, "bench_images-%ld", (long)getpid());
    (void)snprintf(path, sizeof(path), "%s/class", folder);
    bench_must(wsr__make_directory(path));
    for (long i = 0; i < images; i++) {
        (void)snprintf(path, sizeof(path), "%s/class/%03ld.jpg", folder, i);
        bytes content = make_jpeg(&kind, (uint32_t)i);
        put_file(path, &content);
        bytes_free(&content);
    }
}

static void remove_pictures(const char *folder, const wsr_dataset *dataset)
{
    char path[128];
    for (size_t i = 0; i < wsr_dataset_count(dataset); i++) {
        size_t at = i;
        const wsr__files *const files = wsr__files_of(dataset, &at);
        (void)unlink(wsr__files_path(files, at));
    }
    (void)snprintf(path, sizeof(path), "%s/class", folder);
    (void)rmdir(path);
    (void)rmdir(folder);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"dir",    "images", "size",
                                       "repeat", "peer",   NULL};
    char drawn[64] = "";
    char spec[4096];
    char options[64];
    bench_check(argc, argv, keys);
    const char *dir = bench_text(argc, argv, "dir", "");
    const char *const peer = bench_text(argc, argv, "peer", "");
    const long images = bench_number(argc, argv, "images", 64);
    const long repeat = bench_number(argc, argv, "repeat", 3);
    world w = {.images = (size_t)images,
               .size = bench_number(argc, argv, "size", 224)};
    if (dir[0] == '\0') {
        need_pictures();
        draw_pictures(drawn, images);
        dir = drawn;
    }
    (void)snprintf(spec, sizeof(spec), "imagefolder:%s", dir);
    (void)snprintf(options, sizeof(options), "size=%ld", w.size);
    bench_must(wsr_dataset_open(&w.dataset, spec, NULL, options));
    size_t first = 0;
    bench_must(wsr__pipeline_new_view(&w.pipeline, "random_resized_crop,flip",
                                      &wsr__files_of(w.dataset, &first)->view));
    bench_must(wsr__workspace_make(&w.reader.workspace, w.pipeline));
    w.dst = wsr__alloc(3 * (size_t)(w.size * w.size), sizeof(float));
    const double speed = images_per_second(&w, repeat);
    printf("{\"images\": %ld, \"size\": %ld, \"images_per_s\": %.1f", images,
           w.size, speed);
    if (peer[0] != '\0') {
        run_peer(&w, peer, repeat, speed);
    }
    printf("}\n");
    if (drawn[0] != '\0') {
        remove_pictures(drawn, w.dataset);
    }
    wsr__free(w.dst);
    wsr__reader_free(&w.reader);
    wsr__pipeline_free(w.pipeline);
    wsr_dataset_free(w.dataset);
    return 0;
}
