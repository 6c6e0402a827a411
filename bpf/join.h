/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where paths meet. The verifier follows every constant that a path left in a variable, and so
 * proves all that comes after a join once for each path into it: a million instructions. FR_JOIN
 * makes the paths alike, by xor with a zero that it cannot know (a word of the image). It changes
 * no value and costs one instruction for each variable that is named.
 */
#ifndef FR_JOIN_H
#define FR_JOIN_H

#define FR_JOIN(zero, ...) FR_JOIN_PICK(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1)(zero, __VA_ARGS__)

#define FR_JOIN_PICK(a, b, c, d, e, f, g, h, count, ...) FR_JOIN_##count
#define FR_JOIN_1(zero, x) ((x) ^= (zero))
#define FR_JOIN_2(zero, x, ...) (FR_JOIN_1(zero, x), FR_JOIN_1(zero, __VA_ARGS__))
#define FR_JOIN_3(zero, x, ...) (FR_JOIN_1(zero, x), FR_JOIN_2(zero, __VA_ARGS__))
#define FR_JOIN_4(zero, x, ...) (FR_JOIN_1(zero, x), FR_JOIN_3(zero, __VA_ARGS__))
#define FR_JOIN_5(zero, x, ...) (FR_JOIN_1(zero, x), FR_JOIN_4(zero, __VA_ARGS__))
#define FR_JOIN_6(zero, x, ...) (FR_JOIN_1(zero, x), FR_JOIN_5(zero, __VA_ARGS__))
#define FR_JOIN_7(zero, x, ...) (FR_JOIN_1(zero, x), FR_JOIN_6(zero, __VA_ARGS__))
#define FR_JOIN_8(zero, x, ...) (FR_JOIN_1(zero, x), FR_JOIN_7(zero, __VA_ARGS__))

#endif /* FR_JOIN_H */
