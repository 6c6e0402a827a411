/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 (FIPS 180-4) of a buffer in memory: the digest of an image. Not a keyed or streaming
 * interface. Uses the processor's SHA instructions where present: the image of a big policy is
 * tens of megabytes.
 */
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "sha256.h"

static const uint32_t round_keys[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void expand(const uint8_t block[64], uint32_t w[64])
{
	unsigned i;

	for (i = 0; i < 16; i++)
		w[i] = big_endian(block + 4 * i);
	for (; i < 64; i++) {
		uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

/* One round. The eight words take turns by name instead of moving: two to three times as fast. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                           \
	do {                                                                                       \
		uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);                        \
		uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);                        \
		uint32_t t1 = (h) + s1 + (((e) & (f)) ^ (~(e) & (g))) + round_keys[i] + w[i];      \
                                                                                                   \
		d += t1;                                                                           \
		h = t1 + s0 + (((a) & (b)) ^ ((a) & (c)) ^ ((b) & (c)));                           \
	} while (0)

static void absorb_block(uint32_t state[8], const uint8_t block[64])
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	uint32_t w[64];

	expand(block, w);
	for (unsigned i = 0; i < 64; i += 8) {
		ROUND(a, b, c, d, e, f, g, h, i);
		ROUND(h, a, b, c, d, e, f, g, i + 1);
		ROUND(g, h, a, b, c, d, e, f, i + 2);
		ROUND(f, g, h, a, b, c, d, e, i + 3);
		ROUND(e, f, g, h, a, b, c, d, i + 4);
		ROUND(d, e, f, g, h, a, b, c, i + 5);
		ROUND(c, d, e, f, g, h, a, b, i + 6);
		ROUND(b, c, d, e, f, g, h, a, i + 7);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

static void absorb_plainly(uint32_t state[8], const uint8_t *blocks, size_t count)
{
	for (; count; count--, blocks += 64)
		absorb_block(state, blocks);
}

#if defined(__x86_64__)

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

/* The instructions want the words as {a, b, e, f} and {c, d, g, h}, the first the highest. */
struct halves {
	__m128i abef, cdgh;
};

static SHA_TARGET struct halves halves_load(const uint32_t state[8])
{
	__m128i abcd = _mm_loadu_si128((const __m128i *)state);
	__m128i efgh = _mm_loadu_si128((const __m128i *)(state + 4));

	abcd = _mm_shuffle_epi32(abcd, 0xb1);
	efgh = _mm_shuffle_epi32(efgh, 0x1b);
	return (struct halves){_mm_alignr_epi8(abcd, efgh, 8), _mm_blend_epi16(efgh, abcd, 0xf0)};
}

static SHA_TARGET void halves_store(struct halves h, uint32_t state[8])
{
	__m128i low = _mm_shuffle_epi32(h.abef, 0x1b), high = _mm_shuffle_epi32(h.cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/* Words i … i + 3 of the schedule from the sixteen before them. */
static SHA_TARGET __m128i words_next(const __m128i w[4])
{
	__m128i sum =
		_mm_add_epi32(_mm_sha256msg1_epu32(w[0], w[1]), _mm_alignr_epi8(w[3], w[2], 4));

	return _mm_sha256msg2_epu32(sum, w[3]);
}

static SHA_TARGET struct halves halves_round(struct halves h, __m128i words)
{
	h.cdgh = _mm_sha256rnds2_epu32(h.cdgh, h.abef, words);
	h.abef = _mm_sha256rnds2_epu32(h.abef, h.cdgh, _mm_shuffle_epi32(words, 0x0e));
	return h;
}

static SHA_TARGET void absorb_fast(uint32_t state[8], const uint8_t *blocks, size_t count)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	const __m128i *keys = (const __m128i *)round_keys;
	struct halves h = halves_load(state);

	for (; count; count--, blocks += 64) {
		struct halves before = h;
		__m128i w[4];

		for (int i = 0; i < 4; i++) {
			w[i] = _mm_loadu_si128((const __m128i *)blocks + i);
			w[i] = _mm_shuffle_epi8(w[i], swap);
			h = halves_round(h, _mm_add_epi32(w[i], _mm_loadu_si128(keys + i)));
		}
		for (int i = 4; i < 16; i++) {
			__m128i next = words_next(w);

			w[0] = w[1], w[1] = w[2], w[2] = w[3], w[3] = next;
			h = halves_round(h, _mm_add_epi32(next, _mm_loadu_si128(keys + i)));
		}
		h.abef = _mm_add_epi32(h.abef, before.abef);
		h.cdgh = _mm_add_epi32(h.cdgh, before.cdgh);
	}
	halves_store(h, state);
}

static bool processor_has_sha(void)
{
	const unsigned sse = bit_SSE4_1 | bit_SSSE3;
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & sse) != sse)
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

static absorb_fn absorb_best(void)
{
	return processor_has_sha() ? absorb_fast : absorb_plainly;
}

#else

static absorb_fn absorb_best(void)
{
	return absorb_plainly;
}

#endif

static void digest(absorb_fn absorb, const void *data, size_t size, uint8_t out[32])
{
	uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	const uint8_t *bytes = data;
	size_t rest = size % 64, tail_size = rest < 56 ? 64 : 128;
	uint8_t tail[128] = {0};

	absorb(state, bytes, size / 64);
	if (rest)
		memcpy(tail, bytes + size - rest, rest);
	tail[rest] = 0x80;
	for (size_t i = 0; i < 8; i++)
		tail[tail_size - 1 - i] = (uint8_t)((uint64_t)size * 8 >> (8 * i));
	absorb(state, tail, tail_size / 64);
	for (size_t i = 0; i < 32; i++)
		out[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256(const void *data, size_t size, uint8_t out[32])
{
	digest(absorb_best(), data, size, out);
}

void sha256_plainly(const void *data, size_t size, uint8_t out[32])
{
	digest(absorb_plainly, data, size, out);
}

char *digest_text(const uint8_t digest[32], char out[DIGEST_TEXT])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return out;
}
