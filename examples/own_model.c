// SPDX-License-Identifier: Apache-2.0
//
// Attack a model of your own: two functions are all that an attack needs. Here
// it is a linear classifier of four pixels into two classes, whose robust
// accuracy is known exactly: a point falls at the strength |margin| / |w|_1.
//
//   cc own_model.c $(pkg-config --cflags --libs wsr) -lm -o own_model

#include <wsr.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIXELS = 4, POINTS = 4 };

typedef struct linear {
    float weights[PIXELS]; // logits are (-s, s) with s = w . x + bias
    float bias;
} linear;

static wsr_status logits_of(float *logits, const float *x, size_t n, void *user)
{
    const linear *const model = user;
    for (size_t i = 0; i < n; i++) {
        float s = model->bias;
        for (size_t p = 0; p < PIXELS; p++) {
            s += model->weights[p] * x[i * PIXELS + p];
        }
        logits[2 * i] = -s;
        logits[2 * i + 1] = s;
    }
    return WSR_OK;
}

static wsr_status backward(float *dx, const float *dlogits, size_t n,
                           void *user)
{
    const linear *const model = user;
    for (size_t i = 0; i < n; i++) {
        const float ds = dlogits[2 * i + 1] - dlogits[2 * i];
        for (size_t p = 0; p < PIXELS; p++) {
            dx[i * PIXELS + p] = ds * model->weights[p];
        }
    }
    return WSR_OK;
}

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        (void)fprintf(stderr, "own_model: %s\n", wsr_error_detail());
        exit(EXIT_FAILURE);
    }
}

int main(void)
{
    linear mine = {.weights = {1.0f, -0.5f, 0.25f, -0.25f}, .bias = 0.0f};
    const float points[POINTS * PIXELS] = {
        0.5f, 0.5f, 0.5f, 0.5f, //
        0.6f, 0.4f, 0.5f, 0.5f, //
        0.4f, 0.6f, 0.5f, 0.6f, //
        0.3f, 0.7f, 0.5f, 0.5f,
    };
    const int32_t labels[POINTS] = {1, 1, 1, 0};
    const float eps[] = {0.05f, 0.1f, 0.15f, 0.2f, 0.25f};
    const size_t strengths = sizeof(eps) / sizeof(eps[0]);
    const wsr_shape shape = {3, {1, 2, 2}};
    wsr_model *model = NULL;
    wsr_attack *attack = NULL;
    wsr_attack_result *result = NULL;
    int wrong = 0;

    check(wsr_model_new(&model, &shape, 2, logits_of, backward, &mine));
    check(wsr_attack_new(&attack, "fgsm", NULL));
    check(wsr_attack_set_strengths(attack, eps, strengths));
    check(wsr_attack_run(&result, attack, model, points, labels, POINTS));
    for (size_t i = 0; i < POINTS; i++) {
        float logits[2];
        check(logits_of(logits, points + i * PIXELS, 1, &mine));
        const float margin = labels[i] == 1 ? logits[1] : logits[0];
        printf("point %zu, margin %5.2f:", i, (double)margin);
        for (size_t e = 0; e < strengths; e++) {
            // The distance at which a linear model gives in: margin / |w|_1.
            const bool expected = margin > 2.0f * eps[e];
            const bool stands = wsr_attack_result_robust(result, e)[i] != 0;
            wrong += stands != expected &&
                     fabsf(margin - 2.0f * eps[e]) > 1e-5f;
            printf(" %s", stands ? "stands" : "falls ");
        }
        printf("\n");
    }
    printf("%s\n", wrong == 0 ? "as theory says" : "not as theory says");

    wsr_attack_result_free(result);
    wsr_attack_free(attack);
    wsr_model_free(model);
    return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
