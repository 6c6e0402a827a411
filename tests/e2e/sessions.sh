# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Runs tests/e2e/tools/sessions in a node and sends it commands. Sourced after lib.sh by the tests of a busy
# host.

sessions_lines() { wc -l <"$LAB_DIR/log/sessions-$1"; } # NAME

sessions_wait() # NAME LINES: until it has said as many; prints the last
{
	local i
	for i in $(seq 3000); do
		if [ "$(sessions_lines "$1")" -ge "$2" ]; then
			tail -n 1 "$LAB_DIR/log/sessions-$1"
			return
		fi
		sleep 0.02
	done
	echo "no answer: $(tail -n 3 "$LAB_DIR/log/sessions-$1")"
}

sessions_start() # NAME NODE VERB ARGUMENTS-AFTER-FIFO...
{
	local name=$1 node=$2 verb=$3 said
	shift 3
	rm -f "$work/sessions-$name"
	mkfifo "$work/sessions-$name"
	: >"$LAB_DIR/log/sessions-$name"
	lab_spawn "sessions-$name" "$node" "$e2e_here/tools/sessions" "$verb" "$work/sessions-$name" "$@"
	said=$(sessions_wait "$name" 1)
	[ "$said" = ready ] || not_ok "sessions $name is ready" "$said"
}

sessions_send() # NAME WORDS...
{
	local name=$1
	shift
	sessions_lines "$name" >"$work/sessions-$name.lines"
	echo "$*" >"$work/sessions-$name"
}

sessions_reply() { sessions_wait "$1" $(($(cat "$work/sessions-$1.lines") + 1)); } # NAME

sessions_ask() # NAME WORDS...: says it, and prints the answer
{
	sessions_send "$@"
	sessions_reply "$1"
}

sessions_fits() { [[ $(sessions_ask "$1" "$2") =~ $3 ]]; } # NAME WORD PATTERN

sessions_stop() # NAME...
{
	local name
	for name in "$@"; do
		lab_stop "sessions-$name"
	done
}
