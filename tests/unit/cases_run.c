/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verdict table by the two judges that need no kernel: the oracle and the compiled image.
 */
#include "../cases.h"

static void judge_line(const struct ruleset *rs, const struct image *image,
		       const struct case_line *line, void *context)
{
	struct decision oracle = {0}, compiled = {0};

	(void)context;
	ruleset_decide(rs, &line->tuple, &oracle);
	case_assert("the oracle", rs, line, &oracle);
	image_decide(image, &line->tuple, &compiled);
	case_assert("the image", rs, line, &compiled);
}

Test(cases, oracle_and_image_say_what_the_table_says, .timeout = 120)
{
	cr_assert_gt(cases_each(0, judge_line, NULL), 0);
}
