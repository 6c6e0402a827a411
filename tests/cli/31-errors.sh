# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What people write by mistake: the message says what is wrong at its place, what was expected and what
# to write. One error a cause, all of a file in one run, from the top down. Sourced by run.

errors=tests/cli/errors
for file in ports peers words keys table site use; do
	golden errors/$file 3 check $errors/$file.yaml
done

# Texts of their own, each with what `check` says of it. In texts.cases: a line "== KIND NAME", the
# text with the escapes of printf, a line "--", and the output. A policy has a head of six lines.
text_case() { # KIND NAME TEXT EXPECTED
	local got
	{
		[ "$1" = whole ] || head -6 "$work/head.yaml"
		[ -z "$3" ] || printf '%b\n' "$3"
	} >"$work/f.yaml"
	got=$(cd "$work" && "$flowreeve" check f.yaml 2>&1)
	if [ -n "${UPDATE:-}" ]; then
		printf '== %s %s\n%s\n--\n%s\n' "$1" "$2" "$3" "$got" >>"$work/texts.new"
	elif difference=$(diff -u - <(echo "$got") <<<"$4" 2>&1); then
		ok "errors: $2"
	else
		not_ok "errors: $2" "$difference"
	fi
}

policy "$work/head.yaml"
while IFS= read -r line; do
	case $line in
	'== '*)
		[ -z "${kind:-}" ] || text_case "$kind" "$name" "$text" "$expected"
		read -r _ kind name <<<"$line"
		text='' expected='' part=text
		;;
	--) part=expected ;;
	*)
		[ $part = text ] && text+=${text:+$'\n'}$line || expected+=${expected:+$'\n'}$line
		;;
	esac
done <$errors/texts.cases
text_case "$kind" "$name" "$text" "$expected"
[ -z "${UPDATE:-}" ] || mv "$work/texts.new" $errors/texts.cases

# ---------------------------------------------------------------- files

mkdir -p "$work/dir.yaml"
exits 'errors: a directory' 3 'this is a directory; a file is wanted \[file-unreadable\]' check "$work/dir.yaml"
exits 'errors: a directory, what to write' 3 'name the files in it: .*/dir.yaml/\*.yaml' check "$work/dir.yaml"
mkfifo "$work/fifo"
exits 'errors: a pipe' 3 'not a regular file, but a pipe' check "$work/fifo"
