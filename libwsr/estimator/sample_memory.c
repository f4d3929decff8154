// SPDX-License-Identifier: Apache-2.0
//
// The training memory of an estimator: a ring in which a new sample replaces
// the oldest. Samples lie one behind the other, as floats, so a checkpoint
// holds the ring as one array.

#include "estimator/estimator.h"

// All samples have the same number of sources, hence the same size.
wsr_status wsr__ae_memory_reserve(wsr__ae_memory *memory, size_t sources)
{
    if (memory->data != NULL && sources == memory->sources) {
        return WSR_OK;
    }
    if (memory->data != NULL) {
        return WSR_FAIL(WSR_ARG,
                        "estimator: samples have %zu sources, the memory "
                        "holds some with %zu",
                        sources, memory->sources);
    }
    memory->sources = sources;
    memory->data = wsr__alloc(memory->capacity,
                              wsr__ae_memory_floats(memory) * sizeof(float));
    return memory->data != NULL
               ? WSR_OK
               : wsr__fail_at(WSR_NOMEM,
                              "estimator.memory: %zu samples of %zu images of "
                              "%zu numbers",
                              memory->capacity, sources + 2, memory->pixels);
}

void wsr__ae_memory_free(wsr__ae_memory *memory)
{
    wsr__free(memory->data);
}

// An image, the sources, the label, and the norm of the label.
size_t wsr__ae_memory_floats(const wsr__ae_memory *memory)
{
    return (memory->sources + 2) * memory->pixels + 1;
}

// Counted from the oldest sample, whose place counters[0] is.
static float *sample_at(const wsr__ae_memory *memory, size_t i)
{
    const size_t at = ((size_t)memory->counters[0] + i) % memory->capacity;
    return memory->data + at * wsr__ae_memory_floats(memory);
}

float *wsr__ae_memory_push(wsr__ae_memory *memory)
{
    int64_t *const oldest = &memory->counters[0];
    int64_t *const count = &memory->counters[1];
    if (*count < (int64_t)memory->capacity) {
        (*count)++;
    } else {
        *oldest = (*oldest + 1) % (int64_t)memory->capacity;
    }
    return sample_at(memory, (size_t)*count - 1);
}

wsr__estimator_sample wsr__ae_memory_at(const wsr__ae_memory *memory, size_t i)
{
    const float *const data = sample_at(memory, i);
    wsr__estimator_sample sample = {.image = data};
    for (size_t k = 0; k < memory->sources; k++) {
        sample.noise[k] = data + (k + 1) * memory->pixels;
    }
    sample.label = data + (memory->sources + 1) * memory->pixels;
    sample.target = data + (memory->sources + 2) * memory->pixels;
    return sample;
}
