// SPDX-License-Identifier: Apache-2.0
// Tiles are drawn in four shades: _ white (in sprites: clear), L light, O dark, X black.

#include <stdint.h>

#define _ 0
#define L 1
#define O 2
#define X 3
#define PLANE(s, a, b, c, d, e, f, g, h) \
    (uint8_t)((a >> s & 1) << 7 | (b >> s & 1) << 6 | (c >> s & 1) << 5 | (d >> s & 1) << 4 | \
              (e >> s & 1) << 3 | (f >> s & 1) << 2 | (g >> s & 1) << 1 | (h >> s & 1))
#define ROW(...) PLANE(0, __VA_ARGS__), PLANE(1, __VA_ARGS__)
