// SPDX-License-Identifier: Apache-2.0
//
// The same as own_model.c from C++: a class of yours behind two callbacks.
// Exceptions must not leave a callback, so they become statuses there.
//
//   c++ own_model.cpp $(pkg-config --cflags --libs wsr) -o own_model

#include <wsr.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <vector>

constexpr std::size_t pixels = 4;

// Two classes with the logits (-s, s), s = w . x: a point falls, in the L2
// ball, at the strength |s| / |w|.
struct linear {
    std::array<float, pixels> w;

    float score(const float *x) const
    {
        float s = 0;
        for (std::size_t p = 0; p < pixels; p++) {
            s += w[p] * x[p];
        }
        return s;
    }

    void logits(float *z, const float *x, std::size_t n) const
    {
        for (std::size_t i = 0; i < n; i++) {
            z[2 * i + 1] = score(x + i * pixels);
            z[2 * i] = -z[2 * i + 1];
        }
    }

    void backward(float *dx, const float *dz, std::size_t n) const
    {
        for (std::size_t i = 0; i < n * pixels; i++) {
            const float ds = dz[i / pixels * 2 + 1] - dz[i / pixels * 2];
            dx[i] = ds * w[i % pixels];
        }
    }
};

// Any member of any class as a callback.
template <class model,
          void (model::*member)(float *, const float *, std::size_t) const>
wsr_status call(float *out, const float *in, std::size_t n, void *user) noexcept
{
    try {
        (static_cast<const model *>(user)->*member)(out, in, n);
        return WSR_OK;
    } catch (const std::exception &) {
        return WSR_BACKEND;
    }
}

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        std::fprintf(stderr, "own_model: %s\n", wsr_error_detail());
        std::exit(EXIT_FAILURE);
    }
}

int main()
{
    linear mine = {{1.0f, -0.5f, 0.25f, -0.25f}};
    const float length = std::sqrt(1.0f + 0.25f + 2 * 0.0625f);
    const std::vector<float> points = {0.5f, 0.5f, 0.5f, 0.5f, //
                                       0.6f, 0.4f, 0.5f, 0.5f, //
                                       0.4f, 0.6f, 0.5f, 0.6f, //
                                       0.3f, 0.7f, 0.5f, 0.5f};
    const std::vector<std::int32_t> labels = {1, 1, 1, 0};
    const std::vector<float> eps = {0.05f, 0.1f, 0.15f, 0.2f, 0.3f};
    const wsr_shape shape = {3, {1, 2, 2}};
    wsr_model *model = nullptr;
    wsr_attack *attack = nullptr;
    wsr_attack_result *result = nullptr;
    check(wsr_model_new(&model, &shape, 2, call<linear, &linear::logits>,
                        call<linear, &linear::backward>, &mine));
    const std::unique_ptr<wsr_model, void (*)(wsr_model *)> m(model,
                                                              wsr_model_free);
    check(wsr_attack_new(&attack, "pgdl2:steps=20", nullptr));
    const std::unique_ptr<wsr_attack, void (*)(wsr_attack *)> a(
        attack, wsr_attack_free);
    check(wsr_attack_set_strengths(attack, eps.data(), eps.size()));
    check(wsr_attack_run(&result, attack, model, points.data(), labels.data(),
                         labels.size()));
    const std::unique_ptr<wsr_attack_result, void (*)(wsr_attack_result *)> r(
        result, wsr_attack_result_free);
    int wrong = 0;
    for (std::size_t i = 0; i < labels.size(); i++) {
        const float s = mine.score(points.data() + i * pixels);
        const float distance = (labels[i] == 1 ? s : -s) / length;
        std::printf("point %zu, distance %5.2f:", i,
                    static_cast<double>(distance));
        for (std::size_t e = 0; e < eps.size(); e++) {
            const bool stands = wsr_attack_result_robust(result, e)[i] != 0;
            wrong += stands != (distance > eps[e]) &&
                     std::fabs(distance - eps[e]) > 1e-4f;
            std::printf(" %s", stands ? "stands" : "falls ");
        }
        std::printf("\n");
    }
    std::printf("%s\n", wrong == 0 ? "as theory says" : "not as theory says");
    return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
