# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Common mistakes: the message gives the mistake at its place, the expected input and the text to write.
# One error a cause, all of a file in one run, from the top down. Sourced by run.

errors=tests/cli/errors
for file in ports peers words keys table site use; do
	golden errors/$file 3 check $errors/$file.yaml
done

# Texts of their own, each with the output of `check`. In texts.cases: a line "== KIND NAME", the text
# with the escapes of printf, a line "--", and the output. A policy has a head of six lines.
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
exits 'errors: a directory' 3 'this is a directory; a file is expected \[file-unreadable\]' check "$work/dir.yaml"
exits 'errors: a directory, what to write' 3 'name the files in it: .*/dir.yaml/\*.yaml' check "$work/dir.yaml"
printf 'a:\n\tb: 1\n' >"$work/a tab.yaml"
exits 'errors: a hint names the file as a shell takes it' 3 "sed -i 's/.t/  /g' '.*/a tab.yaml'" check "$work/a tab.yaml"
mkfifo "$work/fifo"
exits 'errors: a pipe' 3 'not a regular file, but a pipe' check "$work/fifo"

# ---------------------------------------------------------------- the command line

usage_says() { # PATTERN ARGS...
	local pattern=$1
	shift
	attempt "$@"
	if [ "$status" = 2 ] && tr '\n' ' ' <"$work/err" | grep -qF -- "$pattern"; then
		ok "errors: $*"
	else
		not_ok "errors: $*" "does not say: $pattern" "exit $status" "$(cat "$work/err")"
	fi
}
ask() { # PATTERN WORD...
	local pattern=$1
	shift
	usage_says "$pattern" explain $in/good.yaml "$@"
}
ask "'outbound' is neither egress nor ingress [usage]       | did you mean 'egress'?" outbound tcp 10.0.0.1:443
ask "did you mean 'ingress'?" in tcp 10.0.0.1:443
ask "did you mean 'egress'?" EGRESS tcp 10.0.0.1:443
ask "the direction is missing before 'tcp'" tcp egress 10.0.0.1:443
ask "unknown protocol 'http' [usage]       | tcp 10.0.0.1:80" egress http 10.0.0.1
ask "unknown protocol 'tpc' [usage]       | did you mean 'tcp'?" egress tpc 10.0.0.1:443
ask '| tcp 10.0.0.1:443' egress tcp/443 10.0.0.1
ask '| udp [fd00::1]:53' egress 53/udp fd00::1
ask '| ingress tcp 10.0.0.1:443' ingress 10.0.0.1:443 tcp
ask '| 10.0.0.1:443' egress tcp 10.0.0.1 443
ask '| 10.0.0.1:443' egress tcp 10.0.0.1:https
ask '| 10.0.0.1:443' egress tcp 10.0.0.1:443/tcp
ask "the port is missing after ':'" egress tcp 10.0.0.1:
ask "'80-90' is not a port from 0 to 65535" egress tcp 10.0.0.1:80-90
ask "'-1' is not a port from 0 to 65535" egress tcp 10.0.0.1:-1
ask "'10.0.0.0/24' is not a single address" egress tcp 10.0.0.0/24:443
ask "'any' is not a single address" egress tcp any:443
ask "'10.0.0.1-10.0.0.9' is not an address: a range" egress tcp 10.0.0.1-10.0.0.9:443
ask "'!10.0.0.1' is not an address: a peer cannot be negated" egress tcp '!10.0.0.1:443'
ask "'10.0.0.300' is not an address: 300 is over 255" egress tcp 10.0.0.300:443
ask 'getent ahosts db.example.com' egress tcp db.example.com:443
ask '[fd00::1]:443 if 443 is the port' egress tcp fd00::1:443
ask '| [fd00::1]:443' egress tcp '[fd00::1]443'
ask "'ping' is not an ICMP type [usage]       | did you mean 'echo-request'?" egress icmp 10.0.0.1 ping
ask 'icmpv6 needs an IPv6 peer [usage]       | icmp PEER 8' egress icmpv6 10.0.0.1 8
usage_says 'did you mean --mode enforce?' apply x.yaml --mode Enforce
usage_says 'did you mean --mode enforce?' apply x.yaml --mode enforcing
usage_says 'the length of an IPv4 prefix is 0 to 32' check x.yaml --local-subnet eth0=10.0.0.0/33
usage_says "write '10.0.0.0/16'" learn x --peer 10.0.0.0/255.255.0.0
usage_says "leave --peer out" learn x --peer any
usage_says 'give the policy either as an operand or with --policy' status x --policy x
