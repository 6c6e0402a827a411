# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# scripts/check-forms refuses each form that it is there for, over line breaks too, and no other. Sourced by run.

# NAME WANTED: what is said of the C on stdin, without the file; empty: nothing, and exit 0.
forms_say() {
	local found status=0 wanted_status=0
	cat >"$work/form.c"
	found=$(scripts/check-forms "$work/form.c" 2>&1) || status=$?
	found=${found//"$work/form.c:"/}
	[ -z "$2" ] || wanted_status=1
	if [ "$status $found" = "$wanted_status $2" ]; then ok "$1"; else not_ok "$1" "exit $status: $found"; fi
}

forms_say 'two conditional operators in a statement, over line breaks' '3: 2 conditional operators in a statement' <<'END'
int f(int a)
{
	return a == 1 ? 7 :
	       a == 2 /* ? */ ? 8 :
	       9;
}
END
forms_say 'and in a macro' '2: 2 conditional operators in a statement' <<'END'
#define SIGN(a) \
	((a) < 0 ? -1 : (a) > 0 ? 1 : 0)
END
forms_say 'one in each of two statements, or in a text, is as it should be' '' <<'END'
int f(int a)
{
	const char *text = a ? "a ? b" : "b ? c ? d"; /* a ? b ? c */

	return text ? '?' : 0;
}
END
forms_say 'a ladder of if (!err)' '7: a ladder of `if (!err)`: return early' <<'END'
int f(void)
{
	int err = g();

	if (!err)
		err = h();
	if (!err && x)
		err = i();
	return err;
}
END
forms_say 'an empty initialiser, of a declaration and of a compound literal' '3: an empty initialiser is {0}
5: an empty initialiser is {0}' <<'END'
void f(void)
{
	struct a a = {};

	a = (struct a){};
	for (; g();) {
	}
}
END
forms_say 'an index that only loops use' "3: 'i' is used in loops alone: declare it in them" <<'END'
void f(void)
{
	size_t i, k;

	for (i = 0; i < 3; i++)
		for (k = 0; k < i; k++)
			if (s.i == i)
				break;
	g(k);
}
END
