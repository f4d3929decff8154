// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean": edit distance with transpositions (optimal string
// alignment), blind to case and to '-' against '_'.

#include "base/base.h"

#include <string.h>

enum { LONGEST = 63 };

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c == '-' ? '_' : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Distance of two words of at most LONGEST characters. Rows of the usual
// table are rotated; three of them are needed for transpositions.
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1];
    const size_t la = strlen(a);
    const size_t lb = strlen(b);
    for (size_t j = 0; j <= lb; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        size_t *const now = rows[i % 3];
        const size_t *const before = rows[(i + 2) % 3];
        const size_t *const earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            const size_t cost = fold(a[i - 1]) != fold(b[j - 1]);
            now[j] =
                least(before[j - 1] + cost, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1])) {
                now[j] = least(now[j], earlier[j - 2] + 1);
            }
        }
    }
    return rows[la % 3][lb];
}

// Up to a third of the word, and one more, may differ; a candidate of which
// nothing would be left is no suggestion.
const char *wsr__suggest(const char *word, const char *const *candidates,
                         size_t n)
{
    const size_t len = strlen(word);
    if (len == 0 || len > LONGEST) {
        return NULL;
    }
    const char *best = NULL;
    size_t best_distance = len / 3 + 2; // first distance that is too far
    for (size_t i = 0; i < n; i++) {
        if (strlen(candidates[i]) > LONGEST) {
            continue;
        }
        const size_t d = distance(word, candidates[i]);
        if (d < best_distance && d < strlen(candidates[i])) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}
