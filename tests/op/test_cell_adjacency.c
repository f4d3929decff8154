// SPDX-License-Identifier: Apache-2.0

#include "support/gradcheck.h"

#include <stdio.h>
#include <string.h>

// Arcs of the cell of four nodes, as the authors' code lists them: row, then
// the columns of its ones.
static const int arcs[17][16] = {{2, 4, 7, 11, -1},
                                 {3, 5, 8, 12, -1},
                                 {6, 9, 13, 16, -1},
                                 {6, 9, 13, 16, -1},
                                 {10, 14, 16, -1},
                                 {10, 14, 16, -1},
                                 {10, 14, 16, -1},
                                 {15, 16, -1},
                                 {15, 16, -1},
                                 {15, 16, -1},
                                 {15, 16, -1},
                                 {16, -1},
                                 {16, -1},
                                 {16, -1},
                                 {16, -1},
                                 {16, -1},
                                 {-1}};

enum { EDGES = 14, CANDIDATES = 3, V = EDGES + 3 };

// Edge e's greatest weight is 10 + e; nodes of edges come after the inputs.
static void adjacency(float *y, const char *options)
{
    float x[EDGES * CANDIDATES];
    for (int e = 0; e < EDGES; e++) {
        for (int k = 0; k < CANDIDATES; k++) {
            x[e * CANDIDATES + k] = k == e % CANDIDATES ? 10 + (float)e : -1;
        }
    }
    op_forward(y, "cell_adjacency", options,
               &(op_value){{3, {1, EDGES, CANDIDATES}}, x}, 1);
}

START_TEST(arcs_carry_the_weight_of_the_edge_they_lead_to)
{
    float wanted[V * V] = {0};
    float y[V * V];
    for (int a = 0; a < V; a++) {
        for (int i = 0; arcs[a][i] >= 0; i++) {
            const int b = arcs[a][i];
            wanted[a * V + b] = b == V - 1 ? 1 : 8 + (float)b;
        }
    }
    adjacency(y, NULL);
    ck_assert_mem_eq(y, wanted, sizeof(wanted));
}
END_TEST

START_TEST(arcs_may_lead_back_too)
{
    float along[V * V];
    float y[V * V];
    adjacency(along, NULL);
    adjacency(y, "along=0.25,against=3");
    for (int i = 0; i < V * V; i++) {
        const int back = i % V * V + i / V;
        ck_assert_float_eq(y[i], 0.25F * along[i] + 3 * along[back]);
    }
}
END_TEST

START_TEST(gradients_are_right)
{
    grad_case c = {.op = "cell_adjacency",
                   .n = 1,
                   .src = {{.shape = {3, {2, 5, 4}}, .draw = DRAW_SPACED}}};
    gradcheck(&c);
    c.options = "along=0.5,against=2";
    gradcheck(&c);
    c.src[0].shape = (wsr_shape){3, {3, 14, 2}};
    gradcheck(&c);
}
END_TEST

START_TEST(other_numbers_of_edges_are_refused)
{
    const wsr_shape six = {3, {2, 6, 4}};
    const wsr_shape flat = {2, {2, 5}};
    op_refuses(WSR_SHAPE, "(2, 6, 4)", "cell_adjacency", NULL, &six, 1);
    op_refuses(WSR_SHAPE, "(2, 5)", "cell_adjacency", NULL, &flat, 1);
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        arcs_carry_the_weight_of_the_edge_they_lead_to,
        arcs_may_lead_back_too,
        gradients_are_right,
        other_numbers_of_edges_are_refused,
        NULL,
    };
    return suite_of("cell_adjacency", tests);
}
