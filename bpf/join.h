/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where paths meet. The verifier follows every constant that a path left in a variable, and so
 * proves all that comes after a join once for each path into it: a million instructions. FR_JOIN
 * makes the paths alike, by xor with a zero that it cannot know (a word of the image). It changes
 * no value and costs one instruction for each variable that is named. The compiler may do that
 * later, where the variable is used, with calls between: FR_JOIN_HERE is not moved.
 */
#ifndef FR_JOIN_H
#define FR_JOIN_H

#define FR_JOIN(...) FR_JOIN_BY(FR_JOIN_LATER, __VA_ARGS__)
#define FR_JOIN_HERE(...) FR_JOIN_BY(FR_JOIN_NOW, __VA_ARGS__)

#define FR_JOIN_LATER(zero, x) ((x) ^= (zero))
#define FR_JOIN_NOW(zero, x)                                                                       \
	({                                                                                         \
		(x) ^= (zero);                                                                     \
		__asm__ volatile("" : "+r"(x));                                                    \
	})

#define FR_JOIN_BY(by, zero, ...)                                                                  \
	FR_JOIN_PICK(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1)(by, zero, __VA_ARGS__)
#define FR_JOIN_PICK(a, b, c, d, e, f, g, h, count, ...) FR_JOIN_##count
#define FR_JOIN_1(by, zero, x) by(zero, x)
#define FR_JOIN_2(by, zero, x, ...) (by(zero, x), FR_JOIN_1(by, zero, __VA_ARGS__))
#define FR_JOIN_3(by, zero, x, ...) (by(zero, x), FR_JOIN_2(by, zero, __VA_ARGS__))
#define FR_JOIN_4(by, zero, x, ...) (by(zero, x), FR_JOIN_3(by, zero, __VA_ARGS__))
#define FR_JOIN_5(by, zero, x, ...) (by(zero, x), FR_JOIN_4(by, zero, __VA_ARGS__))
#define FR_JOIN_6(by, zero, x, ...) (by(zero, x), FR_JOIN_5(by, zero, __VA_ARGS__))
#define FR_JOIN_7(by, zero, x, ...) (by(zero, x), FR_JOIN_6(by, zero, __VA_ARGS__))
#define FR_JOIN_8(by, zero, x, ...) (by(zero, x), FR_JOIN_7(by, zero, __VA_ARGS__))

#endif /* FR_JOIN_H */
