#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Cases of scripts/check-commands, never run: each line that ends in "# offends" calls a program that no
# package has, or one that cannot be determined, and no other line does.
# shellcheck disable=SC2317,SC2288,SC2016,SC2011,SC2209

frobnicate -x # offends
ls /tmp | frobnicate # offends
echo "$(frobnicate)" # offends
/usr/sbin/frobnicate # offends
if ! frobnicate; then ls; fi # offends
timeout -s KILL 3 frobnicate # offends
env -u HOME A=1 frobnicate # offends
sh -c 'ls && exec frobnicate "$@"' sh x # offends
sh -c 'exec "$@"' sh frobnicate # offends
bash -c "frobnicate $HOME" # offends
find . -exec frobnicate {} + # offends
ls | xargs -r -n 1 frobnicate # offends
trap 'frobnicate' EXIT # offends
ip netns exec node frobnicate # offends
nsenter --net=/run/netns/node -- setpriv --reuid 65534 frobnicate # offends
command -v frobnicate # offends
python3 -c 'import frobnication' # offends
"$nowhere" x # offends
"$(cat name)" x # offends

runs() # WHAT LIMIT COMMAND...
{
	local what=$1 limit=$2
	shift 2
	echo "$what"
	timeout "$limit" "$@"
}
passes() { runs "$1" 3 "${@:2}"; }
runs 'a program' 3 ls
runs 'a program' 3 frobnicate # offends
passes 'a program' ls frobnicate
passes 'a program' frobnicate # offends
outer() { sh -c 'exec "$@"' sh "$@"; }
outer frobnicate ls # offends
outer ls frobnicate

words=(timeout 3 frobnicate) # offends
"${words[@]}" ls
good=(timeout 3 ls)
"${good[@]}" frobnicate
tool=ls
$tool frobnicate
other='frobnicate -v' # offends
$other ls
tool_found=$(command -v ls)
"$tool_found" frobnicate

ask_one() { ls frobnicate; }
ask_two() { frobnicate; } # offends
"ask_$tool" frobnicate

timeout 3 ${tool:+frobnicate} ls # offends
env ${tool:+"$tool"} A="$tool" ls frobnicate
env ${tool:+A=1} frobnicate # offends
setting="A=$1"
env "$setting" ls frobnicate
env "$setting" frobnicate # offends

cat >"$work/made" <<-'SH' # a script that is made here
	#!/bin/sh
	frobnicate # offends
	ls frobnicate
SH
cat <<TEXT
frobnicate
TEXT
case $tool in frobnicate) ls ;; esac
echo frobnicate "frobnicate" 'frobnicate'
