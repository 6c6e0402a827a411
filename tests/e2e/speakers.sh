# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Datagram sockets that speak when they are told to (tools/speaker), one exchange at a time: nothing depends on
# how fast they are. Sourced after lib.sh.
declare -A speaker_in=() speaker_out=() speaker_port=()

speaker_start() # NAME NODE ADDRESS PORT [--join GROUP INTERFACE]
{
	local name=$1 node=$2 in out
	shift 2
	rm -f "$work/$name".{in,out}
	mkfifo "$work/$name".{in,out}
	lab_in "$node" timeout -s KILL 600 "$e2e_here/tools/speaker" "$@" <"$work/$name.in" >"$work/$name.out" 2>&1 &
	exec {in}>"$work/$name.in" {out}<"$work/$name.out"
	speaker_in[$name]=$in speaker_out[$name]=$out
	read -rt 60 _ speaker_port[$name] <&"$out" || not_ok "the speaker $name is there"
}

speaker_end() # NAME...
{
	local name in out
	for name; do
		in=${speaker_in[$name]} out=${speaker_out[$name]}
		exec {in}>&- {out}<&-
	done
}

# Its answer in $said: NAME VERB...
speak()
{
	local name=$1
	shift
	echo "$*" >&"${speaker_in[$name]}"
	read -rt 120 said <&"${speaker_out[$name]}" || said='no answer'
}

# One datagram, and what becomes of it: heard, silence or denied. FROM ADDRESS PORT TO [EXPECTED]; it waits
# long for what is expected to be heard.
word()
{
	local wait=30
	[ "${5:-heard}" = heard ] || wait=0.5
	speak "$1" send "$2" "$3"
	[ "$said" = sent ] || return
	speak "$4" hear $wait
	said=${said%% *}
}

word_is() # WHAT EXPECTED FROM ADDRESS PORT TO
{
	word "$3" "$4" "$5" "$6" "$2"
	equal "$kind, $mode: $1" "$2" "$said"
}
