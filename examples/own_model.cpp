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

namespace
{

constexpr std::size_t pixels = 4;

// Two classes with the logits (-s, s), s = w . x: a point falls, in the L2
// ball, at the strength |s| / |w|.
class linear
{
  public:
    explicit linear(std::array<float, pixels> w) : weights(w)
    {
    }

    float score(const float *x) const
    {
        float s = 0;
        for (std::size_t p = 0; p < pixels; p++) {
            s += weights[p] * x[p];
        }
        return s;
    }

    void logits(float *z, const float *x, std::size_t n)
    {
        for (std::size_t i = 0; i < n; i++) {
            z[2 * i + 1] = score(x + i * pixels);
            z[2 * i] = -z[2 * i + 1];
        }
    }

    void backward(float *dx, const float *dz, std::size_t n)
    {
        for (std::size_t i = 0; i < n * pixels; i++) {
            const float ds = dz[i / pixels * 2 + 1] - dz[i / pixels * 2];
            dx[i] = ds * weights[i % pixels];
        }
    }

    float length() const
    {
        float squares = 0;
        for (const float w : weights) {
            squares += w * w;
        }
        return std::sqrt(squares);
    }

  private:
    std::array<float, pixels> weights;
};

// Anything with these two members can be attacked.
template <class model> struct callbacks {
    static wsr_status logits(float *z, const float *x, std::size_t n,
                             void *user) noexcept
    {
        try {
            static_cast<model *>(user)->logits(z, x, n);
            return WSR_OK;
        } catch (const std::exception &) {
            return WSR_BACKEND;
        }
    }

    static wsr_status backward(float *dx, const float *dz, std::size_t n,
                               void *user) noexcept
    {
        try {
            static_cast<model *>(user)->backward(dx, dz, n);
            return WSR_OK;
        } catch (const std::exception &) {
            return WSR_BACKEND;
        }
    }
};

template <class T, void (*release)(T *)> struct releaser {
    void operator()(T *handle) const
    {
        release(handle);
    }
};

using model_ptr =
    std::unique_ptr<wsr_model, releaser<wsr_model, wsr_model_free>>;
using attack_ptr =
    std::unique_ptr<wsr_attack, releaser<wsr_attack, wsr_attack_free>>;
using result_ptr =
    std::unique_ptr<wsr_attack_result,
                    releaser<wsr_attack_result, wsr_attack_result_free>>;

void check(wsr_status status)
{
    if (status != WSR_OK) {
        std::fprintf(stderr, "own_model: %s\n", wsr_error_detail());
        std::exit(EXIT_FAILURE);
    }
}

// A constructor of the library's, its handle owned.
template <class ptr, class make, class... args>
ptr own(make function, args... arguments)
{
    typename ptr::pointer handle = nullptr;
    check(function(&handle, arguments...));
    return ptr(handle);
}

} // namespace

int main()
{
    linear mine({1.0f, -0.5f, 0.25f, -0.25f});
    const std::vector<float> points = {0.5f, 0.5f, 0.5f, 0.5f, //
                                       0.6f, 0.4f, 0.5f, 0.5f, //
                                       0.4f, 0.6f, 0.5f, 0.6f, //
                                       0.3f, 0.7f, 0.5f, 0.5f};
    const std::vector<std::int32_t> labels = {1, 1, 1, 0};
    const std::vector<float> eps = {0.05f, 0.1f, 0.15f, 0.2f, 0.3f};
    const wsr_shape shape = {3, {1, 2, 2}};
    int wrong = 0;

    const auto model = own<model_ptr>(
        wsr_model_new, &shape, std::size_t{2}, callbacks<linear>::logits,
        callbacks<linear>::backward, static_cast<void *>(&mine));
    const auto attack =
        own<attack_ptr>(wsr_attack_new, "pgdl2:steps=20", nullptr);
    check(wsr_attack_set_strengths(attack.get(), eps.data(), eps.size()));
    const auto result = own<result_ptr>(wsr_attack_run, attack.get(),
                                        model.get(), points.data(),
                                        labels.data(), labels.size());

    for (std::size_t i = 0; i < labels.size(); i++) {
        const float s = mine.score(points.data() + i * pixels);
        const float distance = (labels[i] == 1 ? s : -s) / mine.length();
        std::printf("point %zu, distance %5.2f:", i,
                    static_cast<double>(distance));
        for (std::size_t e = 0; e < eps.size(); e++) {
            const bool stands = wsr_attack_result_robust(result.get(), e)[i] !=
                                0;
            wrong += stands != (distance > eps[e]) &&
                     std::fabs(distance - eps[e]) > 1e-4f;
            std::printf(" %s", stands ? "stands" : "falls ");
        }
        std::printf("\n");
    }
    std::printf("%s\n", wrong == 0 ? "as theory says" : "not as theory says");
    return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
