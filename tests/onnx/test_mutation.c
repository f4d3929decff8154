// SPDX-License-Identifier: Apache-2.0
//
// Files that were mutated as a fuzzer does, from a seed: bits, bytes, lengths
// of messages, pieces that are cut, repeated or moved. Each is read or refused
// in one line, without more memory than the file justifies.

#include "base/base.h"
#include "fuzz/fuzz.h"
#include "support/files.h"
#include "support/support.h"
#include "wsr/net.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SIZE = 1 << 17 };

// Each round takes about a fifth of a millisecond, with sanitizers ten times
// that.
enum { ROUNDS = 4000 };

typedef struct file {
    unsigned char bytes[MOST_SIZE];
    size_t size;
} file;

static file seed_file;
static file now;

static uint64_t state = 1;

// xorshift64: the same files in each run.
static size_t random_below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return n > 0 ? (size_t)(state % n) : 0;
}

static void flip(file *f)
{
    f->bytes[random_below(f->size)] ^= (unsigned char)(1u << random_below(8));
}

// Bytes that mean something to protobuf: ends of numbers, long lengths, tags.
static void set_byte(file *f)
{
    static const unsigned char words[] = {0x00, 0x01, 0x7f, 0x80, 0xff,
                                          0x0a, 0x12, 0x2a, 0x3a, 0x08};
    f->bytes[random_below(f->size)] = words[random_below(sizeof(words))];
}

// A number of several bytes, up to the largest that there is.
static void set_number(file *f)
{
    const size_t n = 1 + random_below(9);
    const size_t at = random_below(f->size);
    for (size_t i = 0; i < n && at + i < f->size; i++) {
        f->bytes[at + i] = i + 1 < n ? 0xff : 0x7f;
    }
}

static void cut(file *f)
{
    f->size = 1 + random_below(f->size);
}

// A piece goes over another, so that messages stand inside of others.
static void move(file *f)
{
    const size_t n = 1 + random_below(64);
    const size_t from = random_below(f->size);
    const size_t to = random_below(f->size);
    if (from + n <= f->size && to + n <= f->size) {
        memmove(f->bytes + to, f->bytes + from, n);
    }
}

static void repeat(file *f)
{
    const size_t at = random_below(f->size);
    size_t n = 1 + random_below(f->size - at);
    n = n < MOST_SIZE - f->size ? n : MOST_SIZE - f->size;
    memmove(f->bytes + at + n, f->bytes + at, f->size - at);
    f->size += n;
}

static void drop(file *f)
{
    const size_t at = random_below(f->size);
    const size_t n = random_below((f->size - at) / 2 + 1);
    memmove(f->bytes + at, f->bytes + at + n, f->size - at - n);
    f->size -= n;
}

// A network of few numbers, so that most mutations hit what describes it.
static void make_seed(void)
{
    wsr_net *net = NULL;
    unsigned char *read = NULL;
    const char *const path = path_in(scratch_folder("mutation"), "net.onnx");
    ck_assert_ok(wsr_net_new_kind(
        &net, "network",
        "genotype=cna_r,channels=4,layers=2,image_size=8,mean=0.5", 1));
    ck_assert_ok(wsr_net_save(net, path));
    ck_assert_ok(wsr__file_read(&read, &seed_file.size, path, MOST_SIZE));
    memcpy(seed_file.bytes, read, seed_file.size);
    wsr__free(read);
    wsr_net_free(net);
}

static void mutate(file *f)
{
    static void (*const ways[])(file * f) = {
        flip, flip, set_byte, set_byte, set_number, move, cut, repeat, drop};
    const size_t n = 1 + random_below(4);
    for (size_t i = 0; i < n && f->size > 0; i++) {
        ways[random_below(sizeof(ways) / sizeof(ways[0]))](f);
    }
}

// What a file of a size may ask for at once: see docs/onnx.md, "Limits".
static size_t most;

static void *allocate(void *user, size_t size, size_t align)
{
    size_t *const beyond = user;
    *beyond += size > most ? 1 : 0;
    return size > most
               ? NULL
               : aligned_alloc(align, (size + align - 1) / align * align);
}

static void release(void *user, void *ptr)
{
    (void)user;
    free(ptr);
}

START_TEST(mutated_files_are_read_or_refused)
{
    size_t beyond = 0;
    const wsr_allocator counting = {allocate, release, &beyond};
    make_seed();
    wsr_set_allocator(&counting);
    most = MOST_SIZE * 32;
    ck_assert_int_eq(LLVMFuzzerTestOneInput(seed_file.bytes, seed_file.size),
                     0);
    for (size_t i = 0; i < ROUNDS; i++) {
        now.size = seed_file.size;
        memcpy(now.bytes, seed_file.bytes, seed_file.size);
        mutate(&now);
        // The exact size, so that sanitizers see a read beyond the end.
        unsigned char *const exact = malloc(now.size + (now.size == 0));
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, now.bytes, now.size);
        most = 32 * now.size + (4u << 20);
        (void)LLVMFuzzerTestOneInput(exact, now.size);
        free(exact);
    }
    wsr_set_allocator(NULL);
    ck_assert_uint_eq(beyond, 0);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {mutated_files_are_read_or_refused, NULL};
    return suite_of("onnx mutation", tests);
}
