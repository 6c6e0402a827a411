# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Runs tests/e2e/crowd in a node and speaks with it. Sourced after lib.sh by the tests of a busy host.

crowd_lines() { wc -l <"$LAB_DIR/log/crowd-$1"; } # NAME

crowd_wait() # NAME LINES: until it has said as many; prints the last
{
	local i
	for i in $(seq 3000); do
		if [ "$(crowd_lines "$1")" -ge "$2" ]; then
			tail -n 1 "$LAB_DIR/log/crowd-$1"
			return
		fi
		sleep 0.02
	done
	echo "no answer: $(tail -n 3 "$LAB_DIR/log/crowd-$1")"
}

crowd_start() # NAME NODE VERB ARGUMENTS-AFTER-FIFO...
{
	local name=$1 node=$2 verb=$3 said
	shift 3
	rm -f "$work/crowd-$name"
	mkfifo "$work/crowd-$name"
	: >"$LAB_DIR/log/crowd-$name"
	lab_spawn "crowd-$name" "$node" "$e2e_here/crowd" "$verb" "$work/crowd-$name" "$@"
	said=$(crowd_wait "$name" 1)
	[ "$said" = ready ] || not_ok "the crowd $name is ready" "$said"
}

crowd_send() # NAME WORDS...
{
	local name=$1
	shift
	crowd_lines "$name" >"$work/crowd-$name.lines"
	echo "$*" >"$work/crowd-$name"
}

crowd_reply() { crowd_wait "$1" $(($(cat "$work/crowd-$1.lines") + 1)); } # NAME

crowd_ask() # NAME WORDS...: says it, and prints the answer
{
	crowd_send "$@"
	crowd_reply "$1"
}

crowd_fits() { [[ $(crowd_ask "$1" "$2") =~ $3 ]]; } # NAME WORD PATTERN

crowd_stop() # NAME...
{
	local name
	for name in "$@"; do
		lab_stop "crowd-$name"
	done
}
