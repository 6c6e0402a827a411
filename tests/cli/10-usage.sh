# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line itself: help, unknown words, options and operands. Sourced by run.

golden help 0 --help
golden help-explain 0 explain --help
exits 'help VERB is VERB --help' 0 '' help apply
exits 'no command is a usage error' 2 'Usage: flowreeve COMMAND'
golden unknown-command 2 aply policy.yaml
exits 'the beginning of a command is not the command' 2 "there is no command 'stat'" stat
golden unknown-option 2 check --jsom policy.yaml
exits 'the beginning of an option is not the option' 2 'check has no option --tab' check --tab x policy.yaml
exits 'an option of another command' 2 'check has no option --dump' check --dump policy.yaml
exits 'a short option' 2 "'-j' is not an option" check -j policy.yaml
exits 'an option without its value' 2 '--tables needs a value' check policy.yaml --tables
exits 'a value for an option that takes none' 2 '--json takes no value' version --json=yes
exits 'no operand' 2 'usage: flowreeve check' check
exits 'one operand too many' 2 'one operand too many' compile a.yaml b.yaml
exits 'what show does not know' 2 "did you mean 'rules'" show rule
exits 'peers of rules' 2 'show flows and show drops do' show rules --peer 10.0.0.1
exits 'wide is of tables' 2 'check has no option --wide' check --wide x
exits 'peers that are none' 2 "'any' is not an address" show flows --peer any
exits 'a mode that is none' 2 "'enforced' is not a mode" apply x.yaml --mode enforced
exits 'a count of nothing' 2 '--count takes a number' monitor --count 0
exits 'room for more flows than there can be' 2 'a number from 1 to 16777216, not .16777217' apply x.yaml --flows 16777217
exits 'room for more flows than a number can say' 2 'a number from 1 to 16777216' apply x.yaml --flows 18446744073709551616
exits 'room for as many flows as there can be' 3 'x.yaml: error' apply x.yaml --flows 16777216
exits 'a local subnet without an interface' 2 'takes IF=CIDR' check x.yaml --local-subnet 10.0.0.0/24
exits 'a local subnet with host bits' 2 'did you mean 10.0.0.0/24' check x.yaml --local-subnet e=10.0.0.5/24
exits 'after -- all are operands' 3 '\-\-json: error' check -- --json
exits 'until a day that is none' 2 "'2027-02-30T10:00' is no moment" apply x.yaml --until 2027-02-30T10:00
exits 'until an hour that is none' 2 'no moment of any calendar' apply x.yaml --until 24:00
exits 'until a year that is too far' 2 'more than 100 years' apply x.yaml --until 9999-01-01T00:00Z
exits 'until a time that is past' 2 'not a time to come' apply x.yaml --until 2026-01-01T00:00Z
exits 'until a time with a wrong character' 2 '--until:1:14: error: .2027-02-03T10.15. is not a time' apply x.yaml --until 2027-02-03T10.15
exits 'until a time with more behind it' 2 '--until:1:6: error' apply x.yaml --until 17:00x
exits 'until a year of three digits' 2 '--until:1:4: error' apply x.yaml --until 202-02-03T10:15
exits 'until a leap day' 3 'x.yaml: error' apply x.yaml --until 2028-02-29T10:15:30Z
exits 'until the next 00:00' 3 'x.yaml: error' apply x.yaml --until 00:00
golden version 0 version
json_is 'version as JSON' 0 '.abi >= 1' version
json_is 'a usage error as JSON' 2 '.error.exit == 2' check --nonsense
json_is 'an unknown command as JSON' 2 '.diagnostics[0].hint | contains("apply")' aply

if "$flowreeve" version >/dev/full 2>"$work/err"; then
	not_ok 'a full disk is a failure'
elif [ $? = 1 ] && grep -q 'not written completely: No space left' "$work/err"; then
	ok 'a full disk is a failure'
else
	not_ok 'a full disk is a failure' "$(cat "$work/err")"
fi

exec 8> >(:)
wait $! # it reads no more
"$flowreeve" --help 2>"$work/err" >&8
status=$?
exec 8>&-
if [ "$status" = 141 ] && [ ! -s "$work/err" ]; then
	ok 'a reader that went away ends the command by SIGPIPE, without a word'
else
	not_ok 'a reader that went away ends the command by SIGPIPE, without a word' "exit $status" "$(cat "$work/err")"
fi

# ---------------------------------------------------------------- standard input

from_stdin() { # NAME STATUS PATTERN FILE ARGS...
	local name=$1 want=$2 pattern=$3 file=$4
	shift 4
	"$flowreeve" "$@" <"$file" >"$work/out" 2>"$work/err"
	status=$?
	if [ $status = "$want" ] && cat "$work/out" "$work/err" | grep -qE "$pattern"; then
		ok "$name"
	else
		not_ok "$name" "exit $status" "$(cat "$work/out" "$work/err")"
	fi
}
from_stdin '- is a policy from standard input' 0 '^ok  datasync' policies/examples/datasync-agent-vpc.yaml \
	check --tables policies/tables -
from_stdin '... its errors have a place' 3 '^<stdin>:[0-9]+:[0-9]+: error' tests/cli/input/wrong.yaml check -
from_stdin '... twice is the same text' 0 '^ok  datasync' policies/examples/datasync-agent-vpc.yaml \
	check --tables policies/tables - -
from_stdin 'explain -' 0 '^(pass|would-drop|drop)  rule=' policies/examples/datasync-agent-vpc.yaml \
	explain --tables policies/tables - egress tcp 10.20.0.5:2049
from_stdin 'compile -' 0 'digest' policies/examples/datasync-agent-vpc.yaml compile --tables policies/tables -
from_stdin 'a table from standard input' 0 'table of [0-9]+ rows' policies/tables/qumulo.yaml check -
from_stdin 'an endless standard input is refused' 3 'larger than' /dev/zero check -
json_is 'every document names its host' 0 ".host == \"$(uname -n)\"" version

# ---------------------------------------------------------------- filters

says() { # NAME CODE LINES ARGS...: the lines are in the diagnostics
	local name=$1 want=$2 lines=$3
	shift 3
	attempt "$@"
	if [ "$status" = "$want" ] && [[ $(cat "$work/err") == *"$lines"* ]]; then
		ok "$name"
	else
		not_ok "$name" "exit $status" "$(cat "$work/err")"
	fi
}
says 'a filter: a word misspelt' 2 "filter:1:21: error: 'prot' is nothing to select by [filter]
    1 | peer 10.0.0.0/8 and prot 443
      |                     ^~~~ did you mean 'port'?" show drops 'peer 10.0.0.0/8 and prot 443'
says 'a filter: in several words' 2 "    1 | peer 10.0.0.0/8 and port 70000
      |                          ^~~~~ a port or a range: port 443, port 1024-1064" \
	show flows peer 10.0.0.0/8 and port 70000
says 'a filter: a value is missing' 2 "    1 | verdict
      |        ^ pass, drop or would-drop" monitor verdict
says 'a filter: another verdict' 2 '^~~~ pass, drop or would-drop' monitor verdict deny
says 'a filter: the end is missing' 2 '^ one of: peer, port, verdict, rule, row, process, direction, since' show drops port 1 and
says 'a filter: another conjunction' 2 "^~ 'and' between two terms, or the end" show drops port 1 or port 2
says 'a filter: a peer that is none' 2 '^~~ an address or a prefix: peer 10.0.0.0/8' show flows peer any
says 'a filter: host bits' 2 '^~~~~~~~~~~ an address or a prefix' show flows peer 10.0.0.1/24
says 'a filter: rules have fewer' 2 '^~~~ one of: verdict, rule, row, direction, since' show rules port 1
says 'a filter: an age without a unit' 2 '^~ how long ago: since 90s, 10m, 2h, 5d' show drops since 10
says 'a filter: a range backwards' 2 '^~~ a port or a range' show drops port 9-1
says 'an order that is none' 2 'last, first, packets, bytes, peer, port or rule' show drops --sort size
exits 'a limit of nothing' 2 '--limit takes a number' show drops --limit 0
